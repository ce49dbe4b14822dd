//! TLS handshakes signed by a callback, so that a private key can stay in a secure element.
use std::cell::RefCell;
use std::ffi::{c_char, c_void};
use std::sync::Arc;

use leveret::host::{Error, NetworkHooks, sentence};

use crate::callback::{Call, Callback, mqtt_drop};
use crate::desk::Registered;
use crate::error::mqtt_result;
use crate::guard::guard;
use crate::handle::{self, Hidden};
use crate::input;
use crate::options::mqtt_options;

/// A handshake that waits for its signature; it lives until the callback returns. Not to be used by
/// two threads at once.
pub struct mqtt_signing(Hidden);

/// A handshake that is to be signed. It and what it points to live until the callback returns. May
/// grow at its end.
#[repr(C)]
pub struct mqtt_sign_event {
    /// For `mqtt_sign_answer` and `mqtt_sign_refuse`.
    pub signing: *mut mqtt_signing,
    /// The signature scheme as TLS names it (RFC 8446, 4.2.3), one that fits the key of the
    /// certificate: "ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "ed25519"; ends in NUL, so that
    /// `strcmp` compares it.
    pub scheme: *const c_char,
    /// Length of the scheme in bytes.
    pub scheme_length: usize,
    /// What is to be signed, not hashed yet.
    pub message: *const c_void,
    /// Length of the message in bytes.
    pub message_length: usize,
}

/// Called with each handshake that is to be signed: it answers with `mqtt_sign_answer` or
/// `mqtt_sign_refuse` before it returns. One that does neither refuses.
pub type mqtt_sign_callback =
    Option<unsafe extern "C" fn(context: *mut c_void, event: *const mqtt_sign_event)>;

/// Signs the TLS handshakes of clients made with these options by a callback, in the place of
/// `tls_key` or `tls_key_file`. The certificate that the key belongs to is `tls_cert` or
/// `tls_cert_file`. A new one replaces the old one, NULL for `callback` takes it away.
///
/// It is called on a thread of its own for each handshake, and may block there; once
/// `connect_timeout` is over nobody waits for it any more, and another attempt follows, so it may be
/// called by several threads at a time, also because several clients can be made with the same
/// options. A refusal lets the attempt to connect fail.
///
/// @param context  passed to `callback`
/// @param drop     called once with `context` when these options and all clients made with them are
///                 gone and the last call has returned, perhaps a moment after `mqtt_client_free`;
///                 also when this call fails; may be NULL
/// @return `MQTT_NOT_SUPPORTED` where the library was built without TLS
///
/// # Safety
/// `options` is NULL or alive; `callback` and `drop` may be called with `context` from other
/// threads, `callback` from several at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_options_set_signer(
    options: *mut mqtt_options,
    callback: mqtt_sign_callback,
    context: *mut c_void,
    drop: mqtt_drop,
) -> mqtt_result {
    guard(|| {
        let callback = Callback::new(Call::Sign(callback), context, drop);
        // SAFETY: the caller vouches for the options.
        let options = unsafe { handle::borrow_mut(options, "options") }?;
        supported()?;
        options.signer = (!callback.is_null()).then(|| Arc::new(callback));
        Ok(())
    })
}

/// Gives the signature of a handshake; the last one given counts. Inside the callback alone.
///
/// @param signature  copied; for ECDSA in DER (RFC 3279, 2.2.3), as most elements and libraries give
///                   it; 1 to 65,535 bytes
/// @param length     of the signature in bytes
///
/// # Safety
/// `signing` is NULL or that of a `mqtt_sign_event` whose callback has not returned; `signature` is
/// NULL or points to `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_sign_answer(
    signing: *mut mqtt_signing,
    signature: *const c_void,
    length: usize,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the handshake.
        let signing = unsafe { signing_of(signing) }?;
        // SAFETY: the caller vouches for the bytes.
        let signature = unsafe { input::bytes(signature, length, "signature") }?;
        if !(1..=MOST).contains(&length) {
            let allowed = "bytes of 1 to 65535 bytes";
            let given = format!("{length} bytes");
            return Err(sentence::must_be("signature", allowed, given));
        }
        signing.replace(Some(Ok(signature.to_vec())));
        Ok(())
    })
}

/// Refuses to sign a handshake: the attempt to connect fails, and another follows. Inside the
/// callback alone.
///
/// @param text  why, for the event of the connection; copied
///
/// # Safety
/// `signing` is NULL or that of a `mqtt_sign_event` whose callback has not returned; `text` is NULL
/// or a NUL-terminated text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mqtt_sign_refuse(
    signing: *mut mqtt_signing,
    text: *const c_char,
) -> mqtt_result {
    guard(|| {
        // SAFETY: the caller vouches for the handshake.
        let signing = unsafe { signing_of(signing) }?;
        // SAFETY: the caller vouches for the text.
        let text = unsafe { input::text(text, "text") }?;
        signing.replace(Some(Err(text.to_owned())));
        Ok(())
    })
}

/// The longest signature that a handshake has room for (RFC 8446, 4.4.3).
const MOST: usize = 65_535;

/// What a signer says of one handshake: nothing yet, the signature, or why there is none.
type Signing = RefCell<Option<Result<Vec<u8>, String>>>;

/// # Safety
/// `signing` is NULL or that of a callback that has not returned.
unsafe fn signing_of<'a>(signing: *mut mqtt_signing) -> Result<&'a Signing, Error> {
    // SAFETY: the caller vouches for it, and the value behind it is only ever shared.
    unsafe { input::object(signing.cast_const().cast(), "signing") }
}

/// What a client made with this signer does on its way to a broker.
#[cfg(feature = "tls")]
pub(crate) fn network(signer: Option<&Registered>) -> NetworkHooks {
    let Some(signer) = signer.cloned() else {
        return NetworkHooks::default();
    };
    NetworkHooks::default().with_signer(move |scheme, message| call(&signer, scheme, message))
}

/// There is no signer without TLS.
#[cfg(not(feature = "tls"))]
pub(crate) fn network(_signer: Option<&Registered>) -> NetworkHooks {
    NetworkHooks::default()
}

#[cfg(feature = "tls")]
fn supported() -> Result<(), Error> {
    Ok(())
}

#[cfg(not(feature = "tls"))]
fn supported() -> Result<(), Error> {
    let detail = "a signer needs TLS, without which this library was built";
    Err(Error::new(leveret::host::ErrorKind::NotSupported, detail))
}

#[cfg(feature = "tls")]
fn call(signer: &Callback, scheme: &str, message: &[u8]) -> Result<Vec<u8>, String> {
    let _inside = crate::callback::Inside::enter();
    let signing = Signing::default();
    let scheme = std::ffi::CString::new(scheme).unwrap_or_default();
    let event = mqtt_sign_event {
        signing: std::ptr::from_ref(&signing).cast_mut().cast(),
        scheme: scheme.as_ptr(),
        scheme_length: scheme.as_bytes().len(),
        message: message.as_ptr().cast(),
        message_length: message.len(),
    };
    // SAFETY: all that the event points to outlives the call.
    unsafe { signer.call_sign(&event) }
    signing
        .take()
        .unwrap_or_else(|| Err("the signer returned without an answer".into()))
}
