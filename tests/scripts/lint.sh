#!/usr/bin/env bash
# Formatting, clippy, the types of Python and Node, generated files, tidiness.
source "$(dirname "$0")/env.sh"
require_node

say "format"; cargo fmt --all --check
say "clippy"; cargo clippy --workspace --all-targets -- -D warnings
say "features"; for features in "" testing; do cargo check --quiet -p leveret --features "$features"; done
say "documentation"; RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
say "generated files and tidiness"; CI=true cargo test --workspace --test generated --test tidy --test good_guest --test c_header

say "types of Python"
tests/scripts/build.sh
tests/scripts/venv.sh
(cd bindings-python && "$VENV/bin/python" -m mypy --cache-dir "$TARGET/mypy" && "$VENV/bin/python" -m pyright --pythonpath "$VENV/bin/python")

say "format of C and C++"
# demo.c is laid out for being read beside the others.
find ffi-c examples/c examples/cpp include tests/conformance \( -name '*.c' -o -name '*.cpp' -o -name '*.h' -o -name '*.hpp' \) \
  ! -path 'include/leveret*.h' ! -path ffi-c/macros.h -print0 | xargs -0 "$VENV/bin/clang-format" --dry-run --Werror

say "types of Node"
tests/scripts/npm.sh
npm --prefix bindings-node run --silent types
npm --prefix bindings-node run --silent types -- --module nodenext --moduleResolution nodenext
say "types of the packed Node packages"
tests/scripts/node-package.sh "$TARGET/debug/libleveret_node.so" "$TARGET/package-node" types
