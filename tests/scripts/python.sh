#!/usr/bin/env bash
# The tests of the Python package: pytest on the library just built; arguments go to pytest.
source "$(dirname "$0")/env.sh"
tests/scripts/venv.sh
cd bindings-python
exec "$VENV/bin/python" -m pytest -p no:cacheprovider "$@"
