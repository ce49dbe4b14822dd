//! The corpus that fuzzing left, run through the targets once more: what was reached once stays reached, and what was found once stays mended.
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use leveret_tests::fuzz::seeds::seeds;
use leveret_tests::fuzz::seen::Seen;
use leveret_tests::fuzz::{TARGETS, engine};
use leveret_tests::tree::root;

/// The inputs of a corpus, each with the number of its line.
fn corpus(file: &Path) -> Vec<(usize, Vec<u8>)> {
    let text = fs::read_to_string(file).expect("there is a corpus for each target");
    let inputs = text.lines().enumerate();
    inputs
        .filter(|(_, line)| !line.starts_with('#'))
        .map(|(number, line)| (number + 1, bytes(line)))
        .collect()
}

/// The bytes that a line of hexadecimal digits means.
fn bytes(line: &str) -> Vec<u8> {
    assert!(line.len().is_multiple_of(2), "half a byte in {line}");
    (0..line.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&line[at..at + 2], 16).expect("hexadecimal digits"))
        .collect()
}

#[test]
fn the_corpus_runs_through() {
    for (name, target) in TARGETS {
        let file = root().join(format!("tests/fuzz/corpus/{name}.txt"));
        let inputs = corpus(&file);
        assert!(inputs.len() > 100, "{} inputs for {name}", inputs.len());
        for (line, input) in inputs {
            let ran = catch_unwind(|| target(&input));
            assert!(ran.is_ok(), "tests/fuzz/corpus/{name}.txt:{line} breaks it");
        }
    }
}

/// What the engine can tell, be told, write and read: the inputs reach all of it.
#[test]
fn the_inputs_of_the_engine_reach_everything() {
    const EVENTS: &str = "Settled Released Message Reply Status Connection Subscription RoundTrip Notice Packet Prepare Authenticate";
    const COMMANDS: &str = "Post Subscribe Unsubscribe Acknowledge Cancel MakeRoom Discard Flush Ping Explain Reconnect Close Hooks Answer Prepared Authenticate Reauthenticate";
    const WRITTEN: &str =
        "Connect Publish PubAck PubRec PubRel PubComp Subscribe Unsubscribe PingReq Disconnect";
    const READ: &str = "ConnAck Publish PubAck PubRec PubRel PubComp SubAck UnsubAck PingResp";
    let seen = Seen::default();
    let kept = corpus(&root().join("tests/fuzz/corpus/engine.txt"));
    for input in kept.into_iter().map(|(_, input)| input).chain(seeds()) {
        engine::run_counting(&input, &seen);
    }
    let words = |what: &str, names: &str, version: &str| -> Vec<String> {
        let word = |name| format!("{what} {name}{version}");
        names.split(' ').map(word).collect()
    };
    let mut wanted = words("event", EVENTS, "");
    wanted.extend(words("command", COMMANDS, ""));
    for version in [" V311", " V5"] {
        wanted.extend(words("written", WRITTEN, version));
        wanted.extend(words("read", READ, version));
    }
    let others = ["written Auth V5", "read Auth V5", "read Disconnect V5"];
    wanted.extend(others.map(str::to_owned));
    for way in ["written", "read"] {
        wanted.push(format!("{way} Publish with DUP"));
        wanted.push(format!("{way} Publish with an alias"));
    }
    let never: Vec<_> = wanted.iter().filter(|name| seen.of(name) == 0).collect();
    assert!(never.is_empty(), "never: {never:?}, of {:#?}", seen.lines());
}

/// For looking at it: `LEVERET_FUZZ_INPUT=tests/fuzz/corpus/engine.txt:17 cargo test -p leveret-tests --test fuzz -- --ignored`, or a
/// file that a fuzzer has just found, such as `target/fuzz/engine/found/crash-…`; both from the top of the project.
#[test]
#[ignore = "runs the one input that LEVERET_FUZZ_INPUT names"]
fn one_input() {
    let named = std::env::var("LEVERET_FUZZ_INPUT").expect("LEVERET_FUZZ_INPUT names an input");
    let input = match named.rsplit_once(".txt:") {
        Some((corpus_of, line)) => {
            let line: usize = line.parse().expect("the number of a line");
            let inputs = corpus(&root().join(format!("{corpus_of}.txt")));
            let found = inputs.into_iter().find(|(number, _)| *number == line);
            found.expect("there is an input in that line").1
        }
        None => fs::read(root().join(&named)).expect("the file can be read"),
    };
    let words = || named.split(['/', '.']);
    let target = TARGETS
        .iter()
        .find(|(name, _)| words().any(|word| word == *name));
    target.expect("the path names the target").1(&input);
}
