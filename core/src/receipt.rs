//! A receipt: the future of a letter's outcome.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use leveret_protocol::engine::Tag;
use leveret_protocol::outcome::{Outcome, OutcomeStatus};

use crate::shared::Shared;

/// What a letter was posted for: awaiting it gives its one [`Outcome`]. An outcome is a value, not an
/// error: a receipt that is dropped breaks nothing, and the letter goes its way.
///
/// It holds no client: when the last client is dropped, receipts settle.
///
/// ```
/// # futures::executor::block_on(async {
/// # let broker = leveret::testing::Broker::start_new()?;
/// # let client = leveret::Client::new(broker.url(), leveret::Options::new())?;
/// use leveret::OutcomeStatus;
///
/// let receipt = client.publish("doors/front", "open").send()?;
/// let outcome = receipt.await;
/// match outcome.status {
///     OutcomeStatus::Acknowledged => println!("the broker has it"),
///     _ if outcome.maybe_delivered => println!("the broker may have it: {outcome}"),
///     _ => println!("the broker does not have it: {outcome}"),
/// }
/// outcome.into_result()?; // for those who prefer errors
/// # Ok::<(), leveret::Error>(()) }).unwrap();
/// ```
#[derive(Debug)]
#[must_use = "a receipt is awaited, or dropped on purpose"]
pub struct Receipt {
    shared: Arc<Shared>,
    tag: Tag,
    outcome: Option<Outcome>,
}

impl Receipt {
    pub(crate) fn new(shared: Arc<Shared>, tag: Tag) -> Receipt {
        Receipt {
            shared,
            tag,
            outcome: None,
        }
    }

    /// The receipt's number: unique and increasing within a client.
    pub fn tag(&self) -> Tag {
        self.tag
    }

    /// The outcome, if it has come.
    pub fn outcome(&mut self) -> Option<&Outcome> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        let _ = self.poll_outcome(&mut context);
        self.outcome.as_ref()
    }

    fn poll_outcome(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.outcome.is_some() {
            return Poll::Ready(());
        }
        let claimed = match self.shared.check_process() {
            Ok(()) => ready!(
                self.shared
                    .ledger
                    .with(|ledger| ledger.poll_outcome(self.tag, context))
            ),
            Err(error) => Err(error),
        };
        // The only error is a forked child, whose letters stayed with the parent.
        self.outcome = Some(claimed.unwrap_or(Outcome::new(OutcomeStatus::Closed)));
        Poll::Ready(())
    }
}

impl Future for Receipt {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        ready!(self.poll_outcome(context));
        Poll::Ready(
            self.outcome
                .clone()
                .unwrap_or(Outcome::new(OutcomeStatus::Closed)),
        )
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        if self.outcome.is_none() {
            self.shared.forget(self.tag);
        }
    }
}
