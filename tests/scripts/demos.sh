# The five demos for scripts to source: `demos` lists them, `run_demo NAME` runs one on what build.sh built.
# shellcheck shell=bash
demos="demo.c demo.py demo_async.py demo.mjs demo.rs"

compile_demos() {
  tests/scripts/build.sh
  tests/scripts/venv.sh
  mkdir -p "$TARGET/demo"
  "${CC:-cc}" -std=c11 -Wall -Wextra -Werror -O1 -Iinclude examples/demo/demo.c -o "$TARGET/demo/demo_c" \
    -L"$TARGET/debug" -lleveret -pthread -Wl,-rpath,"$TARGET/debug"
}

run_demo() {
  case $1 in
    *.c) "$TARGET/demo/demo_c" ;;
    *.py) "$VENV/bin/python" "examples/demo/$1" ;;
    *.mjs) node "examples/demo/$1" ;;
    *.rs) "$TARGET/debug/demo" ;;
  esac
}

# check_demo NAME: runs it once; its output is in $output; fails, saying how, where it is not the expected.
check_demo() {
  local status=0
  output=$(timeout 60 bash -c 'source tests/scripts/demos.sh; run_demo "$1"' - "$1" 2>&1 </dev/null) || status=$?
  [ "$status" = 0 ] && [ "$output" = "$(cat examples/demo/expected.txt)" ] && return
  printf '%s: exit status %s; how its output (>) differs from expected.txt (<):\n' "$1" "$status"
  diff examples/demo/expected.txt - <<<"$output" || true
  return 1
}
