//! The checks that look at more than one option, made once before the options are used.
use alloc::borrow::Cow;
use alloc::format;
use core::net::IpAddr;

use super::duration::{Shown, nanos};
use super::{
    ClientOptions, CloseOptions, ConnectOptions, Mqtt, OptionSpec, PropertiesOn311, Protocol,
    PublishOptions, SubscribeOptions,
};
use crate::error::Error;
use crate::sentence::{self, Dialect, Quoted};
use crate::topic;

impl ClientOptions {
    /// Checks every option by itself and against the others.
    ///
    /// # Errors
    /// `InvalidArgument`, with a sentence that names the options as `dialect` spells them.
    pub fn check(&self, dialect: Dialect) -> Result<(), Error> {
        self.check_each(dialect)?;
        self.check_connection(dialect)?;
        self.check_network(dialect)?;
        self.check_authentication(dialect)?;
        self.check_will(dialect)?;
        if let Some(topic) = &self.response_topic {
            check_topic_name(dialect.spell("response_topic"), topic)?;
        }
        self.check_for_311(dialect)
    }

    /// Data mean nothing without the method they belong to (MQTT 5, 3.1.2.11.10).
    fn check_authentication(&self, dialect: Dialect) -> Result<(), Error> {
        if self.authentication_data.is_some() && self.authentication_method.is_none() {
            return Err(Error::invalid(format!(
                "{} must be given where {} is",
                dialect.spell("authentication_method"),
                dialect.spell("authentication_data")
            )));
        }
        Ok(())
    }

    fn check_connection(&self, dialect: Dialect) -> Result<(), Error> {
        let name = |name| dialect.spell(name);
        if self.backoff_max < self.backoff_min {
            let allowed = format!(
                "at least {}, which is {}",
                name("backoff_min"),
                Shown(nanos(self.backoff_min))
            );
            return Err(sentence::must_be(
                &name("backoff_max"),
                &allowed,
                Shown(nanos(self.backoff_max)),
            ));
        }
        if !self.clean_start && self.client_id.is_empty() {
            return Err(Error::invalid(format!(
                "{} must be given where {} is false, because the broker keeps the session under it",
                name("client_id"),
                name("clean_start")
            )));
        }
        Ok(())
    }

    fn check_network(&self, dialect: Dialect) -> Result<(), Error> {
        if self.tls_max_version < self.tls_min_version {
            let allowed = format!(
                "at least {}, which is {}",
                dialect.spell("tls_min_version"),
                Quoted(self.tls_min_version.name())
            );
            let given = Quoted(self.tls_max_version.name());
            return Err(sentence::must_be(
                &dialect.spell("tls_max_version"),
                &allowed,
                given,
            ));
        }
        // RFC 7301, section 3.1: a name is at most 255 bytes.
        if let Some(long) = self.tls_alpn.iter().find(|name| name.len() > 255) {
            return Err(sentence::must_be(
                &dialect.spell("tls_alpn"),
                "names of at most 255 bytes",
                format_args!("{} bytes", long.len()),
            ));
        }
        match &self.local_address {
            Some(address) if address.parse::<IpAddr>().is_err() => Err(sentence::must_be(
                &dialect.spell("local_address"),
                "an IP address",
                Quoted(address),
            )),
            _ => Ok(()),
        }
    }

    fn check_will(&self, dialect: Dialect) -> Result<(), Error> {
        let Some(topic) = &self.will_topic else {
            return match self.changed(|spec| spec.name.starts_with("will_")).next() {
                Some(spec) => Err(Error::invalid(format!(
                    "{} must be given where {} is",
                    dialect.spell("will_topic"),
                    dialect.spell(spec.name)
                ))),
                None => Ok(()),
            };
        };
        check_topic_name(dialect.spell("will_topic"), topic)?;
        match &self.will_response_topic {
            Some(topic) => check_topic_name(dialect.spell("will_response_topic"), topic),
            None => Ok(()),
        }
    }

    /// What MQTT 3.1.1 cannot say is an error where nothing else can be spoken.
    fn check_for_311(&self, dialect: Dialect) -> Result<(), Error> {
        if self.protocol != Protocol::V311 {
            return Ok(());
        }
        if self.password.is_some() && self.username.is_none() {
            return Err(Error::invalid(format!(
                "{} must be given where {} is, because MQTT 3.1.1 has no password without one (3.1.2.9)",
                dialect.spell("username"),
                dialect.spell("password")
            )));
        }
        let told_to_broker = |spec: &OptionSpec| {
            spec.mqtt == Mqtt::V5
                && (spec.name.starts_with("will_")
                    || spec.name.starts_with("authentication_")
                    || spec.name == "user_properties")
        };
        match self.changed(told_to_broker).next() {
            Some(spec) if self.properties_on_311 == PropertiesOn311::Reject => {
                Err(Error::invalid(format!(
                    "{} must not be given where {} is \"3.1.1\", unless {} is \"drop\"",
                    dialect.spell(spec.name),
                    dialect.spell("protocol"),
                    dialect.spell("properties_on_311")
                )))
            }
            _ => Ok(()),
        }
    }

    /// Of the options that `which` picks, those that are not at their defaults.
    fn changed(
        &self,
        which: impl Fn(&OptionSpec) -> bool,
    ) -> impl Iterator<Item = &'static OptionSpec> {
        let plain = ClientOptions::default();
        ClientOptions::SPECS
            .iter()
            .filter(move |spec| which(spec) && self.get(spec.name) != plain.get(spec.name))
    }
}

impl PublishOptions {
    /// Checks every option by itself and against the others.
    ///
    /// # Errors
    /// `InvalidArgument`, with a sentence that names the options as `dialect` spells them.
    pub fn check(&self, dialect: Dialect) -> Result<(), Error> {
        self.check_each(dialect)?;
        match &self.response_topic {
            Some(topic) => check_topic_name(dialect.spell("response_topic"), topic),
            None => Ok(()),
        }
    }
}

impl SubscribeOptions {
    /// Checks the topic filter, every option by itself, and the options against the filter.
    ///
    /// # Errors
    /// `InvalidArgument`, with a sentence that names what is wrong as `dialect` spells it.
    pub fn check(&self, filter: &str, dialect: Dialect) -> Result<(), Error> {
        topic::validate_topic_filter(filter)
            .map_err(|error| sentence::topic("topic filter", filter, error))?;
        self.check_each(dialect)?;
        if self.no_local && filter.starts_with("$share/") {
            let name = dialect.spell("no_local");
            return Err(sentence::must_be(
                &name,
                "false for a shared subscription (MQTT-3.8.3-4)",
                "true",
            ));
        }
        Ok(())
    }
}

impl CloseOptions {
    /// Checks every option by itself, against the others and against those of the client.
    ///
    /// # Errors
    /// `InvalidArgument`, with a sentence that names the options as `dialect` spells them.
    pub fn check(&self, client: &ClientOptions, dialect: Dialect) -> Result<(), Error> {
        self.check_each(dialect)?;
        let name = dialect.spell("session_expiry");
        match self.session_expiry {
            Some(expiry) if expiry.is_zero() => Ok(()),
            Some(_) if self.end_session == Some(true) => Err(Error::invalid(format!(
                "{name} must be left out or 0 where {} is true",
                dialect.spell("end_session")
            ))),
            Some(_) if client.session_expiry.is_zero() => Err(Error::invalid(format!(
                "{name} must be left out or 0 where that of the client is 0 (MQTT 5, 3.14.2.2.2)"
            ))),
            _ => Ok(()),
        }
    }
}

impl ConnectOptions {
    /// Checks every option by itself, against the others and against those of the client.
    ///
    /// # Errors
    /// `InvalidArgument`, with a sentence that names the options as `dialect` spells them.
    pub fn check(&self, client: &ClientOptions, dialect: Dialect) -> Result<(), Error> {
        self.check_each(dialect)?;
        if self.will_topic.is_none() {
            let plain = ConnectOptions::default();
            let of_will = |spec: &&OptionSpec| {
                spec.name.starts_with("will_") && self.get(spec.name) != plain.get(spec.name)
            };
            if let Some(spec) = ConnectOptions::SPECS.iter().find(of_will) {
                return Err(Error::invalid(format!(
                    "{} must be given where {} is",
                    dialect.spell("will_topic"),
                    dialect.spell(spec.name)
                )));
            }
        }
        // The rules for a login and a will are those of the client's own.
        let mut said = client.clone();
        self.put_on(&mut said);
        said.check_will(dialect)?;
        said.check_for_311(dialect)
    }

    /// Puts what is given in the place of what the client's options say.
    pub(crate) fn put_on(&self, client: &mut ClientOptions) {
        if self.username.is_some() {
            client.username.clone_from(&self.username);
            client.password = None;
        }
        if self.password.is_some() {
            client.password.clone_from(&self.password);
        }
        if self.will_topic.is_some() {
            client.will_topic.clone_from(&self.will_topic);
            client.will_payload = self.will_payload.clone();
            client.will_qos = self.will_qos;
            client.will_retain = self.will_retain;
            client.will_delay = self.will_delay;
            client.will_message_expiry = self.will_message_expiry;
            client.will_payload_format = self.will_payload_format;
            client.will_content_type.clone_from(&self.will_content_type);
            client
                .will_response_topic
                .clone_from(&self.will_response_topic);
            client
                .will_correlation_data
                .clone_from(&self.will_correlation_data);
            client
                .will_user_properties
                .clone_from(&self.will_user_properties);
        }
    }
}

fn check_topic_name(argument: Cow<'_, str>, given: &str) -> Result<(), Error> {
    topic::validate_topic_name(given).map_err(|error| sentence::topic(&argument, given, error))
}
