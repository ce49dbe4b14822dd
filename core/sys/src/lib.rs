//! The few system calls that need unsafe: each block says why it is sound.
