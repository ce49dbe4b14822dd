//! A frame reader of the simulator's own: just enough of MQTT to know which letter a byte on the wire belongs to.
//!
//! It shares nothing with the codec under test, so a mistake there cannot hide itself here.

/// The packet types by the upper half of a frame's first byte (section 2.1.2).
pub mod kind {
    #![allow(missing_docs)]
    pub const CONNECT: u8 = 1;
    pub const CONNACK: u8 = 2;
    pub const PUBLISH: u8 = 3;
    pub const PUBACK: u8 = 4;
    pub const PUBREC: u8 = 5;
    pub const PUBREL: u8 = 6;
    pub const PUBCOMP: u8 = 7;
    pub const SUBSCRIBE: u8 = 8;
    pub const SUBACK: u8 = 9;
    pub const UNSUBSCRIBE: u8 = 10;
    pub const UNSUBACK: u8 = 11;
    pub const PINGREQ: u8 = 12;
    pub const PINGRESP: u8 = 13;
    pub const DISCONNECT: u8 = 14;
    pub const AUTH: u8 = 15;
}

/// What the simulator reads of a frame.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Frame {
    /// Packet type, see [`kind`].
    pub kind: u8,
    /// Length of the whole frame in bytes.
    pub length: usize,
    /// DUP of a PUBLISH.
    pub dup: bool,
    /// QoS of a PUBLISH.
    pub qos: u8,
    /// RETAIN of a PUBLISH.
    pub retain: bool,
    /// Packet identifier, 0 where there is none.
    pub packet_id: u16,
    /// Reason code of an acknowledgement, CONNACK or DISCONNECT; 0 where it is left out.
    pub reason: u8,
    /// CONNACK: session present. CONNECT: clean session / clean start.
    pub flag: bool,
    /// The protocol level of the connection: 4 or 5.
    pub level: u8,
    /// SUBSCRIBE: the topic filters.
    pub filters: Vec<String>,
    /// PUBLISH: the letter's number, if it carries one.
    pub letter: Option<u64>,
    /// PUBLISH: the Message Expiry Interval in seconds, if there is one.
    pub expiry: Option<u32>,
    /// PUBLISH: the topic alias, if there is one.
    pub alias: Option<u16>,
    /// PUBREL and PUBCOMP: the reason string, if there is one.
    pub words: Option<String>,
}

/// The frame at the beginning of `bytes`, of which the head must be there, the rest of a PUBLISH's payload need not be.
/// `None` where even the head is incomplete or the bytes are no MQTT.
pub fn read(bytes: &[u8], level: u8) -> Option<Frame> {
    let (remaining, head) = remaining_length(bytes)?;
    let first = *bytes.first()?;
    let mut frame = Frame {
        kind: first >> 4,
        length: head + remaining,
        level,
        ..Frame::default()
    };
    let body = &bytes[head..bytes.len().min(frame.length)];
    match frame.kind {
        kind::PUBLISH => read_publish(&mut frame, first, body, remaining, level)?,
        kind::CONNECT => {
            frame.level = *body.get(6)?;
            frame.flag = body.get(7)? & 2 != 0;
        }
        kind::CONNACK => {
            frame.flag = body.first()? & 1 != 0;
            frame.reason = *body.get(1)?;
        }
        kind::PUBACK | kind::PUBREC | kind::PUBREL | kind::PUBCOMP => {
            frame.packet_id = u16::from_be_bytes([*body.first()?, *body.get(1)?]);
            frame.reason = body.get(2).copied().unwrap_or(0);
            frame.words = body.get(3..).and_then(words);
        }
        kind::SUBSCRIBE => read_subscribe(&mut frame, body, level)?,
        kind::SUBACK | kind::UNSUBSCRIBE | kind::UNSUBACK => {
            frame.packet_id = u16::from_be_bytes([*body.first()?, *body.get(1)?]);
        }
        kind::DISCONNECT | kind::AUTH => frame.reason = body.first().copied().unwrap_or(0),
        _ => {}
    }
    Some(frame)
}

/// A variable byte integer after the first byte: its value and where the body begins.
fn remaining_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let (value, used) = variable(bytes.get(1..)?)?;
    Some((value, 1 + used))
}

fn variable(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (position, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            return Some((value, position + 1));
        }
    }
    None
}

fn read_publish(
    frame: &mut Frame,
    first: u8,
    body: &[u8],
    remaining: usize,
    level: u8,
) -> Option<()> {
    frame.dup = first & 8 != 0;
    frame.qos = (first >> 1) & 3;
    frame.retain = first & 1 != 0;
    let topic_length = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
    let topic = body.get(2..2 + topic_length)?;
    let mut at = 2 + topic_length;
    if frame.qos > 0 {
        frame.packet_id = u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]);
        at += 2;
    }
    if level == 5 {
        let (length, used) = variable(body.get(at..)?)?;
        let properties = body.get(at + used..at + used + length)?;
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u32::from(*byte))
        };
        frame.expiry = property(properties, 0x02).map(number);
        frame.alias = property(properties, 0x23).map(|bytes| number(bytes) as u16);
        at += used + length;
    }
    let payload_length = remaining.checked_sub(at)?;
    frame.letter = letter_of(topic, body.get(at..)?, payload_length)?;
    Some(())
}

fn read_subscribe(frame: &mut Frame, body: &[u8], level: u8) -> Option<()> {
    frame.packet_id = u16::from_be_bytes([*body.first()?, *body.get(1)?]);
    let mut at = 2;
    if level == 5 {
        let (length, used) = variable(body.get(at..)?)?;
        at += used + length;
    }
    while at < body.len() {
        let end = at + text_length(body.get(at..)?)?;
        frame
            .filters
            .push(String::from_utf8_lossy(body.get(at + 2..end)?).into_owned());
        at = end + 1;
    }
    Some(())
}

/// The value of the first property of this identifier.
fn property(mut properties: &[u8], wanted: u8) -> Option<&[u8]> {
    loop {
        let (id, rest) = properties.split_first()?;
        let length = match id {
            0x01 => 1,
            0x02 => 4,
            0x23 => 2,
            0x03 | 0x08 | 0x09 | 0x1f => text_length(rest)?,
            0x26 => {
                text_length(rest).and_then(|name| Some(name + text_length(rest.get(name..)?)?))?
            }
            0x0b => variable(rest)?.1,
            _ => return None,
        };
        if *id == wanted {
            return rest.get(..length);
        }
        properties = rest.get(length..)?;
    }
}

/// The reason string in the properties of an acknowledgement, which begin with their length.
fn words(properties: &[u8]) -> Option<String> {
    let (length, used) = variable(properties)?;
    let text = property(properties.get(used..used + length)?, 0x1f)?;
    Some(String::from_utf8_lossy(text.get(2..)?).into_owned())
}

fn text_length(bytes: &[u8]) -> Option<usize> {
    Some(2 + usize::from(u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?])))
}

const MARK: &[u8; 8] = b"leveret\x01";
/// Payloads from this length carry the letter's number; shorter ones have it in their topic.
pub const NUMBERED: usize = 16;
/// First level of the topics that carry a letter's number.
pub const TINY: &str = "tiny/";

/// The payload of letter `number`, `length` bytes long: mark, number, then a pattern that depends on both.
pub fn payload(number: u64, length: usize) -> Vec<u8> {
    if length < NUMBERED {
        return vec![number as u8; length];
    }
    let mut bytes = Vec::with_capacity(length);
    bytes.extend_from_slice(MARK);
    bytes.extend_from_slice(&number.to_be_bytes());
    let seed = (number as u8).wrapping_mul(31);
    bytes.extend((NUMBERED..length).map(|position| seed.wrapping_add(position as u8)));
    bytes
}

/// The topic of letter `number`: `topic` itself, unless the payload is too short to carry the number.
pub fn topic(number: u64, length: usize, topic: &str) -> String {
    if length < NUMBERED {
        format!("{TINY}{number:x}")
    } else {
        topic.to_owned()
    }
}

/// The number of the letter with this topic and payload (of which a prefix is enough). The outer `None`: not enough of it.
fn letter_of(topic: &[u8], payload: &[u8], payload_length: usize) -> Option<Option<u64>> {
    if payload_length < NUMBERED {
        let digits = topic
            .strip_prefix(TINY.as_bytes())
            .and_then(|rest| core::str::from_utf8(rest).ok());
        return Some(digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()));
    }
    let head = payload.get(..NUMBERED)?;
    Some((&head[..8] == MARK).then(|| {
        head[8..]
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    }))
}

/// The number of a whole message, `None` if it is not one of the simulator's.
pub fn number_of(topic: &str, payload: &[u8]) -> Option<u64> {
    letter_of(topic.as_bytes(), payload, payload.len()).flatten()
}

/// Cuts a stream of bytes into frames.
#[derive(Debug, Default)]
pub struct Splitter {
    pending: Vec<u8>,
}

impl Splitter {
    /// Takes bytes as they come and returns the frames that are complete now.
    pub fn push(&mut self, bytes: &[u8], level: u8) -> Vec<Frame> {
        self.pending.extend_from_slice(bytes);
        let (mut at, mut frames) = (0, Vec::new());
        while let Some((remaining, head)) = remaining_length(&self.pending[at..]) {
            if self.pending.len() - at < head + remaining {
                break;
            }
            let bytes = &self.pending[at..at + head + remaining];
            // A frame that makes no sense still counts with its type: the broker may be hostile.
            frames.push(read(bytes, level).unwrap_or(Frame {
                kind: bytes[0] >> 4,
                length: bytes.len(),
                ..Frame::default()
            }));
            at += head + remaining;
        }
        self.pending.drain(..at);
        frames
    }

    /// The type of the frame that has begun to come.
    pub fn begun(&self) -> Option<u8> {
        self.pending.first().map(|first| first >> 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publish(payload: &[u8]) -> Vec<u8> {
        let mut body = vec![
            0, 3, b'a', b'/', b'b', 0, 9, 7, 0x03, 0, 1, b'x', 0x02, 0, 0,
        ];
        body[7] = 9;
        body.extend_from_slice(&[0, 5]);
        body.extend_from_slice(payload);
        let mut frame = vec![0x3a, body.len() as u8];
        frame.extend(body);
        frame
    }

    #[test]
    fn a_publish_is_recognised_from_its_head() {
        let whole = publish(&payload(0x0001_0000_0007, 40));
        let frame = read(&whole[..2 + 17 + 16], 5).expect("the head is there");
        assert_eq!(frame.letter, Some(0x0001_0000_0007));
        assert_eq!(
            (frame.kind, frame.qos, frame.dup, frame.packet_id),
            (kind::PUBLISH, 1, true, 9)
        );
        assert_eq!((frame.expiry, frame.length), (Some(5), whole.len()));
        assert!(read(&whole[..2 + 17 + 15], 5).is_none());
    }

    #[test]
    fn tiny_payloads_are_numbered_by_topic() {
        assert_eq!(number_of(&topic(77, 3, "a"), &payload(77, 3)), Some(77));
        assert_eq!(number_of(&topic(77, 300, "a"), &payload(77, 300)), Some(77));
        assert_eq!(number_of("a", b"hello"), None);
    }

    #[test]
    fn a_splitter_waits_for_whole_frames() {
        let mut splitter = Splitter::default();
        assert!(splitter.push(&[0x40, 2, 0], 4).is_empty());
        let frames = splitter.push(&[8, 0xd0, 0, 0x20, 2, 1], 4);
        assert_eq!(
            frames.iter().map(|frame| frame.kind).collect::<Vec<_>>(),
            [kind::PUBACK, kind::PINGRESP]
        );
        assert_eq!(frames[0].packet_id, 8);
    }
}
