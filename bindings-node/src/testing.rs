//! The embedded test broker for `leveret/testing`.

use std::sync::Arc;
use std::time::Duration;

use leveret::host::{QoS, sentence};
use leveret::testing::{Broker, ServerCertificate};
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Task};
use napi_derive::napi;

use crate::convert::{Body, Given, must_be, payload, set_options, shown, text};
use crate::error::thrown;
use crate::message::Delivery;

/// A broker on a thread of its own; `Broker` of `leveret/testing` is what users see.
#[napi]
pub struct NativeBroker {
    broker: Arc<Broker>,
}

#[napi]
impl NativeBroker {
    /// Starts a broker.
    #[napi(constructor)]
    pub fn new(options: Given<'_>) -> napi::Result<NativeBroker> {
        let mut builder = Broker::builder();
        set_options(options, |name, value| builder.set(&snake(name), value))?;
        Ok(NativeBroker {
            broker: Arc::new(builder.start().map_err(thrown)?),
        })
    }

    /// Its address.
    #[napi]
    pub fn url(&self) -> String {
        self.broker.url().into()
    }

    /// The certificate authority of this broker alone.
    #[napi]
    pub fn ca_pem(&self) -> Option<String> {
        self.broker.ca_pem().map(str::to_owned)
    }

    /// A certificate for a client.
    #[napi]
    pub fn client_cert_pem(&self) -> Option<String> {
        self.broker.client_cert_pem().map(str::to_owned)
    }

    /// The key that belongs to it.
    #[napi]
    pub fn client_key_pem(&self) -> Option<String> {
        self.broker.client_key_pem().map(str::to_owned)
    }

    /// Shows this certificate to clients that connect from now on.
    #[napi]
    pub fn show_certificate(&self, certificate: Given<'_>) -> napi::Result<()> {
        let certificate = ServerCertificate::named(&text("certificate", certificate)?);
        certificate
            .and_then(|certificate| self.broker.show_certificate(certificate))
            .map_err(thrown)
    }

    /// Every PUBLISH from a client in order of arrival.
    #[napi]
    pub fn received(&self, env: &Env) -> napi::Result<Vec<Delivery<'_>>> {
        self.broker
            .received()
            .into_iter()
            .map(|each| Delivery::plain(env, &each.into_message()))
            .collect()
    }

    /// Resolves when so many PUBLISH packets have been received; rejects when they have not in this time.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn wait_received(
        &self,
        count: Given<'_>,
        milliseconds: u32,
    ) -> napi::Result<AsyncTask<Received>> {
        let count = whole("count", count)?;
        let timeout = Duration::from_millis(milliseconds.into());
        Ok(AsyncTask::new(Received {
            broker: Arc::clone(&self.broker),
            count,
            timeout,
        }))
    }

    /// Ends all connections without a word and refuses new ones.
    #[napi]
    pub fn stop(&self, forget: bool) {
        if forget {
            self.broker.stop_and_forget();
        } else {
            self.broker.stop();
        }
    }

    /// Listens again on the same port.
    #[napi]
    pub fn start(&self) -> napi::Result<()> {
        self.broker.start().map_err(thrown)
    }

    /// Swallows the next packets of this type from clients.
    #[napi]
    pub fn swallow(&self, packet: Given<'_>, count: Given<'_>) -> napi::Result<()> {
        let (packet, count) = (text("packet", packet)?, whole("count", count)?);
        self.broker.swallow(&packet, count as u64).map_err(thrown)
    }

    /// The same for packets to clients.
    #[napi]
    pub fn swallow_outgoing(&self, packet: Given<'_>, count: Given<'_>) -> napi::Result<()> {
        let (packet, count) = (text("packet", packet)?, whole("count", count)?);
        let told = self.broker.swallow_outgoing(&packet, count as u64);
        told.map_err(thrown)
    }

    /// How many clients are connected.
    #[napi]
    pub fn connections(&self) -> u32 {
        self.broker.connections() as u32
    }

    /// Publishes a message from the broker itself.
    #[napi]
    pub fn publish(
        &self,
        topic: Given<'_>,
        body: Body<'_>,
        qos: Given<'_>,
        retain: bool,
    ) -> napi::Result<()> {
        let (topic, number) = (text("topic", topic)?, whole("qos", qos)?);
        let qos = u8::try_from(number)
            .ok()
            .and_then(|number| QoS::try_from(number).ok());
        let qos = qos.ok_or_else(|| thrown(sentence::qos(number as i64)))?;
        let bytes = match &body {
            Body::A(text) => text.as_bytes(),
            Body::B(bytes) => &bytes[..],
            Body::C(_) => return payload(&body).map(drop),
        };
        self.broker
            .publish(&topic, bytes, qos, retain)
            .map_err(thrown)
    }

    /// Resets every connection and goes on listening.
    #[napi]
    pub fn disconnect_clients(&self) {
        self.broker.disconnect_clients();
    }

    /// Forgets every session and resets the connections that used them.
    #[napi]
    pub fn lose_sessions(&self) {
        self.broker.lose_sessions();
    }

    /// Stops reading from clients until it is called with false.
    #[napi]
    pub fn pause_reading(&self, paused: bool) {
        self.broker.pause_reading(paused);
    }

    /// Ends the broker for good.
    #[napi]
    pub fn close(&self) {
        self.broker.close();
    }
}

/// A wait for messages, on a thread of Node's pool.
pub struct Received {
    broker: Arc<Broker>,
    count: usize,
    timeout: Duration,
}

impl Task for Received {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> napi::Result<()> {
        self.broker
            .wait_received(self.count, self.timeout)
            .map(drop)
            .map_err(thrown)
    }

    fn resolve(&mut self, _env: Env, (): ()) -> napi::Result<()> {
        Ok(())
    }
}

fn whole(name: &str, given: Given<'_>) -> napi::Result<usize> {
    match given {
        Given::B(count) if count >= 0.0 && count.fract() == 0.0 => Ok(count as usize),
        other => Err(must_be(name, "a whole number of at least 0", shown(other))),
    }
}

/// The broker's own name of an option that is spelled as in Node.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}
