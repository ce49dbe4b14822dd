#!/usr/bin/env bash
# What is published, for this machine's platform, in target/package: crates, C library, wheel, Node packages; then a try of each.
source "$(dirname "$0")/env.sh"
require_python
require_node
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
host=$(rustc -vV | sed -n 's/^host: //p')
out=$TARGET/package
rm -rf "$out"
mkdir -p "$out"

# cargo puts them into target/package by itself.
say "crates"
cargo package --allow-dirty -p leveret-protocol -p leveret-sys -p leveret

say "C library"
cargo build --release -p leveret-ffi
c=$out/leveret-$version-$host
mkdir -p "$c/include" "$c/lib"
cp include/*.h "$c/include"
cp "$TARGET/release/libleveret.so" "$c/lib/libleveret.so.0"
ln -s libleveret.so.0 "$c/lib/libleveret.so"
cp "$TARGET/release/libleveret.a" "$c/lib"
cp LICENSE-MIT LICENSE-APACHE README.md "$c"
tar -C "$out" -czf "$c.tar.gz" "$(basename "$c")"

say "Python package"
tests/scripts/package-python.sh "$out"

say "Node packages"
cargo build --release -p leveret-node
tests/scripts/node-package.sh "$TARGET/release/libleveret_node.so" "$out"

rm -rf "$out"/tmp-*
say "trying them where nothing else of the project is"
try=$(mktemp -d)
trap 'rm -rf "$try"' EXIT
cp examples/demo/* "$try"
cd "$try"

# expect NAME COMMAND…: what the demo must print, whatever it was installed from.
expect() {
  local name=$1
  shift
  "$@" >printed </dev/null && diff expected.txt printed || die "$name does not work as packaged"
  echo "ok: $name"
}
tar -xzf "$c.tar.gz" --strip-components 1
"${CC:-cc}" -std=c11 -Iinclude demo.c -o demo_c -Llib -lleveret -pthread -Wl,-rpath,"$try/lib"
expect demo.c ./demo_c
ls -l "$out"
