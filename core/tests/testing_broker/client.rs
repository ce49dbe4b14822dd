//! A client for the broker's tests: a socket and the codec, nothing that is clever on its own.
use crate::dial::{Stream, dial};
use bytes::{Bytes, BytesMut};
use leveret::testing::Broker;
use leveret_protocol::{
    codec::{
        Ack, ConnAck, Connect, Decoded, Disconnect, Limits, MAX_PACKET_SIZE, Packet, PacketId,
        Properties, PropertyId, Publish, Side, Subscribe, SubscribeFilter, SubscribeOptions,
        Unsubscribe, Version, decode,
    },
    message::{Message, QoS},
    reason::ReasonCode,
};
use std::{io::ErrorKind, time::Duration};

pub(crate) const VERSIONS: [Version; 2] = [Version::V311, Version::V5];

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Client {
    stream: Box<dyn Stream>,
    input: BytesMut,
    pub(crate) version: Version,
}

/// CONNECT with a client identifier, clean start and no keep alive.
pub(crate) fn connect_packet(version: Version, client_id: &str) -> Connect {
    Connect {
        version,
        client_id: client_id.into(),
        clean_start: true,
        keep_alive: 0,
        will: None,
        user_name: None,
        password: None,
        properties: Properties::new(),
    }
}

/// CONNECT of a client whose session lasts: on MQTT 5 without expiry.
pub(crate) fn lasting(version: Version, client_id: &str) -> Connect {
    let mut connect = connect_packet(version, client_id);
    connect.clean_start = false;
    connect.properties = number_property(version, PropertyId::SessionExpiryInterval, u32::MAX);
    connect
}

/// One property for MQTT 5, none for 3.1.1.
pub(crate) fn number_property(version: Version, id: PropertyId, value: u32) -> Properties {
    let mut properties = Properties::new();
    if version == Version::V5 {
        properties.set(id, value).expect("a value in range");
    }
    properties
}

pub(crate) fn id(number: u16) -> PacketId {
    PacketId::new(number).expect("not 0")
}

/// PUBLISH. The packet identifier is left out at QoS 0.
pub(crate) fn publish(topic: &str, payload: &str, qos: QoS, packet_id: u16) -> Publish {
    Publish {
        packet_id: (qos > QoS::AtMostOnce).then(|| id(packet_id)),
        message: Message {
            topic: topic.into(),
            payload: Bytes::copy_from_slice(payload.as_bytes()),
            qos,
            ..Message::default()
        },
    }
}

impl Client {
    /// A connection on which nothing was sent.
    pub(crate) fn dial(broker: &Broker, version: Version) -> Client {
        Client::over(dial(broker), version)
    }

    /// A connection that is there already.
    pub(crate) fn over(stream: Box<dyn Stream>, version: Version) -> Client {
        Client {
            stream,
            input: BytesMut::new(),
            version,
        }
    }

    /// Sends CONNECT and gives what is answered.
    pub(crate) fn try_connect(broker: &Broker, connect: Connect) -> (Client, ConnAck) {
        let mut client = Client::dial(broker, connect.version);
        client.send(Packet::Connect(Box::new(connect)));
        match client.receive() {
            Packet::ConnAck(connack) => (client, *connack),
            other => panic!("{other:?} instead of CONNACK"),
        }
    }

    /// Connects, which must succeed.
    pub(crate) fn connect(broker: &Broker, connect: Connect) -> Client {
        let (client, connack) = Client::try_connect(broker, connect);
        assert_eq!(connack.reason, ReasonCode::SUCCESS);
        client
    }

    /// A client with clean start.
    pub(crate) fn named(broker: &Broker, version: Version, client_id: &str) -> Client {
        Client::connect(broker, connect_packet(version, client_id))
    }

    pub(crate) fn send(&mut self, packet: Packet) {
        let mut bytes = BytesMut::new();
        packet
            .encode(self.version, MAX_PACKET_SIZE, &mut bytes)
            .expect("a packet that can be encoded");
        self.send_bytes(&bytes);
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream
            .write_all(bytes)
            .expect("the connection is open");
    }

    /// The next packet; a panic if none comes or the connection ends.
    pub(crate) fn receive(&mut self) -> Packet {
        self.receive_or_end().expect("the connection goes on")
    }

    /// The next packet; `None` if the connection ends instead.
    pub(crate) fn receive_or_end(&mut self) -> Option<Packet> {
        loop {
            match decode(
                &mut self.input,
                self.version,
                Side::Server,
                &Limits::default(),
            )
            .expect("well-formed")
            {
                Decoded::Packet(packet) => return Some(packet),
                Decoded::NeedMore(_) => {}
                Decoded::TooLarge(oversized) => panic!("{oversized:?}"),
            }
            let mut bytes = [0; 4096];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(count) => self.input.extend_from_slice(&bytes[..count]),
                // A reset, and what TLS and a Unix socket make of it.
                Err(error)
                    if [
                        ErrorKind::ConnectionReset,
                        ErrorKind::UnexpectedEof,
                        ErrorKind::BrokenPipe,
                    ]
                    .contains(&error.kind()) =>
                {
                    return None;
                }
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }

    /// The connection must end without another packet.
    pub(crate) fn expect_end(&mut self) {
        assert_eq!(self.receive_or_end(), None);
    }

    /// The connection must end, on MQTT 5 after DISCONNECT with this reason.
    pub(crate) fn expect_disconnect(&mut self, reason: ReasonCode) {
        if self.version == Version::V5 {
            let disconnect = Disconnect {
                reason,
                properties: Properties::new(),
            };
            assert_eq!(self.receive(), Packet::Disconnect(disconnect));
        }
        self.expect_end();
    }

    /// Nothing must have been sent but what was received: the answer to a ping is the next packet.
    pub(crate) fn expect_silence(&mut self) {
        self.send(Packet::PingReq);
        assert_eq!(self.receive(), Packet::PingResp);
    }

    /// The next packet, which must be PUBLISH.
    pub(crate) fn receive_publish(&mut self) -> Publish {
        match self.receive() {
            Packet::Publish(publish) => publish,
            other => panic!("{other:?} instead of PUBLISH"),
        }
    }

    /// The next packet must be this acknowledgement; gives its reason.
    pub(crate) fn receive_ack(&mut self, make: fn(Ack) -> Packet, packet_id: u16) -> ReasonCode {
        let ack = self.receive_whole_ack(make);
        assert_eq!(ack.packet_id, id(packet_id));
        ack.reason
    }

    /// The next packet must be an acknowledgement of this kind.
    pub(crate) fn receive_whole_ack(&mut self, make: fn(Ack) -> Packet) -> Ack {
        let packet = self.receive();
        let ack = match &packet {
            Packet::PubAck(ack)
            | Packet::PubRec(ack)
            | Packet::PubRel(ack)
            | Packet::PubComp(ack) => ack.clone(),
            other => panic!("{other:?} instead of an acknowledgement"),
        };
        assert_eq!(packet, make(ack.clone()));
        ack
    }

    /// Publishes with QoS 1 and waits for its PUBACK; gives the reason.
    pub(crate) fn publish_1(&mut self, topic: &str, payload: &str) -> ReasonCode {
        self.send(Packet::Publish(publish(
            topic,
            payload,
            QoS::AtLeastOnce,
            1,
        )));
        self.receive_ack(Packet::PubAck, 1)
    }

    /// Publishes a retained message with QoS 1 and waits for its PUBACK.
    pub(crate) fn retain(&mut self, topic: &str, payload: &str) {
        let mut packet = publish(topic, payload, QoS::AtLeastOnce, 1);
        packet.message.retain = true;
        self.send(Packet::Publish(packet));
        self.receive_ack(Packet::PubAck, 1);
    }

    /// Acknowledges a PUBLISH with QoS 1.
    pub(crate) fn acknowledge(&mut self, publish: &Publish) {
        self.send(Packet::PubAck(Ack::success(
            publish.packet_id.expect("QoS 1"),
        )));
    }

    /// Subscribes to one filter and gives the answer.
    pub(crate) fn subscribe(
        &mut self,
        filter: &str,
        options: SubscribeOptions,
        properties: Properties,
    ) -> ReasonCode {
        let filters = vec![SubscribeFilter {
            filter: filter.into(),
            options,
        }];
        self.send(Packet::Subscribe(Subscribe {
            packet_id: id(77),
            filters,
            properties,
        }));
        match self.receive() {
            Packet::SubAck(answer) => {
                assert_eq!(answer.packet_id, id(77));
                assert_eq!(answer.reasons.len(), 1);
                answer.reasons[0]
            }
            other => panic!("{other:?} instead of SUBACK"),
        }
    }

    /// Subscribes with a QoS and nothing else, which must be granted.
    pub(crate) fn listen(&mut self, filter: &str, qos: QoS) {
        let options = SubscribeOptions {
            qos,
            ..SubscribeOptions::default()
        };
        assert_eq!(
            self.subscribe(filter, options, Properties::new()),
            ReasonCode(qos.into())
        );
    }

    /// Unsubscribes from one filter; gives the reasons, of which MQTT 3.1.1 has none.
    pub(crate) fn unsubscribe(&mut self, filter: &str) -> Vec<ReasonCode> {
        let filters = vec![filter.into()];
        self.send(Packet::Unsubscribe(Unsubscribe {
            packet_id: id(78),
            filters,
            properties: Properties::new(),
        }));
        match self.receive() {
            Packet::UnsubAck(answer) => answer.reasons,
            other => panic!("{other:?} instead of UNSUBACK"),
        }
    }

    /// Says goodbye and waits until the broker has closed the connection.
    pub(crate) fn disconnect(mut self, reason: ReasonCode) {
        self.send(Packet::Disconnect(Disconnect {
            reason,
            properties: Properties::new(),
        }));
        self.expect_end();
    }
}

/// Waits until something is true.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while !is_so() {
        assert!(
            std::time::Instant::now() < deadline,
            "{what} did not happen"
        );
        std::thread::yield_now();
    }
}
