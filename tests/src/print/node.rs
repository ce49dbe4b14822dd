//! The files of the Node package that are tables: the types of the options, and the names and numbers with their types.
use std::fmt::Write as _;

use leveret_protocol::error::ErrorKind;
use leveret_protocol::options::{Kind, OptionSpec};
use leveret_protocol::outcome::{OutcomeStatus, Status, SubscriptionState};
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::sentence::Dialect;

use super::{NamedRow, Table, close_table, connect_table, few_numbers, tables, wrapped};

const WIDTH: usize = 112;

/// `options.d.ts`: the options as interfaces.
pub fn options() -> String {
    let mut text = String::from(
        "// The options of leveret, as types. Printed from the option table by `make generate`.\n\n\
         /** Milliseconds, or text such as `250ms`, `5s`, `2m`, `1h`. */\n\
         export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`\n\n\
         /** Bytes, or text that becomes UTF-8. */\n\
         export type Binary = Uint8Array | ArrayBuffer | string\n\n\
         /** Pairs of texts in their order, names possibly repeated; an object where none is. */\n\
         export type Pairs = ReadonlyArray<readonly [string, string]> | Readonly<Record<string, string>>\n",
    );
    for table in tables().into_iter().chain([close_table()]) {
        let (will, rows) = table.will_apart();
        if !will.is_empty() {
            let doc = "The message that the broker publishes when the connection ends without a DISCONNECT.";
            interface(&mut text, "Will", doc, &table, &will, "");
        }
        let will_row = if will.is_empty() {
            ""
        } else {
            "  /** The will; `null` for none. */\n  will?: Will | null\n"
        };
        interface(
            &mut text,
            table.type_name,
            table.doc,
            &table,
            &rows,
            will_row,
        );
    }
    let (table, will) = (
        connect_table(),
        "  /** The will, in place of the client's own; `null` for the one of the client. */\n  will?: Will | null\n",
    );
    interface(
        &mut text,
        table.type_name,
        table.doc,
        &table,
        &table.will_apart().1,
        will,
    );
    text
}

fn interface(
    text: &mut String,
    name: &str,
    doc: &str,
    table: &Table,
    rows: &[NamedRow],
    more: &str,
) {
    let _ = writeln!(text, "\n/** {doc} */\nexport interface {name} {{");
    for &(name, spec) in rows {
        comment(text, "  ", &table.doc_of(spec, Dialect::Node));
        let _ = writeln!(text, "  {}?: {}", Dialect::Node.spell(name), type_of(spec));
    }
    text.push_str(more);
    text.push_str("}\n");
}

fn type_of(spec: &OptionSpec) -> String {
    let mut types = match spec.kind {
        Kind::Flag => vec!["boolean".to_owned()],
        Kind::Integer { .. } => match few_numbers(&spec.kind) {
            Some(numbers) => numbers.iter().map(u64::to_string).collect(),
            None => vec!["number".to_owned()],
        },
        Kind::Duration { .. } => vec!["Duration".to_owned()],
        Kind::Text => vec!["string".to_owned()],
        Kind::Bytes | Kind::Material => vec!["Binary".to_owned()],
        Kind::Texts => vec!["readonly string[]".to_owned(), "string".to_owned()],
        Kind::Pairs => vec!["Pairs".to_owned()],
        Kind::Choice(names) => names.iter().map(|name| format!("'{name}'")).collect(),
    };
    if spec.none_means.is_some() {
        types.push("null".to_owned());
    }
    types.join(" | ")
}

/// `tables.cjs`: what the package needs of the tables at run time.
pub fn values() -> String {
    let mut text = String::from(
        "// Outcomes, reason codes and error codes. Printed from the tables of the core by `make generate`.\n'use strict'\n\n\
         /** What the statuses of outcomes mean: did it go as asked, and does the broker have it for certain. */\n\
         const outcomes = Object.freeze({\n",
    );
    for row in OutcomeStatus::ALL {
        let _ = writeln!(
            text,
            "  {}: Object.freeze({{ ok: {}, delivered: {} }}),",
            row.name(),
            row.ok(),
            row.delivered()
        );
    }
    text.push_str("})\n\n/** Reason codes (MQTT 5.0 section 2.4). From 0x80 on they report failures. */\nconst ReasonCode = Object.freeze({\n");
    for row in ReasonCode::TABLE {
        let _ = writeln!(text, "  {}: 0x{:02x},", row.name, row.code.0);
    }
    text.push_str("})\n\n/** By error code: can the same call succeed later without anything being changed. */\nconst errors = Object.freeze({\n");
    for kind in ErrorKind::ALL {
        let _ = writeln!(
            text,
            "  ERR_{}: Object.freeze({{ retryable: {}, text: '{}' }}),",
            kind.c_name(),
            kind.retryable(),
            kind.text()
        );
    }
    text.push_str("})\n\nmodule.exports = { outcomes, ReasonCode, errors }\n");
    text
}

/// `tables.d.ts`: the names in the tables, as types.
pub fn types() -> String {
    let mut text = String::from(
        "// The names and numbers of the tables, as types. Printed from the tables of the core by `make generate`.\n",
    );
    let rows = OutcomeStatus::ALL
        .iter()
        .map(|row| (row.name().to_owned(), row.doc()));
    union(
        &mut text,
        "OutcomeStatus",
        "What became of a letter. Every letter gets exactly one.",
        rows,
    );
    let rows = Status::ALL
        .iter()
        .map(|row| (row.name().to_owned(), row.doc()));
    union(
        &mut text,
        "Status",
        "Is the client connected. Attempts to connect are events, not statuses.",
        rows,
    );
    let rows = SubscriptionState::ALL
        .iter()
        .map(|row| (row.name().to_owned(), row.doc()));
    union(
        &mut text,
        "SubscriptionState",
        "How a subscription stands with the broker.",
        rows,
    );
    let rows = ErrorKind::ALL
        .iter()
        .map(|kind| (format!("ERR_{}", kind.c_name()), kind.doc()));
    union(&mut text, "ErrorCode", "The `code` of an error.", rows);
    text.push_str("\n/** Reason codes (MQTT 5.0 section 2.4). From 0x80 on they report failures. */\nexport declare const ReasonCode: {\n");
    for row in ReasonCode::TABLE {
        let _ = writeln!(text, "  readonly {}: 0x{:02x}", row.name, row.code.0);
    }
    text.push_str("}\n");
    text
}

fn union<'a>(
    text: &mut String,
    name: &str,
    doc: &str,
    rows: impl Iterator<Item = (String, &'a str)>,
) {
    let _ = writeln!(text, "\n/** {doc} */\nexport type {name} =");
    for (name, doc) in rows {
        let _ = writeln!(text, "  /** {doc} */\n  | '{name}'");
    }
}

fn comment(text: &mut String, indent: &str, doc: &str) {
    let lines = wrapped(doc, WIDTH);
    let _ = match lines.as_slice() {
        [line] => writeln!(text, "{indent}/** {line} */"),
        lines => {
            let between = format!("\n{indent} * ");
            writeln!(
                text,
                "{indent}/**\n{indent} * {}\n{indent} */",
                lines.join(&between)
            )
        }
    };
}
