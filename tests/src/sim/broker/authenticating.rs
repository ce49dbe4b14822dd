//! The model broker's side of enhanced authentication (MQTT 5, 4.12): challenges, of which each answer is its bytes in reverse.

use super::strict::Violation;
use super::{Broker, Refusal};
use crate::sim::network::Nanos;
use crate::sim::packets::{Connect, ToClient};

const CONTINUE: u8 = 0x18;
const AGAIN: u8 = 0x19;
/// What a client says first that can go through steps.
pub const BEGIN: &[u8] = b"begin";
/// What the broker says last.
pub const WELCOME: &[u8] = b"welcome";

/// An exchange that is under way.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// CONNECT, which is answered in the end; none in a re-authentication.
    pub connect: Option<Box<Connect>>,
    left: u8,
    expected: Vec<u8>,
}

/// What answers a challenge.
pub fn answer(challenge: &[u8]) -> Vec<u8> {
    challenge.iter().rev().copied().collect()
}

impl Broker {
    /// Begins an exchange, where the client can go through one and the broker wants one. Says whether it does.
    pub(super) fn begin_exchange(
        &mut self,
        now: Nanos,
        number: u32,
        data: &[u8],
        connect: Option<&Connect>,
    ) -> bool {
        let steps = self.manners.auth_steps;
        if steps == 0 || !data.starts_with(BEGIN) {
            return false;
        }
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.exchange = Some(Exchange {
                connect: connect.cloned().map(Box::new),
                left: steps,
                expected: Vec::new(),
            });
            if let Some(connect) = connect {
                connection.method.clone_from(&connect.method);
            }
        }
        self.challenge(now, number);
        true
    }

    fn challenge(&mut self, now: Nanos, number: u32) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        let (Some(exchange), Some(method)) = (&mut connection.exchange, &connection.method) else {
            return;
        };
        exchange.left -= 1;
        let data = format!("challenge {} of connection {number}", exchange.left).into_bytes();
        exchange.expected = answer(&data);
        let method = method.clone();
        self.send(
            now,
            number,
            ToClient::Auth {
                reason: CONTINUE,
                method,
                data,
            },
        );
    }

    /// AUTH from a client.
    pub(super) fn auth(
        &mut self,
        now: Nanos,
        number: u32,
        reason: u8,
        method: Option<&str>,
        data: &[u8],
    ) -> Result<(), Violation> {
        let Some(connection) = self.connections.get_mut(&number) else {
            return Ok(());
        };
        if connection.method.is_none() {
            let what = "AUTH though CONNECT named no method".into();
            return Err(Violation::new("MQTT-4.12.0-7", what));
        }
        if connection.method.as_deref() != method {
            let what = format!("AUTH with the method {method:?}");
            return Err(Violation::new("MQTT-4.12.0-5", what));
        }
        match (reason, connection.exchange.take()) {
            (CONTINUE, Some(exchange)) if exchange.expected == data => {
                self.go_on(now, number, exchange);
                Ok(())
            }
            (AGAIN, None) if connection.client_id.is_some() => {
                if !self.begin_exchange(now, number, data, None) {
                    self.accept_again(now, number);
                }
                Ok(())
            }
            (_, exchange) => Err(Violation::new(
                "5.0 4.12",
                format!("AUTH {reason:#x} with {data:?}, the exchange is {exchange:?}"),
            )),
        }
    }

    fn go_on(&mut self, now: Nanos, number: u32, exchange: Exchange) {
        if self.faults.refuse_authentication > 0 {
            self.faults.refuse_authentication -= 1;
            return match exchange.connect {
                Some(_) => self.refuse(now, number, 5, Refusal::Reason(0x87)),
                None => self.kick(now, number, 0x87),
            };
        }
        if exchange.left > 0 {
            if let Some(connection) = self.connections.get_mut(&number) {
                connection.exchange = Some(exchange);
            }
            return self.challenge(now, number);
        }
        match exchange.connect {
            Some(connect) => self.accept_client(now, number, &connect),
            None => self.accept_again(now, number),
        }
    }

    fn accept_again(&mut self, now: Nanos, number: u32) {
        let method = self.connections.get(&number);
        let Some(method) = method.and_then(|connection| connection.method.clone()) else {
            return;
        };
        let data = WELCOME.to_vec();
        self.send(
            now,
            number,
            ToClient::Auth {
                reason: 0,
                method,
                data,
            },
        );
    }
}
