//! The table of MQTT 5 reason codes, and the 3.1.1 return codes mapped onto it.
use crate::packet_type::{PacketSet, PacketType};
use core::fmt;

/// An MQTT 5 reason code (MQTT 5.0 section 2.4). MQTT 3.1.1 return codes are mapped onto it.
///
/// Any byte can be held; `TABLE` lists those that the standard defines.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReasonCode(pub u8);

/// What the table knows of one reason code.
#[derive(Clone, Copy, Debug)]
pub struct ReasonRow {
    /// The code.
    pub code: ReasonCode,
    /// Name of its constant, for example `NOT_AUTHORIZED`.
    pub name: &'static str,
    /// Its name in the standard, in lower case, for example `not authorized`.
    pub text: &'static str,
    /// Packets in which a client may send it.
    pub from_client: PacketSet,
    /// Packets in which a server may send it.
    pub from_server: PacketSet,
}

macro_rules! reason_codes {
    ($($code:literal $name:ident $text:literal client[$($client:ident)*] server[$($server:ident)*];)*) => {
        impl ReasonCode {
            $(
                #[doc = concat!("`", stringify!($code), "`: ", $text, ".")]
                pub const $name: ReasonCode = ReasonCode($code);
            )*

            /// Every reason code of MQTT 5.0 section 2.4, in ascending order.
            pub const TABLE: &[ReasonRow] = &[$(ReasonRow {
                code: ReasonCode($code),
                name: stringify!($name),
                text: $text,
                from_client: PacketSet::of(&[$(PacketType::$client),*]),
                from_server: PacketSet::of(&[$(PacketType::$server),*]),
            }),*];
        }
    };
}

reason_codes! {
    0x00 SUCCESS "success"
        client[PubAck PubRec PubRel PubComp Disconnect]
        server[ConnAck PubAck PubRec PubRel PubComp SubAck UnsubAck Auth];
    0x01 GRANTED_QOS_1 "granted QoS 1" client[] server[SubAck];
    0x02 GRANTED_QOS_2 "granted QoS 2" client[] server[SubAck];
    0x04 DISCONNECT_WITH_WILL "disconnect with will message" client[Disconnect] server[];
    0x10 NO_MATCHING_SUBSCRIBERS "no matching subscribers" client[] server[PubAck PubRec];
    0x11 NO_SUBSCRIPTION_EXISTED "no subscription existed" client[] server[UnsubAck];
    0x18 CONTINUE_AUTHENTICATION "continue authentication" client[Auth] server[Auth];
    0x19 REAUTHENTICATE "re-authenticate" client[Auth] server[];
    0x80 UNSPECIFIED_ERROR "unspecified error"
        client[PubAck PubRec Disconnect]
        server[ConnAck PubAck PubRec SubAck UnsubAck Disconnect];
    0x81 MALFORMED_PACKET "malformed packet" client[Disconnect] server[ConnAck Disconnect];
    0x82 PROTOCOL_ERROR "protocol error" client[Disconnect] server[ConnAck Disconnect];
    0x83 IMPLEMENTATION_SPECIFIC_ERROR "implementation specific error"
        client[PubAck PubRec Disconnect]
        server[ConnAck PubAck PubRec SubAck UnsubAck Disconnect];
    0x84 UNSUPPORTED_PROTOCOL_VERSION "unsupported protocol version" client[] server[ConnAck];
    0x85 CLIENT_IDENTIFIER_NOT_VALID "client identifier not valid" client[] server[ConnAck];
    0x86 BAD_USER_NAME_OR_PASSWORD "bad user name or password" client[] server[ConnAck];
    0x87 NOT_AUTHORIZED "not authorized"
        client[PubAck PubRec]
        server[ConnAck PubAck PubRec SubAck UnsubAck Disconnect];
    0x88 SERVER_UNAVAILABLE "server unavailable" client[] server[ConnAck];
    0x89 SERVER_BUSY "server busy" client[] server[ConnAck Disconnect];
    0x8A BANNED "banned" client[] server[ConnAck];
    0x8B SERVER_SHUTTING_DOWN "server shutting down" client[] server[Disconnect];
    0x8C BAD_AUTHENTICATION_METHOD "bad authentication method" client[] server[ConnAck Disconnect];
    0x8D KEEP_ALIVE_TIMEOUT "keep alive timeout" client[] server[Disconnect];
    0x8E SESSION_TAKEN_OVER "session taken over" client[] server[Disconnect];
    0x8F TOPIC_FILTER_INVALID "topic filter invalid" client[] server[SubAck UnsubAck Disconnect];
    0x90 TOPIC_NAME_INVALID "topic name invalid"
        client[PubAck PubRec Disconnect]
        server[ConnAck PubAck PubRec Disconnect];
    0x91 PACKET_IDENTIFIER_IN_USE "packet identifier in use"
        client[PubAck PubRec]
        server[PubAck PubRec SubAck UnsubAck];
    0x92 PACKET_IDENTIFIER_NOT_FOUND "packet identifier not found"
        client[PubRel PubComp]
        server[PubRel PubComp];
    0x93 RECEIVE_MAXIMUM_EXCEEDED "receive maximum exceeded" client[Disconnect] server[Disconnect];
    0x94 TOPIC_ALIAS_INVALID "topic alias invalid" client[Disconnect] server[Disconnect];
    0x95 PACKET_TOO_LARGE "packet too large" client[Disconnect] server[ConnAck Disconnect];
    0x96 MESSAGE_RATE_TOO_HIGH "message rate too high" client[Disconnect] server[Disconnect];
    0x97 QUOTA_EXCEEDED "quota exceeded"
        client[PubAck PubRec Disconnect]
        server[ConnAck PubAck PubRec SubAck Disconnect];
    0x98 ADMINISTRATIVE_ACTION "administrative action" client[Disconnect] server[Disconnect];
    0x99 PAYLOAD_FORMAT_INVALID "payload format invalid"
        client[PubAck PubRec Disconnect]
        server[ConnAck PubAck PubRec Disconnect];
    0x9A RETAIN_NOT_SUPPORTED "retain not supported" client[] server[ConnAck Disconnect];
    0x9B QOS_NOT_SUPPORTED "QoS not supported" client[] server[ConnAck Disconnect];
    0x9C USE_ANOTHER_SERVER "use another server" client[] server[ConnAck Disconnect];
    0x9D SERVER_MOVED "server moved" client[] server[ConnAck Disconnect];
    0x9E SHARED_SUBSCRIPTIONS_NOT_SUPPORTED "shared subscriptions not supported" client[] server[SubAck Disconnect];
    0x9F CONNECTION_RATE_EXCEEDED "connection rate exceeded" client[] server[ConnAck Disconnect];
    0xA0 MAXIMUM_CONNECT_TIME "maximum connect time" client[] server[Disconnect];
    0xA1 SUBSCRIPTION_IDENTIFIERS_NOT_SUPPORTED "subscription identifiers not supported"
        client[] server[SubAck Disconnect];
    0xA2 WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED "wildcard subscriptions not supported"
        client[] server[SubAck Disconnect];
}

/// The CONNACK return codes of MQTT 3.1.1 (table 3.1) and the reason codes that say the same.
const V311_RETURN_CODES: [(u8, ReasonCode); 6] = [
    (0, ReasonCode::SUCCESS),
    (1, ReasonCode::UNSUPPORTED_PROTOCOL_VERSION),
    (2, ReasonCode::CLIENT_IDENTIFIER_NOT_VALID),
    (3, ReasonCode::SERVER_UNAVAILABLE),
    (4, ReasonCode::BAD_USER_NAME_OR_PASSWORD),
    (5, ReasonCode::NOT_AUTHORIZED),
];

impl ReasonCode {
    /// What `0x00` means in a SUBACK.
    pub const GRANTED_QOS_0: ReasonCode = ReasonCode::SUCCESS;
    /// What `0x00` means in a DISCONNECT.
    pub const NORMAL_DISCONNECTION: ReasonCode = ReasonCode::SUCCESS;

    /// Codes that may stand in our PUBACK and PUBREC, in ascending order (MQTT 5, 3.4.2.1 and 3.5.2.1).
    pub fn of_acknowledgements() -> impl Iterator<Item = ReasonCode> {
        let listed = |row: &&ReasonRow| row.from_client.has(PacketType::PubAck);
        Self::TABLE.iter().filter(listed).map(|row| row.code)
    }

    /// Whether it reports a failure: 0x80 and above (MQTT 5.0 section 2.4).
    pub const fn is_error(self) -> bool {
        self.0 >= 0x80
    }

    /// Its row in `TABLE`; `None` for a code that the standard does not define.
    pub fn row(self) -> Option<&'static ReasonRow> {
        let index = Self::TABLE
            .binary_search_by_key(&self, |row| row.code)
            .ok()?;
        Self::TABLE.get(index)
    }

    /// Name of its constant, for example `NOT_AUTHORIZED`; `UNKNOWN` for a code that the standard does not define.
    pub fn name(self) -> &'static str {
        self.row().map_or("UNKNOWN", |row| row.name)
    }

    /// Its name in the standard in lower case; `unknown reason code` for one that the standard does not define.
    pub fn text(self) -> &'static str {
        self.row().map_or("unknown reason code", |row| row.text)
    }

    /// The reason code that says what a 3.1.1 CONNACK return code says; `None` above 5, which is reserved.
    pub fn from_v311_return_code(return_code: u8) -> Option<ReasonCode> {
        // Some brokers that know 3.1.1 alone answer CONNECT of MQTT 5 in their own form with the new code.
        const UNSUPPORTED: ReasonCode = ReasonCode::UNSUPPORTED_PROTOCOL_VERSION;
        let known = V311_RETURN_CODES.iter().find(|row| row.0 == return_code);
        let reason = known.map(|row| row.1);
        reason.or((return_code == UNSUPPORTED.0).then_some(UNSUPPORTED))
    }

    /// The 3.1.1 CONNACK return code that comes nearest: 0..=5. Refusals that 3.1.1 has no code for become
    /// 5 (not authorized) where asking again is of no use, else 3 (server unavailable).
    pub fn to_v311_return_code(self) -> u8 {
        match self {
            ReasonCode::BANNED | ReasonCode::BAD_AUTHENTICATION_METHOD => 5,
            _ if !self.is_error() => 0,
            _ => V311_RETURN_CODES
                .iter()
                .find(|row| row.1 == self)
                .map_or(3, |row| row.0),
        }
    }
}

/// For example `0x87 not authorized`.
impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:02X} {}", self.0, self.text())
    }
}

impl fmt::Debug for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_ascending_so_that_it_can_be_searched() {
        assert!(
            ReasonCode::TABLE
                .windows(2)
                .all(|pair| pair[0].code < pair[1].code)
        );
        assert_eq!(ReasonCode::TABLE.len(), 43);
    }

    #[test]
    fn a_client_may_put_what_the_standard_lists_into_disconnect() {
        let listed: alloc::vec::Vec<u8> = ReasonCode::TABLE
            .iter()
            .filter(|row| row.from_client.has(PacketType::Disconnect))
            .map(|row| row.code.0)
            .collect();
        assert_eq!(
            listed,
            [
                0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99
            ]
        );
    }

    #[test]
    fn return_codes_of_3_1_1_map_there_and_back() {
        for return_code in 0..=5 {
            let reason = ReasonCode::from_v311_return_code(return_code).unwrap();
            assert_eq!(reason.to_v311_return_code(), return_code);
        }
        assert_eq!(ReasonCode::from_v311_return_code(6), None);
        assert_eq!(ReasonCode::QUOTA_EXCEEDED.to_v311_return_code(), 3);
    }

    #[test]
    fn unknown_codes_have_a_text() {
        assert_eq!(
            alloc::format!("{}", ReasonCode(0x87)),
            "0x87 not authorized"
        );
        assert_eq!(
            alloc::format!("{}", ReasonCode(0x03)),
            "0x03 unknown reason code"
        );
        assert_eq!(ReasonCode(0x8E).name(), "SESSION_TAKEN_OVER");
    }
}
