//! What the threads of one client share: three handoffs and a few facts that never change.

use std::sync::Arc;

use bytes::Bytes;
use leveret_protocol::engine::{
    AckToken, AuthAnswer, Command, Cost, EngineStats, Preparation, Tag, Words,
};
use leveret_protocol::error::{Error, ErrorKind};
use leveret_protocol::options::{ClientOptions, CloseOptions, ConnectOptions};
use leveret_protocol::reason::ReasonCode;
use leveret_protocol::sentence::{self, Dialect};

use crate::handoff::{Handoff, Rings};
use crate::inbox::{Arrival, Inbox};
use crate::ledger::{Keep, Ledger, Question};
use crate::net::url::Address;
use crate::outbox::Outbox;
use crate::requests::Requests;
use crate::runtime::Machine;

/// The most bytes of authentication data (MQTT 5, 1.5.6).
const MOST_DATA: usize = 65_535;

pub(crate) struct Shared {
    /// Callers → driver.
    pub(crate) outbox: Handoff<Outbox>,
    /// Driver → application.
    pub(crate) inbox: Handoff<Inbox>,
    /// Driver → those who wait. May be locked under the outbox, never the other way round.
    pub(crate) ledger: Handoff<Ledger>,
    pub(crate) options: ClientOptions,
    /// The brokers, which are tried in turn.
    pub(crate) addresses: Vec<Arc<Address>>,
    pub(crate) dialect: Dialect,
    pub(crate) machine: Arc<Machine>,
    generation: u64,
}

/// How a client is to be closed.
#[derive(Clone, Debug)]
pub(crate) struct CloseRequest {
    pub(crate) reply: Tag,
    pub(crate) options: Box<CloseOptions>,
}

impl Shared {
    pub(crate) fn new(
        options: ClientOptions,
        addresses: Vec<Arc<Address>>,
        dialect: Dialect,
        keep: Keep,
        engine: EngineStats,
        machine: Arc<Machine>,
        seed: u64,
    ) -> Shared {
        let limit = Cost {
            messages: options.max_queued_messages,
            bytes: options.max_queued_bytes,
        };
        let requests = Requests::new(&options, seed);
        let inbox_messages = usize::try_from(options.max_inbox_messages).unwrap_or(usize::MAX);
        let inbox_bytes = usize::try_from(options.max_inbox_bytes).unwrap_or(usize::MAX);
        Shared {
            outbox: Handoff::new(Outbox::new(limit, engine)),
            inbox: Handoff::new(Inbox::new(
                inbox_messages,
                inbox_bytes,
                options.inbox_overflow,
            )),
            ledger: Handoff::new(Ledger::new(keep, requests)),
            options,
            addresses,
            dialect,
            machine,
            generation: leveret_sys::fork_generation(),
        }
    }

    /// An error in a forked child. To be asked before any lock is taken: the thread that held it at the
    /// fork does not exist here.
    pub(crate) fn check_process(&self) -> Result<(), Error> {
        if self.is_forked() {
            Err(ErrorKind::Forked.into())
        } else {
            Ok(())
        }
    }

    pub(crate) fn is_forked(&self) -> bool {
        self.generation != leveret_sys::fork_generation()
    }

    /// Asks the engine something; the number under which the answer comes.
    pub(crate) fn ask(&self, question: impl FnOnce(Tag) -> Command) -> Result<Tag, Error> {
        self.check_process()?;
        self.outbox.put(|outbox, rings| {
            let tag = outbox.next_tag();
            self.expect_reply(tag, Question::Hosts);
            outbox
                .push(question(tag), rings)
                .inspect_err(|_| self.forget(tag))?;
            Ok(tag)
        })
    }

    /// Enters a question, under the outbox's lock, before the driver can answer it.
    pub(crate) fn expect_reply(&self, tag: Tag, question: Question) {
        self.ledger
            .with(|ledger| ledger.expect_reply(tag, question));
    }

    /// Nobody will ask for this outcome or answer. A request is given up.
    pub(crate) fn forget(&self, tag: Tag) {
        if !self.is_forked() {
            self.ledger.put(|ledger, rings| {
                ledger.forget(tag);
                ledger.requests.end_for_host(tag, rings);
            });
        }
    }

    /// Takes no letters from now on and closes in the background. Reply tag 0 wants no answer.
    pub(crate) fn close(&self, request: CloseRequest) {
        let CloseRequest { reply, options } = request;
        let told = self.outbox.put(|outbox, rings| {
            outbox.begin_close(rings);
            outbox.push(Command::Close { reply, options }, rings)
        });
        if told.is_err() {
            // Closed already, which is what was asked for.
            self.ledger
                .put(|ledger, rings| ledger.answer_done(reply, rings));
        }
    }

    /// Acknowledges a message by hand.
    pub(crate) fn acknowledge(&self, token: AckToken, reason: ReasonCode) -> Result<(), Error> {
        sentence::acknowledgement(reason)?;
        self.tell(Command::Acknowledge {
            token,
            reason,
            words: None,
        })
    }

    /// Acknowledges a message by hand, with words.
    pub(crate) fn acknowledge_with(
        &self,
        token: AckToken,
        reason: ReasonCode,
        words: &Words,
    ) -> Result<(), Error> {
        sentence::acknowledgement(reason)?;
        let words = words.properties()?;
        self.tell(Command::Acknowledge {
            token,
            reason,
            words: (!words.is_empty()).then(|| Box::new(words)),
        })
    }

    /// What our answer to a packet is to carry that a hook was shown.
    pub(crate) fn answer(&self, number: u64, words: &Words) -> Result<(), Error> {
        let words = words.properties()?;
        self.tell_answer(number, Command::Answer { number, words })
    }

    /// Hands over what a hook was asked for under this number.
    fn tell_answer(&self, number: u64, answer: Command) -> Result<(), Error> {
        self.tell(answer)?;
        self.inbox.with(|inbox| inbox.answered(number));
        Ok(())
    }

    /// Where an attempt is to go, as a URL without user name and password.
    pub(crate) fn url_of(&self, asked: &Preparation) -> String {
        let address = self.addresses.get(asked.endpoint);
        match (address, &asked.reference) {
            (Some(address), Some(reference)) => address.referred(reference).to_string(),
            (Some(address), None) => address.to_string(),
            (None, _) => String::new(),
        }
    }

    /// What an attempt to connect is to say.
    pub(crate) fn prepare(&self, number: u64, mut said: ConnectOptions) -> Result<(), Error> {
        if let Some(url) = &said.url {
            // User name and password of a URL are options like those that are given as such, which win.
            let credentials = Address::parse(url)?.credentials;
            if let (Some(credentials), None) = (credentials, &said.username) {
                said.username = Some(credentials.username);
                said.password = said.password.or(credentials.password);
            }
        }
        said.check(&self.options, self.dialect)?;
        let answer = Ok(Box::new(said));
        self.tell_answer(number, Command::Prepared { number, answer })
    }

    /// Why an attempt to connect is not to be made.
    pub(crate) fn refuse_preparation(&self, number: u64, words: &str) -> Result<(), Error> {
        let answer = Err(words.to_owned());
        self.tell_answer(number, Command::Prepared { number, answer })
    }

    /// What the broker is to be sent in a step of authentication.
    pub(crate) fn authenticate(
        &self,
        number: u64,
        data: Option<Bytes>,
        words: &Words,
    ) -> Result<(), Error> {
        if let Some(data) = data.as_ref().filter(|data| data.len() > MOST_DATA) {
            let allowed = "bytes of at most 65535 bytes";
            let given = format!("{} bytes", data.len());
            return Err(sentence::must_be("authentication data", allowed, given));
        }
        let words = words.properties()?;
        let answer = Ok(Box::new(AuthAnswer { data, words }));
        self.tell_answer(number, Command::Authenticate { number, answer })
    }

    /// Why the application goes no further in an exchange of authentication.
    pub(crate) fn refuse_authentication(&self, number: u64, words: &str) -> Result<(), Error> {
        let answer = Err(words.to_owned());
        self.tell_answer(number, Command::Authenticate { number, answer })
    }

    /// Hands over a command that nobody waits for.
    pub(crate) fn tell(&self, command: Command) -> Result<(), Error> {
        self.check_process()?;
        self.outbox.put(|outbox, rings| outbox.push(command, rings))
    }

    /// A queue has done with a message. After the last one it is acknowledged, unless by hand.
    pub(crate) fn done(&self, arrival: &Arrival, handled: bool) {
        let Some(token) = arrival.token else { return };
        if self.options.manual_ack || self.is_forked() {
            return;
        }
        let failed = match arrival.ticket {
            None => Some(!handled),
            Some(ticket) => self.inbox.with(|inbox| inbox.finish(ticket, !handled)),
        };
        let Some(failed) = failed else { return };
        let reason = if failed {
            ReasonCode::UNSPECIFIED_ERROR
        } else {
            ReasonCode::SUCCESS
        };
        // On a closed client the broker delivers it again; there is nobody left to tell.
        let _ = self.acknowledge(token, reason);
    }

    /// The driver has ended, in order or not: everything open is settled and everybody who waits is told.
    pub(crate) fn end(&self) {
        self.outbox.put(|outbox, rings| outbox.end(rings));
        self.ledger.put(|ledger, rings| ledger.end(rings));
        self.inbox.put(|inbox, rings: &mut Rings| inbox.end(rings));
    }
}

/// Shows nothing of what lies in the handoffs: payloads do not belong into logs.
impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Client")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
