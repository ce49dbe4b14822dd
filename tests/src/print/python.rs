//! The modules of the Python package that are tables: exceptions, statuses and reason codes, and the types of the options.
use std::fmt::Write as _;

use leveret_protocol::error::{ErrorClass, ErrorKind};
use leveret_protocol::options::{Kind, OptionSpec};
use leveret_protocol::outcome::{OutcomeStatus, Status, SubscriptionState};
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::sentence::Dialect;

use super::{NamedRow, Table, connect_table, few_numbers, tables, wrapped};

const WIDTH: usize = 112;

/// `errors.py`: one class of exception per class of the error table.
pub fn errors() -> String {
    let mut text = head(
        "The exceptions of leveret: each is an MqttError. Printed from the error table by `make generate`.",
    );
    text.push_str("import builtins\nfrom collections.abc import Sequence\nfrom typing import TYPE_CHECKING, Any, Final\n\nif TYPE_CHECKING:\n    from ._values import Outcome\n\n");
    text.push_str("__all__ = [\n");
    let mut names: Vec<_> = ErrorClass::ALL.iter().map(|class| class.name()).collect();
    names.push("MqttError");
    names.sort_unstable();
    for name in names {
        let _ = writeln!(text, "    \"{name}\",");
    }
    text.push_str("]\n");
    text.push_str(BASE);
    for &class in ErrorClass::ALL {
        error_class(&mut text, class);
    }
    text.push_str("\n\n_KINDS: Final[dict[int, tuple[type[MqttError], str, bool]]] = {\n");
    for kind in ErrorKind::ALL {
        let retryable = if kind.retryable() { "True" } else { "False" };
        let class = kind.class().name();
        let _ = writeln!(
            text,
            "    {}: ({class}, \"{}\", {retryable}),",
            kind.number(),
            kind.c_name()
        );
    }
    text.push_str("}\n");
    text.push_str(FROM_NUMBER);
    text
}

const BASE: &str = r#"

class MqttError(Exception):
    """What went wrong, in one sentence that names it and what is allowed."""

    #: The name of its kind, the same as in C, such as `MQTT_QUEUE_FULL`.
    code: str = "MQTT_ERROR"
    #: Can the same call succeed later without anything being changed.
    retryable: bool = False
    #: The broker's reason code (MQTT 5.0 section 2.4), where it gave one.
    reason: int | None = None
    #: From `publish_many`: the receipts of the letters that were accepted before, the first ones.
    receipts: Sequence[Any] = ()
"#;

const FROM_NUMBER: &str = r#"

def from_number(number: int, sentence: str, reason: int | None = None) -> MqttError:
    """The exception for a number of the error table."""
    made, code, retryable = _KINDS.get(number, (InternalError, "MQTT_ERROR", False))
    error = made(sentence)
    error.code, error.retryable, error.reason = code, retryable, reason
    return error
"#;

fn error_class(text: &mut String, class: ErrorClass) {
    let also = class
        .python_builtin()
        .map_or(String::new(), |name| format!(", builtins.{name}"));
    let _ = writeln!(
        text,
        "\n\nclass {}(MqttError{also}):\n    \"\"\"{}\"\"\"\n",
        class.name(),
        class.doc()
    );
    // An exception made without a number is of the first kind of its class.
    if let Some(kind) = ErrorKind::ALL.iter().find(|kind| kind.class() == class) {
        let _ = writeln!(text, "    code = \"{}\"", kind.c_name());
        if kind.retryable() {
            text.push_str("    retryable = True\n");
        }
    }
    if class == ErrorClass::NotDelivered {
        text.push_str("    #: What became of the letter; None where `request` raised it, whose letter has no receipt.\n    outcome: Outcome | None = None\n");
    }
}

/// `_tables.py`: outcomes, statuses, states of a subscription and reason codes.
pub fn values() -> String {
    let mut text = head(
        "Outcomes, statuses, states and reason codes. Printed from the tables of the core by `make generate`.",
    );
    text.push_str("from enum import IntEnum, StrEnum\n");
    let rows = OutcomeStatus::ALL.iter().map(|row| (row.name(), row.doc()));
    names(
        &mut text,
        "OutcomeStatus",
        "What became of a letter. Every letter gets exactly one.",
        rows,
    );
    property(
        &mut text,
        "ok",
        "Did it go as asked.",
        OutcomeStatus::ALL.iter().filter(|row| row.ok()),
    );
    property(
        &mut text,
        "delivered",
        "Does the broker have it for certain.",
        OutcomeStatus::ALL.iter().filter(|row| row.delivered()),
    );
    let rows = Status::ALL.iter().map(|row| (row.name(), row.doc()));
    names(
        &mut text,
        "Status",
        "Is the client connected. Attempts to connect are events, not statuses.",
        rows,
    );
    let rows = SubscriptionState::ALL
        .iter()
        .map(|row| (row.name(), row.doc()));
    names(
        &mut text,
        "SubscriptionState",
        "How a subscription stands with the broker.",
        rows,
    );
    text.push_str("\n\nclass ReasonCode(IntEnum):\n    \"\"\"Reason codes (MQTT 5.0 section 2.4). From 0x80 on they report failures.\"\"\"\n\n");
    for row in ReasonCode::TABLE {
        let _ = writeln!(text, "    {} = 0x{:02X}", row.name, row.code.0);
    }
    text
}

fn names<'a>(
    text: &mut String,
    class: &str,
    doc: &str,
    rows: impl Iterator<Item = (&'a str, &'a str)>,
) {
    let _ = writeln!(text, "\n\nclass {class}(StrEnum):\n    \"\"\"{doc}\"\"\"\n");
    for (name, doc) in rows {
        let _ = writeln!(
            text,
            "    #: {doc}\n    {} = \"{name}\"",
            name.to_uppercase()
        );
    }
}

fn property<'a>(
    text: &mut String,
    name: &str,
    doc: &str,
    of: impl Iterator<Item = &'a OutcomeStatus>,
) {
    let names: Vec<_> = of
        .map(|row| format!("OutcomeStatus.{}", row.name().to_uppercase()))
        .collect();
    let _ = writeln!(
        text,
        "\n    @property\n    def {name}(self) -> bool:\n        \"\"\"{doc}\"\"\"\n        return self in ({},)",
        names.join(", ")
    );
}

/// `options.py`: the options as typed dictionaries, for `Unpack` and for editors.
pub fn options() -> String {
    let mut text = head("The options, as types. Printed from the option table by `make generate`.");
    text.push_str(
        "from collections.abc import Mapping, Sequence\nfrom datetime import timedelta\nfrom typing import Literal, TypeAlias, TypedDict\n\n\
         __all__ = [\"ClientOptions\", \"ConnectOptions\", \"Duration\", \"Pairs\", \"PublishOptions\", \"SubscribeOptions\", \"Will\"]\n\n\
         #: Seconds, a timedelta, or text such as \"250ms\", \"5s\", \"2m\", \"1h\".\n\
         Duration: TypeAlias = float | timedelta | str\n\
         #: Bytes, or text that becomes UTF-8.\n\
         Binary: TypeAlias = bytes | bytearray | memoryview | str\n\
         #: Pairs of texts in their order, names possibly repeated; a mapping where none is.\n\
         Pairs: TypeAlias = Mapping[str, str] | Sequence[tuple[str, str]]\n",
    );
    for table in tables() {
        let (will, rows) = table.will_apart();
        if !will.is_empty() {
            dictionary(
                &mut text,
                "Will",
                "The message that the broker publishes when the connection ends without a DISCONNECT.",
                &table,
                &will,
            );
        }
        dictionary(&mut text, table.type_name, table.doc, &table, &rows);
        if !will.is_empty() {
            text.push_str("    will: Will | None\n    \"\"\"The will; None for none.\"\"\"\n");
        }
    }
    let table = connect_table();
    dictionary(
        &mut text,
        table.type_name,
        table.doc,
        &table,
        &table.will_apart().1,
    );
    text.push_str("    will: Will | None\n    \"\"\"The will, in place of the client's own; None for the one of the client.\"\"\"\n");
    text
}

fn dictionary(text: &mut String, name: &str, doc: &str, table: &Table, rows: &[NamedRow]) {
    let _ = writeln!(
        text,
        "\n\nclass {name}(TypedDict, total=False):\n    \"\"\"{doc}\"\"\"\n"
    );
    for &(name, spec) in rows {
        let doc = wrapped(&table.doc_of(spec, Dialect::Python), WIDTH);
        let _ = writeln!(text, "    {name}: {}", type_of(spec));
        let _ = match doc.as_slice() {
            [line] => writeln!(text, "    \"\"\"{line}\"\"\""),
            lines => writeln!(text, "    \"\"\"{}\n    \"\"\"", lines.join("\n    ")),
        };
    }
}

fn type_of(spec: &OptionSpec) -> String {
    let plain = match spec.kind {
        Kind::Flag => "bool".to_owned(),
        Kind::Integer { .. } => match few_numbers(&spec.kind) {
            Some(numbers) => format!("Literal{numbers:?}"),
            None => "int".to_owned(),
        },
        Kind::Duration { .. } => "Duration".to_owned(),
        Kind::Text => "str".to_owned(),
        Kind::Bytes | Kind::Material => "Binary".to_owned(),
        Kind::Texts => "Sequence[str]".to_owned(),
        Kind::Pairs => "Pairs".to_owned(),
        Kind::Choice(names) => format!("Literal{names:?}"),
    };
    if spec.none_means.is_some() {
        format!("{plain} | None")
    } else {
        plain
    }
}

fn head(sentence: &str) -> String {
    format!("\"\"\"{sentence}\"\"\"\n\nfrom __future__ import annotations\n\n")
}
