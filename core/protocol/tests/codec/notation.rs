//! How the tests write bytes and properties down, and the shortest ways to encode and decode.
use bytes::BytesMut;
use leveret_protocol::codec::{
    DecodeError, Decoded, EncodeError, Limits, MAX_PACKET_SIZE, Packet, PacketId, Properties,
    PropertyId, PropertyValue, Side, Version, decode,
};

/// Bytes from hexadecimal digits in any grouping and ASCII text in quotes: `20 0001 "a"`.
pub(crate) fn bytes(notation: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, part) in notation.split('"').enumerate() {
        if index % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        let digits: Vec<u8> = part
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .map(|byte| char::from(byte).to_digit(16).expect("a hexadecimal digit") as u8)
            .collect();
        assert!(digits.len().is_multiple_of(2), "half a byte in {part}");
        bytes.extend(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]));
    }
    bytes
}

pub(crate) fn id(number: u16) -> PacketId {
    PacketId::new(number).expect("a packet identifier")
}

pub(crate) fn properties(list: &[(PropertyId, PropertyValue<'_>)]) -> Properties {
    let mut properties = Properties::new();
    for (id, value) in list {
        properties.add(*id, *value).expect("an allowed property");
    }
    properties
}

pub(crate) fn decode_one(
    bytes: &[u8],
    version: Version,
    from: Side,
) -> Result<Decoded, DecodeError> {
    decode(
        &mut BytesMut::from(bytes),
        version,
        from,
        &Limits::default(),
    )
}

pub(crate) fn encode(packet: &Packet, version: Version) -> Result<Vec<u8>, EncodeError> {
    encode_within(packet, version, MAX_PACKET_SIZE)
}

pub(crate) fn encode_within(
    packet: &Packet,
    version: Version,
    max_packet_size: u32,
) -> Result<Vec<u8>, EncodeError> {
    let mut out = BytesMut::from(&b"before"[..]);
    let result = packet.encode(version, max_packet_size, &mut out);
    assert_eq!(&out[..6], b"before");
    if result.is_err() {
        assert_eq!(out.len(), 6, "nothing is written on an error");
    }
    result.map(|()| out[6..].to_vec())
}
