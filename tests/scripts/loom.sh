#!/usr/bin/env bash
# The handoffs under loom: every interleaving of a few threads, within a bound on preemptions.
source "$(dirname "$0")/env.sh"
grep -qs leveret_loom core/src/handoff.rs || { skip loom "the handoffs are not there yet"; exit 0; }

# A target directory of its own: the flag changes every crate. `--cfg loom` itself would take tokio's sockets away.
export RUSTFLAGS="--cfg leveret_loom" LOOM_MAX_PREEMPTIONS=${LOOM_MAX_PREEMPTIONS:-3}
exec cargo test -p leveret --target-dir "$TARGET/loom" --lib handoff
