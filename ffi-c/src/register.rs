//! The functions that register callbacks.
use std::ffi::c_void;

use leveret::host::Error;

use crate::callback::{
    Call, Callback, mqtt_connection_callback, mqtt_drop, mqtt_events_callback, mqtt_log_callback,
    mqtt_message_callback,
};
use crate::callback::{mqtt_receipt_callback, mqtt_subscription_callback};
use crate::client::{face, mqtt_client};
use crate::desk::Kind;
use crate::error::mqtt_result;
use crate::guard::guard;

/// Registers what is called with messages that no subscription's own callback takes: those of
/// subscriptions made without one, and those that match none. Without it (and without
/// `mqtt_client_on_events_with`) such messages are acknowledged and counted as `unhandled`.
///
/// This and the five functions below: any thread, at any time; a new registration replaces the old
/// one, NULL for `callback` ends it. The old callback may still be running when the function
/// returns: its `drop` tells when it is over.
///
/// @param context  passed to `callback`
/// @param drop     called once with `context` when it is no longer needed, also when this call
///                 fails; may be NULL
///
/// # Safety
/// `client` is NULL or alive; `callback` and `drop` may be called with `context` from other
/// threads, one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_on_message_with(
    client: *mut mqtt_client,
    callback: mqtt_message_callback,
    context: *mut c_void,
    drop: mqtt_drop,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        unsafe {
            register(
                client,
                Kind::Message,
                Callback::new(Call::Message(callback), context, drop),
            )
        }
    })
}

/// Registers what is called with news of the connection: online, offline, attempts that failed,
/// pings, closed.
///
/// # Safety
/// As for `mqtt_client_on_message_with`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_on_connection_with(
    client: *mut mqtt_client,
    callback: mqtt_connection_callback,
    context: *mut c_void,
    drop: mqtt_drop,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        unsafe {
            register(
                client,
                Kind::Connection,
                Callback::new(Call::Connection(callback), context, drop),
            )
        }
    })
}

/// Registers what is called with the outcome of each letter that was published with a receipt, from
/// now on. The outcomes are kept for `mqtt_receipt_wait` all the same. The callback may come before
/// the publish has returned its receipt.
///
/// # Safety
/// As for `mqtt_client_on_message_with`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_on_receipt_with(
    client: *mut mqtt_client,
    callback: mqtt_receipt_callback,
    context: *mut c_void,
    drop: mqtt_drop,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        unsafe {
            register(
                client,
                Kind::Receipt,
                Callback::new(Call::Receipt(callback), context, drop),
            )
        }
    })
}

/// Registers what is called when a subscription changes its state: up, downgraded, refused, down.
///
/// # Safety
/// As for `mqtt_client_on_message_with`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_on_subscription_with(
    client: *mut mqtt_client,
    callback: mqtt_subscription_callback,
    context: *mut c_void,
    drop: mqtt_drop,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        unsafe {
            register(
                client,
                Kind::Subscription,
                Callback::new(Call::Subscription(callback), context, drop),
            )
        }
    })
}

/// Registers what is called with lines for a log: what an operator may want to know about the
/// connection and the broker.
///
/// # Safety
/// As for `mqtt_client_on_message_with`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_on_log_with(
    client: *mut mqtt_client,
    callback: mqtt_log_callback,
    context: *mut c_void,
    drop: mqtt_drop,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        unsafe {
            register(
                client,
                Kind::Log,
                Callback::new(Call::Log(callback), context, drop),
            )
        }
    })
}

/// Registers what is called with all events that no other callback takes, in batches: one call for
/// many messages is the fastest way to receive them. Messages of a batch are acknowledged when the
/// callback returns, unless the option `manual_ack` is on.
///
/// # Safety
/// As for `mqtt_client_on_message_with`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_on_events_with(
    client: *mut mqtt_client,
    callback: mqtt_events_callback,
    context: *mut c_void,
    drop: mqtt_drop,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        unsafe {
            register(
                client,
                Kind::Events,
                Callback::new(Call::Events(callback), context, drop),
            )
        }
    })
}

/// Registers a callback with a client, or ends a registration where it is NULL. What it replaces is
/// dropped.
///
/// # Safety
/// `client` is NULL or alive.
unsafe fn register(client: *mut mqtt_client, kind: Kind, callback: Callback) -> Result<(), Error> {
    // SAFETY: the caller vouches for the client.
    unsafe { face(client) }?.register(kind, callback)
}
