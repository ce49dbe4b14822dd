#!/usr/bin/env bash
# Makes target/venv: pinned test tools, and the package leveret straight from its sources.
source "$(dirname "$0")/env.sh"
require_python
wanted=tests/requirements.txt
stamp=$VENV/requirements.txt
cmp -s "$wanted" "$stamp" && [ "$(cat "$VENV"/lib/python3*/site-packages/leveret.pth)" = "$ROOT/bindings-python/python" ] && exit 0

python3 -m venv --clear "$VENV"
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
purelib=$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$ROOT/bindings-python/python" > "$purelib/leveret.pth"
cp "$wanted" "$stamp"
