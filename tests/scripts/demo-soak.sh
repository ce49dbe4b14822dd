#!/usr/bin/env bash
# Runs each demo many times in a row, first on a quiet machine, then with every core loaded: demo-soak.sh COUNT.
source "$(dirname "$0")/env.sh"
source tests/scripts/demos.sh
count=${1:?how many times}
compile_demos

# soak WHEN: every demo $count times; stops at the first failure.
soak() {
  for demo in $demos; do
    local start=$SECONDS
    for ((run = 1; run <= count; run++)); do
      check_demo "$demo" || die "$demo failed in run $run of $count, $1"
    done
    echo "$demo: $count of $count runs as expected, $1, $((SECONDS - start)) s"
  done
}

soak "idle"
burners=()
trap 'kill "${burners[@]}" 2>/dev/null || true' EXIT
for ((core = 0; core < $(nproc); core++)); do
  (while :; do :; done) &
  burners+=($!)
done
soak "all $(nproc) cores loaded"
