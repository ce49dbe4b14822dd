# What every script of this directory starts with: strict mode, the root of the tree, the tools, how to say things.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$ROOT"
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
VENV=$TARGET/venv
export TARGET VENV
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}

# cargo, pip and npm keep their caches under HOME: give them one where there is none.
if [ ! -w "${HOME:-}" ]; then
  export HOME=$TARGET/home
  mkdir -p "$HOME"
fi

# say TEXT: a heading, so that a long log can be searched.
say() { printf '\n=== %s\n' "$*"; }

# skip WHAT WHY: says that something was not tested; never silent.
skip() { printf '\nSKIPPED %s: %s\n' "$1" "$2"; }

die() { printf 'error: %s\n' "$*" >&2; exit 1; }

have() { command -v "$1" >/dev/null 2>&1; }

# With another HOME (a clean one, as on CI) rustup's proxies would not find their toolchain:
# look beside the directory that holds them.
find_toolchain() {
  have cargo || die "cargo is not on PATH: install Rust from https://rustup.rs"
  if [ -z "${RUSTUP_HOME:-}" ] && ! rustc --version >/dev/null 2>&1; then
    local beside
    beside=$(dirname "$(dirname "$(dirname "$(readlink -f "$(command -v cargo)")")")")/.rustup
    if [ -d "$beside" ]; then export RUSTUP_HOME=$beside; fi
  fi
  rustc --version >/dev/null || die "rustc does not start: set RUSTUP_HOME or run rustup default stable"
}

# The oldest versions that the bindings support.
require_python() {
  have python3 || die "python3 is not on PATH: Python 3.11 or newer is needed"
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "$(python3 --version) is too old: 3.11 or newer is needed"
}
require_node() {
  have node || die "node is not on PATH: Node 20 or newer is needed"
  node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' || die "Node $(node --version) is too old: 20 or newer is needed"
}

# as_root COMMAND…: runs it as root if that is possible without asking anybody.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif have sudo && sudo -n true 2>/dev/null; then sudo -n "$@"; else return 1; fi
}

# install_package NAME…: installs packages of the system where that needs no question; else says why not and fails.
install_package() {
  have apt-get || { echo "$* not installed, and there is no apt-get to install it with" >&2; return 1; }
  # RUNLEVEL keeps a package from starting a service of its own.
  local install=(as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y --no-install-recommends "$@")
  { "${install[@]}" || { as_root apt-get update && "${install[@]}"; }; } >&2 </dev/null ||
    { echo "$* not installed, and apt-get could not install it (it needs root or sudo without a password)" >&2; return 1; }
}

find_toolchain
