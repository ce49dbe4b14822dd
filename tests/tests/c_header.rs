//! The headers of the C ABI: every item is described, every function has its rows in the tables of the C tests, and C++ reaches each.
use std::collections::BTreeSet;

use leveret_tests::header::{HEADERS, functions};
use leveret_tests::tree;

#[test]
fn every_item_of_the_headers_is_described() {
    let mut bare = Vec::new();
    for header in HEADERS {
        let text = read(header);
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let above = index.checked_sub(1).map_or("", |above| lines[above]);
            if is_item(&lines, index)
                && !is_end_of_description(above)
                && !belongs_above(line, above)
            {
                bare.push(format!("{header}:{}: {line}", index + 1));
            }
        }
    }
    assert!(
        bare.is_empty(),
        "items without a doc comment:\n{}",
        bare.join("\n")
    );
}

#[test]
fn the_test_of_descriptions_sees_what_has_none() {
    let items = [
        "#define MQTT_X 1",
        "int mqtt_x(void);",
        "    int status;",
        "typedef int mqtt_x;",
    ];
    for item in items {
        assert!(is_item(&["", item], 1), "{item}");
    }
    assert!(!is_end_of_description("#define MQTT_W 0"));
    assert!(is_end_of_description("/** One sentence. */") && is_end_of_description(" */"));
}

#[test]
fn every_function_is_called_inside_every_callback() {
    let calls = read("ffi-c/tests/calls.h");
    let rows: BTreeSet<&str> = calls
        .lines()
        .filter_map(|line| {
            let row = line.trim();
            row.strip_prefix("ROW(")
                .or(row.strip_prefix("ROW_WAITS("))?
                .strip_suffix("),")
        })
        .collect();
    let names = functions().into_iter().map(|function| function.name);
    let missing = names.filter(|name| !rows.contains(name.as_str()));
    assert_none(
        "functions without a row in ffi-c/tests/calls.h",
        missing.collect(),
    );
}

#[test]
fn every_pointer_argument_is_tried_with_null() {
    let nulls = read("ffi-c/tests/nulls.c");
    let missing = functions().into_iter().flat_map(|function| {
        let untried = |argument: &String| {
            let row = format!("({}, {argument},", function.name);
            let kinds = ["REFUSES", "ANSWERS", "ALLOWS", "IGNORES"];
            !kinds
                .iter()
                .any(|kind| nulls.contains(&format!("{kind}{row}")))
        };
        let untried: Vec<_> = function
            .pointers
            .iter()
            .filter(|argument| untried(argument))
            .cloned()
            .collect();
        untried
            .into_iter()
            .map(move |argument| format!("{}: {argument}", function.name))
    });
    assert_none(
        "pointer arguments without a row in ffi-c/tests/nulls.c",
        missing.collect(),
    );
}

#[test]
fn every_function_is_reached_by_the_wrapper_for_cpp() {
    let wrapper: String = [
        "leveret.hpp",
        "leveret/letter.hpp",
        "leveret/client.hpp",
        "leveret_testing.hpp",
    ]
    .map(|file| read(&format!("include/{file}")))
    .concat();
    // Provokes a defect on purpose, for tests of the C ABI itself; the function behind a macro; and a short form of another.
    let besides = [
        "mqtt_test_panic",
        "mqtt_client_stats_sized",
        "mqtt_subscribe",
    ];
    let reached = |name: &str| {
        let called = |end: char| wrapper.contains(&format!("{name}{end}"));
        called('(') || called(',')
    };
    let missing: Vec<_> = functions()
        .into_iter()
        .map(|function| function.name)
        .filter(|name| !besides.contains(&name.as_str()) && !reached(name))
        .collect();
    assert_none("functions that leveret.hpp does not reach", missing);
}

/// Whether a line begins an item: a macro, a function, a type or a field.
fn is_item(lines: &[&str], index: usize) -> bool {
    let line = lines[index];
    if let Some(macro_name) = line.strip_prefix("#define ") {
        return macro_name.to_lowercase().starts_with("mqtt_");
    }
    let is_field = line.starts_with("    ")
        && !line.starts_with("     ")
        && line.ends_with(';')
        && !line.contains('(');
    let is_declared =
        line.starts_with(|first: char| first.is_ascii_lowercase()) && !line.starts_with("extern ");
    is_field || is_declared
}

fn is_end_of_description(line: &str) -> bool {
    line.trim_end().ends_with("*/") && !line.starts_with("#define")
}

/// Rows of a table that is described as a whole: codes named by the standard, and short forms of one kind.
fn belongs_above(line: &str, above: &str) -> bool {
    let of_a_table = [
        "#define MQTT_REASON_",
        "#define MQTT_PROPERTY_",
        "#define mqtt_client_on_",
    ];
    of_a_table
        .iter()
        .any(|table| line.starts_with(table) && (above.starts_with(table) || above.is_empty()))
}

fn assert_none(what: &str, missing: Vec<String>) {
    assert!(missing.is_empty(), "{what}: {missing:#?}");
}

fn read(path: &str) -> String {
    tree::read(path)
        .unwrap_or_else(|| panic!("{path} is there"))
        .text
}
