//! Payloads that stay where the program has them: released exactly once, when the last part of the
//! library has let go.
use std::cell::Cell;
use std::ffi::c_void;

use bytes::Bytes;
use leveret::host::Error;

use crate::input;

/// Called when a payload that was not copied is no longer needed. On whatever thread lets go of it
/// last; it must be quick, and must not call leveret: what it calls all the same returns
/// `MQTT_WOULD_DEADLOCK`.
pub type mqtt_release = Option<unsafe extern "C" fn(context: *mut c_void)>;

/// A payload that belongs to the program.
pub(crate) struct Release {
    bytes: *const [u8],
    release: mqtt_release,
    context: *mut c_void,
}

impl Release {
    /// The payload as shared bytes. The release function is called once the last of them is
    /// dropped, or now if the payload is not valid.
    ///
    /// # Safety
    /// `payload` is NULL or points to `length` bytes that stay as they are until released, and
    /// `release` may be called with `context` on any thread.
    pub(crate) unsafe fn shared(
        payload: *const c_void,
        length: usize,
        release: mqtt_release,
        context: *mut c_void,
    ) -> Result<Bytes, Error> {
        let mut owner = Release {
            bytes: &[],
            release,
            context,
        };
        // SAFETY: the caller vouches for the bytes for as long as the owner lives, which is until
        // they are released.
        owner.bytes = unsafe { input::bytes(payload, length, "payload") }?;
        Ok(Bytes::from_owner(owner))
    }
}

impl AsRef<[u8]> for Release {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the program keeps these bytes as they are until they are released, which happens
        // when `self` is dropped.
        unsafe { &*self.bytes }
    }
}

// SAFETY: the header says that the bytes are read and the release function is called on other
// threads; nobody writes the bytes meanwhile.
unsafe impl Send for Release {}

impl Drop for Release {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            let before = RELEASING.replace(true);
            // SAFETY: the function and its context came together, and this is the only call of it.
            unsafe { release(self.context) }
            RELEASING.set(before);
        }
    }
}

thread_local! {
    static RELEASING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is inside a release function: it may hold a lock of the library then.
pub(crate) fn is_releasing() -> bool {
    RELEASING.get()
}
