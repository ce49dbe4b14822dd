//! What is printed from the tables of the protocol crate into the headers, modules and documents of each language.
pub mod behaviour;
pub mod c;
pub mod markdown;
pub mod node;
pub mod python;

use leveret_protocol::options::{
    ClientOptions, CloseOptions, ConnectOptions, Kind, Mqtt, OptionSpec, PublishOptions,
    SubscribeOptions, Value,
};
use leveret_protocol::sentence::Dialect;

/// One of the tables of options, with its defaults.
pub struct Table {
    /// What it is called in sentences: `client`.
    pub noun: &'static str,
    /// What its type is called where there are types: `ClientOptions`.
    pub type_name: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// Its rows.
    pub specs: &'static [OptionSpec],
    default: fn(&str) -> Option<Value>,
}

/// The three tables, in the order in which a program meets them.
pub fn tables() -> [Table; 3] {
    [
        Table {
            noun: ClientOptions::NOUN,
            type_name: "ClientOptions",
            doc: "How a client connects, what its post office holds, and how it treats what it receives.",
            specs: ClientOptions::SPECS,
            default: |name| ClientOptions::new().get(name),
        },
        Table {
            noun: PublishOptions::NOUN,
            type_name: "PublishOptions",
            doc: "How one letter is sent.",
            specs: PublishOptions::SPECS,
            default: |name| PublishOptions::new().get(name),
        },
        Table {
            noun: SubscribeOptions::NOUN,
            type_name: "SubscribeOptions",
            doc: "How one topic filter is subscribed to.",
            specs: SubscribeOptions::SPECS,
            default: |name| SubscribeOptions::new().get(name),
        },
    ]
}

/// The table of what can be said before one attempt to connect, in place of what the client's options say.
pub fn connect_table() -> Table {
    Table {
        noun: ConnectOptions::NOUN,
        type_name: "ConnectOptions",
        doc: "What one attempt to connect says. What is not given is as the options of the client say.",
        specs: ConnectOptions::SPECS,
        default: |name| ConnectOptions::new().get(name),
    }
}

/// The table of what a close can say, for the languages in which it is given as the other options are.
pub fn close_table() -> Table {
    Table {
        noun: CloseOptions::NOUN,
        type_name: "CloseOptions",
        doc: "How a client is closed.",
        specs: CloseOptions::SPECS,
        default: |name| CloseOptions::new().get(name),
    }
}

impl Table {
    /// The default of a row, as a reader writes it.
    pub fn default_of(&self, spec: &OptionSpec) -> String {
        spec.default_text((self.default)(spec.name))
    }

    /// What a row does, with the names of options as `dialect` spells them, and then its facts.
    pub fn doc_of(&self, spec: &OptionSpec, dialect: Dialect) -> String {
        let mut doc = spelled(spec.doc, dialect);
        doc.push_str(&format!(
            " Default: {}. Allowed: {}",
            self.default_of(spec),
            spec.kind.allowed()
        ));
        match (spec.none_means, spec.none_in(dialect)) {
            (Some(meaning), Some(none)) => doc.push_str(&format!("; {none} for {meaning}.")),
            _ => doc.push('.'),
        }
        if spec.mqtt == Mqtt::V5 {
            doc.push_str(" MQTT 5 only.");
        }
        doc
    }

    /// The rows of the will with their names inside it, and the other rows: languages with objects have the will as one.
    pub fn will_apart(&self) -> (Vec<NamedRow>, Vec<NamedRow>) {
        let (will, other): (Vec<_>, Vec<_>) = self
            .specs
            .iter()
            .partition(|spec| spec.name.starts_with(WILL));
        let named = |spec: &'static OptionSpec| (spec.name.trim_start_matches(WILL), spec);
        (
            will.into_iter().map(named).collect(),
            other.into_iter().map(named).collect(),
        )
    }
}

/// A row, and what it is called where it is printed.
pub type NamedRow = (&'static str, &'static OptionSpec);

const WILL: &str = "will_";

/// The names of options in backticks, as `dialect` spells them; the rest as it is, on one line.
fn spelled(doc: &str, dialect: Dialect) -> String {
    let one_line = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    let known = |name: &str| {
        tables()
            .iter()
            .any(|table| table.specs.iter().any(|spec| spec.name == name))
    };
    let parts = one_line.split('`').map(|part| {
        if known(part) {
            dialect.spell(part).into_owned()
        } else {
            part.to_owned()
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

/// Breaks a text into lines of at most `width` characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The few numbers of a row that has only few, such as QoS.
fn few_numbers(kind: &Kind) -> Option<Vec<u64>> {
    match *kind {
        Kind::Integer { min, max } if max - min <= 2 => Some((min..=max).collect()),
        _ => None,
    }
}
