//! `Queue`: the messages that one iterator takes.

use leveret::host::{Client, Delivery as Taken, QueueId, Target};
use pyo3::prelude::*;

use crate::client::Native;
use crate::convert::Timeout;
use crate::message::Delivery;
use crate::wait::wait;

/// Messages that wait for an iterator: those for nobody in particular, or those of filters of its own.
#[pyclass(frozen, module = "leveret._native")]
pub struct Queue {
    pub(crate) native: Py<Native>,
    pub(crate) id: QueueId,
}

/// Who is to get the messages of a filter.
#[derive(FromPyObject)]
pub(crate) enum Taker<'py> {
    /// A handler by its number.
    Handler(u64),
    Queue(Bound<'py, Queue>),
}

#[pymethods]
impl Queue {
    /// The next message, where there is one.
    fn next(&self, py: Python<'_>) -> PyResult<Option<Delivery>> {
        let mut taken = Vec::new();
        py.detach(|| self.client().take(self.id, 1, &mut taken));
        self.delivery(py, taken)
    }

    /// The same, waiting for it.
    fn next_wait(&self, py: Python<'_>, timeout: Timeout) -> PyResult<Option<Delivery>> {
        let taken = wait(py, self.client(), timeout.0, |client, slice| {
            let mut taken = Vec::new();
            client
                .wait_take(self.id, 1, slice, &mut taken)
                .map(|_| taken)
        })?;
        self.delivery(py, taken)
    }

    /// Whether nothing more comes: it is empty, and its filters were unsubscribed or it is closed.
    fn is_over(&self, py: Python<'_>) -> bool {
        py.detach(|| self.client().is_queue_over(self.id))
    }

    /// Ends the queue of an iterator: its filters are taken back, unless somebody else takes their messages
    /// too or the session is meant to outlive the client. Then they stay declared, and what nobody took
    /// stays with the broker.
    fn close(&self, py: Python<'_>) {
        py.detach(|| {
            let client = self.client();
            let ends_with_client = client.options().clean_start;
            client.release(Target::Queue(self.id), ends_with_client);
            client.close_queue(self.id, ends_with_client);
        });
    }
}

impl Queue {
    fn client(&self) -> &Client {
        &self.native.get().client
    }

    fn delivery(&self, py: Python<'_>, mut taken: Vec<Taken>) -> PyResult<Option<Delivery>> {
        match taken.pop() {
            Some(Taken::Message(arrival)) => Delivery::new(py, &self.native, arrival).map(Some),
            // News lies in the main queue alone.
            _ => Ok(None),
        }
    }
}
