#!/usr/bin/env bash
# What a message costs: how fast letters leave, then instructions and system calls from C, held against their limits.
source "$(dirname "$0")/env.sh"
for tool in valgrind strace; do have "$tool" || install_package "$tool"; done
# The crate that has a benchmark, by name: to link the modules of the other languages for a benchmark would only take time.
cargo bench -p leveret --bench firehose
exec ffi-c/bench/instructions.sh
