//! Files that are printed from tables or sources, never written by hand: rewritten here, compared on CI.
use std::fs;

use crate::tree;

/// Brings the file at `path` (from the top of the project) up to date with `text`.
///
/// With `CI` in the environment nothing is written: a file that differs is a failure, with the
/// first line that does.
pub fn check(path: &str, text: &str) {
    let old = tree::read(path).map(|file| file.text).unwrap_or_default();
    if old == text {
        return;
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{path}:{} is out of date: run `make generate` and commit the result",
        first_difference(&old, text)
    );
    let place = tree::root().join(path);
    let folder = place.parent().expect("a generated file is in a folder");
    fs::create_dir_all(folder).expect("the folder of a generated file can be made");
    fs::write(&place, text).expect("a generated file can be written");
}

/// The number of the first line in which the two differ, from 1.
fn first_difference(old: &str, new: &str) -> usize {
    let same = old
        .lines()
        .zip(new.lines())
        .take_while(|(old, new)| old == new)
        .count();
    same + 1
}
