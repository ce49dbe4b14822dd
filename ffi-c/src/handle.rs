//! Opaque handles: the only place where a Rust value becomes a pointer for C and back. Ownership is
//! part of the type.
use std::marker::PhantomData;
use std::sync::Arc;

use leveret::host::Error;

use crate::input;

/// A handle with one owner: C gets it from `_new` and gives it back to `_free`.
pub(crate) enum Boxed {}

/// A handle to something that others hold too: `_free` gives up C's share of it.
pub(crate) enum Shared {}

/// An opaque type of the header, and the Rust value behind it.
pub(crate) trait Opaque: Sized {
    /// What the pointer really points to.
    type Value;
    /// `Boxed` or `Shared`; a type has one of them, so freeing the one as the other does not
    /// compile.
    type Ownership;
}

/// Hands a value to C, which owns it from now on.
pub(crate) fn give<H: Opaque<Ownership = Boxed>>(value: H::Value) -> *mut H {
    Box::into_raw(Box::new(value)).cast()
}

/// Hands a share of a value to C, which owns that share from now on.
pub(crate) fn share<H: Opaque<Ownership = Shared>>(value: Arc<H::Value>) -> *mut H {
    Arc::into_raw(value).cast_mut().cast()
}

/// Takes back what [`give`] handed out; `None` for NULL.
///
/// # Safety
/// `handle` is NULL or came from `give` for this type, was not taken back before, and nobody uses
/// it during or after the call.
pub(crate) unsafe fn take_back<H: Opaque<Ownership = Boxed>>(
    handle: *mut H,
) -> Option<Box<H::Value>> {
    // SAFETY: a handle that is not NULL came from `Box::into_raw` in `give`, and its ownership
    // passes to us once.
    (!handle.is_null()).then(|| unsafe { Box::from_raw(handle.cast()) })
}

/// Takes back the share that [`share`] handed out; `None` for NULL.
///
/// # Safety
/// `handle` is NULL or came from `share` for this type, was not taken back before, and is not used
/// by C during or after the call.
pub(crate) unsafe fn take_back_share<H: Opaque<Ownership = Shared>>(
    handle: *mut H,
) -> Option<Arc<H::Value>> {
    // SAFETY: a handle that is not NULL came from `Arc::into_raw` in `share`, and that share passes
    // to us once.
    (!handle.is_null()).then(|| unsafe { Arc::from_raw(handle.cast_const().cast()) })
}

/// What a handle stands for, or the sentence that `name` must not be NULL.
///
/// # Safety
/// `handle` is NULL or a live handle of this type, which C does not free while `'a` lasts.
pub(crate) unsafe fn borrow<'a, H: Opaque>(
    handle: *const H,
    name: &str,
) -> Result<&'a H::Value, Error> {
    // SAFETY: the caller vouches for the handle, and the value behind it is only ever shared, never
    // borrowed mutably.
    unsafe { input::object(handle.cast::<H::Value>(), name) }
}

/// What a handle stands for, to be changed, or the sentence that `name` must not be NULL.
///
/// # Safety
/// As for [`borrow`], and no other thread uses the handle while `'a` lasts.
pub(crate) unsafe fn borrow_mut<'a, H: Opaque<Ownership = Boxed>>(
    handle: *mut H,
    name: &str,
) -> Result<&'a mut H::Value, Error> {
    // SAFETY: the caller vouches for the handle and that nobody else uses it meanwhile.
    unsafe { handle.cast::<H::Value>().as_mut() }.ok_or_else(|| input::null(name))
}

/// Marks an opaque type of the header as something that C cannot make, copy or measure.
pub(crate) type Hidden = PhantomData<*mut ()>;
