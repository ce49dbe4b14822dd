#!/usr/bin/env bash
# Runs the four programs on the first screen of the README against the embedded broker.
source "$(dirname "$0")/env.sh"
require_node
tests/scripts/build.sh
tests/scripts/venv.sh
exec "$VENV/bin/python" tests/scripts/readme.py
