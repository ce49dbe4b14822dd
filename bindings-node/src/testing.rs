//! The embedded test broker for `leveret/testing`.

use std::sync::Arc;
use std::time::Duration;

use leveret::testing::Broker;
use napi::bindgen_prelude::{AsyncTask, Object};
use napi::{Env, Task};
use napi_derive::napi;

use crate::convert::{set_options, timeout};
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
    pub fn new(options: Object<'_>) -> napi::Result<NativeBroker> {
        let mut builder = Broker::builder();
        set_options(Some(options), |name, value| builder.set(name, value))?;
        Ok(NativeBroker { broker: Arc::new(builder.start().map_err(thrown)?) })
    }

    /// Its address.
    #[napi]
    pub fn url(&self) -> String {
        self.broker.url().into()
    }

    /// Every PUBLISH from a client in order of arrival.
    #[napi]
    pub fn received(&self) -> Vec<Delivery> {
        self.broker.received().into_iter().map(|each| Delivery::from(&each.into_message())).collect()
    }

    /// Resolves with whether so many PUBLISH packets have been received in time.
    #[napi(ts_return_type = "Promise<boolean>")]
    pub fn wait_received(&self, count: u32, milliseconds: Option<f64>) -> napi::Result<AsyncTask<Received>> {
        let timeout = timeout(milliseconds)?.unwrap_or(Duration::from_secs(5));
        Ok(AsyncTask::new(Received { broker: Arc::clone(&self.broker), count: count as usize, timeout }))
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
    pub fn swallow(&self, packet: String, count: u32) -> napi::Result<()> {
        self.broker.swallow(&packet, count.into()).map_err(thrown)
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
    type Output = bool;
    type JsValue = bool;

    fn compute(&mut self) -> napi::Result<bool> {
        Ok(self.broker.wait_received(self.count, self.timeout).is_ok())
    }

    fn resolve(&mut self, _env: Env, reached: bool) -> napi::Result<bool> {
        Ok(reached)
    }
}
