//! The types of callbacks, and a callback together with its context and what ends them.
use std::cell::Cell;
use std::ffi::c_void;

use crate::auth::{mqtt_auth_callback, mqtt_auth_event};
use crate::connect::{mqtt_connect_callback, mqtt_connect_event};
use crate::event::{
    mqtt_connection_event, mqtt_event, mqtt_log_event, mqtt_receipt_event, mqtt_subscription_event,
};
use crate::message::mqtt_message;
use crate::packet::{mqtt_packet_callback, mqtt_packet_event};
use crate::sign::{mqtt_sign_callback, mqtt_sign_event};

/// Called with each message. Once it returns, the message is acknowledged, unless the option
/// `manual_ack` is on.
pub type mqtt_message_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, message: *const mqtt_message)>;

/// Called with news of the connection.
pub type mqtt_connection_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, event: *const mqtt_connection_event)>;

/// Called with the outcome of each letter for which a receipt was asked.
pub type mqtt_receipt_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, event: *const mqtt_receipt_event)>;

/// Called when a subscription changes its state.
pub type mqtt_subscription_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, event: *const mqtt_subscription_event)>;

/// Called with what is worth a line in a log.
pub type mqtt_log_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, event: *const mqtt_log_event)>;

/// Called with events in batches, in the order in which they happened.
pub type mqtt_events_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, events: *const mqtt_event, count: usize)>;

/// Called exactly once when a context is no longer needed, after the last call that got it has
/// ended; also when the registration failed. It runs on the thread that let go of the context last:
/// one that replaced, unsubscribed or freed, or one that runs callbacks; for signers also one of the
/// network.
pub type mqtt_drop = Option<unsafe extern "C" fn(context: *mut c_void)>;

/// A function of C with the context it gets. Dropping it calls `drop`, so that happens exactly
/// once, on every path.
pub(crate) struct Callback {
    call: Call,
    context: Context,
}

/// The function, by what it is called with.
#[derive(Clone, Copy)]
pub(crate) enum Call {
    Message(mqtt_message_callback),
    Connection(mqtt_connection_callback),
    Receipt(mqtt_receipt_callback),
    Subscription(mqtt_subscription_callback),
    Log(mqtt_log_callback),
    Events(mqtt_events_callback),
    Packet(mqtt_packet_callback),
    Auth(mqtt_auth_callback),
    Connect(mqtt_connect_callback),
    Sign(mqtt_sign_callback),
}

struct Context {
    pointer: *mut c_void,
    drop: mqtt_drop,
}

impl Callback {
    /// Takes over `context`: from now on `drop` will be called for it.
    pub(crate) fn new(call: Call, context: *mut c_void, drop: mqtt_drop) -> Callback {
        Callback {
            call,
            context: Context {
                pointer: context,
                drop,
            },
        }
    }

    /// Whether there is no function, but perhaps a context.
    pub(crate) fn is_null(&self) -> bool {
        match self.call {
            Call::Message(call) => call.is_none(),
            Call::Connection(call) => call.is_none(),
            Call::Receipt(call) => call.is_none(),
            Call::Subscription(call) => call.is_none(),
            Call::Log(call) => call.is_none(),
            Call::Events(call) => call.is_none(),
            Call::Packet(call) => call.is_none(),
            Call::Auth(call) => call.is_none(),
            Call::Connect(call) => call.is_none(),
            Call::Sign(call) => call.is_none(),
        }
    }

    /// The context for the function.
    pub(crate) fn context(&self) -> *mut c_void {
        self.context.pointer
    }

    /// Calls the function with `events`: one that takes a single event, with the first.
    ///
    /// # Safety
    /// The events and what they point to are valid for the call, and of the kind that the function
    /// takes.
    #[expect(
        clippy::multiple_unsafe_ops_per_block,
        reason = "each arm is one call with one field"
    )]
    pub(crate) unsafe fn call(&self, events: &[mqtt_event]) {
        let Some(first) = events.first() else { return };
        let (context, data) = (self.context.pointer, first.data);
        // SAFETY: the function was registered together with its context; the caller vouches for the
        // events and their kind, which says which field of the union is set.
        unsafe {
            match self.call {
                Call::Message(Some(call)) => call(context, data.message),
                Call::Connection(Some(call)) => call(context, data.connection),
                Call::Receipt(Some(call)) => call(context, data.receipt),
                Call::Subscription(Some(call)) => call(context, data.subscription),
                Call::Log(Some(call)) => call(context, data.log),
                Call::Events(Some(call)) => call(context, events.as_ptr(), events.len()),
                _ => {}
            }
        }
    }

    /// Calls the function with a packet; whether it answers later.
    ///
    /// # Safety
    /// The event and what it points to are valid for the call.
    pub(crate) unsafe fn call_packet(&self, event: &mqtt_packet_event) -> bool {
        let Call::Packet(Some(call)) = self.call else {
            return false;
        };
        // SAFETY: the function was registered together with its context; the caller vouches for the
        // event.
        unsafe { call(self.context.pointer, event) }
    }

    /// Calls the function with a step of authentication.
    ///
    /// # Safety
    /// The event and what it points to are valid for the call.
    pub(crate) unsafe fn call_auth(&self, event: &mqtt_auth_event) {
        if let Call::Auth(Some(call)) = self.call {
            // SAFETY: the function was registered together with its context; the caller vouches for
            // the event.
            unsafe { call(self.context.pointer, event) }
        }
    }

    /// Calls the function with an attempt to connect.
    ///
    /// # Safety
    /// The event and what it points to are valid for the call.
    pub(crate) unsafe fn call_connect(&self, event: &mqtt_connect_event) {
        if let Call::Connect(Some(call)) = self.call {
            // SAFETY: the function was registered together with its context; the caller vouches for
            // the event.
            unsafe { call(self.context.pointer, event) }
        }
    }

    /// Calls the function with a handshake to be signed.
    ///
    /// # Safety
    /// The event and what it points to are valid for the call.
    #[cfg(feature = "tls")]
    pub(crate) unsafe fn call_sign(&self, event: &mqtt_sign_event) {
        if let Call::Sign(Some(call)) = self.call {
            // SAFETY: the function was registered together with its context; the caller vouches for
            // the event.
            unsafe { call(self.context.pointer, event) }
        }
    }
}

// SAFETY: the header says that a context is passed to callbacks on other threads, one at a time for
// each client (for signers: by several at a time), and that `drop` may run on any of them; a program
// that registers it has agreed to that.
unsafe impl Send for Context {}
// SAFETY: shared references to it give away the pointer only, never what it points to.
unsafe impl Sync for Context {}

impl Drop for Context {
    fn drop(&mut self) {
        if let Some(drop) = self.drop {
            let _inside = Inside::enter();
            // SAFETY: the function and its context were registered together, and this is the only
            // call of it.
            unsafe { drop(self.pointer) }
        }
    }
}

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Marks that this thread runs code of the host on behalf of leveret, as long as it lives.
pub(crate) struct Inside(());

impl Inside {
    /// From here on, this thread is inside a callback.
    pub(crate) fn enter() -> Inside {
        // A thread that is ending runs no callback any more.
        let _ = DEPTH.try_with(|depth| depth.set(depth.get() + 1));
        Inside(())
    }

    /// Whether this thread is inside a callback of any client: then it must not wait for other
    /// callbacks to end.
    pub(crate) fn is_now() -> bool {
        DEPTH.try_with(|depth| depth.get() > 0).unwrap_or(true)
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = DEPTH.try_with(|depth| depth.set(depth.get().saturating_sub(1)));
    }
}
