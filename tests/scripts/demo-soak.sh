#!/usr/bin/env bash
# Runs each demo many times in a row, first on a quiet machine, then with every core loaded: demo-soak.sh COUNT.
# The five languages run side by side: a demo mostly waits for a letter to expire, and its broker is its own.
source "$(dirname "$0")/env.sh"
source tests/scripts/demos.sh
count=${1:?how many times}
compile_demos

# runs DEMO WHEN: the demo $count times; stops at the first failure.
runs() {
  local start=$SECONDS
  for ((run = 1; run <= count; run++)); do
    check_demo "$1" || { echo "$1 failed in run $run of $count, $2"; return 1; }
  done
  echo "$1: $count of $count runs as expected, $2, $((SECONDS - start)) s"
}

soak() {
  local running=() failed=0
  for demo in $demos; do
    runs "$demo" "$1" &
    running+=($!)
  done
  for one in "${running[@]}"; do wait "$one" || failed=1; done
  [ "$failed" = 0 ] || die "a demo failed, $1"
}

soak "idle"
burners=()
trap 'kill "${burners[@]}" 2>/dev/null || true' EXIT
for ((core = 0; core < $(nproc); core++)); do
  (while :; do :; done) &
  burners+=($!)
done
soak "all $(nproc) cores loaded"
