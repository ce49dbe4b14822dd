#!/usr/bin/env bash
# Every statement of the two standards that binds a client, with the tests that show it and their results; fails on a hole.
source "$(dirname "$0")/env.sh"
mkdir -p "$TARGET/logs"
log=$TARGET/logs/statements.log

# What fails is told by the table; where nothing could be built or run, by cargo.
cargo test -p leveret-protocol -p leveret --test conformance --no-fail-fast >"$log" 2>"$log.errors" || true
grep -q '^test result' "$log" || { cat "$log.errors" >&2; die "the tests did not run"; }
cargo run -q -p leveret-tests --bin statements <"$log"
