//! The good-guest list: every item has, in every language, a test that is really there, or a reason why there can be none.

use std::collections::{BTreeMap, BTreeSet};

use leveret_tests::tree;

const LANGUAGES: [&str; 4] = ["rust", "c", "python", "node"];

#[test]
fn every_item_has_its_test_in_every_language() {
    let list = tree::read("tests/good_guest.txt").expect("there is a list");
    let mut items: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in list.text.lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let words = words(line);
        let [item, language, file, name] = words.as_slice() else {
            wrong.push(format!("not item, language, file and name: {line}"));
            continue;
        };
        items
            .entry(item.clone())
            .or_default()
            .insert(language.clone());
        let there = file == "-" || tree::read(file).is_some_and(|file| file.text.contains(name));
        if !there {
            wrong.push(format!("{file} has no {name:?} ({item}, {language})"));
        }
    }
    for (item, languages) in &items {
        for language in LANGUAGES.iter().filter(|&&each| !languages.contains(each)) {
            wrong.push(format!("{item:?} has nothing in {language}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "tests/good_guest.txt:\n{}",
        wrong.join("\n")
    );
    assert!(items.len() >= 15, "only {} items", items.len());
}

/// Words between spaces; those in double quotes are one.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('"').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
