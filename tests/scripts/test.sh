#!/usr/bin/env bash
# All tests, one part after the other; the names of parts as arguments run these alone.
# Each part prints what it skipped and why. The end is a table of the parts and their times. Where nobody watches (CI), what a part prints
# goes to its log alone, with what it skipped and, if it failed, what says so.
source "$(dirname "$0")/env.sh"

only=" $* "
failed=0
table=""
findings=""
logs=$TARGET/logs
mkdir -p "$logs"
# Where nobody watches, what hangs must not hang the rest; no part takes this long.
bound=()
[ -z "${CI:-}" ] || bound=(timeout --kill-after=10 900)

# part NAME COMMAND…
part() {
  local name=$1 start=$SECONDS verdict=ok
  shift
  [ "$only" = "  " ] || [[ $only == *" $name "* ]] || return 0
  say "$name: $*"
  "${bound[@]}" "$@" </dev/null 2>&1 | record "$logs/$name.log" || { verdict=FAILED; failed=1; }
  [ "$verdict" = ok ] || findings+=$(find_failures "$name")$'\n'
  table+=$(printf '%-12s %-6s %4d s' "$name" "$verdict" $((SECONDS - start)))$'\n'
}

# record LOG: keeps what comes, and shows it to whoever watches; otherwise only what was skipped.
record() {
  if [ -z "${CI:-}" ]; then tee "$1"; else tee "$1" | { grep -i '^skipped' || true; }; fi
}

# find_failures NAME: the lines of a part's output that say what failed, so that the end of a long log tells enough.
find_failures() {
  printf -- '--- %s\n' "$1"
  grep -E 'FAILED|panicked at|has been running|^error|^not ok|differs|Error:|ERROR:|what\(\):' "$logs/$1.log" | tail -n 40
  printf -- '--- the end of %s\n' "$1"
  tail -n 40 "$logs/$1.log"
}

part build      tests/scripts/build.sh
part rust       cargo test --workspace --no-fail-fast
part loom       tests/scripts/loom.sh
part simulation tests/scripts/simulate.sh --count 2000
part c          ffi-c/tests/run.sh
part install    tests/scripts/consumers.sh
part python     tests/scripts/python.sh
part node       tests/scripts/node.sh
part npm        tests/scripts/node-package.sh "$TARGET/debug/libleveret_node.so" "$TARGET/package-node"
part behaviour  tests/scripts/conformance.sh
# Mosquitto has its turn in every language above.
part interop    tests/scripts/interop.sh aedes ejabberd
part demos      tests/scripts/demo.sh
part readme     tests/scripts/readme.sh

if [ "$failed" != 0 ]; then
  say "what failed, out of $logs"
  printf '%s' "$findings"
fi
say "summary"
printf '%s' "$table"
exit "$failed"
