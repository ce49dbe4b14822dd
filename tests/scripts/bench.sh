#!/usr/bin/env bash
# The benchmarks of every crate, in a release build with symbols.
source "$(dirname "$0")/env.sh"
exec cargo bench --workspace "$@"
