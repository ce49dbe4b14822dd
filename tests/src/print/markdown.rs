//! The option tables of the README.
use std::fmt::Write as _;

use leveret_protocol::options::{Mqtt, OptionSpec};
use leveret_protocol::sentence::Dialect;

use super::{Table, connect_table, spelled, tables};

const BEGIN: &str = "<!-- The option tables: printed by `make generate`. -->";
const END: &str = "<!-- End of the option tables. -->";

/// The text with its option tables brought up to date; `None` where it has no place for them.
pub fn with_options(text: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}{END}{after}", options()))
}

fn options() -> String {
    let mut text = String::new();
    for table in tables().into_iter().chain([connect_table()]) {
        let _ = writeln!(
            text,
            "\n**{}**\n\n| option | value | default | what it does |\n| --- | --- | --- | --- |",
            title(&table)
        );
        for spec in table.specs {
            row(&mut text, &table, spec);
        }
    }
    text.push('\n');
    text
}

fn title(table: &Table) -> String {
    let mut letters = table.noun.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    format!("{}{} options", first.unwrap_or_default(), letters.as_str())
}

fn row(text: &mut String, table: &Table, spec: &OptionSpec) {
    let default = table.default_of(spec);
    let none = match spec.none_means {
        Some(meaning) if meaning != default => format!(", or none: {meaning}"),
        Some(_) => ", or none".to_owned(),
        None => String::new(),
    };
    let version = if spec.mqtt == Mqtt::V5 {
        " MQTT 5 only."
    } else {
        ""
    };
    let _ = writeln!(
        text,
        "| `{}` | {}{none} | {default} | {}{version} |",
        spec.name,
        spec.kind.allowed(),
        spelled(spec.doc, Dialect::Rust)
    );
}
