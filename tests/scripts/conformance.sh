#!/usr/bin/env bash
# One behaviour suite in every language, on the embedded broker and on a real mosquitto; arguments go to run.py.
source "$(dirname "$0")/env.sh"
require_python
agents=tests/conformance/agents
tests/scripts/build.sh
tests/scripts/venv.sh

export LEVERET_PYTHON=$VENV/bin/python LEVERET_AGENTS=$TARGET/agents
mkdir -p "$LEVERET_AGENTS"
ln -sf "$TARGET/debug/agent-rust" "$LEVERET_AGENTS/agent-rust"
"${CC:-cc}" -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -g -Iinclude "$agents/agent.c" -o "$LEVERET_AGENTS/agent-c" \
  -L"$TARGET/debug" -lleveret -pthread -Wl,-rpath,"$TARGET/debug"

why=$(tests/scripts/mosquitto.sh 2>&1 >/dev/null) || skip "everything against mosquitto" "${why##*$'\n'}"
exec "$VENV/bin/python" tests/conformance/run.py "$@"
