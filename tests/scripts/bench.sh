#!/usr/bin/env bash
# What a message costs: the benchmarks of the crates, then instructions and system calls from C, held against their limits.
source "$(dirname "$0")/env.sh"
cargo bench --workspace
exec ffi-c/bench/instructions.sh
