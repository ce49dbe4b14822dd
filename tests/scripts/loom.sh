#!/usr/bin/env bash
# The handoffs under loom: every interleaving of a few threads, within a bound on preemptions.
source "$(dirname "$0")/env.sh"
grep -rqs 'loom::model' core/src core/tests || { skip loom "the core has no loom tests yet"; exit 0; }

# A target directory of its own: the flag changes every crate. `--cfg loom` itself would take tokio's sockets away.
export RUSTFLAGS="--cfg leveret_loom" LOOM_MAX_PREEMPTIONS=${LOOM_MAX_PREEMPTIONS:-3}
# What the tests of TLS need is built along, so it is built fast; only what explores the interleavings has to run fast.
quickly=(--config 'profile.dev.package."*".opt-level=0')
for crate in loom generator; do quickly+=(--config "profile.dev.package.$crate.opt-level=1"); done
tests=(cargo test -p leveret "${quickly[@]}" --target-dir "$TARGET/loom" --lib handoff)
"${tests[@]}" -- --list --quiet | grep -c >/dev/null ': test$' || die "core/src/handoff.rs has no tests under loom"
exec "${tests[@]}"
