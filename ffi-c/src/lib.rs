//! The C ABI of leveret.
