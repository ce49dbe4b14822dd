//! The handle of a running test broker: its methods are questions to its thread.
use super::{
    certificates::{Authority, Demands, ServerCertificate},
    host::{Host, Question},
    link::Layers,
    options::BrokerBuilder,
    record::{ReceivedConnect, ReceivedMessage, Records},
    server::Server,
    swallow::Direction,
};
use crate::clock;
use bytes::Bytes;
use leveret_protocol::{
    error::{Error, ErrorKind},
    message::QoS,
    text::Text,
    time::Duration,
    topic::validate_topic_name,
};
use mio::Waker;
use std::{
    error, fmt,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
};

/// A running test broker. Dropping it closes it and waits for its thread to end.
///
/// Every method may be called from any thread, and waits for the broker's thread to have done what it says; that takes
/// microseconds, except where a timeout is given. After [`close`](Broker::close) methods that can fail do so with
/// `Closed`, the others do nothing, and the records can still be read.
pub struct Broker {
    url: String,
    port: u16,
    /// What signs its certificates, if it speaks TLS.
    authority: Option<Authority>,
    /// Whether clients have to show one.
    demands: Demands,
    questions: Sender<Question>,
    waker: Waker,
    records: Records,
    thread: Option<JoinHandle<()>>,
}

impl Broker {
    /// Starts a broker with default settings on a free port of 127.0.0.1. Fails with `System` if the operating system
    /// gives no socket or thread.
    pub fn start_new() -> Result<Broker, Error> {
        Broker::builder().start()
    }

    /// Settings for a broker that is not there yet; [`BrokerBuilder::start`] makes it.
    pub fn builder() -> BrokerBuilder {
        BrokerBuilder::default()
    }

    pub(super) fn start_with(options: BrokerBuilder) -> Result<Broker, Error> {
        let place = options.place().map_err(system_error)?;
        let number = place.number().map_err(system_error)?;
        let url = place
            .url(options.speaks_tls(), options.opening().as_ref())
            .map_err(system_error)?;
        let demands = Demands {
            certificate: options.client_certificates,
            protocol: options.alpn.clone(),
        };
        let authority = match options.speaks_tls() {
            true => Some(Authority::new().map_err(system_error)?),
            false => None,
        };
        let config = authority
            .as_ref()
            .map(|authority| authority.server(ServerCertificate::Valid, &demands));
        let layers = Layers {
            tls: config.transpose().map_err(system_error)?,
            websocket: options.opening().map(Arc::new),
        };
        let records = Records::new();
        let (questions, to_host) = mpsc::channel();
        let (ready, readiness) = mpsc::channel();
        let for_host = records.clone();
        let thread = thread::Builder::new()
            .name(format!("broker-{number}"))
            .spawn(move || {
                leveret_sys::block_signals();
                let made = Host::new(
                    place,
                    layers,
                    to_host,
                    Server::new(options, for_host.clone()),
                );
                let (mut host, waker) = match made {
                    Ok(made) => made,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                let started = host.start().map(|()| waker);
                if ready.send(started).is_ok() {
                    host.run();
                }
                for_host.give_up_waits();
            })
            .map_err(system_error)?;
        let waker = readiness
            .recv()
            .map_err(|_| closed())?
            .map_err(system_error)?;
        Ok(Broker {
            url,
            port: number,
            authority,
            demands,
            questions,
            waker,
            records,
            thread: Some(thread),
        })
    }

    /// Where clients reach it, in the words of what it speaks: `mqtt://127.0.0.1:` and the port, `mqtts://`, `ws://`,
    /// `wss://`, or `mqtt+unix://` and the path of a socket file. The same for its whole life.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port number in `url`; 0 if it listens at a socket file.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate authority of this broker alone, as PEM: what its clients have to trust. `None` without TLS.
    pub fn ca_pem(&self) -> Option<&str> {
        Some(self.authority.as_ref()?.ca_pem.as_str())
    }

    /// A certificate with which a client identifies itself to this broker, as PEM. `None` without TLS.
    pub fn client_cert_pem(&self) -> Option<&str> {
        Some(self.authority.as_ref()?.client_cert_pem.as_str())
    }

    /// The key that belongs to `client_cert_pem`, as PEM (PKCS#8). `None` without TLS.
    pub fn client_key_pem(&self) -> Option<&str> {
        Some(self.authority.as_ref()?.client_key_pem.as_str())
    }

    /// Shows this certificate, made anew, to clients that connect from now on; connections stay as they are.
    /// Fails with `NotSupported` if the broker does not speak TLS, and with `Closed` after `close`.
    pub fn show_certificate(&self, certificate: ServerCertificate) -> Result<(), Error> {
        let authority = self.authority.as_ref().ok_or_else(|| {
            let detail = "the test broker shows no certificate, because its option tls is not set";
            Error::new(ErrorKind::NotSupported, detail)
        })?;
        let config = authority
            .server(certificate, &self.demands)
            .map_err(system_error)?;
        self.ask(move |host| host.layers.tls = Some(config))
    }

    /// Stops as a broker does whose machine loses power: every connection is reset, wills are not published, and
    /// connecting is refused. The port stays reserved. Sessions that outlive their connection, and retained messages,
    /// are kept. Does nothing if it is stopped.
    pub fn stop(&self) {
        self.tell(Host::stop);
    }

    /// Stops like [`stop`](Broker::stop), and forgets all sessions and retained messages, as a broker does that keeps
    /// nothing on disk.
    pub fn stop_and_forget(&self) {
        self.tell(|host| {
            host.stop();
            host.server.forget_everything();
        });
    }

    /// Listens again on the same port. Does nothing if it listens. Fails with `System` if the port cannot be listened
    /// on, and with `Closed` after `close`.
    pub fn start(&self) -> Result<(), Error> {
        self.ask(Host::start)?.map_err(system_error)
    }

    /// Whether it listens: true until `stop`, and again after `start`.
    pub fn is_running(&self) -> bool {
        self.ask(|host| host.listening()).unwrap_or(false)
    }

    /// Ends the broker: connections are reset, the port is given back, the thread ends. Nothing restarts it; what it
    /// has received can still be read. Calling it again does nothing.
    pub fn close(&self) {
        let (held, gone) = mpsc::channel();
        if self.ask(|host| host.end(held)).is_ok() {
            // The host holds its end of the channel until all its sockets are closed.
            let _ = gone.recv();
        }
    }

    /// Every PUBLISH that came from a client, in order of arrival, a repeated one included (its `dup` says so), since
    /// the broker was made. A message is in it before it is acknowledged, also if it was refused. Wills and
    /// [`publish`](Broker::publish) are not in it, nor is what was swallowed.
    pub fn received(&self) -> Vec<ReceivedMessage> {
        self.records.received()
    }

    /// How many messages `received` would give.
    pub fn received_count(&self) -> usize {
        self.records.received_count()
    }

    /// Waits until at least `count` messages were received, and gives all there are then. Fails with `TimedOut` after
    /// `timeout`, and with `Closed` when the broker is closed meanwhile.
    pub fn wait_received(
        &self,
        count: usize,
        timeout: Duration,
    ) -> Result<Vec<ReceivedMessage>, Error> {
        let (waiter, told) = mpsc::channel();
        let records = self.records.clone();
        // Asked on the broker's thread, so that it comes before the thread gives up all waits at its end.
        self.ask(move |_| records.tell_when(count, waiter))?;
        match told.recv_timeout(timeout) {
            Ok(()) => Ok(self.received()),
            Err(RecvTimeoutError::Disconnected) => Err(closed()),
            Err(RecvTimeoutError::Timeout) => {
                let came = self.received_count();
                Err(Error::new(
                    ErrorKind::TimedOut,
                    format!("the broker received {came} of {count} messages in the time given"),
                ))
            }
        }
    }

    /// Every CONNECT that came, refused ones included, in order of arrival.
    pub fn connects(&self) -> Vec<ReceivedConnect> {
        self.records.connects()
    }

    /// How many clients are connected: CONNECT was accepted and the connection has not ended.
    pub fn connections(&self) -> usize {
        self.ask(|host| host.server.connections()).unwrap_or(0)
    }

    /// Loses the next `count` packets of a type that clients send, as if they had never arrived: they are neither
    /// answered nor recorded, and do not count for the keep alive. Names are those of the standard, such as
    /// `PUBLISH` or `PINGREQ`; any other gives `InvalidArgument`. A new count replaces what is left of the old one.
    pub fn swallow(&self, packet_type: &str, count: u64) -> Result<(), Error> {
        let packet = Direction::FromClients.packet_type(packet_type)?;
        self.ask(move |host| host.server.swallow_incoming.set(packet, count))
    }

    /// Loses the next `count` packets of a type that the broker sends, as if the network had lost them: the broker
    /// goes on as if it had sent them. Names as for [`swallow`](Broker::swallow), such as `PUBACK` or `CONNACK`.
    pub fn swallow_outgoing(&self, packet_type: &str, count: u64) -> Result<(), Error> {
        let packet = Direction::ToClients.packet_type(packet_type)?;
        self.ask(move |host| host.server.swallow_outgoing.set(packet, count))
    }

    /// Resets every connection and goes on listening. Wills are published, as the standard demands.
    pub fn disconnect_clients(&self) {
        self.tell(|host| host.server.disconnect_clients(clock::now()));
    }

    /// Forgets every session, and resets the connections that used them. Retained messages stay.
    pub fn lose_sessions(&self) {
        self.tell(|host| host.server.lose_sessions(clock::now()));
    }

    /// Stops reading from clients, as a broker does that hangs, until it is called with false. Connections are still
    /// accepted by the operating system, the keep alive is not enforced meanwhile.
    pub fn pause_reading(&self, paused: bool) {
        self.tell(move |host| host.pause_reading(paused));
    }

    /// Publishes a message from the broker itself to whoever subscribes, and retains it if `retain`. An empty payload
    /// with `retain` removes the retained message. Fails with `InvalidArgument` if `topic` is no topic name.
    pub fn publish(
        &self,
        topic: &str,
        payload: impl AsRef<[u8]>,
        qos: QoS,
        retain: bool,
    ) -> Result<(), Error> {
        validate_topic_name(topic)
            .map_err(|problem| Error::invalid(format!("topic \"{topic}\" {problem}")))?;
        let (topic, payload) = (Text::from(topic), Bytes::copy_from_slice(payload.as_ref()));
        self.ask(move |host| {
            host.server
                .publish(topic, payload, qos, retain, clock::now());
        })
    }

    fn tell(&self, order: impl FnOnce(&mut Host) + Send + 'static) {
        // After close there is nobody left to be told, and nothing left to be done.
        let _ = self.ask(order);
    }

    fn ask<R: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Host) -> R + Send + 'static,
    ) -> Result<R, Error> {
        let (reply, answer) = mpsc::channel();
        let question: Question = Box::new(move |host| drop(reply.send(question(host))));
        self.questions.send(question).map_err(|_| closed())?;
        self.waker.wake().map_err(system_error)?;
        answer.recv().map_err(|_| closed())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.close();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been printed by it already; a drop must not panic in turn.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

fn system_error(error: impl Into<Box<dyn error::Error + Send + Sync>>) -> Error {
    let error = error.into();
    Error::new(
        ErrorKind::System,
        format!("the test broker could not be run: {error}"),
    )
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the test broker is closed")
}
