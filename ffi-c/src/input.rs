//! What C passes in, checked: pointers, texts, byte ranges, numbers and timeouts become Rust values
//! or a sentence.
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::time::Duration;

use leveret::host::{Error, ErrorKind, QoS, sentence};

use crate::client::MQTT_FOREVER;

/// The error for a NULL: `client must not be NULL`.
pub(crate) fn null(name: &str) -> Error {
    sentence::null(name)
}

/// The object behind a pointer.
///
/// # Safety
/// `pointer` is NULL or points to a valid `T` that nobody changes while `'a` lasts.
pub(crate) unsafe fn object<'a, T>(pointer: *const T, name: &str) -> Result<&'a T, Error> {
    // SAFETY: the caller vouches for what the pointer points to.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(name))
}

/// A NUL-terminated text.
///
/// # Safety
/// `pointer` is NULL or points to a NUL-terminated string that stays as it is while `'a` lasts.
#[inline(always)]
pub(crate) unsafe fn text<'a>(pointer: *const c_char, name: &str) -> Result<&'a str, Error> {
    if pointer.is_null() {
        return Err(null(name));
    }
    // SAFETY: not NULL, so it is the string the caller vouches for.
    let text = unsafe { CStr::from_ptr(pointer) }.to_bytes();
    if text.is_ascii() {
        // Nearly all topics are, and this takes a fraction of the full check.
        // SAFETY: ASCII is UTF-8.
        return Ok(unsafe { str::from_utf8_unchecked(text) });
    }
    str::from_utf8(text).map_err(|_| sentence::not_utf8(name))
}

/// A NUL-terminated text, or none where the pointer is NULL.
///
/// # Safety
/// As for [`text`].
pub(crate) unsafe fn optional_text<'a>(
    pointer: *const c_char,
    name: &str,
) -> Result<Option<&'a str>, Error> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: passed on to the caller.
    unsafe { text(pointer, name) }.map(Some)
}

/// A range of bytes. NULL is an empty one if the length is 0.
///
/// # Safety
/// `pointer` is NULL or points to `length` bytes that stay as they are while `'a` lasts.
#[inline(always)]
pub(crate) unsafe fn bytes<'a>(
    pointer: *const c_void,
    length: usize,
    name: &str,
) -> Result<&'a [u8], Error> {
    // SAFETY: passed on to the caller.
    unsafe { slice(pointer.cast::<u8>(), length, name) }
}

/// An array. NULL is an empty one if the count is 0.
///
/// # Safety
/// `pointer` is NULL or points to `count` valid `T`s that nobody changes while `'a` lasts.
#[inline(always)]
pub(crate) unsafe fn slice<'a, T>(
    pointer: *const T,
    count: usize,
    name: &str,
) -> Result<&'a [T], Error> {
    if count == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(Error::new(
            ErrorKind::NullPointer,
            format!("{name} must not be NULL where its length is {count}"),
        ));
    }
    // No object in memory is larger than this; a negative number that became a size is.
    if count > isize::MAX as usize / size_of::<T>().max(1) {
        return Err(sentence::must_be(
            &format!("length of {name}"),
            "the size of something in memory",
            count,
        ));
    }
    // SAFETY: not NULL, of a size that can exist, and the caller vouches for its contents.
    Ok(unsafe { std::slice::from_raw_parts(pointer, count) })
}

/// Memory to be written. NULL is none if the count is 0.
///
/// # Safety
/// `pointer` is NULL or points to room for `count` values that nobody else uses while `'a` lasts.
pub(crate) unsafe fn memory<'a, T>(
    pointer: *mut T,
    count: usize,
    name: &str,
) -> Result<&'a mut [MaybeUninit<T>], Error> {
    let pointer = pointer.cast::<MaybeUninit<T>>();
    // SAFETY: whatever is there is a valid `MaybeUninit`; the caller vouches for the rest.
    let checked = unsafe { slice(pointer.cast_const(), count, name) }?.len();
    if checked == 0 {
        return Ok(&mut []);
    }
    // SAFETY: not NULL and not too long, as was checked; the caller vouches that it is ours alone.
    Ok(unsafe { std::slice::from_raw_parts_mut(pointer, checked) })
}

/// A QoS given as a number.
pub(crate) fn qos(number: c_int) -> Result<QoS, Error> {
    let qos = u8::try_from(number)
        .ok()
        .and_then(|number| QoS::try_from(number).ok());
    qos.ok_or_else(|| sentence::qos(number.into()))
}

/// A timeout in milliseconds; `None` for no limit.
pub(crate) fn timeout(milliseconds: u32) -> Option<Duration> {
    (milliseconds != MQTT_FOREVER).then(|| Duration::from_millis(milliseconds.into()))
}

/// Writes a result where C wants it; NULL means that it does not.
///
/// # Safety
/// `place` is NULL or points to memory that may be written as a `T`.
pub(crate) unsafe fn put<T>(place: *mut T, value: T) {
    if !place.is_null() {
        // SAFETY: not NULL, and the caller vouches that it may be written. What was there before is
        // plain data.
        unsafe { place.write(value) }
    }
}
