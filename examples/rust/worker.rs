//! A worker on a shared queue: a job is acknowledged when it is done, so that one cut short goes to another worker.
//!
//! `cargo run --bin worker -- mqtt://localhost:1883`
use std::time::Duration;

use futures::StreamExt;
use leveret::{Client, Error, Message, Options, Protocol, QoS};

/// Does one job. What fails is told, and not tried again for ever.
fn work(job: &Message) -> Result<String, String> {
    let text = std::str::from_utf8(job.payload()).map_err(|error| error.to_string())?;
    let numbers = text.split('+').map(|number| number.trim().parse::<i64>());
    let sum: Result<i64, _> = numbers.sum();
    sum.map(|sum| format!("{text} = {sum}"))
        .map_err(|error| format!("{text:?}: {error}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1);
    let url = url.as_deref().unwrap_or("mqtt://localhost:1883");
    // A window of one: no worker holds jobs that another could do.
    let options = Options::new().protocol(Protocol::V5).receive_maximum(1);
    let client = Client::new(url, options)?;
    let mut jobs = client
        .subscribe("$share/workers/jobs/new", QoS::AtLeastOnce)
        .await?;
    println!("ready");
    while let Some(job) = jobs.next().await {
        if job.payload().is_empty() {
            break;
        }
        let (topic, text) = match work(&job) {
            Ok(text) => ("jobs/done", text),
            Err(text) => ("jobs/failed", text),
        };
        println!("{topic} {text}");
        client.publish(topic, text).send_wait().await?.await;
    }
    client.close(Duration::from_secs(5)).await
}
