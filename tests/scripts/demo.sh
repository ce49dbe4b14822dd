#!/usr/bin/env bash
# Builds everything and runs the main job in all languages on the embedded broker, against expected.txt.
source "$(dirname "$0")/env.sh"
source tests/scripts/demos.sh
compile_demos

failed=0
for demo in $demos; do
  say "$demo"
  if check_demo "$demo"; then printf '%s\n' "$output"; else failed=1; fi
done
[ "$failed" = 0 ] || die "a demo differs from examples/demo/expected.txt"
printf '\nall five demos printed exactly examples/demo/expected.txt\n'
