//! A client: made, started, watched, closed, freed.
use std::ffi::{c_char, c_int};
use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::ptr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use leveret::host::{
    ClientOptions, CloseOptions, Error, ErrorKind, NetworkHooks, Status, sentence,
};
use leveret::host::{Reply, WakeDescriptor};

use crate::error::mqtt_result;
use crate::face::{Dispatch, Face};
use crate::guard::{caught, guard, guard_or, keep_quiet};
use crate::handle::{self, Hidden, Opaque, Shared};
use crate::input;
use crate::options::mqtt_options;
use crate::sign;

/// A client: one connection that is kept up, and the post office behind it. Any thread may use it,
/// several at a time.
pub struct mqtt_client(Hidden);

/// As a timeout in milliseconds: wait as long as it takes.
pub const MQTT_FOREVER: u32 = u32::MAX;

/// What `MQTT_FOREVER` is for a close: the most that its option allows.
const LONGEST_CLOSE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// As the timeout of a close: the option `close_timeout` of the client.
pub const MQTT_CLOSE_TIMEOUT_DEFAULT: u32 = u32::MAX - 1;

/// Callbacks run on a pool of threads that all clients share: they may block, and hold up no other
/// client. The default.
pub const MQTT_DISPATCH_POOL: c_int = 0;
/// Callbacks run inside `mqtt_client_poll`, on the thread that calls it; `mqtt_client_fd` says
/// when.
pub const MQTT_DISPATCH_POLL: c_int = 1;
/// For experts: callbacks run on the thread that does the network for all clients, with the least
/// delay. One that blocks stops them all; what would have to wait returns `MQTT_WOULD_DEADLOCK`
/// there.
pub const MQTT_DISPATCH_INLINE: c_int = 2;

/// Makes a client. It does not connect before `mqtt_client_start`, so that callbacks can be
/// registered first; it takes letters and subscriptions at once.
///
/// @param url      address of the broker, "mqtt://host:1883", "mqtts://host", "ws://host/path",
///                 "wss://host/path" or "mqtt+unix:///path"; several, separated by spaces, are
///                 tried in turn
/// @param options  copied, and still yours; NULL for all defaults
/// @return the client, to be ended with `mqtt_client_free`; NULL if an argument is wrong, and then
///         `mqtt_last_error` says which
///
/// # Safety
/// `url` is NULL or a NUL-terminated text, `options` NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_new(
    url: *const c_char,
    options: *const mqtt_options,
) -> *mut mqtt_client {
    guard_or(ptr::null_mut(), || {
        keep_quiet();
        // SAFETY: the caller vouches for the text.
        let url = unsafe { input::text(url, "url") }?;
        let (options, network) = if options.is_null() {
            (ClientOptions::default(), NetworkHooks::default())
        } else {
            // SAFETY: the caller vouches for the options.
            let options = unsafe { handle::borrow(options, "options") }?;
            (
                options.set.given.clone(),
                sign::network(options.signer.as_ref()),
            )
        };
        let urls: Vec<&str> = url.split_ascii_whitespace().collect();
        Ok(handle::share(Face::new(&urls, options, network)?))
    })
}

/// Lets the client begin to connect. From then on it never gives up: what fails is tried again.
/// Once more does nothing.
///
/// # Safety
/// `client` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_start(client: *mut mqtt_client) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        face.client.start()?;
        face.desk.with(|desk| desk.started = true);
        Ok(())
    })
}

/// Whether the client is connected: one of `MQTT_STATUS_…`. Of NULL: `MQTT_STATUS_CLOSED`.
///
/// # Safety
/// `client` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_status(client: *const mqtt_client) -> c_int {
    guard_or(Status::Closed.number().into(), || {
        // SAFETY: the caller vouches for the client.
        Ok(unsafe { face(client) }?.client.status().number().into())
    })
}

/// Waits until the client has a status, also if it came and went while waiting. `MQTT_TIMED_OUT`,
/// or `MQTT_CLOSED` once it cannot come.
///
/// @param timeout_ms  milliseconds, or `MQTT_FOREVER`
///
/// # Safety
/// `client` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_wait_for(
    client: *mut mqtt_client,
    status: c_int,
    timeout_ms: u32,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        let wanted = u8::try_from(status).ok().and_then(Status::from_number);
        let wanted =
            wanted.ok_or_else(|| sentence::must_be("status", "one of MQTT_STATUS_…", status))?;
        face.client.wait_status(wanted, input::timeout(timeout_ms))
    })
}

/// Says DISCONNECT if there is a connection, and dials at once, also in the middle of a pause
/// between attempts: for a device that changed its network. Letters in flight go on.
///
/// # Safety
/// `client` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_reconnect(client: *mut mqtt_client) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        unsafe { face(client) }?.client.reconnect()
    })
}

/// Waits until every letter published before has its outcome. `MQTT_TIMED_OUT` leaves them as they
/// are.
///
/// @param timeout_ms  milliseconds, or `MQTT_FOREVER`
///
/// # Safety
/// `client` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_flush(
    client: *mut mqtt_client,
    timeout_ms: u32,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        answer(&face, face.client.flush()?, input::timeout(timeout_ms)).map(drop)
    })
}

/// Measures a round trip to the broker. `MQTT_NOT_CONNECTED` if there is no connection,
/// `MQTT_CONNECTION_LOST` if it is lost meanwhile.
///
/// @param timeout_ms     milliseconds, or `MQTT_FOREVER`
/// @param round_trip_us  receives microseconds; may be NULL
///
/// # Safety
/// `client` is NULL or alive; `round_trip_us` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_ping(
    client: *mut mqtt_client,
    timeout_ms: u32,
    round_trip_us: *mut u64,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        if let Reply::RoundTrip(time) =
            answer(&face, face.client.ping()?, input::timeout(timeout_ms))?
        {
            // SAFETY: the caller vouches for the place.
            unsafe {
                input::put(
                    round_trip_us,
                    u64::try_from(time.as_micros()).unwrap_or(u64::MAX),
                );
            }
        }
        Ok(())
    })
}

/// Waits until there is room in the post office, after a publish returned `MQTT_QUEUE_FULL`.
///
/// @param timeout_ms  milliseconds, or `MQTT_FOREVER`
///
/// # Safety
/// `client` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_wait_writable(
    client: *mut mqtt_client,
    timeout_ms: u32,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        unsafe { face(client) }?
            .client
            .wait_writable(input::timeout(timeout_ms))
    })
}

/// Closes the client for good: takes nothing more, sends what waits for at most `timeout_ms`, says
/// DISCONNECT, and settles every letter that is left with the outcome `closed`. Returns when that
/// is done. The handle stays valid until it is freed; receipts can still be asked for.
///
/// Inside a callback of the same client it returns at once and takes effect when the callback
/// returns.
///
/// @param timeout_ms  milliseconds for letters to go out; 0 sends nothing more; `MQTT_FOREVER`
///                    waits until all are out, `MQTT_CLOSE_TIMEOUT_DEFAULT` as long as the option
///                    `close_timeout` says
///
/// # Safety
/// `client` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_close(
    client: *mut mqtt_client,
    timeout_ms: u32,
) -> mqtt_result {
    guard(|| {
        let options = CloseOptions {
            timeout: close_timeout(timeout_ms),
            ..CloseOptions::new()
        };
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        close(&face, options)
    })
}

/// `mqtt_client_close`, saying whether the session at the broker ends. `mqtt_client_close` ends it
/// if the option `clean_start` is on.
///
/// @param end_session  false keeps the session, and with it the subscriptions, for a later client
///                     of the same client id
///
/// # Safety
/// `client` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_close_with(
    client: *mut mqtt_client,
    timeout_ms: u32,
    end_session: bool,
) -> mqtt_result {
    guard(|| {
        let options = CloseOptions {
            timeout: close_timeout(timeout_ms),
            end_session: Some(end_session),
            ..CloseOptions::new()
        };
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        close(&face, options)
    })
}

/// Ends a client. One that is not closed is closed first, without sending what waits. Its last
/// callbacks, every `drop` among them, have ended when this returns. NULL is nothing.
///
/// Inside a callback, of whatever client, it returns at once; the last callbacks come later, and
/// the `drop`s tell when they are over. Do not call it while holding a lock that a callback of the
/// client may be waiting for.
///
/// # Safety
/// `client` is NULL or alive; nobody else uses it during or after the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_free(client: *mut mqtt_client) {
    guard_or((), || {
        // SAFETY: the caller gives its share up.
        let face = unsafe { handle::take_back_share(client) };
        face.into_iter().for_each(Face::free);
        Ok(())
    });
}

/// Says how the callbacks of the client get to run: one of `MQTT_DISPATCH_…`. Call it before
/// `mqtt_client_start`: afterwards it is `MQTT_INVALID_ARGUMENT`.
///
/// # Safety
/// `client` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_dispatch(
    client: *mut mqtt_client,
    dispatch: c_int,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        face.client.check_process()?;
        if face.desk.with(|desk| desk.started) {
            let late =
                "dispatch must be set before mqtt_client_start, but the client was started already";
            return Err(Error::invalid(late));
        }
        let dispatch = match dispatch {
            MQTT_DISPATCH_POOL => Dispatch::Pool,
            MQTT_DISPATCH_POLL => {
                Dispatch::Poll(Arc::new(WakeDescriptor::new().map_err(no_descriptor)?))
            }
            MQTT_DISPATCH_INLINE => Dispatch::Inline,
            _ => {
                return Err(sentence::must_be(
                    "dispatch",
                    "one of MQTT_DISPATCH_…",
                    dispatch,
                ));
            }
        };
        face.set_dispatch(dispatch);
        Ok(())
    })
}

/// A descriptor that is readable when `mqtt_client_poll` has something to do, for `poll`, `epoll`,
/// `select` or an event loop. It belongs to the client: do not read, write or close it. -1 after an
/// error: the client is not on `MQTT_DISPATCH_POLL`.
///
/// # Safety
/// `client` is NULL or alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_fd(client: *mut mqtt_client) -> c_int {
    guard_or(-1, || {
        // SAFETY: the caller vouches for the client.
        let face = unsafe { face(client) }?;
        face.client.check_process()?;
        Ok(face.descriptor()?.as_raw_fd())
    })
}

/// Runs the callbacks for what has come, on this thread, for a bounded number of events: after it
/// the descriptor is readable if there is more. For a client on `MQTT_DISPATCH_POLL`. Inside a
/// callback of the same client, or while another thread is in it: `MQTT_WOULD_DEADLOCK`.
///
/// @param timeout_ms  how long to wait for the first event; 0 does not wait; it may return earlier,
///                    without one
/// @param handled     receives the number of events; may be NULL
///
/// # Safety
/// `client` is NULL or alive; `handled` is NULL or may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_client_poll(
    client: *mut mqtt_client,
    timeout_ms: u32,
    handled: *mut usize,
) -> mqtt_result {
    guard(|| {
        // A share of our own: a callback may free the client. SAFETY: the caller vouches for the
        // client.
        let face = unsafe { face(client) }?.me().upgrade();
        let count = face.map_or(Ok(0), |face| face.poll(input::timeout(timeout_ms)))?;
        // SAFETY: the caller vouches for the place.
        unsafe { input::put(handled, count) };
        Ok(())
    })
}

impl Opaque for mqtt_client {
    type Value = Face;
    type Ownership = Shared;
}

/// The client behind a handle, or the sentence that it must not be NULL.
///
/// # Safety
/// `client` is NULL or alive as long as `'a` lasts.
pub(crate) unsafe fn face<'a>(client: *const mqtt_client) -> Result<InUse<'a>, Error> {
    // SAFETY: passed on to the caller.
    unsafe { handle::borrow(client, "client") }.map(InUse)
}

/// A client during a call. A panic of the call leaves it finished.
pub(crate) struct InUse<'a>(&'a Face);

impl Deref for InUse<'_> {
    type Target = Face;

    fn deref(&self) -> &Face {
        self.0
    }
}

impl Drop for InUse<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            // A second panic would end the process. A client that does not even close is beyond
            // help.
            let _ = caught(|| self.0.client.close(Some(Duration::ZERO), None).map(drop));
        }
    }
}

/// Waits for the answer to a question. Who gives the wait up will not ask for it again.
pub(crate) fn answer(
    face: &Face,
    question: u64,
    timeout: Option<Duration>,
) -> Result<Reply, Error> {
    face.client
        .wait_reply(question, timeout)
        .inspect_err(|_| face.client.forget(question))
}

/// The time for letters to go out; `None` as the client's option says.
pub(crate) fn close_timeout(milliseconds: u32) -> Option<Duration> {
    (milliseconds != MQTT_CLOSE_TIMEOUT_DEFAULT)
        .then(|| input::timeout(milliseconds).unwrap_or(LONGEST_CLOSE))
}

/// Closes a client and waits for it, unless inside a callback of its own.
pub(crate) fn close(face: &Face, options: CloseOptions) -> Result<(), Error> {
    let Some(reply) = face.client.close_with(options)? else {
        return Ok(());
    };
    // The close itself is bounded, so this wait is too.
    match answer(face, reply, None) {
        // Another close was first, and its end came before this one's answer.
        Err(error) if error.kind == ErrorKind::Closed => Ok(()),
        answered => answered.map(drop),
    }
}

fn no_descriptor(error: std::io::Error) -> Error {
    Error::new(
        ErrorKind::System,
        format!("a descriptor for mqtt_client_poll cannot be had: {error}"),
    )
}
