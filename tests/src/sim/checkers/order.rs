//! Claims about the order in which letters and subscribes go out.

use std::collections::BTreeMap;

use super::wire::Sent;
use super::{Verdict, claim};
use crate::sim::ledger::{Ledger, Letter};
use crate::sim::network::Nanos;

/// SEMANTICS 5: first posted, first sent, within a priority and QoS; what was sent before comes first and in its old order.
pub fn order_is_kept(
    ledger: &Ledger,
    sent: &mut Sent,
    last: &mut LastBegun,
    letter: &Letter,
) -> Verdict {
    if letter.begun.is_empty() {
        let last = last.place(letter);
        claim(*last < letter.number, "first_posted_first_sent", || {
            format!(
                "letter {:x} is sent after letter {last:x}, of the same priority and QoS, that was posted later",
                letter.number
            )
        })?;
        *last = letter.number;
        sent.new_begun |= letter.qos > 0;
        return Ok(());
    }
    if letter.qos == 0 {
        return Ok(()); // of which only a part was taken before
    }
    let place = ledger.first_order.get(&letter.number).copied().unwrap_or(0);
    claim(
        sent.last_again < place,
        "sent_again_in_the_old_order",
        || {
            format!(
                "letter {:x} (place {place}) is sent again after place {} (5.0 MQTT-4.6.0-1, 3.1.1 MQTT-4.6.0-1)",
                letter.number, sent.last_again
            )
        },
    )?;
    claim(!sent.new_begun, "sent_again_before_new_ones", || {
        format!(
            "letter {:x} is sent again after a letter that had not been sent before",
            letter.number
        )
    })?;
    sent.last_again = place;
    Ok(())
}

/// The last letter begun for the first time, by priority and QoS.
#[derive(Clone, Debug, Default)]
pub struct LastBegun([[u64; 3]; 3]);

impl LastBegun {
    fn place(&mut self, letter: &Letter) -> &mut u64 {
        &mut self.0[usize::from(letter.priority.min(2))][usize::from(letter.qos.min(2))]
    }
}

/// What was overtaken in this turn, and by which letter. An engine writes before it tells, so what it settled or answered by itself in
/// the turn (a letter or filter that this broker cannot take) looks overtaken until the turn is over; nothing else may.
#[derive(Clone, Debug, Default)]
pub struct Overtaken {
    letters: BTreeMap<u64, u64>,
    filters: BTreeMap<String, u64>,
}

impl Overtaken {
    /// A letter is begun for the first time: notes what waits and should have gone before it.
    pub fn note(
        &mut self,
        ledger: &Ledger,
        unsent: &BTreeMap<String, u64>,
        letter: &Letter,
        now: Nanos,
    ) -> Verdict {
        let by = letter.number;
        if let Some(first) = self.letters.get(&by) {
            return overtaken(by, *first);
        }
        // Where nothing waits a letter is composed as it is posted: one of the same batch may come too late to go first.
        let came_later = |number: u64| letter.posted == now && number > by;
        let before = ledger.waiting.range(..(letter.priority, by));
        self.letters.extend(
            before
                .filter(|(_, number)| !came_later(*number))
                .map(|(_, number)| (*number, by)),
        );
        let asked_before = unsent.iter().filter(|(_, last)| **last < by);
        self.filters
            .extend(asked_before.map(|(filter, _)| (filter.clone(), by)));
        Ok(())
    }

    /// SEMANTICS 5: a subscribe goes out before the letters posted after it.
    pub fn subscribe_goes_first(&self, filters: &[String]) -> Verdict {
        let late = filters
            .iter()
            .find_map(|filter| Some((filter, self.filters.get(filter)?)));
        claim(late.is_none(), "subscribe_goes_first", || {
            format!("letter and filter, which was asked for before it: {late:x?}")
        })
    }

    /// The turn is over: what is neither sent nor settled was overtaken.
    pub fn turn_is_over(&mut self, ledger: &Ledger, unsent: &BTreeMap<String, u64>) -> Verdict {
        for (number, by) in std::mem::take(&mut self.letters) {
            let waits = ledger
                .letters
                .get(&number)
                .is_some_and(|letter| letter.settled.is_none() && letter.begun.is_empty());
            if waits {
                return overtaken(number, by);
            }
        }
        let filters = std::mem::take(&mut self.filters);
        let late = filters
            .iter()
            .find(|(filter, _)| unsent.contains_key(*filter));
        claim(late.is_none(), "subscribe_goes_first", || {
            format!("filter that was asked for, and the letter sent before it: {late:x?}")
        })
    }
}

/// SEMANTICS 5: of all letters that wait the first of the highest priority is next, whatever its QoS.
fn overtaken(number: u64, by: u64) -> Verdict {
    claim(false, "higher_priority_goes_first", || {
        format!("letter {by:x} is sent before letter {number:x}, whose turn it was")
    })
}
