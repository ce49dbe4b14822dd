//! The topics on which responses are awaited: which one is the client's own, and which are subscribed to.

use std::collections::BTreeMap;

use leveret_protocol::message::QoS;
use leveret_protocol::options::ClientOptions;
use leveret_protocol::topic::validate_topic_name;

/// Topics that were named by a request and on which none is open stay subscribed to, up to so many: most
/// will be asked on again.
const MOST_IDLE: usize = 64;

#[derive(Debug)]
pub(crate) struct Topics {
    /// The topic of requests that name none.
    own: String,
    /// What the broker's own word is put before; the client option wins over it.
    name: Option<String>,
    declared: BTreeMap<String, Declared>,
    clock: u64,
}

#[derive(Debug)]
struct Declared {
    qos: QoS,
    open: usize,
    /// When it was asked on last, counted in requests.
    used: u64,
}

/// What has to be said to the broker before a request can be answered.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// The topic has to be subscribed to.
    pub(crate) subscribe: bool,
    /// This one need not be any more.
    pub(crate) unsubscribe: Option<String>,
}

impl Topics {
    pub(crate) fn new(options: &ClientOptions, token: u64) -> Topics {
        let name = name(options, token);
        Topics {
            own: match &options.response_topic {
                Some(topic) => topic.clone(),
                None => format!("response/{name}"),
            },
            name: options.response_topic.is_none().then_some(name),
            declared: BTreeMap::new(),
            clock: 0,
        }
    }

    /// The broker says below which topic this client may be answered (MQTT 5, 3.2.2.3.15).
    pub(crate) fn prefer(&mut self, information: Option<&str>) {
        let (Some(name), Some(information)) = (&self.name, information) else {
            return;
        };
        let topic = format!("{}/{name}", information.trim_end_matches('/'));
        // The standard does not say that it has to be part of a topic name.
        if validate_topic_name(&topic).is_ok() && !topic.starts_with('/') {
            self.own = topic;
        }
    }

    /// The topic of requests that name none.
    pub(crate) fn own(&self) -> &str {
        &self.own
    }

    /// Whether this is a topic on which correlation data alone counts.
    pub(crate) fn is_own(&self, topic: &str) -> bool {
        self.own == topic
    }

    /// A request begins to wait on this topic.
    pub(crate) fn enter(&mut self, topic: &str, qos: QoS) -> Changes {
        self.clock += 1;
        let mut changes = Changes::default();
        let declared = self.declared.entry(topic.to_owned()).or_insert_with(|| {
            changes.subscribe = true;
            Declared {
                qos,
                open: 0,
                used: 0,
            }
        });
        // A response comes with the QoS of its topic's subscription at most.
        if declared.qos < qos {
            declared.qos = qos;
            changes.subscribe = true;
        }
        declared.open += 1;
        declared.used = self.clock;
        if changes.subscribe {
            changes.unsubscribe = self.longest_idle();
        }
        changes
    }

    /// A request waits no longer on this topic.
    pub(crate) fn leave(&mut self, topic: &str) {
        if let Some(declared) = self.declared.get_mut(topic) {
            declared.open = declared.open.saturating_sub(1);
        }
    }

    /// The topic is not subscribed to.
    pub(crate) fn forget(&mut self, topic: &str) {
        self.declared.remove(topic);
    }

    /// Takes out the topic that was asked on longest ago, if too many are idle.
    fn longest_idle(&mut self) -> Option<String> {
        let idle = || {
            self.declared
                .iter()
                .filter(|(topic, declared)| declared.open == 0 && **topic != self.own)
        };
        if idle().count() <= MOST_IDLE {
            return None;
        }
        let oldest = idle().min_by_key(|(_, declared)| declared.used);
        let oldest = oldest.map(|(topic, _)| topic.clone())?;
        self.declared.remove(&oldest);
        Some(oldest)
    }
}

/// The last level of the client's own topic: not the client id, in which a wildcard or a slash may stand.
/// A session that outlives the client is to find the same again, or it would gather subscriptions.
fn name(options: &ClientOptions, token: u64) -> String {
    let number = if options.clean_start {
        token
    } else {
        fingerprint(options.client_id.as_bytes())
    };
    format!("{number:016x}")
}

/// FNV-1a in 64 bits: the same in every version of the library.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_topic_is_an_option_or_below_what_the_broker_says_or_random() {
        let mut random = Topics::new(&ClientOptions::new(), 255);
        assert_eq!(random.own(), "response/00000000000000ff");
        random.prefer(Some("clients/7/"));
        assert_eq!(random.own(), "clients/7/00000000000000ff");
        random.prefer(Some("clients/+"));
        random.prefer(Some(""));
        random.prefer(None);
        assert_eq!(random.own(), "clients/7/00000000000000ff");
        let mut given = Topics::new(&ClientOptions::new().response_topic("mine".to_owned()), 255);
        given.prefer(Some("clients/7"));
        assert_eq!(given.own(), "mine");
    }

    #[test]
    fn a_session_that_outlives_its_client_finds_the_same_topic_again() {
        let options = || {
            ClientOptions::new()
                .clean_start(false)
                .client_id("door/+/#".to_owned())
        };
        let first = Topics::new(&options(), 1);
        let again = Topics::new(&options(), 2);
        assert_eq!(first.own(), again.own());
        assert!(validate_topic_name(first.own()).is_ok());
    }

    #[test]
    fn a_topic_is_subscribed_to_once_and_again_for_a_higher_qos() {
        let mut topics = Topics::new(&ClientOptions::new(), 1);
        assert!(topics.enter("a", QoS::AtMostOnce).subscribe);
        assert!(!topics.enter("a", QoS::AtMostOnce).subscribe);
        assert!(topics.enter("a", QoS::AtLeastOnce).subscribe);
        topics.forget("a");
        assert!(topics.enter("a", QoS::AtLeastOnce).subscribe);
    }

    #[test]
    fn of_the_topics_that_lie_idle_the_oldest_is_left() {
        let mut topics = Topics::new(&ClientOptions::new(), 1);
        let own = topics.own().to_owned();
        topics.enter(&own, QoS::AtLeastOnce);
        topics.leave(&own);
        topics.enter("open", QoS::AtLeastOnce);
        for number in 0..=MOST_IDLE {
            let topic = number.to_string();
            let changes = topics.enter(&topic, QoS::AtLeastOnce);
            assert_eq!(changes.unsubscribe, None);
            topics.leave(&topic);
        }
        let changes = topics.enter("more", QoS::AtLeastOnce);
        assert_eq!(changes.unsubscribe.as_deref(), Some("0"));
    }
}
