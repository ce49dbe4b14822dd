//! Calls hooks, the authenticator and the function before each connect with what waits for them, in order.
use std::ffi::c_int;
use std::ptr;

use leveret::host::options::ConnectOptions;
use leveret::host::{AuthStage, AuthStep, Delivery, Preparation, QueueId, Shown, Words};

use crate::auth::{MQTT_AUTH_BEGIN, MQTT_AUTH_CONTINUE, MQTT_AUTH_FINISH, mqtt_auth_event};
use crate::callback::Inside;
use crate::connect::mqtt_connect_event;
use crate::desk::Kind;
use crate::face::Face;
use crate::failure::Telling;
use crate::news::number;
use crate::packet::{bit, mqtt_packet_event};
use crate::sorter::BATCH;

/// Calls the hooks for a batch of what waits; for how many packets and steps. Never on two threads at
/// once for one client.
pub(crate) fn call(face: &Face) -> usize {
    let mut taken = Vec::new();
    let count = face.client.take(QueueId::HOOKS, BATCH, &mut taken);
    for delivery in &taken {
        // As a handler: what would have to wait for this thread is then put off or refused.
        let _scope = face.client.hook_scope(delivery);
        let _inside = Inside::enter();
        let _telling = Telling::enter(face);
        match delivery {
            Delivery::Packet(shown) => show(face, shown),
            Delivery::Authenticate(step) => authenticate(face, step),
            Delivery::Prepare(asked) => ask(face, asked),
            // In the queues of handlers alone; the signer is called where the handshake is.
            Delivery::Message(_) | Delivery::News(_) | Delivery::Sign(_) => {}
        }
    }
    count
}

fn show(face: &Face, shown: &Shown) {
    // One that was replaced meanwhile may not have asked for this packet.
    let callback = face.desk.with(|desk| {
        let wanted = desk.shown.has(shown.packet);
        wanted.then(|| desk.callback(Kind::Packet)).flatten()
    });
    let later = callback.is_some_and(|callback| {
        let reasons: Vec<u8> = shown.reasons.iter().map(|reason| reason.0).collect();
        let event = mqtt_packet_event {
            number: shown.number,
            packet: bit(shown.packet),
            packet_id: shown.packet_id.unwrap_or(0),
            reason: number(shown.reasons.first().copied()),
            reasons: reasons.as_ptr(),
            reason_count: reasons.len(),
            session_present: shown.session_present,
            receipt: shown.tag,
            properties: ptr::from_ref(&shown.properties).cast(),
        };
        // SAFETY: all that the event points to outlives the call.
        unsafe { callback.call_packet(&event) }
    });
    if !later && shown.number != 0 {
        // Without words, unless it was answered; a closed client answers nothing any more.
        let _ = face.client.answer(shown.number, &Words::default());
    }
}

fn authenticate(face: &Face, step: &AuthStep) {
    let Some(callback) = face.desk.with(|desk| desk.callback(Kind::Auth)) else {
        // A closed client authenticates no more.
        let _ = face
            .client
            .refuse_authentication(step.number, "there is no authenticator any more");
        return;
    };
    let data = step.data.as_ref();
    let event = mqtt_auth_event {
        number: step.number,
        stage: stage(step.stage),
        reauthentication: step.reauthentication,
        method: step.method.as_str().as_ptr().cast(),
        method_length: step.method.as_str().len(),
        data: data.map_or(ptr::null(), |data| data.as_ptr().cast()),
        data_length: data.map_or(0, |data| data.len()),
        properties: ptr::from_ref(&step.properties).cast(),
    };
    // SAFETY: all that the event points to outlives the call.
    unsafe { callback.call_auth(&event) }
}

fn ask(face: &Face, asked: &Preparation) {
    let Some(callback) = face.desk.with(|desk| desk.callback(Kind::Connect)) else {
        // The registration has ended meanwhile, so nothing is to be said. A closed client connects
        // no more.
        let _ = face.client.prepare(asked.number, ConnectOptions::new());
        return;
    };
    let url = face.client.url_of(asked);
    let event = mqtt_connect_event {
        number: asked.number,
        attempt: asked.attempt,
        url: url.as_ptr().cast(),
        url_length: url.len(),
    };
    // SAFETY: all that the event points to outlives the call.
    unsafe { callback.call_connect(&event) }
}

fn stage(stage: AuthStage) -> c_int {
    match stage {
        AuthStage::Begin => MQTT_AUTH_BEGIN,
        AuthStage::Continue => MQTT_AUTH_CONTINUE,
        AuthStage::Finish => MQTT_AUTH_FINISH,
    }
}
