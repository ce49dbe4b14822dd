//! Receipts: what became of a letter, where it is, and taking it back.
use std::ffi::{c_char, c_int};

use leveret::host::Outcome;
use leveret::host::{Explanation, Reply};

use crate::client::{answer, face, mqtt_client};
use crate::error::mqtt_result;
use crate::guard::guard;
use crate::input;
use crate::news;

/// What became of a letter. This struct will not grow.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct mqtt_outcome {
    /// One of `MQTT_OUTCOME_…`; `mqtt_outcome_name` names it.
    pub status: c_int,
    /// The broker's reason code, or -1 where nobody gave one.
    pub reason: c_int,
    /// Did it go as asked: acknowledged, or at QoS 0 sent.
    pub ok: bool,
    /// Does the broker have it for certain.
    pub delivered: bool,
    /// Not known to be delivered, but it had been sent, so the broker may have it.
    pub maybe_delivered: bool,
}

/// Waits for the outcome of a letter, and claims it: asked for again it is
/// `MQTT_RECEIPT_FORGOTTEN`. So it is if the receipt was never given out, and if more than 65,536
/// letters were settled after it that nobody asked for.
///
/// @param receipt     what the publish wrote
/// @param timeout_ms  milliseconds, or `MQTT_FOREVER`; 0 looks whether it is there.
///                    `MQTT_TIMED_OUT` leaves the letter as it is
/// @param outcome     receives the outcome; may be NULL
///
/// # Safety
/// `client` is NULL or alive; `outcome` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_receipt_wait(
    client: *mut mqtt_client,
    receipt: u64,
    timeout_ms: u32,
    outcome: *mut mqtt_outcome,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        let found = face
            .client
            .wait_receipt(receipt, input::timeout(timeout_ms))?;
        // SAFETY: the caller vouches for the place.
        unsafe { input::put(outcome, mqtt_outcome::from(&found)) };
        Ok(())
    })
}

/// Takes a letter back: its outcome will be `cancelled`. Waits for the answer of the background
/// thread, not for the network.
///
/// @param found  receives whether it was still there to be taken back; may be NULL
///
/// # Safety
/// `client` is NULL or alive; `found` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_cancel(
    client: *mut mqtt_client,
    receipt: u64,
    found: *mut bool,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        let cancelled = matches!(
            answer(&face, face.client.cancel(receipt)?, None)?,
            Reply::Cancelled(true)
        );
        // SAFETY: the caller vouches for the place.
        unsafe { input::put(found, cancelled) };
        Ok(())
    })
}

/// Says where a letter is and why, as a sentence: waiting for the connection, the window or its
/// turn; its age, attempts, the last error, and what is left of its time to live. Waits for the
/// answer of the background thread, not for the network.
///
/// @param text      receives the sentence, cut to `capacity` - 1 bytes, and a NUL; empty if the
///                  letter is settled or unknown. May be NULL if `capacity` is 0
/// @param capacity  bytes that may be written
/// @param length    receives the length of the whole sentence in bytes, without the NUL, as
///                  `snprintf` returns it; may be NULL
///
/// # Safety
/// `client` is NULL or alive; `text` is NULL or `capacity` bytes may be written there; `length` is
/// NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_explain(
    client: *mut mqtt_client,
    receipt: u64,
    text: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        // SAFETY: the caller vouches for the memory; what is there is overwritten, not read.
        let place = unsafe { input::memory(text.cast::<u8>(), capacity, "text") }?;
        let explanation = match answer(&face, face.client.explain(receipt)?, None)? {
            Reply::Explained(Some(explanation)) => Explanation::to_string(&explanation),
            _ => String::new(),
        };
        // SAFETY: the caller vouches for the place.
        unsafe { input::put(length, copy(&explanation, place)) };
        Ok(())
    })
}

impl From<&Outcome> for mqtt_outcome {
    fn from(outcome: &Outcome) -> mqtt_outcome {
        mqtt_outcome {
            status: outcome.status.number().into(),
            reason: news::number(outcome.reason),
            ok: outcome.ok(),
            delivered: outcome.delivered(),
            maybe_delivered: outcome.maybe_delivered,
        }
    }
}

/// Copies as much of a text as fits before a NUL, whole characters only; the length of all of it.
fn copy(text: &str, place: &mut [std::mem::MaybeUninit<u8>]) -> usize {
    let Some(most) = place.len().checked_sub(1) else {
        return text.len();
    };
    let end = (0..=text.len().min(most))
        .rev()
        .find(|&end| text.is_char_boundary(end))
        .unwrap_or(0);
    for (place, byte) in place.iter_mut().zip(text.bytes().take(end).chain([0])) {
        place.write(byte);
    }
    text.len()
}
