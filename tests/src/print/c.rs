//! The constants at the head of the C header: results, outcomes, statuses, states, reason codes, and names of options.
use std::fmt::Write as _;

use leveret_protocol::codec::PropertyId;
use leveret_protocol::error::ErrorKind;
use leveret_protocol::options::{Overflow, Priority};
use leveret_protocol::outcome::{OutcomeStatus, Status, SubscriptionState};
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::sentence::Dialect;

use super::{Table, connect_table, tables, wrapped};

const WIDTH: usize = 106;

/// All constants, in the order in which a reader of the header needs them.
pub fn constants() -> String {
    let mut text = String::new();
    section(
        &mut text,
        "Results. Every function that can fail returns MQTT_OK or one of the negative codes.",
    );
    define(&mut text, "It went well.", "MQTT_OK", "0");
    for kind in ErrorKind::ALL {
        let again = if kind.retryable() {
            " The same call may succeed later."
        } else {
            ""
        };
        define(
            &mut text,
            &format!("{}{again}", kind.doc()),
            kind.c_name(),
            &format!("({})", kind.number()),
        );
    }
    section(
        &mut text,
        "What became of a letter. Every letter gets exactly one outcome.",
    );
    for row in OutcomeStatus::ALL {
        define(
            &mut text,
            row.doc(),
            &constant("OUTCOME", row.name()),
            &row.number().to_string(),
        );
    }
    section(&mut text, "Statuses of a client.");
    for row in Status::ALL {
        define(
            &mut text,
            row.doc(),
            &constant("STATUS", row.name()),
            &row.number().to_string(),
        );
    }
    section(&mut text, "States of a subscription.");
    for row in SubscriptionState::ALL {
        define(
            &mut text,
            row.doc(),
            &constant("SUBSCRIPTION", row.name()),
            &row.number().to_string(),
        );
    }
    section(
        &mut text,
        "Reason codes (MQTT 5.0 section 2.4). From 0x80 on they report failures.",
    );
    for row in ReasonCode::TABLE {
        let name = format!("MQTT_REASON_{}", row.name);
        let _ = writeln!(text, "#define {name} 0x{:02X}", row.code.0);
    }
    section(&mut text, "Which letters go first.");
    for row in Priority::ALL {
        define(
            &mut text,
            row.doc(),
            &constant("PRIORITY", row.name()),
            &row.number().to_string(),
        );
    }
    section(
        &mut text,
        "What gives way when the post office is full while offline.",
    );
    for row in Overflow::ALL {
        define(
            &mut text,
            row.doc(),
            &constant("OVERFLOW", row.name()),
            &row.number().to_string(),
        );
    }
    section(
        &mut text,
        "Properties (MQTT 5.0 section 2.2.2.2), for mqtt_property_get.",
    );
    for row in PropertyId::TABLE {
        let name = constant("PROPERTY", row.name);
        let _ = writeln!(text, "#define {name} 0x{:02X}", row.id as u8);
    }
    options(&mut text);
    text
}

/// The options of a client; those of a publish and a subscribe are fields of structs in C.
fn options(text: &mut String) {
    section(
        text,
        "Names of options, so that a typing error fails to compile. A duration is text such as \"250ms\", \"5s\", \"2m\" or \"1h\".",
    );
    for table in tables().iter().filter(|table| table.noun == "client") {
        names(text, table, "OPT");
    }
    section(
        text,
        "Names of what one attempt to connect can say, for mqtt_connect_options_set.",
    );
    names(text, &connect_table(), "CONNECT_OPT");
}

fn names(text: &mut String, table: &Table, family: &str) {
    for spec in table.specs {
        define(
            text,
            &table.doc_of(spec, Dialect::C),
            &constant(family, spec.name),
            &format!("\"{}\"", spec.name),
        );
    }
}

/// The header as cbindgen prints it, made fit to read: what only callers in Rust have to know is left
/// out, a comment of one line takes one line, and constants of one family stand together.
pub fn compact(header: &str) -> String {
    let mut text = String::new();
    let mut lines = header.lines().peekable();
    let mut last = "";
    while let Some(line) = lines.next() {
        if line.trim() == "/**" {
            let comment: Vec<_> = lines
                .by_ref()
                .take_while(|line| line.trim() != "*/")
                .collect();
            let next = lines.peek().copied().unwrap_or_default();
            if family(last).is_some_and(|before| family(next).is_some_and(|after| after != before))
            {
                text.push('\n');
            }
            write_comment(&mut text, line, &comment);
            continue;
        }
        let in_family =
            family(last).is_some() && lines.peek().is_some_and(|next| next.trim() == "/**");
        if !(line.is_empty() && in_family) {
            let _ = writeln!(text, "{}", bracketed(line.trim_end()));
            last = line;
        }
    }
    text
}

/// The second word of a constant's name: `EVENT` of `MQTT_EVENT_LOG`.
fn family(line: &str) -> Option<&str> {
    line.strip_prefix("#define MQTT_")?.split(['_', ' ']).next()
}

/// A negative constant in brackets, as it has to be within an expression.
fn bracketed(line: &str) -> String {
    match line.rsplit_once(" -") {
        Some((name, number)) if line.starts_with("#define") && number.parse::<u64>().is_ok() => {
            format!("{name} (-{number})")
        }
        _ => line.to_owned(),
    }
}

fn write_comment(text: &mut String, opening: &str, comment: &[&str]) {
    let indent = opening.strip_suffix("/**").unwrap_or_default();
    let words = comment
        .iter()
        .map(|line| line.trim_start().trim_start_matches('*').trim_end());
    let mut kept: Vec<_> = words.take_while(|line| line.trim() != "# Safety").collect();
    while kept.last().is_some_and(|line| line.is_empty()) {
        kept.pop();
    }
    let _ = match kept.as_slice() {
        [line] => writeln!(text, "{indent}/**{line} */"),
        lines => writeln!(
            text,
            "{indent}/**\n{indent} *{}\n{indent} */",
            lines.join(&format!("\n{indent} *"))
        ),
    };
}

fn constant(family: &str, name: &str) -> String {
    format!("MQTT_{family}_{}", name.to_uppercase())
}

fn section(text: &mut String, title: &str) {
    let _ = writeln!(
        text,
        "\n/*\n * {}\n */",
        wrapped(title, WIDTH).join("\n * ")
    );
}

fn define(text: &mut String, doc: &str, name: &str, value: &str) {
    let lines: Vec<_> = doc.lines().flat_map(|line| wrapped(line, WIDTH)).collect();
    let _ = match lines.as_slice() {
        [line] => writeln!(text, "/** {line} */"),
        lines => writeln!(text, "/**\n * {}\n */", lines.join("\n * ")),
    };
    let _ = writeln!(text, "#define {name} {value}");
}
