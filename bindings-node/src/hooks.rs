//! What a client asks on the way to its broker as plain objects: packets, steps, attempts, handshakes; and what the application says to them.

use std::collections::BTreeMap;

use leveret::host::{
    AuthStage, AuthStep, Client, CloseOptions, ConnectOptions, Error, Hooks, PacketSet, PacketType,
    Preparation, Shown, Signing, Words, sentence,
};
use napi::ValueType;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::convert::{DIALECT, Given, must_be, set_options, shown as given_as, text};
use crate::message::{Property, properties};

/// A packet for its hook.
#[napi(object, object_from_js = false)]
pub struct Seen {
    /// To be answered with; 0 where there is nothing to say.
    pub number: f64,
    /// The name of its hook.
    pub hook: String,
    /// The name of its type.
    pub packet: String,
    /// Its packet identifier, where it has one.
    pub packet_id: Option<u32>,
    /// Its first reason code; success where it has none.
    pub reason: u32,
    /// All of them.
    pub reasons: Vec<u32>,
    /// CONNACK: does an earlier session go on.
    pub session_present: bool,
    /// The receipt of the letter that it is about; 0 for none.
    pub tag: f64,
    /// Its properties by name.
    pub properties: BTreeMap<String, Property>,
}

/// A step for the authenticator.
#[napi(object, object_from_js = false)]
pub struct Step {
    /// To be answered with.
    pub number: f64,
    /// `begin`, `continue` or `finish`.
    pub stage: String,
    /// Is it a re-authentication.
    pub reauthentication: bool,
    /// The authentication method.
    pub method: String,
    /// What the broker sent.
    pub data: Option<Buffer>,
    /// The properties of its packet by name.
    pub properties: BTreeMap<String, Property>,
}

/// An attempt to connect.
#[napi(object, object_from_js = false)]
pub struct Attempt {
    /// To be answered with.
    pub number: f64,
    /// Where it is to go, without user name and password.
    pub url: String,
    /// Counts the attempts from 1.
    pub attempt: f64,
}

/// A handshake to be signed.
#[napi(object, object_from_js = false)]
pub struct Handshake {
    /// To be answered with.
    pub number: f64,
    /// The signature scheme.
    pub scheme: String,
    /// The message.
    pub message: Buffer,
}

impl Attempt {
    pub(crate) fn of(client: &Client, asked: &Preparation) -> Attempt {
        Attempt {
            number: asked.number as f64,
            url: client.url_of(asked),
            attempt: asked.attempt as f64,
        }
    }
}

impl Handshake {
    pub(crate) fn of(number: u32, asked: &Signing) -> Handshake {
        Handshake {
            number: number.into(),
            scheme: asked.scheme().into(),
            message: asked.message().to_vec().into(),
        }
    }
}

impl From<&Shown> for Seen {
    fn from(shown: &Shown) -> Seen {
        Seen {
            number: shown.number as f64,
            hook: hook_of(shown.packet),
            packet: shown.packet.name().into(),
            packet_id: shown.packet_id.map(u32::from),
            reason: shown.reason().0.into(),
            reasons: shown.reasons.iter().map(|reason| reason.0.into()).collect(),
            session_present: shown.session_present,
            tag: shown.tag as f64,
            properties: properties(&shown.properties),
        }
    }
}

impl From<&AuthStep> for Step {
    fn from(step: &AuthStep) -> Step {
        let stage = match step.stage {
            AuthStage::Begin => "begin",
            AuthStage::Continue => "continue",
            AuthStage::Finish => "finish",
        };
        Step {
            number: step.number as f64,
            stage: stage.into(),
            reauthentication: step.reauthentication,
            method: step.method.as_str().into(),
            data: step.data.as_ref().map(|data| data.to_vec().into()),
            properties: properties(&step.properties),
        }
    }
}

/// What the engine is to show to hooks of these names.
///
/// # Errors
/// `InvalidArgument` for a name that is none.
pub(crate) fn wanted(
    names: &[String],
    authenticates: bool,
    prepares: bool,
) -> Result<Hooks, Error> {
    let mut shown = PacketSet::EMPTY;
    for name in names {
        let packet = Hooks::SHOWABLE.types().find(|&each| hook_of(each) == *name);
        let packet = packet.ok_or_else(|| {
            let known: Vec<_> = Hooks::SHOWABLE.types().map(hook_of).collect();
            let allowed = format!("one of {}", known.join(", "));
            sentence::must_be("hook", &allowed, format!("{name:?}"))
        })?;
        shown = shown.union(packet.into());
    }
    Ok(Hooks {
        shown,
        answered: shown.intersection(Hooks::ANSWERABLE),
        prepares,
        authenticates,
    })
}

/// The name of the hook that sees packets of this type.
fn hook_of(packet: PacketType) -> String {
    packet.name().to_ascii_lowercase()
}

/// A reason string and user properties, given as they are in options.
pub(crate) fn words(given: Given<'_>) -> napi::Result<Words> {
    let mut options = CloseOptions::default();
    set_options(given, |name, value| options.set(name, value, DIALECT))?;
    Ok(Words {
        reason_string: options.reason_string,
        user_properties: options.user_properties,
    })
}

/// Authentication data where there are any.
pub(crate) fn data(given: Given<'_>) -> napi::Result<Option<Vec<u8>>> {
    Ok(match given {
        Given::A(_) => Some(text("authentication data", given)?.into_bytes()),
        Given::D(_) => None,
        Given::E(bytes) => Some(bytes.to_vec()),
        Given::G(other) if other.get_type()? == ValueType::Undefined => None,
        other => {
            let allowed = "bytes or text";
            return Err(must_be("authentication data", allowed, given_as(other)));
        }
    })
}

/// What an attempt is to say, given as options are.
pub(crate) fn said(given: Given<'_>) -> napi::Result<ConnectOptions> {
    let mut options = ConnectOptions::default();
    set_options(given, |name, value| options.set(name, value, DIALECT))?;
    Ok(options)
}

/// A signature.
pub(crate) fn signature(given: Given<'_>) -> napi::Result<Vec<u8>> {
    let given = match given {
        Given::E(bytes) => return Ok(bytes.to_vec()),
        Given::A(_) => "text".to_owned(),
        other => given_as(other),
    };
    Err(must_be("signature", "bytes", given))
}
