//! What attempts to connect are to say, and signatures of handshakes, as a request to connect has it.

use std::io::Write;
use std::process::{Command, Stdio};

use leveret::protocol::options::ConnectOptions;
use leveret::{Builder, Error};
use tokio::sync::mpsc;

use crate::{Pairs, Request, option_value, pair};

/// Has the client asked before each connect, if the request wants so.
pub(super) fn asked(
    builder: Builder,
    request: &mut Request,
    told: mpsc::UnboundedSender<Pairs>,
) -> Builder {
    let answers = request.take("before_connect");
    let names: Vec<_> = request
        .0
        .keys()
        .filter(|name| name.starts_with("said_"))
        .cloned()
        .collect();
    let said: Vec<(String, String)> = names
        .iter()
        .map(|name| {
            (
                name.trim_start_matches("said_").to_owned(),
                request.take(name),
            )
        })
        .collect();
    if answers.is_empty() {
        return builder;
    }
    let answers: Vec<String> = answers.split(',').map(str::to_owned).collect();
    let mut turns = (1..).zip(answers.into_iter().cycle());
    builder.before_connect(move |attempt| {
        // Nobody reads any more once the agent ends.
        let _ = told.send(vec![
            pair("url", attempt.url()),
            pair("number", attempt.number()),
        ]);
        let (number, answer) = turns.next().unwrap_or_default();
        match answer.as_str() {
            "say" => match options(&said, number) {
                Ok(options) => attempt.connect(options),
                Err(error) => attempt.refuse(&error.to_string()),
            },
            "refuse" => attempt.refuse("the scenario wants it so"),
            // Never answered: the library must not wait for ever.
            "hold" => std::mem::forget(attempt),
            _ => drop(attempt),
        }
    })
}

/// With `{n}` as the number of the call.
fn options(said: &[(String, String)], number: u64) -> Result<ConnectOptions, Error> {
    let mut options = ConnectOptions::new();
    for (name, value) in said {
        let value = value.replace("{n}", &number.to_string());
        options = options.with(name, option_value(name, value))?;
    }
    Ok(options)
}

/// Has handshakes signed by the program openssl with the key that the request names, if it names one.
pub(super) fn signed(builder: Builder, request: &mut Request) -> Builder {
    let key = request.take("signer");
    if key.is_empty() {
        return builder;
    }
    builder.signer(move |scheme, message| match (key.as_str(), scheme) {
        ("refuse", _) => Err("the element is locked".to_owned()),
        (key, "ecdsa_secp256r1_sha256") => sign(key, message).map_err(|error| error.to_string()),
        _ => Err(format!("cannot sign with {scheme}")),
    })
}

fn sign(key: &str, message: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-sign", key])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = openssl.stdin.take() {
        input.write_all(message)?;
    }
    let made = openssl.wait_with_output()?;
    if made.status.success() {
        Ok(made.stdout)
    } else {
        Err(std::io::Error::other("openssl failed"))
    }
}
