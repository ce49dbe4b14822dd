#!/usr/bin/env bash
# The tests of the Node package: node --test on the library just built; arguments go to node.
source "$(dirname "$0")/env.sh"
require_node
cd bindings-node
exec node --test "$@" tests/*.test.mjs
