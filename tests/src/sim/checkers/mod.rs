//! The checkers: small named functions, each with one claim about a run and the sentence that says how it was broken.

pub mod breach;
pub mod connecting;
pub mod ending;
pub mod inbound;
pub mod order;
pub mod outcomes;
pub mod wire;

use core::fmt;

/// A broken claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The name of the checker.
    pub checker: &'static str,
    /// How the claim was broken.
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.checker, self.message)
    }
}

/// What a checker says.
pub type Verdict = Result<(), Failure>;

/// The claim of `checker` holds, or `message` says why it does not.
pub fn claim(holds: bool, checker: &'static str, message: impl FnOnce() -> String) -> Verdict {
    if holds {
        Ok(())
    } else {
        Err(Failure {
            checker,
            message: message(),
        })
    }
}

/// A point in time as people read it.
pub fn seconds(nanos: u64) -> String {
    format!("{}.{:09} s", nanos / 1_000_000_000, nanos % 1_000_000_000)
}
