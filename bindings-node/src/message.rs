//! Messages as plain objects, from which `message.cjs` makes what users get.

use std::collections::BTreeMap;

use leveret::host::{Arrival, Message, QoS, ResponseTo};
use leveret::protocol::codec::{Properties, PropertyValue};
use napi::Env;
use napi::bindgen_prelude::{Buffer, BufferSlice, Either5};
use napi_derive::napi;

/// The value of a property: number, text, bytes, pairs of texts, or numbers.
pub(crate) type Property = Either5<u32, String, Buffer, Vec<Vec<String>>, Vec<u32>>;

/// A message on its way to its handlers.
#[napi(object, object_from_js = false)]
pub struct Delivery<'env> {
    /// Its number, for `done` and `acknowledge`.
    pub id: u32,
    /// The numbers of the handlers of its filters.
    pub handlers: Vec<f64>,
    /// Whether the general handler or iterator is to get it too.
    pub general: bool,
    /// Topic name.
    pub topic: String,
    /// Payload, a copy that belongs to JavaScript.
    pub payload: BufferSlice<'env>,
    /// QoS of this delivery.
    pub qos: u32,
    /// Is it a retained message.
    pub retain: bool,
    /// May the broker have sent this packet before.
    pub dup: bool,
    /// MQTT 5 properties by name.
    pub properties: Option<BTreeMap<String, Property>>,
}

/// What a response has to know of its request.
#[napi(object, object_to_js = false)]
pub struct Asked {
    /// Where the requester listens.
    pub topic: Option<String>,
    /// What it knows its response by.
    pub correlation_data: Option<Buffer>,
    /// QoS with which the request came.
    pub qos: u8,
    /// Seconds for which a response is of use.
    pub message_expiry: Option<u32>,
}

impl From<Asked> for ResponseTo {
    fn from(asked: Asked) -> ResponseTo {
        let data = asked.correlation_data;
        ResponseTo {
            topic: asked.topic,
            correlation_data: data.map(|data| data.to_vec().into()),
            qos: QoS::try_from(asked.qos).unwrap_or_default(),
            message_expiry: asked.message_expiry,
        }
    }
}

impl<'env> Delivery<'env> {
    /// A message for handlers or iterators.
    pub(crate) fn of(env: &Env, id: u32, arrival: &Arrival) -> napi::Result<Delivery<'env>> {
        Ok(Delivery {
            id,
            handlers: arrival
                .handlers
                .iter()
                .map(|number| number as f64)
                .collect(),
            general: arrival.general,
            ..Delivery::plain(env, &arrival.message)?
        })
    }

    /// A message for nobody in particular.
    pub(crate) fn plain(env: &Env, message: &Message) -> napi::Result<Delivery<'env>> {
        let empty = message.properties.is_empty();
        Ok(Delivery {
            id: 0,
            handlers: Vec::new(),
            general: false,
            topic: message.topic().to_owned(),
            payload: BufferSlice::copy_from(env, message.payload())?,
            qos: u8::from(message.qos).into(),
            retain: message.retain,
            dup: message.dup,
            properties: (!empty).then(|| properties(&message.properties)),
        })
    }
}

/// Properties by name; user properties as a list of pairs, what else may repeat as a list.
pub(crate) fn properties(properties: &Properties) -> BTreeMap<String, Property> {
    let mut told = BTreeMap::new();
    for (id, value) in properties.iter() {
        let value = match value {
            PropertyValue::Number(number) => Either5::A(number),
            PropertyValue::Text(text) => Either5::B(text.to_owned()),
            PropertyValue::Binary(bytes) => Either5::C(bytes.to_vec().into()),
            PropertyValue::TextPair(..) => Either5::D(
                properties
                    .user_properties()
                    .map(|(name, value)| vec![name.to_owned(), value.to_owned()])
                    .collect(),
            ),
        };
        told.insert(
            crate::convert::DIALECT.spell(id.row().name).into_owned(),
            value,
        );
    }
    let matched: Vec<u32> = properties.subscription_identifiers().collect();
    if !matched.is_empty() {
        told.insert("subscriptionIdentifier".into(), Either5::E(matched));
    }
    told
}
