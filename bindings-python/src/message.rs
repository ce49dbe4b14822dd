//! Messages as Python sees them, and messages on their way to their handlers.

use leveret::host::{AckToken, Arrival, Client, Publish, ReasonCode, ResponseTo, sentence};
use leveret::protocol::codec::PropertyValue;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyList, PyTuple};

use crate::client::Native;
use crate::convert::{Body, DIALECT, kind_of, set_options, text};
use crate::error::raise;
use crate::hooks::words;

/// A message from the broker.
#[pyclass(frozen, module = "leveret")]
pub struct Message {
    pub(crate) message: leveret::host::Message,
    /// The client that received it; None where none did.
    pub(crate) origin: Option<Py<Native>>,
    /// What acknowledges it by hand; None where there is nothing to acknowledge.
    pub(crate) token: Option<AckToken>,
}

#[pymethods]
impl Message {
    /// Topic name.
    #[getter]
    fn topic(&self) -> &str {
        self.message.topic()
    }

    /// What stands between the slashes of the topic name.
    #[getter]
    fn levels(&self) -> Vec<&str> {
        self.message.levels().collect()
    }

    /// The payload, which may be empty. Made anew at every access.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.message.payload())
    }

    /// QoS of this delivery: 0, 1 or 2.
    #[getter]
    fn qos(&self) -> u8 {
        self.message.qos.into()
    }

    /// Is it a retained message.
    #[getter]
    fn retain(&self) -> bool {
        self.message.retain
    }

    /// May the broker have sent this packet before.
    #[getter]
    fn dup(&self) -> bool {
        self.message.dup
    }

    /// MQTT 5 properties by name; empty on MQTT 3.1.1.
    #[getter]
    fn properties<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        properties(py, &self.message.properties)
    }

    /// User properties in their order, names possibly repeated.
    #[getter]
    fn user_properties(&self) -> Vec<(&str, &str)> {
        self.message.properties.user_properties().collect()
    }

    /// Acknowledges the message, where the client was made with `manual_ack=True`; else it does nothing. From any
    /// thread. It also does nothing when the connection that brought the message is gone: then the broker
    /// delivers it again.
    ///
    /// On MQTT 5 the PUBACK or PUBREC carries `reason` (MQTT 5, 3.4.2.1: 0, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97 or 0x99; from 0x80 on the
    /// message was refused, and the broker does not deliver it again), `reason_string` and `user_properties`; on MQTT 3.1.1 it can carry none.
    #[pyo3(
        signature = (reason = None, reason_string = None, user_properties = None),
        text_signature = "($self, reason=0, reason_string=None, user_properties=())"
    )]
    fn ack(
        &self,
        py: Python<'_>,
        reason: Option<&Bound<'_, PyAny>>,
        reason_string: Option<&Bound<'_, PyAny>>,
        user_properties: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let reason = reason.map_or(Ok(ReasonCode::SUCCESS), reason_code)?;
        sentence::acknowledgement(reason).map_err(|error| raise(py, &error))?;
        let nothing = (py.None().into_bound(py), PyTuple::empty(py).into_any());
        let words = words(
            reason_string.unwrap_or(&nothing.0),
            user_properties.unwrap_or(&nothing.1),
        )?;
        let (Some(origin), Some(token)) = (&self.origin, self.token) else {
            return Ok(());
        };
        let client = &origin.get().client;
        if !client.options().manual_ack {
            return Ok(());
        }
        py.detach(|| client.acknowledge_with(token, reason, &words))
            .map_err(|error| raise(py, &error))
    }

    /// Answers the message, on the response topic that it names, with its correlation data and its QoS; returns the
    /// receipt. The response lives as long as the message says that it is waited for. Options are those of `publish`.
    ///
    /// A message that names no response topic, as none does on MQTT 3.1.1, is answered on `topic`; without one that
    /// raises ConfigurationError.
    #[pyo3(signature = (payload=None, *, topic=None, **options))]
    fn respond<'py>(
        &self,
        py: Python<'py>,
        payload: Option<&Bound<'py, PyAny>>,
        topic: Option<&Bound<'py, PyAny>>,
        options: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let Some(origin) = &self.origin else {
            return Err(raise(py, &sentence::closed()));
        };
        let request = ResponseTo::from(&self.message);
        let mut usual = request.options();
        set_options(options, |name, value| usual.set(name, value, DIALECT))?;
        let topic = topic.filter(|topic| !topic.is_none());
        let topic = topic.map(|topic| text(topic, "topic")).transpose()?;
        let topic = request
            .topic(topic.as_deref(), DIALECT)
            .map_err(|error| raise(py, &error))?;
        let body = payload.map_or(Ok(Body::Nothing), Body::of)?;
        let letter = Publish {
            topic,
            payload: body.payload(py)?,
            options: &usual,
        };
        Native::respond(origin.bind(py), letter)
    }

    fn __repr__(&self) -> String {
        let message = &self.message;
        let flags = [(message.retain, " retain"), (message.dup, " dup")];
        let flags: String = flags
            .iter()
            .filter(|(set, _)| *set)
            .map(|(_, name)| *name)
            .collect();
        format!(
            "<leveret.Message {:?}, {} bytes, qos {}{flags}>",
            message.topic(),
            message.payload.len(),
            u8::from(message.qos)
        )
    }
}

/// A message on its way to its handlers.
#[pyclass(frozen, module = "leveret")]
pub struct Delivery {
    client: Client,
    arrival: Arrival,
    message: Py<Message>,
}

impl Delivery {
    pub(crate) fn new(py: Python<'_>, origin: &Py<Native>, arrival: Arrival) -> PyResult<Delivery> {
        let message = Py::new(
            py,
            Message {
                message: arrival.message.clone(),
                origin: Some(origin.clone_ref(py)),
                token: arrival.token,
            },
        )?;
        Ok(Delivery {
            client: origin.get().client.clone(),
            arrival,
            message,
        })
    }
}

#[pymethods]
impl Delivery {
    #[getter]
    fn message(&self, py: Python<'_>) -> Py<Message> {
        self.message.clone_ref(py)
    }

    /// The numbers of the handlers of its filters.
    #[getter]
    fn handlers(&self) -> Vec<u64> {
        self.arrival.handlers.iter().collect()
    }

    /// Whether the general handler or iterator is to get it too.
    #[getter]
    fn general(&self) -> bool {
        self.arrival.general
    }

    /// All handlers have returned, or the iterator's user asked for the next one.
    fn done(&self, py: Python<'_>, handled: bool) {
        py.detach(|| self.client.done(&self.arrival, handled));
    }
}

/// A reason code: one byte.
fn reason_code(given: &Bound<'_, PyAny>) -> PyResult<ReasonCode> {
    let is_number = given.is_instance_of::<PyInt>();
    if let Some(code) = given.extract().ok().filter(|_| is_number) {
        return Ok(ReasonCode(code));
    }
    let named = if is_number {
        given.str()?.to_string()
    } else {
        kind_of(given)?
    };
    let error = sentence::must_be("reason", "a reason code from 0 to 255", named);
    Err(raise(given.py(), &error))
}

/// Properties by name; user properties as a list of pairs, what may repeat as a list.
pub(crate) fn properties<'py>(
    py: Python<'py>,
    properties: &leveret::protocol::codec::Properties,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let user: Vec<(&str, &str)> = properties.user_properties().collect();
    for (id, value) in properties.iter() {
        match value {
            PropertyValue::Number(number) => dict.set_item(id.row().name, number)?,
            PropertyValue::Text(text) => dict.set_item(id.row().name, text)?,
            PropertyValue::Binary(bytes) => {
                dict.set_item(id.row().name, PyBytes::new(py, bytes))?;
            }
            PropertyValue::TextPair(..) => dict.set_item(id.row().name, PyList::new(py, &user)?)?,
        }
    }
    let matched: Vec<u32> = properties.subscription_identifiers().collect();
    if !matched.is_empty() {
        dict.set_item("subscription_identifier", matched)?;
    }
    Ok(dict)
}
