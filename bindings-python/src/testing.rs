//! The embedded test broker for `leveret.testing`.

use std::time::Duration;

use leveret::host::{Error, ErrorKind, QoS, sentence};
use leveret::testing::{Broker, ReceivedMessage, ServerCertificate};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert::{Body, Timeout, borrowed_text, set_options};
use crate::error::raise;
use crate::message::Message;
use crate::wait::wait;

/// A broker on a thread of its own; `leveret.testing.Broker` is what users see.
#[pyclass(subclass, frozen, module = "leveret._native")]
pub struct NativeBroker {
    broker: Option<Broker>,
    process: u32,
}

#[pymethods]
impl NativeBroker {
    #[new]
    #[pyo3(signature = (**options))]
    fn new(py: Python<'_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<NativeBroker> {
        let mut builder = Broker::builder();
        set_options(options, |name, value| builder.set(name, value))?;
        let broker = py
            .detach(|| builder.start())
            .map_err(|error| raise(py, &error))?;
        Ok(NativeBroker {
            broker: Some(broker),
            process: std::process::id(),
        })
    }

    /// Its address, `mqtt://127.0.0.1:port` or what its options make of that: mqtts, ws, wss or mqtt+unix; the same as
    /// long as it lives.
    #[getter]
    fn url(&self, py: Python<'_>) -> PyResult<String> {
        self.call(py, |broker| Ok(broker.url().to_owned()))
    }

    /// The certificate authority of this broker alone, as PEM: what its clients have to trust. None without TLS.
    #[getter]
    fn ca_pem(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.call(py, |broker| Ok(broker.ca_pem().map(str::to_owned)))
    }

    /// A certificate with which a client identifies itself to this broker, as PEM. None without TLS.
    #[getter]
    fn client_cert_pem(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.call(py, |broker| Ok(broker.client_cert_pem().map(str::to_owned)))
    }

    /// The key that belongs to `client_cert_pem`, as PEM. None without TLS.
    #[getter]
    fn client_key_pem(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.call(py, |broker| Ok(broker.client_key_pem().map(str::to_owned)))
    }

    /// Shows this certificate to clients that connect from now on: "valid" is a new one, as after a renewal; clients
    /// refuse "expired", "not_yet_valid", "wrong_name", "unknown_ca", "wrong_purpose" and "missing_intermediate".
    fn show_certificate(&self, py: Python<'_>, certificate: &str) -> PyResult<()> {
        self.call(py, |broker| {
            broker.show_certificate(ServerCertificate::named(certificate)?)
        })
    }

    /// Every PUBLISH from a client in order of arrival, recorded before it is acknowledged; re-deliveries have
    /// `dup`.
    #[getter]
    fn received(&self, py: Python<'_>) -> PyResult<Vec<Message>> {
        self.call(py, |broker| Ok(broker.received())).map(messages)
    }

    /// Waits until there are `count` of them and returns all there are then. Raises TimeoutError.
    #[pyo3(
        signature = (count, timeout = Timeout(Some(Duration::from_secs(5)))),
        text_signature = "($self, count, timeout=5.0)"
    )]
    fn wait_received(
        &self,
        py: Python<'_>,
        count: usize,
        timeout: Timeout,
    ) -> PyResult<Vec<Message>> {
        wait(py, self.here(py)?, timeout.0, |broker, slice| {
            broker.wait_received(count, slice.unwrap_or(Duration::MAX))
        })
        .map(messages)
    }

    /// How many clients are connected.
    #[getter]
    fn connections(&self, py: Python<'_>) -> PyResult<usize> {
        self.call(py, |broker| Ok(broker.connections()))
    }

    /// Ends all connections without a word and refuses new ones; keeps the port and, unless `forget`, the
    /// sessions.
    #[pyo3(signature = (*, forget = false))]
    fn stop(&self, py: Python<'_>, forget: bool) -> PyResult<()> {
        self.call(py, |broker| {
            if forget {
                broker.stop_and_forget();
            } else {
                broker.stop();
            }
            Ok(())
        })
    }

    /// Listens again on the same port.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, Broker::start)
    }

    /// Swallows the next `count` packets of this type from clients, as if they had been lost: "PUBLISH",
    /// "PINGREQ", …
    #[pyo3(signature = (packet, count = 1))]
    fn swallow(&self, py: Python<'_>, packet: &str, count: u64) -> PyResult<()> {
        self.call(py, |broker| broker.swallow(packet, count))
    }

    /// The same for packets to clients: "PUBACK", "CONNACK", …
    #[pyo3(signature = (packet, count = 1))]
    fn swallow_outgoing(&self, py: Python<'_>, packet: &str, count: u64) -> PyResult<()> {
        self.call(py, |broker| broker.swallow_outgoing(packet, count))
    }

    /// Publishes a message from the broker itself.
    #[pyo3(signature = (topic, payload, *, qos = 0, retain = false))]
    fn publish(
        &self,
        topic: &Bound<'_, PyAny>,
        payload: &Bound<'_, PyAny>,
        qos: u8,
        retain: bool,
    ) -> PyResult<()> {
        let py = topic.py();
        let level = QoS::try_from(qos).map_err(|_| raise(py, &sentence::qos(qos.into())))?;
        let topic = borrowed_text(topic, "topic")?;
        let body = Body::of(payload)?;
        let bytes = body.bytes(py)?;
        self.call(py, |broker| broker.publish(topic, bytes, level, retain))
    }

    /// Resets every connection and goes on listening. Wills are published.
    fn disconnect_clients(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, |broker| {
            broker.disconnect_clients();
            Ok(())
        })
    }

    /// Forgets every session and resets the connections that used them.
    fn lose_sessions(&self, py: Python<'_>) -> PyResult<()> {
        self.call(py, |broker| {
            broker.lose_sessions();
            Ok(())
        })
    }

    /// Stops reading from clients, as a broker does that hangs, until it is called with False.
    fn pause_reading(&self, py: Python<'_>, paused: bool) -> PyResult<()> {
        self.call(py, |broker| {
            broker.pause_reading(paused);
            Ok(())
        })
    }

    /// Ends the broker for good. What it received can still be read.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_here() {
            self.call(py, |broker| {
                broker.close();
                Ok(())
            })
        } else {
            Ok(())
        }
    }
}

impl NativeBroker {
    fn call<R: Send>(
        &self,
        py: Python<'_>,
        call: impl FnOnce(&Broker) -> Result<R, Error> + Send,
    ) -> PyResult<R> {
        let broker = self.here(py)?;
        py.detach(|| call(broker))
            .map_err(|error| raise(py, &error))
    }

    fn here(&self, py: Python<'_>) -> PyResult<&Broker> {
        let broker = self.broker.as_ref().filter(|_| self.is_here());
        broker.ok_or_else(|| raise(py, &ErrorKind::Forked.into()))
    }

    /// Whether the broker's thread is in this process. A forked child would wait for it in vain.
    fn is_here(&self) -> bool {
        self.process == std::process::id()
    }
}

impl Drop for NativeBroker {
    fn drop(&mut self) {
        if !self.is_here() {
            std::mem::forget(self.broker.take());
        }
    }
}

fn messages(received: Vec<ReceivedMessage>) -> Vec<Message> {
    let message = |each: ReceivedMessage| Message {
        message: each.into_message(),
        origin: None,
        token: None,
    };
    received.into_iter().map(message).collect()
}
