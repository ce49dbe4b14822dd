#!/usr/bin/env bash
# What is published, for this machine's platform, in target/package: crates, C library, wheel, Node packages; then a try of each.
source "$(dirname "$0")/env.sh"
require_python
require_node
out=$TARGET/package
rm -rf "$out"
mkdir -p "$out"

# cargo puts them into target/package by itself.
say "crates"
cargo package --allow-dirty -p leveret-protocol -p leveret-sys -p leveret

say "C library"
tests/scripts/package-c.sh "$out"

say "Python package"
tests/scripts/package-python.sh "$out"

say "Node packages"
cargo build --release -p leveret-node
tests/scripts/node-package.sh "$TARGET/release/libleveret_node.so" "$out"

rm -rf "$out"/tmp-*
ls -l "$out"
