//! The headers of the C ABI as text: their functions and what these take.
use crate::tree;

/// The headers that are printed from the sources of the C ABI.
pub const HEADERS: [&str; 2] = ["include/leveret.h", "include/leveret_testing.h"];

/// A function of the headers.
pub struct Function {
    /// As C calls it.
    pub name: String,
    /// The names of the arguments that are pointers, functions included.
    pub pointers: Vec<String>,
}

/// The functions of both headers.
pub fn functions() -> Vec<Function> {
    let mut all = Vec::new();
    for header in HEADERS {
        for statement in statements(&read(header)) {
            let Some((head, rest)) = statement.split_once('(') else {
                continue;
            };
            let name = head.rsplit([' ', '*']).next().unwrap_or_default();
            if !name.starts_with("mqtt_") || head.contains("typedef") {
                continue;
            }
            let arguments = rest.trim_end_matches(')').split(',').map(str::trim);
            let is_pointer = |argument: &&str| {
                argument.contains('*')
                    || argument.contains("_callback ")
                    || argument.starts_with("mqtt_drop ")
            };
            let name_of = |argument: &str| {
                argument
                    .rsplit([' ', '*'])
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            };
            all.push(Function {
                name: name.to_owned(),
                pointers: arguments.filter(is_pointer).map(name_of).collect(),
            });
        }
    }
    assert!(
        all.len() > 60,
        "the headers are read wrongly: {} functions",
        all.len()
    );
    all
}

/// The declarations of functions, each on one line, without its semicolon.
pub fn statements(header: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = String::new();
    for line in header.lines() {
        let starts = line.starts_with(|first: char| first.is_ascii_lowercase())
            && line.contains("mqtt_")
            && line.contains('(');
        if current.is_empty() && !starts {
            continue;
        }
        current.push_str(line.trim());
        current.push(' ');
        if line.ends_with(';') {
            found.push(current.trim().trim_end_matches(';').to_owned());
            current.clear();
        }
    }
    found
}

fn read(path: &str) -> String {
    tree::read(path).expect("the headers are there").text
}
