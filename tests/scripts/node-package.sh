#!/usr/bin/env bash
# Packs the npm packages around a native module and uses them where nothing else of the project is: node-package.sh MODULE FOLDER [types].
# With `types` their types are checked too, in every way that TypeScript finds them, by what npm.sh has installed.
module=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
what=${3:-}
source "$(dirname "$0")/env.sh"
require_node
scripts=$PWD/tests/scripts
tools=$PWD/bindings-node/node_modules

rm -rf "$out/npm" "$out"/leveret-*.tgz
node tests/scripts/package-node.mjs "$module" "$out/npm"
for package in "$out"/npm/*/; do (cd "$out" && npm pack --silent "$package"); done

try=$(mktemp -d)
trap 'rm -rf "$try"' EXIT
cp examples/demo/demo.mjs examples/demo/expected.txt "$scripts"/packaged/* "$try"
cd "$try"
npm install --silent --offline --ignore-scripts --no-audit --no-fund "$out"/leveret-*.tgz

# runs NAME COMMAND…: what has to succeed, with a time limit; its output only if it does not.
runs() {
  local name=$1
  shift
  timeout --kill-after=5 300 "$@" >printed 2>&1 </dev/null || { cat printed; die "$name does not work as packaged"; }
  echo "ok: $name"
}
runs "ESM" node use.mjs
runs "CommonJS" node use.cjs
runs "the demo" node demo.mjs
diff expected.txt printed || die "the demo prints something else as packaged"

if [ "$what" = types ]; then
  ln -s "$tools/@types" node_modules/@types
  for resolution in node16 nodenext bundler; do
    module=$resolution
    [ "$resolution" != bundler ] || module=esnext
    runs "TypeScript, moduleResolution $resolution" node "$tools/typescript/bin/tsc" --strict --noEmit --target es2022 --types node \
      --module "$module" --moduleResolution "$resolution" use-types.mts use-types.cts
  done
fi

rm -rf node_modules/leveret-*
if node use.mjs >printed 2>&1; then die "it works without a native module"; fi
grep -q "install leveret-.*@" printed || { cat printed; die "the error without the platform's package does not say what to install"; }
echo "ok: the error without the platform's package"
