#!/usr/bin/env bash
# Counts what a 64-byte publish from C costs, all threads together, and fails above the limits:
# user-space instructions per message (callgrind) at QoS 0 and 1, the same at two window sizes, and system calls (strace).
#
# Each figure is the difference between a long and a short run, so that starting and connecting are not counted; the broker is a process
# of its own. Under callgrind the clock is asked by a system call, so the few dozen instructions of the kernel's own reading of it
# (vDSO), once a message, are not in the figures.
# usage: ffi-c/bench/instructions.sh      (builds the release library; MESSAGES=… changes the long run)
set -euo pipefail
cd "$(dirname "$0")/../.."
messages=${MESSAGES:-200000}
few=$((messages / 10))
target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)

for tool in valgrind strace; do
  command -v "$tool" > /dev/null || { echo "instructions.sh: $tool is not installed" >&2; exit 2; }
done

cargo build --quiet --release -p leveret-ffi
library=$(realpath "$target/release")
${CC:-cc} -std=gnu99 -O2 -o "$work/sink" ffi-c/bench/sink.c
# Linked by path: the soname is looked up in a directory of ours.
ln -sf "$library/libleveret.so" "$work/libleveret.so.0"
${CC:-cc} -std=gnu99 -O2 -Iinclude -o "$work/firehose" ffi-c/bench/firehose.c "$library/libleveret.so" -pthread -Wl,-rpath,"$work"

trap 'kill ${sink-} 2> /dev/null; rm -rf "$work"' EXIT

# serve HOLD: starts the sink anew; it acknowledges in batches of HOLD
serve() {
  kill ${sink-} 2> /dev/null || true
  rm -f "$work/port"
  mkfifo "$work/port"
  "$work/sink" "$1" > "$work/port" &
  sink=$!
  exec 3< "$work/port"
  read -r port <&3
  url=mqtt://127.0.0.1:$port
}

# instructions MESSAGES OPTION…: all user-space instructions of one run
instructions() {
  local n=$1; shift
  valgrind --tool=callgrind --fair-sched=yes --callgrind-out-file="$work/callgrind.out" \
    "$work/firehose" -n "$n" "$@" "$url" > /dev/null 2> "$work/callgrind.log" || { cat "$work/callgrind.log" >&2; exit 1; }
  sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$work/callgrind.log"
}

# per_message MEASURE OPTION…: what each message of the long run adds
per_message() {
  local measure=$1; shift
  local short long
  short=$("$measure" "$few" "$@")
  long=$("$measure" "$messages" "$@")
  awk -v a="$short" -v b="$long" -v n=$((messages - few)) 'BEGIN { printf "%.3f", (b - a) / n }'
}

# system_calls MESSAGES OPTION…: all system calls of one run
system_calls() {
  local n=$1; shift
  strace -f -c -U calls -o "$work/strace.out" "$work/firehose" -n "$n" "$@" "$url" > /dev/null
  awk '$NF == "total" { print $1 }' "$work/strace.out"
}

failed=0
# limit NAME VALUE MOST
limit() {
  local verdict=ok
  awk -v v="$2" -v m="$3" 'BEGIN { exit !(v > 0 && v <= m) }' || { verdict="ABOVE THE LIMIT"; failed=1; }
  printf '%-58s %10s  (at most %s)  %s\n' "$1" "$2" "$3" "$verdict"
}

serve 1
limit "instructions per message, QoS 0" "$(per_message instructions -q 0)" 1000
limit "system calls per message, QoS 0" "$(per_message system_calls -q 0)" 0.02
limit "system calls per message, QoS 1" "$(per_message system_calls -q 1)" 0.02
serve 500
narrow=$(per_message instructions -q 1 -w 1000)
serve 60000
wide=$(per_message instructions -q 1 -w 65535)
limit "instructions per message, QoS 1, window 1000" "$narrow" 2500
limit "instructions per message, QoS 1, window 65535" "$wide" 2500
limit "window 65535 / window 1000" "$(awk -v a="$wide" -v b="$narrow" 'BEGIN { printf "%.3f", a / b }')" 1.1
exit $failed
