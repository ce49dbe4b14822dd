//! A device of a cloud, by the recipe of AWS IoT Core and its like: the port of HTTPS, a certificate of its own, and a protocol (ALPN) by which that
//! port knows MQTT from HTTP. Where only WebSockets are let through, a URL that is signed anew for each connection.
//!
//! `cargo run --bin cloud -- abc123-ats.iot.eu-west-1.amazonaws.com 443 folder`: ca.der, cert.der and key.der are in the folder
//! `cargo run --bin cloud -- abc123-ats.iot.eu-west-1.amazonaws.com 443 folder signature`: only ca.der
use std::error::Error;
use std::time::Duration;

use futures::executor::block_on;
use leveret::{Client, ConnectOptions, Options, TlsVersion};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let client = match arguments.as_slice() {
        [host, port, folder] => with_a_certificate(host, port, folder)?,
        [host, port, folder, signature] => with_signed_urls(host, port, folder, signature)?,
        _ => return Err("what is needed: HOST PORT FOLDER [SIGNATURE]".into()),
    };
    let receipt = client.publish("doors/7/state", "open").send()?;
    println!("the letter is {}", block_on(receipt));
    block_on(client.close(Duration::from_secs(5)))?;
    Ok(())
}

/// Files may be PEM as well. They are read again before each connection, so that they can be renewed.
fn trusting(folder: &str) -> Options {
    Options::new()
        .client_id("door-7")
        .default_ttl(Duration::from_secs(20))
        .tls_min_version(TlsVersion::V12)
        .tls_ca_file(format!("{folder}/ca.der"))
}

fn with_a_certificate(host: &str, port: &str, folder: &str) -> Result<Client, leveret::Error> {
    let options = trusting(folder)
        .tls_alpn(["x-amzn-mqtt-ca"])
        .tls_cert_file(format!("{folder}/cert.der"))
        .tls_key_file(format!("{folder}/key.der"));
    Client::new(format!("mqtts://{host}:{port}"), options)
}

fn with_signed_urls(
    host: &str,
    port: &str,
    folder: &str,
    signature: &str,
) -> Result<Client, leveret::Error> {
    let signature = signature.to_owned();
    Client::builder(&format!("wss://{host}:{port}/mqtt"))
        .options(trusting(folder))
        .before_connect(move |attempt| {
            // Here a device signs the moment, or asks for a token, which `password` would take. Neither is ever shown.
            let url = format!("{}?signature={signature}", attempt.url());
            attempt.connect(ConnectOptions::new().url(url));
        })
        .build()
}
