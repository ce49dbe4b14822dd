//! Hooks: a callback that is shown packets of the broker, and may put words on our answers.
use std::ffi::{c_char, c_int, c_void};

use leveret::host::{Hooks, PacketSet, PacketType, sentence};

use crate::callback::{Call, Callback, mqtt_drop};
use crate::client::{face, mqtt_client};
use crate::desk::Kind;
use crate::error::mqtt_result;
use crate::guard::guard;
use crate::letter::mqtt_pair;
use crate::message::mqtt_properties;
use crate::words::words;

/// The broker's answer to CONNECT, also one that refuses.
pub const MQTT_PACKET_CONNACK: c_int = 0x0004;
/// A letter of QoS 1 was acknowledged.
pub const MQTT_PACKET_PUBACK: c_int = 0x0010;
/// A letter of QoS 2 was received; our PUBREL can carry words.
pub const MQTT_PACKET_PUBREC: c_int = 0x0020;
/// A message of QoS 2 is released; our PUBCOMP can carry words.
pub const MQTT_PACKET_PUBREL: c_int = 0x0040;
/// A letter of QoS 2 is complete.
pub const MQTT_PACKET_PUBCOMP: c_int = 0x0080;
/// The broker's answer to SUBSCRIBE.
pub const MQTT_PACKET_SUBACK: c_int = 0x0200;
/// The broker's answer to UNSUBSCRIBE.
pub const MQTT_PACKET_UNSUBACK: c_int = 0x0800;
/// MQTT 5: the broker ends the connection.
pub const MQTT_PACKET_DISCONNECT: c_int = 0x4000;
/// MQTT 5: a step of enhanced authentication.
pub const MQTT_PACKET_AUTH: c_int = 0x8000;

/// A packet of the broker in a hook. It and what it points to live until the callback returns. May
/// grow at its end.
#[repr(C)]
pub struct mqtt_packet_event {
    /// For `mqtt_packet_answer`; 0 where our answer can carry no words, or there is none.
    pub number: u64,
    /// Which packet: one of `MQTT_PACKET_…`.
    pub packet: c_int,
    /// The packet identifier, 1..=65535; 0 for CONNACK, DISCONNECT and AUTH, which have none.
    pub packet_id: u16,
    /// The first of the reason codes; -1 where there is none.
    pub reason: c_int,
    /// The reason codes: for SUBACK and UNSUBACK one for each filter, else one. Never NULL.
    pub reasons: *const u8,
    /// How many reason codes there are: none in an UNSUBACK of MQTT 3.1.1.
    pub reason_count: usize,
    /// CONNACK: does an earlier session go on.
    pub session_present: bool,
    /// PUBACK, PUBREC, PUBCOMP: the receipt of the letter; 0 where it was published without one.
    pub receipt: u64,
    /// MQTT 5: its properties, for `mqtt_property_get`; never NULL.
    pub properties: *const mqtt_properties,
}

/// Called with each packet that it was registered for. It answers whether `mqtt_packet_answer` will
/// be called later for this packet; false: it is done, and an answer that it gave no words for goes
/// out without.
pub type mqtt_packet_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, event: *const mqtt_packet_event) -> bool>;

/// Registers a hook: what is called with packets of these types that the broker sends. Any thread,
/// at any time, before `mqtt_client_start` to be shown the first CONNACK. A new registration
/// replaces the old one, NULL for `callback` ends it.
///
/// A packet is shown when it has taken effect: the status is online already when CONNACK is. Only
/// PUBREL and PUBCOMP, our answers to PUBREC and PUBREL, wait for the words of the hook, at most for
/// the option `hook_timeout`; after that they go out without words.
/// A hook may wait itself; what then waits for a hook is held up for as long.
///
/// On the pool hooks run on a thread of their own, one after another, beside the other callbacks of
/// the client, which may therefore wait for something that a hook has to answer first. In
/// `mqtt_client_poll` and inline they run where the other callbacks do.
///
/// @param packets   one or several of `MQTT_PACKET_…`, added up
/// @param callback  called with each of them
/// @param context   passed to `callback`
/// @param drop      called once with `context` when it is no longer needed, also when this call
///                  fails; may be NULL
///
/// # Safety
/// `client` is NULL or alive; `callback` and `drop` may be called with `context` from other
/// threads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_on_packet_with(
    client: *mut mqtt_client,
    packets: c_int,
    callback: mqtt_packet_callback,
    context: *mut c_void,
    drop: mqtt_drop,
) -> mqtt_result {
    guard(|| {
        let ends = callback.is_none();
        let callback = Callback::new(Call::Packet(callback), context, drop);
        let shown = set_of(packets);
        if !ends && (shown == PacketSet::EMPTY || packets != bits(shown)) {
            return Err(sentence::must_be(
                "packets",
                "one or several of MQTT_PACKET_…, added up",
                packets,
            ));
        }
        // SAFETY: the caller vouches for the client.
        unsafe { face(client) }?.register_hook(Kind::Packet, shown, callback)
    })
}

/// Puts a reason string and user properties on our answer to a packet: on the PUBREL that answers a
/// PUBREC, on the PUBCOMP that answers a PUBREL (MQTT 5; on 3.1.1 they are not sent). Inside the
/// hook, or later from any thread if the hook answered true. What has been answered already, by the
/// hook's end or because `hook_timeout` is over, stays as it is, and so does what belongs to a
/// connection that has ended.
///
/// `MQTT_INVALID_ARGUMENT` for text that MQTT cannot carry; then the answer still waits.
///
/// @param number           of the `mqtt_packet_event`
/// @param reason_string    in words for people; copied; NULL for none
/// @param user_properties  copied; NULL if there are none
/// @param count            how many user properties there are
///
/// # Safety
/// `client` is NULL or alive; `reason_string` is NULL or a NUL-terminated text; `user_properties` is
/// NULL or points to `count` pairs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_packet_answer(
    client: *mut mqtt_client,
    number: u64,
    reason_string: *const c_char,
    user_properties: *const mqtt_pair,
    count: usize,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        // SAFETY: the caller vouches for text and pairs.
        let words = unsafe { words(reason_string, user_properties, count) }?;
        face.client.answer(number, &words)
    })
}

/// A type of packets as one of `MQTT_PACKET_…`.
pub(crate) fn bit(packet: PacketType) -> c_int {
    1 << packet as c_int
}

/// The types of packets that hooks can be shown, of these bits.
fn set_of(bits: c_int) -> PacketSet {
    let types = Hooks::SHOWABLE
        .types()
        .filter(|&packet| bits & bit(packet) != 0);
    types.fold(PacketSet::EMPTY, |set, packet| set.union(packet.into()))
}

fn bits(set: PacketSet) -> c_int {
    set.types().map(bit).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_packets_are_those_that_hooks_can_be_shown() {
        let all = [
            (PacketType::ConnAck, MQTT_PACKET_CONNACK),
            (PacketType::PubAck, MQTT_PACKET_PUBACK),
            (PacketType::PubRec, MQTT_PACKET_PUBREC),
            (PacketType::PubRel, MQTT_PACKET_PUBREL),
            (PacketType::PubComp, MQTT_PACKET_PUBCOMP),
            (PacketType::SubAck, MQTT_PACKET_SUBACK),
            (PacketType::UnsubAck, MQTT_PACKET_UNSUBACK),
            (PacketType::Disconnect, MQTT_PACKET_DISCONNECT),
            (PacketType::Auth, MQTT_PACKET_AUTH),
        ];
        for (packet, number) in all {
            assert_eq!(bit(packet), number, "{packet}");
        }
        assert_eq!(
            bits(Hooks::SHOWABLE),
            all.iter().map(|(_, number)| number).sum()
        );
        assert_eq!(set_of(0x3), PacketSet::EMPTY);
        assert_eq!(set_of(-1), Hooks::SHOWABLE);
    }
}
