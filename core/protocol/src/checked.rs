//! What would panic where a number is too large, as it does not: the only file that calls the methods which clippy.toml keeps out of this crate.
#![cfg_attr(
    not(test),
    expect(
        clippy::disallowed_methods,
        reason = "each call is behind the comparison that it needs"
    )
)]
use alloc::collections::VecDeque;
use alloc::vec::{Drain, Vec};

use bytes::{Buf, Bytes, BytesMut};

/// Drops the first `count` bytes, or all if there are fewer.
#[inline]
pub(crate) fn skip(buffer: &mut impl Buf, count: usize) {
    let there = buffer.remaining();
    buffer.advance(count.min(there));
}

/// Takes the first `count` bytes; `None`, and nothing is taken, if there are fewer.
#[inline]
pub(crate) fn take(bytes: &mut Bytes, count: usize) -> Option<Bytes> {
    (count <= bytes.len()).then(|| bytes.split_to(count))
}

/// Takes the first `count` bytes, or all if there are fewer.
#[inline]
pub(crate) fn take_front(bytes: &mut BytesMut, count: usize) -> BytesMut {
    let there = bytes.len();
    bytes.split_to(count.min(there))
}

/// Takes the first `count` items out, or all if there are fewer.
#[inline]
pub(crate) fn drain<T>(items: &mut Vec<T>, count: usize) -> Drain<'_, T> {
    let there = items.len();
    items.drain(..count.min(there))
}

/// Takes out what lies behind the first `count` items.
#[inline]
pub(crate) fn split_off<T>(items: &mut Vec<T>, count: usize) -> Vec<T> {
    let there = items.len();
    items.split_off(count.min(there))
}

/// Takes one item out, and those behind it move up; `None` if there is none at this place.
#[inline]
pub(crate) fn remove<T>(items: &mut Vec<T>, place: usize) -> Option<T> {
    (place < items.len()).then(|| items.remove(place))
}

/// Puts an item at a place, or at the end if that is before it.
#[inline]
pub(crate) fn insert<T>(items: &mut VecDeque<T>, place: usize, item: T) {
    let there = items.len();
    items.insert(place.min(there), item);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_cut() {
        let mut buffer = BytesMut::from(&b"abcd"[..]);
        skip(&mut buffer, 1);
        assert_eq!(take_front(&mut buffer, 2), b"bc"[..]);
        assert_eq!(take_front(&mut buffer, 2), b"d"[..]);
        skip(&mut buffer, 1);
        let mut bytes = Bytes::from_static(b"ab");
        assert_eq!(take(&mut bytes, 3), None);
        assert_eq!(take(&mut bytes, 2).as_deref(), Some(&b"ab"[..]));
        let mut items = Vec::from([1, 2, 3, 4]);
        assert_eq!(split_off(&mut items, 3), [4]);
        assert!(split_off(&mut items, 7).is_empty());
        assert_eq!(
            (remove(&mut items, 3), remove(&mut items, 0)),
            (None, Some(1))
        );
        assert_eq!(drain(&mut items, 7).collect::<Vec<_>>(), [2, 3]);
        let mut queue = VecDeque::new();
        insert(&mut queue, 9, 'a');
        insert(&mut queue, 0, 'b');
        assert_eq!(queue, ['b', 'a']);
    }
}
