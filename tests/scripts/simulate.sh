#!/usr/bin/env bash
# The simulation: arguments go to the program, `--seed N` or `--count N`.
source "$(dirname "$0")/env.sh"
[ -e tests/src/bin/simulate.rs ] || { skip simulation "the simulator is not there yet"; exit 0; }

# Release speed: what is simulated is the time of thousands of clients.
exec cargo run --profile quick -p leveret-tests --no-default-features --bin simulate -- "$@"
