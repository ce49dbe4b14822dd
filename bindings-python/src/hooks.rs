//! `HookQueue`: packets for hooks, steps for the authenticator, attempts to connect to say more of, handshakes to sign, and their answers.

use std::sync::Arc;

use bytes::Bytes;
use leveret::host::{
    self, AuthStage, AuthStep, Client, CloseOptions, ConnectOptions, Delivery as Taken, Error,
    ErrorKind, Hooks, PacketSet, PacketType, Preparation, QueueId, Shown, Words, sentence,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::convert::{Body, DIALECT, borrowed_text, kind_of, set_options, value};
use crate::error::raise;
use crate::message::properties;
use crate::wait::wait;

/// What the functions of one client are asked that it calls on the way to the broker, and what they answer.
#[pyclass(frozen, module = "leveret._native")]
pub struct HookQueue {
    client: Client,
}

/// What is asked: `packet`, `step`, `attempt` or `handshake`, the number that its answer names, and the fields of Python's `Packet`,
/// `AuthStep` or `Attempt`, or a `Signing`.
type Question<'py> = (&'static str, u64, Bound<'py, PyDict>);

#[pymethods]
impl HookQueue {
    /// What waits.
    fn take<'py>(&self, py: Python<'py>, most: usize) -> PyResult<Vec<Question<'py>>> {
        let mut taken = Vec::new();
        py.detach(|| self.client.take(QueueId::HOOKS, most, &mut taken));
        questions(py, &self.client, taken)
    }

    /// The same, waiting for the first; None when there will be no more.
    fn take_wait<'py>(&self, py: Python<'py>, most: usize) -> PyResult<Option<Vec<Question<'py>>>> {
        let taken = wait(py, &self.client, None, |client, slice| {
            let mut taken = Vec::new();
            match client.wait_take(QueueId::HOOKS, most, slice, &mut taken) {
                Err(error) if is_over(&error) => Ok(None),
                waited => waited.map(|_| Some(taken)),
            }
        })?;
        taken
            .map(|taken| questions(py, &self.client, taken))
            .transpose()
    }

    /// What our answer to a packet is to carry. What needs no answer has the number 0.
    fn answer(
        &self,
        py: Python<'_>,
        number: u64,
        reason_string: &Bound<'_, PyAny>,
        user_properties: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let words = words(reason_string, user_properties)?;
        if number == 0 {
            return words
                .properties()
                .map(drop)
                .map_err(|error| raise(py, &error));
        }
        unless_over(py, || self.client.answer(number, &words))
    }

    /// What the broker is sent in a step of authentication.
    fn authenticate(
        &self,
        py: Python<'_>,
        number: u64,
        data: &Bound<'_, PyAny>,
        reason_string: &Bound<'_, PyAny>,
        user_properties: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let words = words(reason_string, user_properties)?;
        let data = match Body::of_argument(data, "authentication data")? {
            Body::Nothing => None,
            body => Some(Bytes::copy_from_slice(body.bytes(py)?)),
        };
        unless_over(py, || self.client.authenticate(number, data, &words))
    }

    /// The step is not taken, for the reason in these words.
    fn refuse(&self, py: Python<'_>, number: u64, text: &str) -> PyResult<()> {
        unless_over(py, || self.client.refuse_authentication(number, text))
    }

    /// What an attempt to connect is to say.
    fn prepare(&self, py: Python<'_>, number: u64, options: &Bound<'_, PyDict>) -> PyResult<()> {
        let mut said = ConnectOptions::new();
        set_options(Some(options), |name, value| said.set(name, value, DIALECT))?;
        unless_over(py, || self.client.prepare(number, said))
    }

    /// The attempt is not made, for the reason in these words.
    fn refuse_attempt(&self, py: Python<'_>, number: u64, text: &str) -> PyResult<()> {
        unless_over(py, || self.client.refuse_preparation(number, text))
    }

    /// For so many seconds somebody waits for the answer to a question of this kind.
    fn limit(&self, kind: &str) -> f64 {
        let options = self.client.options();
        let limit = match kind {
            "handshake" => options.connect_timeout,
            _ => options.hook_timeout,
        };
        limit.as_secs_f64()
    }
}

impl HookQueue {
    /// Has packets of these names shown, steps of authentication, and attempts to connect.
    pub(crate) fn open(
        py: Python<'_>,
        client: &Client,
        packets: &[Bound<'_, PyAny>],
        authenticates: bool,
        prepares: bool,
    ) -> PyResult<HookQueue> {
        let mut shown = PacketSet::EMPTY;
        for name in packets {
            shown = shown.union(showable(name)?.into());
        }
        let hooks = Hooks {
            shown,
            answered: shown.intersection(Hooks::ANSWERABLE),
            prepares,
            authenticates,
        };
        py.detach(|| client.set_hooks(hooks))
            .map_err(|error| raise(py, &error))?;
        Ok(HookQueue {
            client: client.clone(),
        })
    }
}

/// A reason string and user properties, read and refused as those of the options are.
pub(crate) fn words(
    reason_string: &Bound<'_, PyAny>,
    user_properties: &Bound<'_, PyAny>,
) -> PyResult<Words> {
    let mut read = CloseOptions::new();
    for (name, given) in [
        ("reason_string", reason_string),
        ("user_properties", user_properties),
    ] {
        read.set(name, value(given)?, DIALECT)
            .map_err(|error| raise(given.py(), &error))?;
    }
    Ok(Words {
        reason_string: read.reason_string,
        user_properties: read.user_properties,
    })
}

/// The packet that a hook of this name is for.
fn showable(given: &Bound<'_, PyAny>) -> PyResult<PacketType> {
    let name = borrowed_text(given, "the name of a hook")?;
    let is_meant = |packet: &PacketType| packet.name().to_ascii_lowercase() == name;
    Hooks::SHOWABLE.types().find(is_meant).ok_or_else(|| {
        let names: Vec<_> = Hooks::SHOWABLE
            .types()
            .map(|packet| packet.name().to_ascii_lowercase())
            .collect();
        let allowed = format!("one of {}", names.join(", "));
        let error = sentence::must_be("the name of a hook", &allowed, sentence::Quoted(name));
        raise(given.py(), &error)
    })
}

fn questions<'py>(
    py: Python<'py>,
    client: &Client,
    taken: Vec<Taken>,
) -> PyResult<Vec<Question<'py>>> {
    let question = |taken| match taken {
        Taken::Packet(shown) => Some(packet(py, &shown)),
        Taken::Authenticate(asked) => Some(step(py, &asked)),
        Taken::Prepare(asked) => Some(attempt(py, client, &asked)),
        Taken::Sign(asked) => Some(handshake(py, asked)),
        // In other queues alone.
        Taken::Message(_) | Taken::News(_) => None,
    };
    taken.into_iter().filter_map(question).collect()
}

fn packet<'py>(py: Python<'py>, shown: &Shown) -> PyResult<Question<'py>> {
    let fields = PyDict::new(py);
    let reasons: Vec<u32> = shown.reasons.iter().map(|code| code.0.into()).collect();
    fields.set_item("packet", shown.packet.name())?;
    fields.set_item("packet_id", shown.packet_id)?;
    fields.set_item("reason", shown.reason().0)?;
    fields.set_item("reasons", reasons)?;
    fields.set_item("session_present", shown.session_present)?;
    fields.set_item("receipt", (shown.tag != 0).then_some(shown.tag))?;
    fields.set_item("properties", properties(py, &shown.properties)?)?;
    Ok(("packet", shown.number, fields))
}

fn step<'py>(py: Python<'py>, asked: &AuthStep) -> PyResult<Question<'py>> {
    let fields = PyDict::new(py);
    let stage = match asked.stage {
        AuthStage::Begin => "begin",
        AuthStage::Continue => "continue",
        AuthStage::Finish => "finish",
    };
    fields.set_item("stage", stage)?;
    fields.set_item("reauthentication", asked.reauthentication)?;
    fields.set_item("method", asked.method.as_str())?;
    fields.set_item("data", asked.data.as_deref())?;
    fields.set_item("properties", properties(py, &asked.properties)?)?;
    Ok(("step", asked.number, fields))
}

fn attempt<'py>(py: Python<'py>, client: &Client, asked: &Preparation) -> PyResult<Question<'py>> {
    let fields = PyDict::new(py);
    fields.set_item("url", client.url_of(asked))?;
    fields.set_item("number", asked.attempt)?;
    Ok(("attempt", asked.number, fields))
}

fn handshake(py: Python<'_>, asked: Arc<host::Signing>) -> PyResult<Question<'_>> {
    let fields = PyDict::new(py);
    fields.set_item("signing", Signing { asked })?;
    Ok(("handshake", 0, fields))
}

/// A handshake of TLS to be signed. Let go of without an answer, it fails.
#[pyclass(frozen, module = "leveret._native")]
pub struct Signing {
    asked: Arc<host::Signing>,
}

#[pymethods]
impl Signing {
    #[getter]
    fn scheme(&self) -> &str {
        self.asked.scheme()
    }

    #[getter]
    fn message<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.asked.message())
    }

    /// Whether the handshake still waits.
    fn is_wanted(&self) -> bool {
        self.asked.is_wanted()
    }

    fn sign(&self, py: Python<'_>, signature: &Bound<'_, PyAny>) -> PyResult<()> {
        let Ok(Body::Bytes(bytes)) = Body::of_argument(signature, "signature") else {
            let allowed = "bytes, bytearray, memoryview or another buffer";
            let error = sentence::must_be("signature", allowed, kind_of(signature)?);
            return Err(raise(py, &error));
        };
        self.asked.answer(Ok(bytes.as_bytes().to_vec()));
        Ok(())
    }

    /// It is not signed, for the reason in these words.
    fn refuse(&self, text: String) {
        self.asked.answer(Err(text));
    }
}

/// An answer that nobody waits for any more is none: the client was closed meanwhile.
fn unless_over(py: Python<'_>, answer: impl FnOnce() -> Result<(), Error> + Send) -> PyResult<()> {
    match py.detach(answer) {
        Err(error) if is_over(&error) => Ok(()),
        answered => answered.map_err(|error| raise(py, &error)),
    }
}

fn is_over(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Closed | ErrorKind::Forked)
}
