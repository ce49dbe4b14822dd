//! Reads what a client has written, byte by byte and without leveret's own decoder.
use leveret_protocol::codec::Version;

/// Cuts bytes into packets; each must be whole, and its remaining length as short as it can be.
pub fn split(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    while let Some((_, rest)) = bytes.split_first() {
        let (remaining, width) = integer(rest);
        let (packet, rest) = bytes.split_at(1 + width + remaining);
        packets.push(packet.to_vec());
        bytes = rest;
    }
    packets
}

/// A variable byte integer at the front of the bytes, and how many of them it takes.
pub fn integer(bytes: &[u8]) -> (usize, usize) {
    let width = 1 + bytes
        .iter()
        .position(|byte| byte & 0x80 == 0)
        .expect("an integer that ends");
    assert!(width <= 4, "{width} bytes for an integer");
    assert!(
        width == 1 || bytes[width - 1] != 0,
        "an integer that is longer than it need be"
    );
    let value = bytes[..width]
        .iter()
        .rev()
        .fold(0, |value, byte| value << 7 | usize::from(byte & 0x7F));
    (value, width)
}

/// The fields of one packet behind its fixed header, one after the other.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn of(packet: &'a [u8]) -> Fields<'a> {
        let (_, width) = integer(&packet[1..]);
        Fields(&packet[1 + width..])
    }

    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    pub fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    pub fn number(&mut self) -> u16 {
        u16::from_be_bytes(self.take(2).try_into().expect("two bytes"))
    }

    /// Bytes behind their length.
    pub fn binary(&mut self) -> &'a [u8] {
        let length = self.number();
        self.take(length.into())
    }

    /// A string, which must be UTF-8 without U+0000.
    pub fn text(&mut self) -> &'a str {
        let text = std::str::from_utf8(self.binary()).expect("UTF-8");
        assert!(!text.contains('\0'));
        text
    }

    pub fn integer(&mut self) -> usize {
        let (value, width) = integer(self.0);
        self.take(width);
        value
    }

    /// The properties of a packet of MQTT 5; none on 3.1.1.
    pub fn properties(&mut self, version: Version) -> Vec<Property> {
        if version == Version::V311 {
            return Vec::new();
        }
        let length = self.integer();
        let mut block = Fields(self.take(length));
        let mut properties = Vec::new();
        while !block.0.is_empty() {
            properties.push(block.property());
        }
        properties
    }

    /// By the table of section 2.2.2.2.
    fn property(&mut self) -> Property {
        let id = self.byte();
        let value = match id {
            0x01 | 0x17 | 0x19 | 0x24 | 0x25 | 0x28 | 0x29 | 0x2A => self.take(1),
            0x13 | 0x21 | 0x22 | 0x23 => self.take(2),
            0x02 | 0x11 | 0x18 | 0x27 => self.take(4),
            0x0B => self.take(integer(self.0).1),
            0x03 | 0x08 | 0x12 | 0x15 | 0x1A | 0x1C | 0x1F => self.text().as_bytes(),
            0x09 | 0x16 => self.binary(),
            0x26 => {
                let whole = self.0;
                let (name, value) = (self.text(), self.text());
                &whole[..4 + name.len() + value.len()]
            }
            other => panic!("property {other:#04x} is none"),
        };
        Property(id, value.to_vec())
    }

    pub fn rest(self) -> &'a [u8] {
        self.0
    }

    pub fn end(self) {
        assert_eq!(self.0, [0; 0], "behind the last field");
    }
}

/// Identifier and value of a property; a string without its length, a pair of strings with both lengths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property(pub u8, pub Vec<u8>);

/// The value of a property that stands at most once.
pub fn value(properties: &[Property], id: u8) -> Option<&[u8]> {
    let mut found = properties.iter().filter(|property| property.0 == id);
    let first = found.next().map(|property| &property.1[..]);
    assert!(found.next().is_none(), "property {id:#04x} stands twice");
    first
}

/// A CONNECT: what its flags announce is there, in the order of section 3.1.3, and nothing else.
pub struct Connect {
    pub name: String,
    pub level: u8,
    pub flags: u8,
    pub keep_alive: u16,
    pub properties: Vec<Property>,
    pub client_id: String,
    pub will: Option<Will>,
    pub user_name: Option<String>,
    pub password: Option<Vec<u8>>,
}

pub struct Will {
    pub properties: Vec<Property>,
    pub topic: String,
    pub payload: Vec<u8>,
}

impl Connect {
    pub fn read(packet: &[u8]) -> Connect {
        assert_eq!(packet[0], 0x10);
        let mut fields = Fields::of(packet);
        let name = fields.text().to_owned();
        let (level, flags) = (fields.byte(), fields.byte());
        let version = Version::from_level(level).expect("level 4 or 5");
        let connect = Connect {
            name,
            level,
            flags,
            keep_alive: fields.number(),
            properties: fields.properties(version),
            client_id: fields.text().to_owned(),
            will: (flags & 0x04 != 0).then(|| Will {
                properties: fields.properties(version),
                topic: fields.text().to_owned(),
                payload: fields.binary().to_vec(),
            }),
            user_name: (flags & 0x80 != 0).then(|| fields.text().to_owned()),
            password: (flags & 0x40 != 0).then(|| fields.binary().to_vec()),
        };
        fields.end();
        connect
    }
}

/// A PUBLISH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    pub dup: bool,
    pub qos: u8,
    pub retain: bool,
    pub topic: String,
    pub id: Option<u16>,
    pub properties: Vec<Property>,
    pub payload: Vec<u8>,
}

impl Publish {
    pub fn read(packet: &[u8], version: Version) -> Publish {
        let first = packet[0];
        assert_eq!(first & 0xF0, 0x30);
        let mut fields = Fields::of(packet);
        let qos = first >> 1 & 3;
        Publish {
            dup: first & 8 != 0,
            qos,
            retain: first & 1 != 0,
            topic: fields.text().to_owned(),
            id: (qos > 0).then(|| fields.number()),
            properties: fields.properties(version),
            payload: fields.rest().to_vec(),
        }
    }
}

/// The packet identifier of a packet that has one.
pub fn identifier(packet: &[u8]) -> Option<u16> {
    let mut fields = Fields::of(packet);
    match packet[0] >> 4 {
        3 => {
            fields.binary();
            (packet[0] & 6 != 0).then(|| fields.number())
        }
        4..=11 => Some(fields.number()),
        _ => None,
    }
}

/// The packets of one type, by the upper half of their first byte.
pub fn of_type(packets: &[Vec<u8>], first: u8) -> Vec<&Vec<u8>> {
    packets
        .iter()
        .filter(|packet| packet[0] & 0xF0 == first & 0xF0)
        .collect()
}
