//! Proxies: HTTP CONNECT and SOCKS5, with and without a login, before every kind of link, and proxies that refuse.

use leveret::Client;
use leveret::testing::Broker;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::relay::{SOON, first_failure, listen, options, relay, serve_each, works};

/// An HTTP proxy that wants this header, if any.
async fn http_proxy(login: Option<&'static str>) -> u16 {
    let (listener, port) = listen().await;
    serve_each(listener, move |mut stream| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let place = head.split(' ').nth(1).unwrap().to_owned();
        assert!(head.starts_with(&format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n")));
        let known = login.is_none_or(|login| head.contains(login));
        let answer = if known {
            "HTTP/1.1 200 Connection established\r\nvia: a test\r\n\r\n"
        } else {
            "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
        if known {
            relay(stream, place).await;
        }
    });
    port
}

/// A SOCKS5 proxy that wants a login, if any.
async fn socks_proxy(login: Option<(&'static str, &'static str)>) -> u16 {
    let (listener, port) = listen().await;
    serve_each(listener, move |stream| async move {
        // Whatever goes wrong ends the connection, which the client tells.
        let _ = serve_socks(stream, login).await;
    });
    port
}

async fn text(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut text = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut text).await?;
    Ok(String::from_utf8(text).unwrap())
}

async fn serve_socks(
    mut stream: TcpStream,
    login: Option<(&'static str, &'static str)>,
) -> std::io::Result<()> {
    assert_eq!(stream.read_u8().await?, 5);
    let mut methods = vec![0; usize::from(stream.read_u8().await?)];
    stream.read_exact(&mut methods).await?;
    let wanted = if login.is_some() { 2 } else { 0 };
    if !methods.contains(&wanted) {
        return stream.write_all(&[5, 0xff]).await;
    }
    stream.write_all(&[5, wanted]).await?;
    if let Some((username, password)) = login {
        assert_eq!(stream.read_u8().await?, 1);
        let given = (text(&mut stream).await?, text(&mut stream).await?);
        let known = given == (username.into(), password.into());
        stream.write_all(&[1, u8::from(!known)]).await?;
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    assert_eq!(head[..3], [5, 1, 0]);
    let host = match head[3] {
        1 => std::net::Ipv4Addr::from(stream.read_u32().await?).to_string(),
        3 => text(&mut stream).await?,
        other => panic!("an address of kind {other}"),
    };
    let port = stream.read_u16().await?;
    if host == "forbidden.example" {
        return stream.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]).await;
    }
    // The address that the proxy used, here as a name.
    stream.write_all(&[5, 0, 0, 3, 2, b'o', b'k', 0, 9]).await?;
    relay(stream, format!("{host}:{port}")).await;
    Ok(())
}

#[tokio::test]
async fn every_kind_of_link_goes_through_every_kind_of_proxy() {
    let proxies = [
        format!("http://127.0.0.1:{}", http_proxy(None).await),
        format!(
            "http://me:a%3Ab@127.0.0.1:{}",
            http_proxy(Some("Proxy-Authorization: Basic bWU6YTpi\r\n")).await
        ),
        format!("socks5://127.0.0.1:{}", socks_proxy(None).await),
        format!(
            "socks5h://me:a%3Ab@127.0.0.1:{}/",
            socks_proxy(Some(("me", "a:b"))).await
        ),
    ];
    for (tls, websocket) in [(false, false), (true, false), (false, true), (true, true)] {
        let broker = Broker::builder()
            .tls(tls)
            .websocket(websocket)
            .start()
            .unwrap();
        let given = match broker.ca_pem() {
            Some(ca) => options().tls_ca(ca),
            None => options(),
        };
        for proxy in &proxies {
            let client = Client::new(broker.url(), given.clone().proxy(proxy.as_str())).unwrap();
            works(&client).await;
            client.close(SOON).await.unwrap();
        }
    }
}

#[tokio::test]
async fn the_proxy_looks_up_the_name_of_the_broker() {
    let broker = Broker::start_new().unwrap();
    let url = broker.url().replace("127.0.0.1", "localhost");
    for proxy in [
        format!("http://127.0.0.1:{}", http_proxy(None).await),
        format!("socks5://127.0.0.1:{}", socks_proxy(None).await),
    ] {
        let client = Client::new(&url, options().proxy(proxy)).unwrap();
        works(&client).await;
    }
}

#[tokio::test]
async fn a_proxy_that_refuses_says_why() {
    let login = Some("Proxy-Authorization: Basic bWU6eW91\r\n");
    let (http, socks) = (
        http_proxy(login).await,
        socks_proxy(Some(("me", "you"))).await,
    );
    let open = socks_proxy(None).await;
    let (silent, port) = listen().await;
    drop(silent);
    let not_one = listen().await;
    serve_each(not_one.0, |mut stream| async move {
        let _ = stream.write_all(b"220 mail.example\r\n\r\n").await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
    });
    let not_one = not_one.1;
    for (proxy, told) in [
        (
            format!("http://127.0.0.1:{http}"),
            "the proxy asks for a user name and password",
        ),
        (
            format!("http://me:he@127.0.0.1:{http}"),
            "does not accept the user name and password",
        ),
        (
            format!("socks5://127.0.0.1:{socks}"),
            "the proxy asks for a user name and password",
        ),
        (
            format!("socks5://me:he@127.0.0.1:{socks}"),
            "does not accept the user name and password",
        ),
        (
            format!("socks5://127.0.0.1:{open}"),
            "did not connect to forbidden.example:1883: its rules do not allow it",
        ),
        (format!("http://127.0.0.1:{port}"), "Connection refused"),
        (
            format!("http://127.0.0.1:{not_one}"),
            "the proxy does not speak HTTP",
        ),
        (
            format!("socks5://127.0.0.1:{not_one}"),
            "the proxy does not speak SOCKS5",
        ),
    ] {
        let client =
            Client::new("mqtt://forbidden.example", options().proxy(proxy.as_str())).unwrap();
        let why = first_failure(&client).await.to_string();
        assert!(why.contains(told), "{proxy}: {why}");
        assert!(!why.contains("he@"), "{why}");
    }
}
