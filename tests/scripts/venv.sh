#!/usr/bin/env bash
# Makes target/venv: pinned test tools, and the package leveret straight from its sources.
source "$(dirname "$0")/env.sh"
require_python
wanted=tests/requirements.txt
stamp=$VENV/requirements.txt
# A target directory that was copied from another tree would test that tree's package.
sources=$ROOT/bindings-python/python
cmp -s "$wanted" "$stamp" && grep -qxF "$sources" "$VENV"/lib/python3*/site-packages/leveret.pth && exit 0

python3 -m venv --clear "$VENV"
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
purelib=$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "$sources" > "$purelib/leveret.pth"
cp "$wanted" "$stamp"
