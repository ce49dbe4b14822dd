//! TCP with its options, Unix sockets, sockets handed over, and streams of the application's own.

use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leveret::testing::Broker;
use leveret::{Client, ErrorKind, Status};
use tokio::net::UnixListener;

use crate::relay::{
    SOON, first_failure, listen, options, place, relay, serve_each, tokio_within, works,
};

/// A path for a socket that no other test uses.
fn socket_path(name: &str) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("leveret {name} {}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn unix_url(path: &std::path::Path) -> String {
    format!("mqtt+unix://{}", path.display()).replace(' ', "%20")
}

#[tokio::test]
async fn a_unix_socket_is_spoken_through() {
    let broker = Broker::start_new().unwrap();
    let path = socket_path("unix");
    let listener = UnixListener::bind(&path).unwrap();
    let behind = place(&broker);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(relay(stream, behind.clone()));
        }
    });
    let client = Client::new(unix_url(&path), options()).unwrap();
    works(&client).await;
    client.close(SOON).await.unwrap();
    std::fs::remove_file(path).unwrap();
}

#[tokio::test]
async fn a_unix_socket_that_is_not_there_is_named() {
    let path = socket_path("missing");
    let client = Client::new(unix_url(&path), options()).unwrap();
    let why = first_failure(&client).await.to_string();
    assert!(why.contains(&path.display().to_string()), "{why}");
}

#[tokio::test]
async fn a_socket_handed_over_serves_the_first_attempt_and_the_url_the_others() {
    let broker = Broker::start_new().unwrap();
    let (listener, port) = listen().await;
    let behind = place(&broker);
    serve_each(listener, move |stream| relay(stream, behind.clone()));
    let given = std::net::TcpStream::connect(place(&broker)).unwrap();
    let ours = given.local_addr().unwrap();
    let url = format!("mqtt://127.0.0.1:{port}");
    let client = Client::new(&url, options().fd(given.into_raw_fd())).unwrap();
    works(&client).await;
    assert!(
        !free(ours),
        "the client speaks over the socket it was given"
    );
    client.reconnect().unwrap();
    let mut events = client.events();
    let mut connections = 0;
    while connections < 2 {
        use futures::StreamExt;
        use leveret::{ConnectionEvent, News};
        if let Some(News::Connection(ConnectionEvent::Online(_))) =
            tokio_within(events.next()).await
        {
            connections += 1;
        }
    }
    works(&client).await;
    client.close(SOON).await.unwrap();
}

/// Whether nobody uses this address for a connection.
fn free(address: std::net::SocketAddr) -> bool {
    std::net::TcpListener::bind(address).is_ok()
}

#[tokio::test]
async fn one_end_of_a_pair_of_unix_sockets_can_be_handed_over() {
    let broker = Broker::start_new().unwrap();
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    let theirs = tokio::net::UnixStream::from_std(theirs).unwrap();
    tokio::spawn(relay(theirs, place(&broker)));
    // Nobody listens where the URL leads, so it is the pair that works.
    let client = Client::new("mqtt://127.0.0.1:1", options().fd(ours.into_raw_fd())).unwrap();
    works(&client).await;
}

#[test]
fn what_is_no_connected_socket_is_refused_and_left_alone() {
    let file = std::fs::File::open("/dev/null").unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for descriptor in [
        i32::MAX,
        std::os::fd::AsRawFd::as_raw_fd(&file),
        std::os::fd::AsRawFd::as_raw_fd(&listener),
    ] {
        let error = Client::new("mqtt://127.0.0.1:1", options().fd(descriptor)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidArgument);
        let told = format!("fd must be the descriptor of a connected socket, but {descriptor}");
        assert!(error.to_string().starts_with(&told), "{error}");
    }
    assert!(file.metadata().is_ok() && listener.local_addr().is_ok());
}

#[tokio::test]
async fn the_application_can_bring_its_own_stream_for_each_attempt() {
    let broker = Broker::start_new().unwrap();
    let behind = place(&broker);
    let dialed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&dialed);
    let here = tokio::runtime::Handle::current();
    let client = Client::builder("mqtt://board-7:99")
        .options(options())
        .transport(move |to| {
            assert_eq!((to.host.as_str(), to.port), ("board-7", 99));
            let (ours, theirs) = tokio::io::duplex(1000);
            here.spawn(relay(theirs, behind.clone()));
            let first = count.fetch_add(1, Ordering::Relaxed) == 0;
            async move {
                if first {
                    return Err(std::io::Error::other("the line is engaged"));
                }
                Ok(ours)
            }
        })
        .build()
        .unwrap();
    let why = first_failure(&client).await.to_string();
    assert!(why.contains("the line is engaged"), "{why}");
    works(&client).await;
    assert_eq!(dialed.load(Ordering::Relaxed), 2);
    client.close(SOON).await.unwrap();
}

#[tokio::test]
async fn connections_go_out_from_the_address_and_interface_asked_for() {
    let broker = Broker::start_new().unwrap();
    let (listener, port) = listen().await;
    let given = options().local_address("127.0.0.2").network_interface("lo");
    let client = Client::new(format!("mqtt://127.0.0.1:{port}"), given).unwrap();
    let (stream, from) = tokio_within(listener.accept()).await.unwrap();
    assert_eq!(from.ip().to_string(), "127.0.0.2");
    tokio::spawn(relay(stream, place(&broker)));
    client.wait_for(Status::Online, SOON).await.unwrap();
}

#[tokio::test]
async fn an_address_or_interface_that_is_not_there_is_told() {
    for (options, told) in [
        (options().local_address("192.0.2.1"), "local_address"),
        (
            options().network_interface("no-such-one"),
            "network_interface",
        ),
        (
            options().local_address("::1"),
            "no address that can be reached from ::1",
        ),
    ] {
        let client = Client::new("mqtt://127.0.0.1:1", options).unwrap();
        let why = first_failure(&client).await.to_string();
        assert!(why.contains(told), "{why}");
    }
    let wrong = Client::new("mqtt://h", options().local_address("eth0")).unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "local_address must be an IP address, not \"eth0\""
    );
}
