//! The boot clock agrees with the system's, and its timer is one of that clock.
#![cfg(target_os = "linux")]

use std::os::fd::AsRawFd;

use leveret_sys::{BootTimer, boot_time_ns};

/// Seconds since boot as the system tells them, suspended time included.
fn uptime() -> f64 {
    let text = std::fs::read_to_string("/proc/uptime").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

/// Blocks until the descriptor is readable or the time is over.
fn readable(descriptor: &impl AsRawFd, milliseconds: i32) -> bool {
    let mut poll = libc::pollfd {
        fd: descriptor.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one valid entry, which lives through the call.
    unsafe { libc::poll(&raw mut poll, 1, milliseconds) == 1 }
}

#[test]
fn the_clock_counts_from_boot_and_never_goes_back() {
    let before = uptime();
    let now = boot_time_ns() as f64 / 1e9;
    let after = uptime();
    assert!(
        before - 0.02 <= now && now <= after + 0.02,
        "{before} {now} {after}"
    );
    let mut last = boot_time_ns();
    for _ in 0..10_000 {
        let next = boot_time_ns();
        assert!(next >= last);
        last = next;
    }
}

#[test]
fn the_timer_runs_on_the_clock_that_counts_suspended_time() {
    let timer = BootTimer::new().unwrap();
    timer.arm(boot_time_ns() + 3_600_000_000_000).unwrap();
    let info = format!("/proc/self/fdinfo/{}", timer.as_raw_fd());
    let info = std::fs::read_to_string(info).unwrap();
    let clock = format!("clockid: {}", libc::CLOCK_BOOTTIME);
    assert!(info.lines().any(|line| line == clock), "{info}");
}

#[test]
fn the_timer_fires_at_its_time_and_once() {
    let timer = BootTimer::new().unwrap();
    assert!(timer.take().is_err(), "nothing is armed");
    let at = boot_time_ns() + 5_000_000;
    timer.arm(at).unwrap();
    assert!(readable(&timer, 10_000));
    assert!(boot_time_ns() >= at);
    timer.take().unwrap();
    assert!(timer.take().is_err());
    timer.arm(0).unwrap();
    assert!(
        readable(&timer, 10_000),
        "a time that has passed fires at once"
    );
}
