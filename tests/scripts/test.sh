#!/usr/bin/env bash
# All tests; the names of parts as arguments run these alone, one after the other, with all that they print.
#
# What every part needs is built first, while tools and brokers are fetched beside it. Then two lanes of parts run side by side, since many
# of them mostly wait. Each part prints into a log of its own; shown are what was skipped and why, what each took, and at the end a table
# of all and what says so of those that failed.
source "$(dirname "$0")/env.sh"

only=" $* "
logs=$TARGET/logs
mkdir -p "$logs"
rm -f "$logs"/*.result
# Where nobody watches (CI), what hangs must not hang the rest; no part takes this long.
bound=()
[ -z "${CI:-}" ] || bound=(timeout --kill-after=10 900)
TIMEFORMAT='%R %U %S'

# part NAME COMMAND…
part() {
  local name=$1 verdict=ok
  shift
  [ "$only" = "  " ] || [[ $only == *" $name "* ]] || return 0
  say "$name: $*"
  { time "${bound[@]}" "$@" </dev/null 2>&1 | record "$logs/$name.log"; } 2>"$logs/$name.time" || verdict=FAILED
  awk -v name="$name" -v verdict="$verdict" \
    '{ printf "%-12s %-6s %4d s, of the processor %4d s\n", name, verdict, $1, $2 + $3 }' "$logs/$name.time" | tee "$logs/$name.result"
}

# record LOG: keeps what comes, and shows it where a part is looked at; otherwise only what was skipped.
record() {
  if [ "$only" != "  " ]; then tee "$1"; else tee "$1" | { grep -i '^skipped' || true; }; fi
}

built() {
  part build      tests/scripts/build.sh
}

# What compiles more, or keeps the processor busy.
busy() {
  part rust       cargo test --workspace --no-fail-fast
  part statements tests/scripts/statements.sh
  part loom       tests/scripts/loom.sh
  part simulation tests/scripts/simulate.sh --count 2000
  part c          ffi-c/tests/run.sh
  part install    tests/scripts/consumers.sh
}

# What mostly waits.
waiting() {
  part python     tests/scripts/python.sh
  part node       tests/scripts/node.sh
  part npm        tests/scripts/node-package.sh "$TARGET/debug/libleveret_node.so" "$TARGET/package-node"
  part behaviour  tests/scripts/conformance.sh
  # Mosquitto has its turn in every language above.
  part interop    tests/scripts/interop.sh aedes ejabberd
  part demos      tests/scripts/demo.sh
  part readme     tests/scripts/readme.sh
}

# findings NAME: the lines of a part's output that say what failed, so that the end of a long log tells enough.
findings() {
  printf -- '--- %s\n' "$1"
  grep -E 'FAILED|panicked at|has been running|^error|^not ok|differs|Error:|ERROR:|what\(\):' "$logs/$1.log" | tail -n 40 || true
  printf -- '--- the end of %s\n' "$1"
  tail -n 40 "$logs/$1.log"
}

failed=0
if [ "$only" = "  " ]; then
  # What runs in the background would not hear of an interrupt.
  trap 'trap - TERM; kill 0' INT TERM
  tests/scripts/fetch.sh >"$logs/fetch.log" 2>&1 </dev/null & fetching=$!
  built
  wait "$fetching" || say "not everything could be fetched beside the build ($logs/fetch.log): the parts try it themselves"
  busy & lane=$!
  waiting
  wait "$lane" || failed=1
else
  built
  busy
  waiting
fi

results=$(find "$logs" -name '*.result' -printf '%T@ %p\n' | sort -n | cut -d ' ' -f 2)
[ -n "$results" ] || die "there is no part of the name$only"
for result in $results; do
  if grep -q ' FAILED ' "$result"; then
    failed=1
    say "what failed, out of $logs"
    findings "$(basename "$result" .result)"
  fi
done
say "summary"
# shellcheck disable=SC2086  # one file to a word
cat $results
exit "$failed"
