//! A letter stuck behind a stalled socket past its time to live never reaches the peer: not when the peer reads on after three seconds, and not
//! after the connection was given up meanwhile.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use leveret::{Client, Options, OutcomeStatus, QoS, Receipt, Status};
use socket2::{Domain, Socket, Type};

const SOON: Duration = Duration::from_secs(20);

/// For how long the peer reads nothing.
const PAUSE: Duration = Duration::from_secs(3);

const STUCK: &[u8] = b"unlock the door";
const FILLERS: usize = 100;

/// A broker that answers CONNECT and then only what it is told to read. Its receive buffer is small.
struct Peer {
    stream: TcpStream,
    paused_since: Instant,
    unread: Vec<u8>,
}

fn listen() -> TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // Inherited by the connections.
    socket.set_recv_buffer_size(4096).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(1).unwrap();
    socket.into()
}

impl Peer {
    fn accept(listener: &TcpListener) -> Peer {
        let (stream, _) = listener.accept().unwrap();
        let mut peer = Peer {
            stream,
            paused_since: Instant::now(),
            unread: Vec::new(),
        };
        let connect = peer.packet().unwrap();
        assert_eq!(connect[0] >> 4, 1, "CONNECT");
        peer.stream.write_all(&[0x20, 3, 0, 0, 0]).unwrap();
        peer.paused_since = Instant::now();
        peer
    }

    /// Lets the rest of the pause pass.
    fn sit_out_the_pause(&self) {
        while let Some(left) = PAUSE.checked_sub(self.paused_since.elapsed()) {
            thread::park_timeout(left);
        }
    }

    /// The next whole packet; `None` when the connection has ended before it was whole.
    fn packet(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = packet_end(&self.unread) {
                return Some(self.unread.drain(..end).collect());
            }
            let mut bytes = [0; 64 * 1024];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(count) => self.unread.extend_from_slice(&bytes[..count]),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
                    return None;
                }
            }
        }
    }

    /// Acknowledges a PUBLISH of QoS 1.
    fn acknowledge(&mut self, publish: &[u8]) {
        let topic = publish[1..]
            .iter()
            .position(|byte| byte & 0x80 == 0)
            .unwrap()
            + 2;
        let length = usize::from(u16::from_be_bytes([publish[topic], publish[topic + 1]]));
        let id = topic + 2 + length;
        let answer = [0x40, 2, publish[id], publish[id + 1]];
        self.stream.write_all(&answer).unwrap();
    }
}

fn packet_end(bytes: &[u8]) -> Option<usize> {
    let mut length = 0;
    for (place, &byte) in bytes.iter().enumerate().skip(1).take(4) {
        length |= usize::from(byte & 0x7f) << (7 * (place - 1));
        if byte & 0x80 == 0 {
            let end = place + 1 + length;
            return (bytes.len() >= end).then_some(end);
        }
    }
    None
}

fn holds_the_stuck_letter(bytes: &[u8]) -> bool {
    bytes.windows(STUCK.len()).any(|window| window == STUCK)
}

/// Far more than the kernels take, for as long as it takes; behind it letters whose time passes. Returns the receipts of the first.
async fn fill_and_let_expire(client: &Client) -> Vec<Receipt> {
    let post = |payload: Vec<u8>, qos| client.publish("stalled", payload).qos(qos);
    let fillers = (0..FILLERS).map(|_| {
        let filler = post(vec![b'x'; 64 * 1024], QoS::AtLeastOnce);
        filler.ttl(None).send().unwrap()
    });
    let fillers: Vec<Receipt> = fillers.collect();
    let stuck = [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce].map(|qos| {
        let letter = post(STUCK.to_vec(), qos);
        letter.ttl(Duration::from_millis(200)).send().unwrap()
    });
    for receipt in stuck {
        let outcome = receipt.await;
        assert_eq!(outcome.status, OutcomeStatus::Expired);
        assert!(!outcome.maybe_delivered, "none of its bytes was taken");
    }
    fillers
}

async fn online(options: Options) -> (Client, Peer) {
    let listener = listen();
    let url = format!("mqtt://{}", listener.local_addr().unwrap());
    let client = Client::new(url, options.client_id("stalled")).unwrap();
    let peer = Peer::accept(&listener);
    client.wait_for(Status::Online, SOON).await.unwrap();
    (client, peer)
}

#[tokio::test]
async fn a_letter_expired_behind_a_stall_is_not_sent_when_the_peer_reads_on() {
    let (client, mut peer) = online(Options::new()).await;
    let fillers = fill_and_let_expire(&client).await;
    let after = client.publish("stalled", "after").ttl(None).send().unwrap();

    let reading = thread::spawn(move || {
        peer.sit_out_the_pause();
        // The letter posted last is the last to come.
        for number in 0..=FILLERS {
            let publish = peer.packet().expect("the connection goes on");
            assert_eq!(publish[0] >> 4, 3, "PUBLISH");
            assert!(!holds_the_stuck_letter(&publish), "packet {number}");
            peer.acknowledge(&publish);
        }
        let rest = peer.packet().expect("a DISCONNECT");
        assert_eq!(rest[0] >> 4, 14, "nothing else comes");
    });
    for receipt in fillers.into_iter().chain([after]) {
        assert_eq!(receipt.await.status, OutcomeStatus::Acknowledged);
    }
    client.close(SOON).await.unwrap();
    reading.join().unwrap();
}

#[tokio::test]
async fn a_letter_expired_behind_a_stall_is_not_sent_after_the_connection_was_given_up() {
    let options = Options::new()
        .keep_alive(Duration::from_secs(1))
        .ping_timeout(Duration::from_millis(500))
        .backoff_min(Duration::from_secs(30));
    let (client, mut peer) = online(options).await;
    let _fillers = fill_and_let_expire(&client).await;
    client.wait_for(Status::Offline, SOON).await.unwrap();

    peer.sit_out_the_pause();
    let mut packets = 0;
    while let Some(publish) = peer.packet() {
        assert!(!holds_the_stuck_letter(&publish), "packet {packets}");
        packets += 1;
    }
    assert!(!holds_the_stuck_letter(&peer.unread), "nor a part of it");
    assert!(packets < FILLERS, "the rest died in the client's kernel");
}
