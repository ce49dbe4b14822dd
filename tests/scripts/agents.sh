#!/usr/bin/env bash
# Builds the agents of the behaviour suite in every language and lays them where run.py looks.
source "$(dirname "$0")/env.sh"
require_python
agents=tests/conformance/agents
tests/scripts/build.sh
tests/scripts/venv.sh
mkdir -p "$TARGET/agents"
ln -sf "$TARGET/debug/agent-rust" "$TARGET/agents/agent-rust"
"${CC:-cc}" -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -g -Iinclude "$agents"/c/*.c -o "$TARGET/agents/agent-c" \
  -L"$TARGET/debug" -lleveret -pthread -Wl,-rpath,"$TARGET/debug"
