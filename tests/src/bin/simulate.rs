//! `simulate`: runs seeds of the deterministic simulation, prints one line for each failure, and shrinks it.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "--minutes is told by the wall clock, the simulation never is"
)]

use std::ops::Range;
use std::process::ExitCode;
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
";

/// Every so many seeds one is run twice, to see that its trace is the same.
const TWICE: u64 = 50;
/// Most events spent on making one failure smaller.
const SHRINKING: u64 = 5_000_000;
/// After so many failures there is nothing more to learn.
const ENOUGH: u64 = 20;

struct Arguments {
    seeds: Range<u64>,
    verbose: bool,
    shrink: bool,
    minutes: Option<u64>,
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
    for seed in arguments.seeds.clone() {
        let late = arguments
            .minutes
            .is_some_and(|minutes| began.elapsed() > Duration::from_secs(60 * minutes));
        if late || failed >= ENOUGH {
            println!("stopped before seed {seed}");
            break;
        }
        let plan = Plan::of_seed(seed);
        let outcome = run(&plan, None, arguments.verbose);
        let told = outcome.broken.is_none() || !arguments.shrink;
        for line in outcome.log.iter().filter(|_| told) {
            println!("{line}");
        }
        let mut broken = outcome.broken;
        if broken.is_none() && seed % TWICE == 0 && run(&plan, None, false).trace != outcome.trace {
            println!("FAILED seed {seed}: the trace of a second run differs");
            failed += 1;
            continue;
        }
        tally.add(&outcome.tally);
        match broken.take() {
            None => passed += 1,
            Some(broken) => {
                failed += 1;
                report(seed, &plan, &broken, arguments);
            }
        }
    }
    for line in tally.lines() {
        println!("{line}");
    }
    println!("{:.1} s", began.elapsed().as_secs_f64());
    println!("{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn report(seed: u64, plan: &Plan, broken: &Broken, arguments: &Arguments) {
    println!(
        "FAILED seed {seed}, step {}, {}: {}",
        broken.step, broken.failure.checker, broken.failure.message
    );
    println!("  replay it with: make simulate SEED={seed}");
    if !arguments.shrink {
        return;
    }
    let (small, how) = shrink(plan, broken, SHRINKING);
    println!(
        "  {} of {} operations are enough: {}",
        small.steps.len(),
        plan.steps.len(),
        how.failure
    );
    for (client, plan) in small.clients.iter().enumerate() {
        println!(
            "    client {client}: {:?}, {} endpoints, {:?}",
            plan.options, plan.endpoints, plan.network
        );
    }
    for broker in &small.brokers {
        println!("    {broker:?}");
    }
    if arguments.verbose {
        for line in run(&small, None, true).log {
            println!("{line}");
        }
    }
    for step in &small.steps {
        println!(
            "    {:>12.6} s client {} {:?}",
            step.at as f64 / 1e9,
            step.client,
            step.operation
        );
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        seeds: 0..2000,
        verbose: false,
        shrink: true,
        minutes: None,
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
