//! Names and texts of the tables as C strings: results, outcomes, statuses, states of a
//! subscription, reason codes, packets, and the version.
use std::ffi::{c_char, c_int};

use leveret::host::{ErrorKind, OutcomeStatus, PacketType, ReasonCode, Status, SubscriptionState};

use crate::error::{MQTT_OK, mqtt_result};
use crate::guard::guard_or;

/// A text of a table with the NUL that C needs, made at compile time.
type Terminated = [u8; 96];

/// Copies each text of a table; one that does not fit fails to compile.
macro_rules! terminated {
    ($table:expr, $row:ident => $text:expr) => {{
        let mut all = [[0; size_of::<Terminated>()]; $table.len()];
        let mut i = 0;
        while i < $table.len() {
            let $row = $table[i];
            all[i] = terminate($text);
            i += 1;
        }
        all
    }};
}

/// The text for a number that is in no table.
const UNKNOWN: *const c_char = c"unknown".as_ptr();

static VERSION: Terminated = terminate(env!("CARGO_PKG_VERSION"));
static RESULT_NAMES: [Terminated; ErrorKind::ALL.len()] =
    terminated!(ErrorKind::ALL, kind => kind.c_name());
static RESULT_TEXTS: [Terminated; ErrorKind::ALL.len()] =
    terminated!(ErrorKind::ALL, kind => kind.text());
static OUTCOME_NAMES: [Terminated; OutcomeStatus::ALL.len()] =
    terminated!(OutcomeStatus::ALL, status => status.name());
static STATUS_NAMES: [Terminated; Status::ALL.len()] =
    terminated!(Status::ALL, status => status.name());
static STATE_NAMES: [Terminated; SubscriptionState::ALL.len()] =
    terminated!(SubscriptionState::ALL, state => state.name());
static REASON_NAMES: [Terminated; ReasonCode::TABLE.len()] =
    terminated!(ReasonCode::TABLE, row => row.text);

static PACKET_NAMES: [Terminated; PacketType::ALL.len()] =
    terminated!(PacketType::ALL, packet => packet.name());

/// The version of the library, "0.1.0". Static memory.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_version() -> *const c_char {
    guard_or(UNKNOWN, || Ok(VERSION.as_ptr().cast()))
}

/// What a result code means, as one sentence: "the post office is full"; for `MQTT_OK` "success".
/// Never NULL; static memory.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_result_text(result: mqtt_result) -> *const c_char {
    guard_or(UNKNOWN, || match result {
        MQTT_OK => Ok(c"success".as_ptr()),
        _ => Ok(find(ErrorKind::ALL, &RESULT_TEXTS, |kind| {
            kind.number() == result
        })),
    })
}

/// The name of a result code: "MQTT_QUEUE_FULL". Never NULL; static memory.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_result_name(result: mqtt_result) -> *const c_char {
    guard_or(UNKNOWN, || match result {
        MQTT_OK => Ok(c"MQTT_OK".as_ptr()),
        _ => Ok(find(ErrorKind::ALL, &RESULT_NAMES, |kind| {
            kind.number() == result
        })),
    })
}

/// The name of an outcome's status: "acknowledged". "unknown" for a number that is none. Never
/// NULL; static memory.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_outcome_name(status: c_int) -> *const c_char {
    guard_or(UNKNOWN, || {
        Ok(find(OutcomeStatus::ALL, &OUTCOME_NAMES, |row| {
            c_int::from(row.number()) == status
        }))
    })
}

/// The name of a client's status: "online". "unknown" for a number that is none. Never NULL; static
/// memory.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_status_name(status: c_int) -> *const c_char {
    guard_or(UNKNOWN, || {
        Ok(find(Status::ALL, &STATUS_NAMES, |row| {
            c_int::from(row.number()) == status
        }))
    })
}

/// The name of a subscription's state: "downgraded". "unknown" for a number that is none. Never
/// NULL; static memory.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_subscription_state_name(state: c_int) -> *const c_char {
    guard_or(UNKNOWN, || {
        Ok(find(SubscriptionState::ALL, &STATE_NAMES, |row| {
            c_int::from(row.number()) == state
        }))
    })
}

/// The name of a reason code in the standard (MQTT 5.0 section 2.4), in lower case: "not
/// authorized". "unknown" for a number that is none. Never NULL; static memory.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_reason_name(reason: c_int) -> *const c_char {
    guard_or(UNKNOWN, || {
        Ok(find(ReasonCode::TABLE, &REASON_NAMES, |row| {
            c_int::from(row.code.0) == reason
        }))
    })
}

/// The standard's name of a packet, given as one of `MQTT_PACKET_…`: "PUBREC". "unknown" for a
/// number that is none. Never NULL; static memory.
#[unsafe(no_mangle)]
pub extern "C" fn mqtt_packet_name(packet: c_int) -> *const c_char {
    guard_or(UNKNOWN, || {
        Ok(find(&PacketType::ALL, &PACKET_NAMES, |&row| {
            crate::packet::bit(row) == packet
        }))
    })
}

/// The text of the row that is looked for.
fn find<T>(table: &[T], texts: &'static [Terminated], is_it: impl Fn(&T) -> bool) -> *const c_char {
    let text = table
        .iter()
        .position(is_it)
        .and_then(|place| texts.get(place));
    text.map_or(UNKNOWN, |text| text.as_ptr().cast())
}

const fn terminate(text: &str) -> Terminated {
    let mut terminated = [0; size_of::<Terminated>()];
    assert!(
        text.len() < terminated.len(),
        "a text of the tables is too long"
    );
    let mut i = 0;
    while i < text.len() {
        terminated[i] = text.as_bytes()[i];
        i += 1;
    }
    terminated
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CStr;

    fn text(pointer: *const c_char) -> &'static str {
        // SAFETY: every function here answers a static string that ends in NUL.
        unsafe { CStr::from_ptr(pointer) }
            .to_str()
            .expect("tables are UTF-8")
    }

    #[test]
    fn every_row_of_the_tables_is_found_and_nothing_else() {
        for kind in ErrorKind::ALL {
            assert_eq!(text(mqtt_result_name(kind.number())), kind.c_name());
            assert_eq!(text(mqtt_result_text(kind.number())), kind.text());
        }
        for status in OutcomeStatus::ALL {
            assert_eq!(
                text(mqtt_outcome_name(status.number().into())),
                status.name()
            );
        }
        for row in ReasonCode::TABLE {
            assert_eq!(text(mqtt_reason_name(row.code.0.into())), row.text);
        }
        for number in [c_int::MIN, -1, 1000, c_int::MAX] {
            assert_eq!(text(mqtt_outcome_name(number)), "unknown");
            assert_eq!(text(mqtt_status_name(number)), "unknown");
            assert_eq!(text(mqtt_subscription_state_name(number)), "unknown");
        }
        assert_eq!(text(mqtt_result_text(0)), "success");
        assert_eq!(text(mqtt_result_text(77)), "unknown");
    }
}
