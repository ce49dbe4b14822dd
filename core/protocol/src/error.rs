//! The error table: number, name in C, class in Python and Node, text, and whether trying again makes sense.
use alloc::borrow::Cow;
use core::fmt;

use crate::reason::ReasonCode;

macro_rules! errors {
    ($( $(#[doc = $doc:literal])+ $Variant:ident = $number:literal, $c_name:literal, $Class:ident, $retry:ident, $text:literal; )+) => {
        /// What kind of thing went wrong. Every language has the same kinds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i32)]
        pub enum ErrorKind {
            $( $(#[doc = $doc])+ $Variant = $number, )+
        }

        impl ErrorKind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [ErrorKind] = &[$(ErrorKind::$Variant),+];

            /// The number C knows it by: negative, never reused.
            pub const fn number(self) -> i32 {
                self as i32
            }

            /// The constant in C, `MQTT_QUEUE_FULL`; with `ERR_` before it, `code` in Node.
            pub const fn c_name(self) -> &'static str {
                match self {
                    $( ErrorKind::$Variant => $c_name, )+
                }
            }

            /// The class of exception it is raised as.
            pub const fn class(self) -> ErrorClass {
                match self {
                    $( ErrorKind::$Variant => ErrorClass::$Class, )+
                }
            }

            /// Can the same call succeed later without anything being changed.
            pub const fn retryable(self) -> bool {
                match self {
                    $( ErrorKind::$Variant => errors!(@$retry), )+
                }
            }

            /// The kind in one sentence without a full stop, where no detail is known.
            pub const fn text(self) -> &'static str {
                match self {
                    $( ErrorKind::$Variant => $text, )+
                }
            }

            /// What it means, as printed in generated documentation.
            pub const fn doc(self) -> &'static str {
                match self {
                    $( ErrorKind::$Variant => concat!($($doc),+).trim_ascii(), )+
                }
            }

            /// The kind with this number.
            pub const fn from_number(number: i32) -> Option<ErrorKind> {
                match number {
                    $( $number => Some(ErrorKind::$Variant), )+
                    _ => None,
                }
            }
        }
    };
    (@retry) => { true };
    (@final) => { false };
}

errors! {
    /// An argument or the value of an option is outside what is allowed.
    InvalidArgument = -1, "MQTT_INVALID_ARGUMENT", Configuration, final, "an argument is not valid";
    /// There is no option of this name.
    UnknownOption = -2, "MQTT_UNKNOWN_OPTION", Configuration, final, "there is no such option";
    /// The post office is full, and no letter may be dropped to make room.
    QueueFull = -3, "MQTT_QUEUE_FULL", QueueFull, retry, "the post office is full";
    /// The call would wait for the very thread it runs on.
    WouldDeadlock = -4, "MQTT_WOULD_DEADLOCK", WouldDeadlock, final, "waiting here would wait for this thread itself";
    /// It did not happen within the time given.
    TimedOut = -5, "MQTT_TIMED_OUT", Timeout, retry, "it did not happen in the time given";
    /// The client is closed.
    Closed = -6, "MQTT_CLOSED", Closed, final, "the client is closed";
    /// There is no connection to the broker just now.
    NotConnected = -7, "MQTT_NOT_CONNECTED", Connection, retry, "there is no connection to the broker";
    /// The connection was lost before the answer came.
    ConnectionLost = -8, "MQTT_CONNECTION_LOST", Connection, retry, "the connection was lost before the answer came";
    /// The broker refused, with a reason code.
    Refused = -9, "MQTT_REFUSED", Refused, final, "the broker refused";
    /// This broker, or this version of MQTT, cannot do what was asked.
    NotSupported = -10, "MQTT_NOT_SUPPORTED", Configuration, final, "this broker or protocol version cannot do that";
    /// The broker broke the rules of the protocol.
    ProtocolViolation = -11, "MQTT_PROTOCOL_VIOLATION", Protocol, final, "the broker broke the rules of the protocol";
    /// The client was made before the process forked, and this is the child.
    Forked = -12, "MQTT_FORKED", Closed, final, "this client belongs to the parent process; make a new one after a fork";
    /// The receipt was settled so long ago that its outcome is no longer kept, or it was never given out.
    ReceiptForgotten = -13, "MQTT_RECEIPT_FORGOTTEN", Receipt, final, "the outcome of this receipt is no longer kept";
    /// The outcome of a letter was asked to be raised as an error, and it was not delivered.
    NotDelivered = -14, "MQTT_NOT_DELIVERED", NotDelivered, final, "the letter was not delivered";
    /// A pointer that must not be NULL was.
    NullPointer = -15, "MQTT_NULL_POINTER", Configuration, final, "a pointer must not be NULL";
    /// A defect in leveret itself; the client is finished.
    Panic = -16, "MQTT_PANIC", Internal, final, "leveret met a defect of its own; the client is finished";
    /// The operating system refused something leveret needs, such as a thread.
    System = -17, "MQTT_SYSTEM", Internal, final, "the operating system refused";
    /// The wait was given up before it was over.
    Cancelled = -18, "MQTT_CANCELLED", Cancelled, final, "the wait was given up";
}

macro_rules! classes {
    ($( $(#[doc = $doc:literal])+ $Variant:ident, $python:literal, $builtin:expr; )+) => {
        /// The classes of exception: few, so that a program can catch what it can do something about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorClass {
            $( $(#[doc = $doc])+ $Variant, )+
        }

        impl ErrorClass {
            /// Every class, in the order of the table.
            pub const ALL: &'static [ErrorClass] = &[$(ErrorClass::$Variant),+];

            /// The name of the exception class in Python; all derive from `MqttError`.
            pub const fn name(self) -> &'static str {
                match self {
                    $( ErrorClass::$Variant => $python, )+
                }
            }

            /// The exception built into Python that it also is, so that code which expects that one catches it.
            pub const fn python_builtin(self) -> Option<&'static str> {
                match self {
                    $( ErrorClass::$Variant => $builtin, )+
                }
            }

            /// What it means, as printed in generated documentation.
            pub const fn doc(self) -> &'static str {
                match self {
                    $( ErrorClass::$Variant => concat!($($doc),+).trim_ascii(), )+
                }
            }
        }
    };
}

classes! {
    /// An argument or option is wrong, or the broker cannot do it: a mistake in the program or its configuration.
    Configuration, "ConfigurationError", Some("ValueError");
    /// The post office is full; wait for room and try again.
    QueueFull, "QueueFull", None;
    /// The call would wait for the very thread it runs on.
    WouldDeadlock, "WouldDeadlock", None;
    /// It did not happen within the time given.
    Timeout, "TimeoutError", Some("TimeoutError");
    /// The client is closed, or belongs to the parent process.
    Closed, "ClosedError", None;
    /// There is no connection, or it was lost before the answer came.
    Connection, "ConnectionError", Some("ConnectionError");
    /// The broker refused, with a reason code.
    Refused, "RefusedError", None;
    /// The broker broke the rules of the protocol.
    Protocol, "ProtocolError", None;
    /// The outcome of a receipt is no longer kept.
    Receipt, "ReceiptError", None;
    /// A letter was not delivered, and the program asked to have that raised.
    NotDelivered, "NotDelivered", None;
    /// The wait was given up before it was over.
    Cancelled, "WaitCancelled", None;
    /// A defect in leveret, or something the operating system refused.
    Internal, "InternalError", None;
}

/// What went wrong: its kind, the broker's reason code if there is one, and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The row of the error table.
    pub kind: ErrorKind,
    /// The reason code, where the broker gave one.
    pub reason: Option<ReasonCode>,
    /// A sentence without a full stop that names what is wrong and what is allowed; empty where the text of the kind says it all.
    pub detail: Cow<'static, str>,
}

impl Error {
    /// An error with a sentence of its own.
    pub fn new(kind: ErrorKind, detail: impl Into<Cow<'static, str>>) -> Error {
        Error {
            kind,
            reason: None,
            detail: detail.into(),
        }
    }

    /// A wrong argument; the sentence names it and what is allowed.
    pub fn invalid(detail: impl Into<Cow<'static, str>>) -> Error {
        Error::new(ErrorKind::InvalidArgument, detail)
    }

    /// The same error with the broker's reason code.
    pub fn with_reason(mut self, reason: ReasonCode) -> Error {
        self.reason = Some(reason);
        self
    }

    /// Can the same call succeed later without anything being changed.
    pub const fn retryable(&self) -> bool {
        self.kind.retryable()
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Error {
        Error::new(kind, "")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if self.detail.is_empty() {
            self.kind.text()
        } else {
            &self.detail
        };
        f.write_str(text)?;
        match self.reason {
            Some(reason) if self.kind == ErrorKind::Refused => {
                let reason = alloc::format!("{reason}");
                // The broker's own words may begin with it.
                if text.contains(&reason) {
                    return Ok(());
                }
                write!(f, " ({reason})")
            }
            _ => Ok(()),
        }
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn numbers_lead_back_and_names_are_unique() {
        for (i, &kind) in ErrorKind::ALL.iter().enumerate() {
            assert_eq!(ErrorKind::from_number(kind.number()), Some(kind));
            assert_eq!(kind.number(), -1 - i as i32, "numbers are dense, in order");
            assert!(kind.c_name().starts_with("MQTT_"));
            assert!(!kind.text().ends_with('.'));
            assert_eq!(
                ErrorKind::ALL
                    .iter()
                    .filter(|other| other.c_name() == kind.c_name())
                    .count(),
                1
            );
        }
        assert_eq!(ErrorKind::from_number(0), None);
    }

    #[test]
    fn every_class_has_a_kind() {
        for &class in ErrorClass::ALL {
            assert!(
                ErrorKind::ALL.iter().any(|kind| kind.class() == class),
                "{}",
                class.name()
            );
        }
    }

    #[test]
    fn the_text_stands_in_for_a_missing_detail() {
        assert_eq!(
            Error::from(ErrorKind::Closed).to_string(),
            "the client is closed"
        );
        assert_eq!(
            Error::invalid("qos must be 0, 1 or 2, not 3").to_string(),
            "qos must be 0, 1 or 2, not 3"
        );
    }
}
