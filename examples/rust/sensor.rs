//! A sensor on a plain thread, without an async runtime: the last reading counts, an alarm outlives an outage.
//!
//! `cargo run --bin sensor -- mqtt://localhost:1883`
use std::time::Duration;

use futures::executor::block_on;
use leveret::{Client, Error, Options, Overflow, Priority, QoS};

fn main() -> Result<(), Error> {
    let url = std::env::args().nth(1);
    let url = url.as_deref().unwrap_or("mqtt://localhost:1883");
    let options = Options::new()
        .client_id("boiler-3")
        .max_queued_messages(1_000)
        .overflow(Overflow::DropLowest);
    let client = Client::new(url, options)?;
    for step in 0..15 {
        let temperature = 20 + 5 * step;
        // Worth nothing after ten seconds, and less than the next one; whoever wants to know what became of it keeps the receipt.
        client
            .publish("boilers/3/temperature", temperature.to_string())
            .qos(QoS::AtMostOnce)
            .ttl(Duration::from_secs(10))
            .priority(Priority::Low)
            .replace("temperature")
            .send_unreported()?;
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("too hot");
    let alarm = client
        .publish("boilers/3/alarm", "too hot")
        .qos(QoS::ExactlyOnce)
        .ttl(Duration::from_secs(24 * 3600))
        .priority(Priority::High)
        .send()?;
    println!("alarm {}", block_on(alarm));
    block_on(client.close(Duration::from_secs(5)))
}
