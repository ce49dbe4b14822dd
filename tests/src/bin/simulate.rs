//! `simulate`: runs seeds of the deterministic simulation, prints one line for each failure, and shrinks it.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "--minutes and what is stuck are told by the wall clock, the simulation never is"
)]

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::Range;
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use leveret_tests::sim::plan::Plan;
use leveret_tests::sim::shrink::shrink;
use leveret_tests::sim::tally::Tally;
use leveret_tests::sim::world::{Broken, run};

const USAGE: &str = "\
simulate: the engine against model brokers, a network and a clock, all from one seed

  --seeds A..B   run these seeds (default 0..2000)
  --count N      the same as --seeds 0..N
  --seed N       run this one
  --verbose      tell everything that happens (in the shortest run that fails alike, if one fails)
  --minutes M    stop after so many minutes
  --no-shrink    do not look for a shorter run that fails alike
  --jobs N       run so many seeds at a time (default: one for each processor)
";

/// Every so many seeds one is run twice, to see that its trace is the same.
const TWICE: u64 = 50;
/// Most events spent on making one failure smaller.
const SHRINKING: u64 = 5_000_000;
/// After so many failures there is nothing more to learn.
const ENOUGH: u64 = 20;
/// So many seeds have to show everything that can happen.
const DEMANDING: u64 = 2_000;
/// A seed takes milliseconds, a failing one that is made smaller a minute: one that takes longer goes round in circles.
const STUCK: Duration = Duration::from_secs(300);

#[derive(Clone)]
struct Arguments {
    seeds: Range<u64>,
    verbose: bool,
    shrink: bool,
    minutes: Option<u64>,
    jobs: usize,
}

/// What a job says.
enum Told {
    Begins { job: usize, seed: u64 },
    Ended { job: usize, report: Box<Report> },
}

/// What a seed gave.
struct Report {
    /// What is to be told of it.
    lines: Vec<String>,
    passed: bool,
    tally: Tally,
}

fn main() -> ExitCode {
    match arguments(std::env::args().skip(1)) {
        Ok(arguments) => simulate(&arguments),
        Err(message) => {
            eprint!("{message}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn simulate(arguments: &Arguments) -> ExitCode {
    let (began, mut tally) = (Instant::now(), Tally::default());
    let (mut passed, mut failed) = (0u64, 0u64);
    let (sender, reports) = channel();
    for job in 0..arguments.jobs {
        let (arguments, sender) = (arguments.clone(), sender.clone());
        thread::spawn(move || work(&arguments, job, began, &sender));
    }
    drop(sender);
    let mut running = BTreeMap::new();
    loop {
        let told = reports.recv_timeout(Duration::from_secs(1));
        if let Some(seed) = stuck(&running) {
            println!("FAILED seed {seed}: it has been running for {STUCK:?}");
            return ExitCode::FAILURE;
        }
        let report = match told {
            Ok(Told::Ended { job, report }) => {
                running.remove(&job);
                report
            }
            Ok(Told::Begins { job, seed }) => {
                running.insert(job, (seed, Instant::now()));
                continue;
            }
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        for line in &report.lines {
            println!("{line}");
        }
        tally.add(&report.tally);
        let count = if report.passed {
            &mut passed
        } else {
            &mut failed
        };
        *count += 1;
        if failed >= ENOUGH {
            break;
        }
    }
    for line in tally.lines() {
        println!("{line}");
    }
    let never = if passed >= DEMANDING {
        tally.never()
    } else {
        Vec::new()
    };
    for name in &never {
        println!("FAILED {passed} seeds never had {name}");
    }
    println!("{:.1} s", began.elapsed().as_secs_f64());
    let left = (arguments.seeds.end - arguments.seeds.start) - passed - failed;
    println!("{passed} passed, {failed} failed, {left} not run");
    if failed == 0 && never.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A seed that has been running for too long.
fn stuck(running: &BTreeMap<usize, (u64, Instant)>) -> Option<u64> {
    let mut seeds = running.values();
    let (seed, _) = seeds.find(|(_, since)| since.elapsed() > STUCK)?;
    Some(*seed)
}

/// Runs every so manyth seed, until nobody wants to hear of more.
fn work(arguments: &Arguments, job: usize, began: Instant, reports: &Sender<Told>) {
    let limit = arguments
        .minutes
        .map(|minutes| Duration::from_secs(60 * minutes));
    for seed in arguments.seeds.clone().skip(job).step_by(arguments.jobs) {
        let late = limit.is_some_and(|limit| began.elapsed() > limit);
        if late || reports.send(Told::Begins { job, seed }).is_err() {
            return;
        }
        let report = Box::new(run_seed(seed, arguments));
        if reports.send(Told::Ended { job, report }).is_err() {
            return;
        }
    }
}

fn run_seed(seed: u64, arguments: &Arguments) -> Report {
    let plan = Plan::of_seed(seed);
    let outcome = run(&plan, None, arguments.verbose);
    let again = || run(&plan, None, false).trace;
    let (passed, lines) = match &outcome.broken {
        Some(broken) => (false, failure(seed, &plan, broken, arguments)),
        None if seed.is_multiple_of(TWICE) && again() != outcome.trace => {
            let words = format!("FAILED seed {seed}: the trace of a second run differs");
            (false, vec![words])
        }
        None => (true, outcome.log),
    };
    Report {
        passed,
        lines,
        tally: outcome.tally,
    }
}

fn failure(seed: u64, plan: &Plan, broken: &Broken, arguments: &Arguments) -> Vec<String> {
    let mut lines = vec![
        format!(
            "FAILED seed {seed}, step {}, {}: {}",
            broken.step, broken.failure.checker, broken.failure.message
        ),
        format!("  replay it with: make simulate SEED={seed}"),
    ];
    if !arguments.shrink {
        if arguments.verbose {
            lines.extend(run(plan, None, true).log);
        }
        return lines;
    }
    let (small, how) = shrink(plan, broken, None, SHRINKING);
    lines.push(format!(
        "  {} of {} operations are enough: {}",
        small.steps.len(),
        plan.steps.len(),
        how.failure
    ));
    for (client, plan) in small.clients.iter().enumerate() {
        lines.push(format!(
            "    client {client}: {:?}, {} endpoints, {:?}",
            plan.options, plan.endpoints, plan.network
        ));
    }
    for broker in &small.brokers {
        lines.push(format!("    {broker:?}"));
    }
    if arguments.verbose {
        lines.extend(run(&small, None, true).log);
    }
    lines.extend(small.steps.iter().map(|step| {
        format!(
            "    {:>12.6} s client {} {:?}",
            step.at as f64 / 1e9,
            step.client,
            step.operation
        )
    }));
    lines
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        seeds: 0..2000,
        verbose: false,
        shrink: true,
        minutes: None,
        jobs: thread::available_parallelism().map_or(1, NonZero::get),
    };
    while let Some(name) = given.next() {
        match name.as_str() {
            "--verbose" => arguments.verbose = true,
            "--no-shrink" => arguments.shrink = false,
            "--seed" => {
                let seed = number(given.next(), "--seed")?;
                arguments.seeds = seed..seed + 1;
            }
            "--count" => arguments.seeds = 0..number(given.next(), "--count")?,
            "--minutes" => arguments.minutes = Some(number(given.next(), "--minutes")?),
            "--jobs" => arguments.jobs = number(given.next(), "--jobs")?.clamp(1, 1_000) as usize,
            "--seeds" => {
                let text = given.next().unwrap_or_default();
                let (from, to) = text
                    .split_once("..")
                    .ok_or("--seeds takes a range such as 0..2000")?;
                arguments.seeds = number(Some(from.to_owned()), "--seeds")?
                    ..number(Some(to.to_owned()), "--seeds")?;
            }
            _ => return Err(format!("there is no argument {name}")),
        }
    }
    Ok(arguments)
}

fn number(given: Option<String>, name: &str) -> Result<u64, String> {
    let text = given.unwrap_or_default();
    text.parse()
        .map_err(|_| format!("{name} takes a whole number, not {text:?}"))
}
