//! The broker's thread: sockets in, packets to the server, bytes out, and the handle's questions in between.
use super::{
    link::{Found, Layers, Link, PartingLink},
    place::Place,
    server::{HangUp, LinkId, Server},
    socket::{Listener, Socket},
};
use crate::clock;
use leveret_protocol::time::Duration;
use mio::{Events, Poll, Token, Waker};
use std::{
    collections::{BTreeMap, BTreeSet},
    io, mem,
    sync::mpsc::{Receiver, Sender, TryRecvError},
};

/// Something the handle wants done on the thread. It answers through a channel of its own.
pub(super) type Question = Box<dyn FnOnce(&mut Host) + Send>;

const WAKE: Token = Token(0);
const LISTENER: Token = Token(1);
const FIRST_LINK: usize = 2;
const SCRATCH: usize = 64 * 1024;

/// Everything the thread owns: the sockets here, all that is MQTT in `server`.
pub(super) struct Host {
    poll: Poll,
    questions: Receiver<Question>,
    place: Place,
    listener: Option<Listener>,
    /// What new connections speak.
    pub(super) layers: Layers,
    links: BTreeMap<LinkId, Link>,
    parting: BTreeMap<LinkId, PartingLink>,
    /// Links that may have more to read: edge-triggered readiness is told only once.
    readable: BTreeSet<LinkId>,
    next_link: usize,
    reading_paused: bool,
    ending: bool,
    scratch: Vec<u8>,
    pub(super) server: Server,
    /// The last field, so that it is dropped after the sockets.
    held: Option<Sender<()>>,
}

impl Host {
    /// A host that does not listen yet, and what wakes its thread.
    pub(super) fn new(
        place: Place,
        layers: Layers,
        questions: Receiver<Question>,
        server: Server,
    ) -> io::Result<(Host, Waker)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let host = Host {
            poll,
            questions,
            place,
            listener: None,
            layers,
            links: BTreeMap::new(),
            parting: BTreeMap::new(),
            readable: BTreeSet::new(),
            next_link: FIRST_LINK,
            reading_paused: false,
            ending: false,
            scratch: vec![0; SCRATCH],
            server,
            held: None,
        };
        Ok((host, waker))
    }

    /// Turns until told to end, or until the handle is gone.
    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(256);
        while !self.ending {
            match self.poll.poll(&mut events, self.time_to_wait()) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
            self.note_readiness(&events);
            self.answer_questions();
            self.read_links();
            self.server.tick(clock::now());
            self.write_links();
            self.part_links();
        }
        self.stop();
    }

    /// Opens the listener; nothing if it is open.
    pub(super) fn start(&mut self) -> io::Result<()> {
        if self.listener.is_none() {
            let mut listener = self.place.listen()?;
            listener.register(self.poll.registry(), LISTENER)?;
            self.listener = Some(listener);
        }
        Ok(())
    }

    /// Closes the listener and resets every connection.
    pub(super) fn stop(&mut self) {
        if let Some(listener) = self.listener.take() {
            listener.end();
        }
        self.server.power_cut(clock::now());
        self.parting.clear();
        self.readable.clear();
        for link in mem::take(&mut self.links).into_values() {
            link.abort();
        }
    }

    /// Whether the broker listens.
    pub(super) fn listening(&self) -> bool {
        self.listener.is_some()
    }

    /// Stops reading from the connections, or reads on.
    pub(super) fn pause_reading(&mut self, paused: bool) {
        self.reading_paused = paused;
        self.server.pause_reading(paused, clock::now());
    }

    /// Ends the thread after this turn. `held` is dropped when every socket is closed.
    pub(super) fn end(&mut self, held: Sender<()>) {
        self.ending = true;
        self.held = Some(held);
    }

    fn time_to_wait(&self) -> Option<Duration> {
        if !self.reading_paused && !self.readable.is_empty() {
            return Some(Duration::ZERO);
        }
        let parting = self.parting.values().map(PartingLink::give_up).min();
        let next = parting
            .into_iter()
            .chain(self.server.next_deadline())
            .min()?;
        // A poll waits whole milliseconds: one more, so that it does not return just before the deadline and spin.
        Some(next.since(clock::now()) + Duration::from_millis(1))
    }

    fn note_readiness(&mut self, events: &Events) {
        for event in events {
            match event.token() {
                WAKE => {}
                LISTENER => self.accept(),
                Token(number) => {
                    let id = LinkId(number);
                    if event.is_readable() || event.is_read_closed() || event.is_error() {
                        self.readable.insert(id);
                    }
                    self.server.touched.insert(id);
                }
            }
        }
    }

    fn accept(&mut self) {
        while let Some(listener) = &self.listener {
            match listener.accept() {
                Ok(socket) => {
                    let id = LinkId(self.next_link);
                    self.next_link += 1;
                    if let Ok(link) = self.open(socket, Token(id.0)) {
                        self.links.insert(id, link);
                        self.readable.insert(id);
                        self.server.link_opened(id);
                    }
                }
                // The peer was gone again before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(_) => return,
            }
        }
    }

    fn open(&self, mut socket: Socket, token: Token) -> io::Result<Link> {
        socket.register(self.poll.registry(), token)?;
        self.layers.over(socket)
    }

    fn answer_questions(&mut self) {
        loop {
            match self.questions.try_recv() {
                Ok(question) => question(self),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.ending = true;
                    return;
                }
            }
        }
    }

    fn read_links(&mut self) {
        if self.reading_paused {
            return;
        }
        for id in mem::take(&mut self.readable) {
            let Some(link) = self.links.get_mut(&id) else {
                continue;
            };
            let found = link.read(&mut self.scratch);
            self.server.receive(id, &mut link.input, clock::now());
            match found {
                Found::Nothing => {}
                Found::More => {
                    self.readable.insert(id);
                }
                Found::End => {
                    // The peer may have closed its side only: the answers to what it sent last still go out.
                    self.write_links();
                    self.server.link_ended(id, clock::now());
                    self.links.remove(&id);
                }
            }
        }
    }

    fn write_links(&mut self) {
        for id in mem::take(&mut self.server.touched) {
            let (Some(link), Some(output)) = (self.links.get_mut(&id), self.server.output(id))
            else {
                continue;
            };
            if link.write(output).is_err() {
                // The connection is gone; what was received on it before is read first, and then its end is found.
                self.readable.insert(id);
            }
        }
        for hang_up in mem::take(&mut self.server.hang_ups) {
            let Some(link) = self.links.remove(&hang_up.link()) else {
                continue;
            };
            match hang_up {
                HangUp::AtOnce(_) => link.abort(),
                HangUp::AfterWriting(id, farewell) => {
                    self.parting.insert(id, link.part(farewell, clock::now()));
                }
            }
        }
    }

    fn part_links(&mut self) {
        let now = clock::now();
        let scratch = &mut self.scratch;
        self.parting.retain(|_, link| !link.is_done(scratch, now));
    }
}
