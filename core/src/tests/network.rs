//! Dialing over TCP: options that only the socket itself can tell, and the race of several addresses.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use leveret_protocol::options::ClientOptions;
use leveret_protocol::sentence::Dialect;
use socket2::{Domain, SockRef, Socket, Type};

use super::script::SOON;
use crate::net::tcp::Sockets;
use crate::runtime::Machine;

/// Dials these addresses as if they had been found under one name.
fn dial(options: &ClientOptions, targets: Vec<SocketAddr>) -> Result<TcpStream, String> {
    let sockets = Sockets::new(options, Dialect::Rust).unwrap();
    let machine = Machine::get().unwrap();
    let clock = Arc::clone(machine.clock());
    let (send, receive) = channel();
    machine.spawn(async move {
        let dialed = sockets.race(targets, &clock).await;
        let dialed = dialed.map(|stream| stream.into_std().unwrap());
        let _ = send.send(dialed.map_err(|error| error.text));
    });
    receive.recv_timeout(SOON).unwrap()
}

/// Listens, but takes no connection any more: whoever dials it waits.
fn silent() -> (Socket, Vec<Socket>, SocketAddr) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    listener.bind(&any.into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    for _ in 0..16 {
        let caller = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        caller.set_nonblocking(true).unwrap();
        let _ = caller.connect(&address);
        waiting.push(caller);
    }
    (listener, waiting, address.as_socket().unwrap())
}

#[test]
fn an_address_that_does_not_answer_does_not_hold_up_the_next() {
    let (_listener, _waiting, dead) = silent();
    let alive = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = alive.local_addr().unwrap();
    let begun = crate::clock::now();
    let stream = dial(&ClientOptions::new(), vec![dead, place]).unwrap();
    assert_eq!(stream.peer_addr().unwrap(), place);
    assert!(crate::clock::now().since(begun) >= Duration::from_millis(250));
}

#[test]
fn one_that_refuses_makes_place_at_once_and_all_failures_are_told() {
    let alive = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = alive.local_addr().unwrap();
    let refusing: Vec<SocketAddr> = (0..2)
        .map(|_| {
            TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
        })
        .collect();
    let why = dial(&ClientOptions::new(), refusing.clone()).unwrap_err();
    for address in &refusing {
        assert!(
            why.contains(&format!("{address}: Connection refused")),
            "{why}"
        );
    }
    let stream = dial(&ClientOptions::new(), [refusing, vec![place]].concat()).unwrap();
    assert_eq!(stream.peer_addr().unwrap(), place);
}

#[test]
fn the_options_of_the_socket_are_set() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = listener.local_addr().unwrap();
    let plain = dial(&ClientOptions::new(), vec![place]).unwrap();
    assert!(plain.nodelay().unwrap());
    assert!(!SockRef::from(&plain).keepalive().unwrap());
    let options = ClientOptions::new()
        .tcp_keep_alive(Duration::from_secs(77))
        .tcp_user_timeout(Duration::from_millis(12_345));
    let stream = dial(&options, vec![place]).unwrap();
    let socket = SockRef::from(&stream);
    assert!(stream.nodelay().unwrap() && socket.keepalive().unwrap());
    assert_eq!(
        socket.tcp_keepalive_time().unwrap(),
        Duration::from_secs(77)
    );
    assert_eq!(
        socket.tcp_keepalive_interval().unwrap(),
        Duration::from_secs(77)
    );
    assert_eq!(
        socket.tcp_user_timeout().unwrap(),
        Some(Duration::from_millis(12_345))
    );
}

#[test]
fn a_socket_below_layers_is_reset_when_it_is_dropped_unless_it_parts_in_order() {
    for parting in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let dialed = dial(&ClientOptions::new(), vec![listener.local_addr().unwrap()]).unwrap();
        let (mut accepted, _) = listener.accept().unwrap();
        Machine::get().unwrap().spawn(async move {
            let mut socket = crate::net::socket::Socket::tcp(dialed.try_into().unwrap());
            if parting {
                socket.part();
            }
        });
        accepted.set_read_timeout(Some(SOON)).unwrap();
        let end = accepted.read(&mut [0]);
        let kind = end.map_err(|error| error.kind());
        let expected = if parting {
            Ok(0)
        } else {
            Err(ErrorKind::ConnectionReset)
        };
        assert_eq!(kind, expected);
    }
}
