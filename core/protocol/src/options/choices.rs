//! The options that choose from a few named values.
use crate::named::named;

named! {
    /// Which version of MQTT to speak.
    pub enum Protocol {
        /// Try 5, fall back to 3.1.1 where the broker does not know 5, and keep what worked.
        Auto = 0, "auto";
        /// MQTT 5.0 only.
        V5 = 5, "5";
        /// MQTT 3.1.1 only.
        V311 = 4, "3.1.1";
    }
}

named! {
    /// What gives way when the post office is full while offline. Only letters never sent can give way.
    pub enum Overflow {
        /// The oldest waiting letter.
        DropOldest = 0, "drop_oldest";
        /// The new letter.
        DropNewest = 1, "drop_newest";
        /// The oldest waiting letter of the lowest priority, or the new one if none is lower.
        DropLowest = 2, "drop_lowest";
        /// Nothing: the new letter is refused with `QueueFull`.
        Reject = 3, "reject";
    }
}

named! {
    /// What happens when the inbox of received messages is full.
    pub enum InboxOverflow {
        /// Stop reading from the connection until there is room.
        Wait = 0, "wait";
        /// Drop the oldest QoS 0 message, counted in the statistics.
        DropOldest = 1, "drop_oldest";
    }
}

named! {
    /// What happens to letters in flight when the broker lost the session.
    pub enum OnSessionLost {
        /// QoS 1 is posted again as new; QoS 2 whose PUBLISH was sent is settled `session_lost`.
        RepublishQos1 = 0, "republish_qos1";
        /// QoS 1 and QoS 2 are posted again as new, QoS 2 not after PUBREC.
        RepublishAll = 1, "republish_all";
        /// All are settled `session_lost`.
        ReportAll = 2, "report_all";
    }
}

named! {
    /// What happens after a reconnect to a letter that expired or was cancelled while in flight.
    pub enum ExpiredInFlight {
        /// It is not sent again: its time has passed.
        Withhold = 0, "withhold";
        /// It is sent again, as the standard asks (MQTT 5, 4.4.0-1).
        Resend = 1, "resend";
    }
}

named! {
    /// What happens to a letter with MQTT 5 properties on a 3.1.1 connection.
    pub enum PropertiesOn311 {
        /// The letter is settled `rejected`.
        Reject = 0, "reject";
        /// It is sent without them.
        Drop = 1, "drop";
    }
}

named! {
    /// A version of TLS.
    pub enum TlsVersion {
        /// TLS 1.2 (RFC 5246).
        V12 = 2, "1.2";
        /// TLS 1.3 (RFC 8446).
        V13 = 3, "1.3";
    }
}

named! {
    /// Which letters go first. Within a priority: first posted, first sent.
    pub enum Priority {
        /// Before all others.
        High = 0, "high";
        /// The usual.
        Normal = 1, "normal";
        /// After all others; the first to give way under `drop_lowest`.
        Low = 2, "low";
    }
}
