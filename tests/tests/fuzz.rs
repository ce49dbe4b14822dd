//! The corpus that fuzzing left, run through the targets once more: what was reached once stays reached, and what was found once stays mended.
use std::fs;
use std::panic::catch_unwind;

use leveret_tests::fuzz::TARGETS;
use leveret_tests::tree::root;

#[test]
fn the_corpus_runs_through() {
    for (name, target) in TARGETS {
        let folder = root().join("tests/fuzz/corpus").join(name);
        let mut count = 0;
        for entry in fs::read_dir(&folder).expect("there is a corpus for each target") {
            let path = entry.expect("the folder can be read").path();
            let input = fs::read(&path).expect("the file can be read");
            let ran = catch_unwind(|| target(&input));
            assert!(ran.is_ok(), "{} breaks the target {name}", path.display());
            count += 1;
        }
        assert!(count > 100, "{count} inputs in {}", folder.display());
    }
}

/// For looking at it: `LEVERET_FUZZ_INPUT=corpus/engine/… cargo test -p leveret-tests --test fuzz -- --ignored`.
#[test]
#[ignore = "runs the one input that LEVERET_FUZZ_INPUT names"]
fn one_input() {
    let path = std::env::var("LEVERET_FUZZ_INPUT").expect("LEVERET_FUZZ_INPUT names a file");
    let input = fs::read(&path).expect("the file can be read");
    let named = TARGETS
        .into_iter()
        .find(|(name, _)| path.contains(&format!("/{name}/")));
    let (_, target) = named.expect("the path names the target");
    target(&input);
}
