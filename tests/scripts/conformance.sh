#!/usr/bin/env bash
# One behaviour suite in every language, on the embedded broker and on a real mosquitto; arguments go to run.py.
source "$(dirname "$0")/env.sh"
require_python
tests/scripts/agents.sh
export LEVERET_PYTHON=$VENV/bin/python LEVERET_AGENTS=$TARGET/agents

for other in mosquitto aedes tinyproxy microsocks; do
  why=$(tests/scripts/broker.sh "$other" 2>&1 >/dev/null) || skip "everything against $other" "${why##*$'\n'}"
done
exec "$VENV/bin/python" tests/conformance/run.py "$@"
