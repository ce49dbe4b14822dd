#!/usr/bin/env bash
# The Python package as it is published, wheel and source distribution, into the directory given; then a try of both
# in an environment where nothing else of the project is. The first argument is where to lay them.
source "$(dirname "$0")/env.sh"
require_python
mkdir -p "$1"
out=$(cd "$1" && pwd)/python
tests/scripts/venv.sh

# The tag is the oldest glibc that the library asks for, which maturin reads out of it: build on an old system, or with
# `maturin build --zig`, for a wheel that many may have.
rm -rf "$out"
mkdir -p "$out"
"$VENV/bin/maturin" build --release --manifest-path bindings-python/Cargo.toml --out "$out"
"$VENV/bin/maturin" sdist --manifest-path bindings-python/Cargo.toml --out "$out"

try=$(mktemp -d)
trap 'rm -rf "$try"' EXIT
cp -r examples/demo examples/python bindings-python/typed "$try"
cp tests/scripts/package-python.py "$try"
cd "$try"

# fresh NAME WHEEL: an environment that has the wheel alone, beside the test tools; prints its interpreter's path.
fresh() {
  python3 -m venv "$1"
  "$1/bin/pip" install --quiet --disable-pip-version-check --no-index "$2" >&2
  "$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
    >"$("$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tools.pth"
  echo "$try/$1/bin/python"
}

say "the wheel"
wheel=$(echo "$out"/leveret-*.whl)
python=$(fresh venv "$wheel")
PYTHONPATH='' "$python" package-python.py "$wheel"

say "the same wheel in newer Pythons"
tried=
for other in python3.12 python3.13 python3.14 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python3; do
  "$other" -c '' 2>/dev/null || continue
  "$other" -m venv --clear newer
  newer/bin/pip install --quiet --disable-pip-version-check --no-index "$wheel"
  timeout 60 newer/bin/python -W error demo/demo_async.py | diff demo/expected.txt - || die "the wheel does not work in $("$other" --version)"
  tried=yes
  echo "ok: demo_async.py in $("$other" --version)"
done
[ -n "$tried" ] || skip "newer Pythons" "none is installed"

say "the source distribution, built and used"
mkdir built
CARGO_TARGET_DIR=$TARGET CARGO_NET_OFFLINE=true MATURIN_PEP517_ARGS="--profile dev" PATH="$VENV/bin:$PATH" \
  "$VENV/bin/pip" wheel --quiet --disable-pip-version-check --no-index --no-build-isolation --no-deps \
  --wheel-dir built "$out"/leveret-*.tar.gz
python=$(fresh venv-sdist "$(echo built/leveret-*.whl)")
PYTHONPATH='' timeout 60 "$python" demo/demo.py | diff demo/expected.txt - || die "what was built from the source distribution does not work"
echo "ok: demo.py on what was built from the source distribution"
