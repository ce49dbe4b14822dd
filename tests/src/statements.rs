//! The statements of the standards that bind a client, the tests named after them, and what is missing between the two.
use std::collections::{BTreeMap, BTreeSet};

use crate::source::functions;
use crate::tree::{File, files_of_kind, read};

/// The list of all statements.
pub const LIST: &str = "tests/normative/statements.txt";

/// Where the tests named after them are.
const TESTS: [&str; 2] = ["core/protocol/tests/conformance", "core/tests"];

/// How many numbered statements each version has for a client (Appendix B of each standard).
const COUNTS: [(&str, usize); 2] = [("3.1.1", 82), ("5.0", 140)];

/// Whom a statement can bind. The last two are none of a client's own by number: a server's duty whose breach it notices, and a rule without a number.
const WHOM: [&str; 7] = [
    "sender", "receiver", "both", "state", "server", "breach", "rule",
];

/// One statement.
pub struct Statement {
    /// `3.1.1` or `5.0`.
    pub version: String,
    /// Its number, without `MQTT-`; `section 2.2.3` for a rule without one.
    pub number: String,
    /// One of `sender`, `receiver`, `both`, `state`, `server`, `breach`, `rule`.
    pub whom: String,
    /// What it demands, in short.
    pub demand: String,
    /// The section of the standard.
    pub section: String,
    /// Why there is no test, in which way leveret departs from it, or nothing.
    pub remark: String,
}

impl Statement {
    fn read(line: &str) -> Option<Statement> {
        let mut fields = line.split('|').map(|field| field.trim().to_owned());
        let statement = Statement {
            version: fields.next()?,
            number: fields.next()?,
            whom: fields.next()?,
            demand: fields.next().filter(|demand| !demand.is_empty())?,
            section: fields.next().filter(|section| !section.is_empty())?,
            remark: fields.next().unwrap_or_default(),
        };
        fields.next().is_none().then_some(statement)
    }

    /// How the names of its tests begin, without the underscore behind it.
    pub fn stem(&self) -> String {
        let version = self.version.replace(".0", "").replace('.', "");
        format!("v{version}_{}", self.number.replace(['.', '-', ' '], "_"))
    }

    /// Is it one of the numbered statements that bind a client.
    pub fn binds_client(&self) -> bool {
        self.whom != "breach" && self.whom != "rule"
    }

    /// Why no test can show it.
    pub fn reasoning(&self) -> Option<&str> {
        self.remark.strip_prefix("reasoning:").map(str::trim)
    }

    /// What leveret does otherwise on purpose.
    pub fn departure(&self) -> Option<&str> {
        self.remark.strip_prefix("departure:").map(str::trim)
    }
}

/// Every statement of the list, in its order.
///
/// # Errors
/// The lines that cannot be read.
pub fn statements() -> Result<Vec<Statement>, Vec<String>> {
    let text = read(LIST).map(|file| file.text).unwrap_or_default();
    let lines = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for line in lines {
        match Statement::read(line) {
            Some(statement) => good.push(statement),
            None => bad.push(format!("not five or six fields: {line}")),
        }
    }
    if bad.is_empty() { Ok(good) } else { Err(bad) }
}

/// The names of the tests that are named after statements, as the sources have them, each with its file.
pub fn tests() -> Vec<(String, String)> {
    let mut files: Vec<File> = TESTS
        .iter()
        .flat_map(|folder| files_of_kind(folder, "rs"))
        .collect();
    files.dedup_by(|a, b| a.path == b.path);
    let mut tests = Vec::new();
    for file in files {
        for function in functions(&file.text) {
            let named = stem_of(&function.name).is_some();
            if named && is_test(&file.text, function.line) {
                tests.push((function.name, file.path.clone()));
            }
        }
    }
    tests
}

/// The test targets of cargo that hold these tests, each once.
pub fn targets(tests: &[(String, String)]) -> BTreeSet<&str> {
    tests.iter().map(|(_, file)| target_of(file)).collect()
}

/// `ways` of `core/tests/ways/websocket.rs`, `guest` of `core/tests/guest.rs`.
fn target_of(file: &str) -> &str {
    let inside = file
        .split_once("/tests/")
        .map_or(file, |(_, inside)| inside);
    let target = inside.split('/').next().unwrap_or(inside);
    target.strip_suffix(".rs").unwrap_or(target)
}

/// `v311_2_3_1_1` of `v311_2_3_1_1_an_identifier_is_never_zero`, `v5_section_1_5_5` of `v5_section_1_5_5_a_length`; `None` for other names.
pub fn stem_of(name: &str) -> Option<String> {
    let (version, rest) = name.split_once('_')?;
    if version != "v311" && version != "v5" {
        return None;
    }
    let (kind, numbered) = match rest.strip_prefix("section_") {
        Some(numbered) => ("section_", numbered),
        None => ("", rest),
    };
    let numbers: Vec<&str> = numbered
        .split('_')
        .take_while(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
        .collect();
    (!numbers.is_empty()).then(|| format!("{version}_{kind}{}", numbers.join("_")))
}

/// Is the function on this line marked as a test.
fn is_test(source: &str, line: usize) -> bool {
    let above = source
        .lines()
        .take(line - 1)
        .collect::<Vec<_>>()
        .into_iter()
        .rev();
    let mut marks = above.take_while(|line| line.starts_with("#["));
    marks.any(|mark| mark == "#[test]" || mark == "#[tokio::test]")
}

/// Tests by the stem of the statement that they are named after.
pub fn by_stem(tests: &[(String, String)]) -> BTreeMap<String, Vec<&str>> {
    let mut by_stem: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, _) in tests {
        let stem = stem_of(name).unwrap_or_default();
        by_stem.entry(stem).or_default().push(name);
    }
    by_stem
}

/// What is missing or too much: a statement without a test and without reasoning, a test of no statement, a statement twice, a wrong count.
pub fn holes(statements: &[Statement], tests: &[(String, String)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (version, count) in COUNTS {
        let binding = statements.iter().filter(|row| row.binds_client());
        let listed = binding.filter(|row| row.version == version).count();
        if listed != count {
            wrong.push(format!("{listed} statements of {version}, not {count}"));
        }
    }
    let by_stem = by_stem(tests);
    let mut rows = BTreeSet::new();
    for row in statements {
        let name = format!("{} of {}", row.number, row.version);
        let shown_by = by_stem.get(&row.stem()).map_or(0, Vec::len);
        if !WHOM.contains(&row.whom.as_str()) {
            wrong.push(format!("{name} binds {:?}", row.whom));
        }
        if !rows.insert(row.stem()) {
            wrong.push(format!("{name} stands twice"));
        }
        match (row.reasoning(), shown_by) {
            (None, 0) => wrong.push(format!("{name} has no test and no reasoning")),
            (Some(_), 1..) => wrong.push(format!("{name} has a test, and reasoning why not")),
            _ => {}
        }
        if row.departure().is_some() && shown_by < 2 {
            wrong.push(format!(
                "{name} is departed from, and not both sides are shown"
            ));
        }
    }
    for (name, file) in tests {
        let known = stem_of(name).is_some_and(|stem| rows.contains(&stem));
        if !known {
            wrong.push(format!("{name} ({file}) is named after no statement"));
        }
        if tests.iter().filter(|(other, _)| other == name).count() > 1 {
            wrong.push(format!("{name} ({file}) is there twice"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: &str) -> Statement {
        Statement::read(line).expect("a statement")
    }

    fn found(lines: &[&str], names: &[&str]) -> String {
        let rows: Vec<_> = lines.iter().map(|line| row(line)).collect();
        let tests: Vec<_> = names
            .iter()
            .map(|name| ((*name).to_owned(), "f.rs".to_owned()))
            .collect();
        holes(&rows, &tests).join("\n")
    }

    #[test]
    fn a_test_belongs_to_the_statement_whose_number_it_begins_with() {
        let stem = |name| stem_of(name).unwrap_or_default();
        assert_eq!(stem("v311_2_3_1_1_words_65_535"), "v311_2_3_1_1");
        assert_eq!(stem("v5_3_1_2_11_words"), "v5_3_1_2_11");
        assert_eq!((stem_of("v5_words"), stem_of("words_1")), (None, None));
        let odd = row("3.1.1 | 3-8.3-4 | server | it | 3.8.3");
        assert_eq!(odd.stem(), "v311_3_8_3_4");
        assert_eq!(stem("v5_section_1_5_5_words"), "v5_section_1_5_5");
        let rule = row("5.0 | section 1.5.5 | rule | it | 1.5.5");
        assert_eq!(rule.stem(), "v5_section_1_5_5");
        assert_eq!(row("5.0 | 4.2-1 | state | it | 4.2").stem(), "v5_4_2_1");
    }

    #[test]
    fn a_target_is_the_folder_or_the_file_right_below_tests() {
        let tests = [
            "core/protocol/tests/conformance/flags.rs",
            "core/tests/conformance.rs",
            "core/tests/ways/websocket.rs",
        ]
        .map(|file| ("v5_1".to_owned(), file.to_owned()));
        let targets: Vec<_> = targets(&tests).into_iter().collect();
        assert_eq!(targets, ["conformance", "ways"]);
    }

    #[test]
    fn every_kind_of_hole_is_found() {
        let tested = "5.0 | 1.1.1-1 | sender | it | 1";
        let found_in = |lines: &[&str], names: &[&str], what: &str| {
            let found = found(lines, names);
            assert!(found.contains(what), "{found}");
        };
        found_in(
            &[tested],
            &[],
            "1.1.1-1 of 5.0 has no test and no reasoning",
        );
        found_in(&[tested, tested], &["v5_1_1_1_1_a"], "stands twice");
        found_in(&[tested], &["v5_1_1_1_1_a"], "1 statements of 5.0, not 140");
        found_in(&[], &["v5_9_9_9_9_a"], "is named after no statement");
        found_in(&[tested], &["v5_1_1_1_1_a", "v5_1_1_1_1_a"], "there twice");
        let reasoned = "5.0 | 1.1.1-1 | sender | it | 1 | reasoning: so";
        found_in(&[reasoned], &["v5_1_1_1_1_a"], "and reasoning why not");
        let departs = "5.0 | 1.1.1-1 | sender | it | 1 | departure: so";
        found_in(&[departs], &["v5_1_1_1_1_a"], "not both sides");
        found_in(
            &["5.0 | 1.1.1-1 | nobody | it | 1"],
            &[],
            "binds \"nobody\"",
        );
        assert!(Statement::read("5.0 | 1.1.1-1 | sender").is_none());
    }
}
