//! Inputs of the target `engine` that are written by hand: what a fuzzer would look for long, such as an exchange of authentication.

// The operations of which they are made, by the numbers that the target gives them.
const POST: u8 = 0;
const SUBSCRIBE: u8 = 5;
const UNSUBSCRIBE: u8 = 6;
const COMMAND: u8 = 8;
const SUBMIT: u8 = 9;
const ACKNOWLEDGE: u8 = 7;
const TIME: u8 = 11;
const ANSWERS: u8 = 21;
const SAY: u8 = 22;
const SESSION: u8 = 30;
const OBLIGE: u8 = 33;
const REAUTHENTICATE: u8 = 35;
const ONLINE: u8 = 36;
const DOWN: u8 = 38;

/// An input of this profile: its operations, each with what it draws.
fn input(profile: u8, operations: &[&[u8]]) -> Vec<u8> {
    // Behind the profile: whether the broker answers and how many there are, the engine's own seed, the time of day.
    let mut bytes = vec![profile, 0, 1, 1];
    bytes.extend(operations.concat());
    bytes
}

/// Letters of QoS 1 and 2 without payload, on the same topic, one of them with a millisecond to live.
const LETTERS: &[u8] = &[
    POST, 0, 1, 0, 2, 0, POST, 0, 2, 0, 2, 0, POST, 4, 1, 0, 0, 0, 2, 0, SUBMIT,
];
/// The broker's answers, and then those to what was said to them.
const EXCHANGE: &[u8] = &[ANSWERS, OBLIGE, ANSWERS, OBLIGE, ANSWERS];
/// The line is cut, and the client comes back.
const BACK: &[u8] = &[DOWN, 0, ONLINE, OBLIGE];

/// Each command that asks something, with what it draws.
const QUESTIONS: &[&[u8]] = &[
    &[COMMAND, 0, 1, 0],
    &[COMMAND, 5, 1, 0],
    &[COMMAND, 7, 1, 0],
    &[COMMAND, 9, 1, 0],
    &[COMMAND, 11, 1, 0],
    &[COMMAND, 12, 1, 0, 200, 0, 0],
    &[SUBMIT],
];
/// SUBSCRIBE and UNSUBSCRIBE with all that they can say.
const FILTERS: &[u8] = &[
    SUBSCRIBE,
    1,
    1,
    0,
    1,
    224,
    3,
    2,
    64,
    UNSUBSCRIBE,
    1,
    0,
    0,
    1,
    SUBMIT,
];
/// One that both versions know, and time that passes.
const PLAIN: &[u8] = &[SUBSCRIBE, 1, 0, 0, 1, 0, SUBMIT, TIME, 10];
/// Two messages under a topic alias, the second without its topic (MQTT 5).
const NAMED: &[u8] = &[
    SAY, 1, 0, 0, 129, 6, 0, 0, 0, 2, 0, SAY, 1, 0, 4, 129, 6, 0, 0, 0, 0,
];
const AGAIN: &[u8] = &[REAUTHENTICATE, SUBMIT, OBLIGE];

/// Messages of each QoS and once more with DUP, the answers to them, and PUBREL, as they are drawn for this version.
fn messages(version: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (qos, flags) in [(1, 0), (1, 2), (2, 0), (2, 2)] {
        bytes.extend([SAY, 1, qos, flags]);
        bytes.extend(version);
        bytes.extend([qos, 1, 0]);
    }
    bytes.extend([
        ACKNOWLEDGE,
        0,
        0,
        0,
        ACKNOWLEDGE,
        0,
        0,
        0,
        ACKNOWLEDGE,
        0,
        0,
        0,
        SUBMIT,
    ]);
    bytes.extend([SAY, 4, 2, 2]);
    bytes.extend(version);
    bytes.extend(version);
    bytes
}

/// All of them: each bit of the profile but the one that draws options, which are authentication, hooks, questions, aliases, kept sessions, 3.1.1.
pub fn seeds() -> Vec<Vec<u8>> {
    const OLD: u8 = 32;
    let questions = QUESTIONS.concat();
    let mut seeds = Vec::new();
    for profile in 0..64 {
        // What MQTT 5 alone has (properties, reason codes) is drawn there alone.
        let version: &[u8] = if profile & OLD == 0 { &[0] } else { &[] };
        let messages = messages(version);
        let named: &[u8] = if profile & OLD == 0 { NAMED } else { &[] };
        let goodbye: &[u8] = &[SAY, 10, 0, 0];
        let scripts: [&[&[u8]]; 6] = [
            &[LETTERS, PLAIN, EXCHANGE, FILTERS, EXCHANGE],
            &[LETTERS, PLAIN, BACK, EXCHANGE, AGAIN, EXCHANGE],
            &[LETTERS, &[SESSION], BACK, EXCHANGE],
            &[LETTERS, &questions, EXCHANGE, BACK, EXCHANGE],
            &[PLAIN, EXCHANGE, &messages, EXCHANGE, named],
            &[
                LETTERS,
                goodbye,
                &[ONLINE, COMMAND, 14, 1, 0, SUBMIT, ONLINE],
                EXCHANGE,
            ],
        ];
        for script in scripts {
            let whole = [&[&[ONLINE][..]], script].concat();
            seeds.push(input(profile, &whole));
        }
    }
    seeds
}
