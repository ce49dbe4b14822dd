//! What kind of client an input is about: its first byte says it, so that whole parts of the engine are reached by every input of their kind.
use leveret_protocol::engine::Hooks;
use leveret_protocol::options::{ClientOptions, Value};
use leveret_protocol::sentence::Dialect;
use leveret_protocol::time::Duration;

use super::draw;
use super::feed::Feed;
use super::peer::Manners;

/// The options, the hooks and the broker of an input.
#[derive(Debug)]
pub struct Profile {
    /// The client's options.
    pub options: ClientOptions,
    /// What the application wants to be asked from the beginning.
    pub hooks: Hooks,
    /// How the broker behaves.
    pub manners: Manners,
    /// CONNACK says that the session is present, where that is no lie.
    pub session_present: bool,
}

/// Bits of the first byte.
const AUTHENTICATION: u8 = 1;
const SHOWN: u8 = 2;
const PREPARES: u8 = 4;
const ALIASES: u8 = 8;
const KEPT_SESSION: u8 = 16;
const OLD: u8 = 32;
const LIMITS: u8 = 64;
const DRAWN: u8 = 128;

impl Profile {
    /// The profile of an input; `None` if the options that it draws do not go together.
    pub fn draw(feed: &mut Feed<'_>) -> Option<Profile> {
        let bits = feed.byte();
        let has = |bit: u8| bits & bit != 0;
        let mut options = ClientOptions::new();
        let mut set = |name: &str, value: Value| {
            // A value that is refused leaves the option as it was.
            let _ = options.set(name, value, Dialect::Rust);
        };
        if has(AUTHENTICATION) && !has(OLD) {
            set("authentication_method", Value::Text("method".into()));
        }
        if has(ALIASES) {
            set("outgoing_topic_aliases", Value::Integer(2));
        }
        if has(KEPT_SESSION) {
            set("client_id", Value::Text("leveret".into()));
            set("clean_start", Value::Bool(false));
            set("session_expiry", Value::Duration(Duration::from_secs(60)));
            set("expired_in_flight", Value::Text("resend".into()));
        }
        if has(OLD) {
            set("protocol", Value::Text("3.1.1".into()));
        }
        if has(DRAWN) {
            for _ in 0..feed.below(12) {
                let spec = feed.pick(ClientOptions::SPECS);
                let value = draw::value(feed, spec);
                set(spec.name, value);
            }
        }
        let limits = if has(LIMITS) { feed.byte() } else { 0 };
        let none = Hooks::default();
        let hooks = Hooks {
            shown: if has(SHOWN) {
                Hooks::SHOWABLE
            } else {
                none.shown
            },
            answered: if has(SHOWN) {
                Hooks::ANSWERABLE
            } else {
                none.answered
            },
            prepares: has(PREPARES),
            authenticates: has(AUTHENTICATION),
        };
        options.check(Dialect::Rust).is_ok().then_some(Profile {
            options,
            hooks,
            manners: Manners {
                steps: u8::from(has(AUTHENTICATION)),
                limits: limits | u8::from(has(ALIASES)),
            },
            session_present: has(KEPT_SESSION),
        })
    }
}
