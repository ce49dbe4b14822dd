#!/usr/bin/env bash
# Every statement of the two standards that binds a client, with the tests that show it and their results; fails on a hole.
source "$(dirname "$0")/env.sh"
mkdir -p "$TARGET/logs"
log=$TARGET/logs/statements.log

targets=$(cargo run -q -p leveret-tests --bin statements targets)
# What fails is told by the table; where nothing could be built or run, by cargo. The whole workspace, since with less cargo would build anew.
# shellcheck disable=SC2086  # one target to a word
cargo test --workspace $(printf -- '--test %s ' $targets) --no-fail-fast -- v311_ v5_ >"$log" 2>"$log.errors" || true
grep -q '^test result' "$log" || { cat "$log.errors" >&2; die "the tests did not run"; }
cargo run -q -p leveret-tests --bin statements <"$log"
