//! Target `decoder`: any bytes as a stream of packets. In whatever pieces they come, the same is found; what is found goes round unchanged.
use bytes::BytesMut;
use leveret_protocol::codec::{
    DecodeError, Decoded, Limits, MAX_PACKET_SIZE, Oversized, Packet, Side, Version, decode,
};

/// The first byte chooses version, side and limits, the second the pieces; the rest is the stream.
pub fn run(input: &[u8]) {
    let [how, pieces, stream @ ..] = input else {
        return;
    };
    let version = if how & 1 == 0 {
        Version::V5
    } else {
        Version::V311
    };
    let from = if how & 2 == 0 {
        Side::Server
    } else {
        Side::Client
    };
    let limits = Limits {
        max_packet_size: if how & 4 == 0 { 16 << 20 } else { 40 },
        max_properties: if how & 8 == 0 { 1_000 } else { 3 },
        copy_below: if how & 16 == 0 { 0 } else { 64 },
    };
    let whole = Findings::of(stream, version, from, &limits, stream.len());
    let in_pieces = Findings::of(
        stream,
        version,
        from,
        &limits,
        usize::from(*pieces) % 33 + 1,
    );
    assert_eq!(whole, in_pieces, "the pieces make a difference");
    for packet in &whole.packets {
        goes_round(packet, version, from);
        fits_or_leaves_nothing(packet, version, u32::from(*pieces));
    }
    assert!(!format!("{whole:?}").is_empty());
}

/// What a stream holds.
#[derive(Debug, Default, PartialEq)]
struct Findings {
    packets: Vec<Packet>,
    /// Length, packet identifier and topic of each that is too large.
    oversized: Vec<(usize, Option<u16>, Option<String>)>,
    error: Option<DecodeError>,
}

impl Findings {
    /// Gives the stream to the decoder, `step` bytes at a time.
    fn of(stream: &[u8], version: Version, from: Side, limits: &Limits, step: usize) -> Findings {
        let mut found = Findings::default();
        let mut buffer = BytesMut::new();
        let mut skipping = None;
        let mut lacking = 0;
        for piece in stream.chunks(step.max(1)) {
            buffer.extend_from_slice(piece);
            lacking = usize::saturating_sub(lacking, piece.len());
            loop {
                if let Some(mut oversized) = skipping.take()
                    && !Oversized::skip(&mut oversized, &mut buffer)
                {
                    assert!(buffer.is_empty());
                    skipping = Some(oversized);
                    break;
                }
                let before = buffer.len();
                match decode(&mut buffer, version, from, limits) {
                    Ok(Decoded::NeedMore(more)) => {
                        assert!(more > 0 && buffer.len() == before);
                        assert!(more >= lacking, "needed {lacking} more, now {more}");
                        lacking = more;
                        break;
                    }
                    Ok(Decoded::Packet(packet)) => {
                        assert!(buffer.len() < before && lacking == 0);
                        found.packets.push(packet);
                    }
                    Ok(Decoded::TooLarge(oversized)) => {
                        let length = oversized.header.total();
                        assert!(length > limits.max_packet_size as usize);
                        assert!(buffer.len() == before);
                        assert!(oversized.error(version).reason.is_error());
                        let topic = oversized.topic.as_ref().map(ToString::to_string);
                        let id = oversized.packet_id.map(|id| id.get());
                        found.oversized.push((length, id, topic));
                        skipping = Some(oversized);
                    }
                    Err(error) => {
                        assert!(error.reason.is_error() && !error.statement.is_empty());
                        assert!(!error.to_string().is_empty());
                        found.error = Some(error);
                        return found;
                    }
                }
            }
        }
        found
    }
}

/// A packet that was read can be written, and is read the same again.
fn goes_round(packet: &Packet, version: Version, from: Side) {
    let mut once = BytesMut::new();
    packet
        .encode(version, MAX_PACKET_SIZE, &mut once)
        .unwrap_or_else(|error| panic!("{packet:?}: {error}"));
    let bytes = once.clone().freeze();
    let again = decode(&mut once, version, from, &Limits::default());
    assert_eq!(again, Ok(Decoded::Packet(packet.clone())), "{bytes:02X?}");
    assert!(once.is_empty());
    let mut twice = BytesMut::new();
    packet
        .encode(version, MAX_PACKET_SIZE, &mut twice)
        .expect("what was written once is written twice");
    assert_eq!(bytes, twice);
}

/// What a peer does not take is not written to it, not even in part.
fn fits_or_leaves_nothing(packet: &Packet, version: Version, limit: u32) {
    let mut out = BytesMut::new();
    let written = packet.encode(version, limit, &mut out);
    assert_eq!(written.is_err(), out.is_empty());
    assert!(out.len() <= limit as usize);
}
