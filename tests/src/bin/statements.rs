//! `statements`: reads what `cargo test` printed, and prints every statement of the standards with its tests and their results; fails on a hole.
//!
//! With `targets` as its argument it prints what cargo has to run, so that no list of it can be behind the tests.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

use std::collections::BTreeMap;
use std::io::Read;
use std::process::ExitCode;

use leveret_tests::statements::{Statement, by_stem, holes, statements, targets, tests};

fn main() -> ExitCode {
    let tests = tests();
    if std::env::args().nth(1).as_deref() == Some("targets") {
        for target in targets(&tests) {
            println!("{target}");
        }
        return ExitCode::SUCCESS;
    }
    let mut log = String::new();
    if let Err(error) = std::io::stdin().read_to_string(&mut log) {
        eprintln!("cannot read the results: {error}");
        return ExitCode::FAILURE;
    }
    let rows = match statements() {
        Ok(rows) => rows,
        Err(wrong) => {
            eprintln!("{}", wrong.join("\n"));
            return ExitCode::FAILURE;
        }
    };
    let results = results(&log);
    let mut wrong = holes(&rows, &tests);
    wrong.extend(print_table(&rows, &by_stem(&tests), &results));
    print_departures(&rows);
    let reasoned = rows.iter().filter(|row| row.reasoning().is_some()).count();
    let binding = rows.iter().filter(|row| row.binds_client()).count();
    println!(
        "{binding} statements that bind a client and {} more rules: {} shown by {} tests, {reasoned} by reasoning",
        rows.len() - binding,
        rows.len() - reasoned,
        tests.len(),
    );
    if wrong.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\nNot as it should be:\n{}", wrong.join("\n"));
    ExitCode::FAILURE
}

/// The result of each test, by its name without its module: `test strings::v5_… ... ok`.
fn results(log: &str) -> BTreeMap<&str, &str> {
    let lines = log.lines().filter_map(|line| line.strip_prefix("test "));
    let parts = lines.filter_map(|line| line.rsplit_once(" ... "));
    let named = parts.map(|(path, result)| (path.rsplit("::").next().unwrap_or(path), result));
    named.collect()
}

/// Prints the table; returns what failed or did not run.
fn print_table(
    rows: &[Statement],
    tests: &BTreeMap<String, Vec<&str>>,
    results: &BTreeMap<&str, &str>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    println!("{:7} {:18} {:8} test", "version", "number", "result");
    for row in rows {
        let (version, number) = (&row.version, &row.number);
        if let Some(reasoning) = row.reasoning() {
            println!("{version:7} {number:18} {:8} {reasoning}", "reasoned");
        }
        let names = tests.get(&row.stem()).map_or(&[][..], Vec::as_slice);
        if names.is_empty() && row.reasoning().is_none() {
            println!("{version:7} {number:18} {:8} {}", "HOLE", row.demand);
        }
        for name in names {
            let result = results.get(name).copied().unwrap_or("not run");
            println!("{version:7} {number:18} {result:8} {name}");
            if result != "ok" {
                wrong.push(format!("{name}: {result}"));
            }
        }
    }
    wrong
}

fn print_departures(rows: &[Statement]) {
    println!("\nDepartures, on purpose:");
    for row in rows {
        if let Some(departure) = row.departure() {
            println!("{} {}: {departure}", row.version, row.number);
        }
    }
    println!();
}
