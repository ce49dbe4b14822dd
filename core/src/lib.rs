//! leveret: an MQTT client with a local post office.
#![forbid(unsafe_code)]
