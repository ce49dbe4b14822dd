#!/usr/bin/env bash
# Fetches what checks the types of the Node package, as its lock file pins it. The tests need none of it.
source "$(dirname "$0")/env.sh"
require_node
cmp -s bindings-node/package-lock.json bindings-node/node_modules/.leveret-lock && exit 0

npm --prefix bindings-node ci --ignore-scripts
cp bindings-node/package-lock.json bindings-node/node_modules/.leveret-lock
