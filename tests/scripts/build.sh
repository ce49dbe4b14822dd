#!/usr/bin/env bash
# Builds every crate once and lays the results where each language looks: the Python package, the Node package, libleveret.
source "$(dirname "$0")/env.sh"
require_python
require_node

# One invocation for all with the targets that `cargo test` builds too: the features of shared
# dependencies then come out the same, and nothing is compiled twice.
cargo build --workspace --lib --bins --examples --tests

# place FROM TO: a new file under the old name, since a process may have the old one mapped.
place() {
  cmp -s "$1" "$2" && return
  cp "$1" "$2.new"
  mv -f "$2.new" "$2"
}
built=$TARGET/debug
place "$built/lib_native.so" bindings-python/python/leveret/_native.abi3.so
place "$built/libleveret_node.so" "bindings-node/leveret.$(node -p 'require("./bindings-node/platform.cjs").platformName()').node"
# The name that programs linked against the library ask for.
ln -sf libleveret.so "$built/libleveret.so.0"
# Programs under examples/ say `import 'leveret'` as any user would.
mkdir -p examples/node_modules
ln -sfn ../../bindings-node examples/node_modules/leveret
