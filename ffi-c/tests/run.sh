#!/usr/bin/env bash
# The C door from C: headers in C99 and C++17 without a warning, then each program of this folder as it is, under the address, undefined
# behaviour and thread sanitizers (which instrument the C side: stable Rust has none), and under valgrind, which sees both sides.
#
# usage: ffi-c/tests/run.sh [PROGRAM…]      (the debug library has been built; what cannot be run is said, with the reason)
source "$(dirname "$0")/../../tests/scripts/env.sh"
cc=${CC:-cc} cxx=${CXX:-c++}
have "$cc" || die "a C compiler is needed"
strict=(-Wall -Wextra -Werror -pedantic -Iinclude)
built=$TARGET/debug
out=$TARGET/c
mkdir -p "$out"
# Programs ask for the library by its soname.
ln -sf libleveret.so "$built/libleveret.so.0"

# headers: each twice in one unit, with all their initialisers, in both languages
headers() {
  local header language
  for header in include/*.h; do
    say "$header"
    printf '#include <%s>\n' "$(basename "$header")" "$(basename "$header")" > "$out/header.c"
    cat >> "$out/header.c" <<'CODE'
int initialised(void);
int initialised(void) {
    mqtt_letter letter = MQTT_LETTER_INIT;
    mqtt_subscribe_options options = MQTT_SUBSCRIBE_OPTIONS_INIT;
    mqtt_close_options ending = MQTT_CLOSE_OPTIONS_INIT;
    return letter.qos + options.qos + ending.end_session;
}
/* Texts and payloads are given as string literals, in both languages. */
int posted(mqtt_client *client);
int posted(mqtt_client *client) {
    return mqtt_publish(client, "topic", "payload", 7, 1, false, NULL);
}
CODE
    "$cc" -std=c99 "${strict[@]}" -fsyntax-only "$out/header.c"
    if have "$cxx"; then "$cxx" -std=c++17 "${strict[@]}" -x c++ -fsyntax-only "$out/header.c"
    else skip "$header as C++17" "there is no C++ compiler"; fi
  done
}

# compile PROGRAM SUFFIX FLAG…
compile() {
  local name=$1 suffix=$2; shift 2
  local with=(-lleveret)
  # It loads the library by itself.
  if [ "$name" = load ]; then with=(-ldl); fi
  "$cc" -std=c99 -D_POSIX_C_SOURCE=200809L -g "${strict[@]}" "$@" "ffi-c/tests/$name.c" -o "$out/$name$suffix" \
    -L"$built" "${with[@]}" -pthread -Wl,-rpath,"$built"
}

# sanitized PROGRAM WHAT FLAG…: compiled and run with a sanitizer, or skipped where the compiler has none
sanitized() {
  local name=$1 what=$2; shift 2
  if ! echo 'int main(void) { return 0; }' | "$cc" "$@" -x c - -o "$out/probe-$name" 2>/dev/null || ! "$out/probe-$name"; then
    skip "$name under $what" "the compiler has no such sanitizer"
    return
  fi
  compile "$name" "-sanitized" "$@" -O1
  echo "$name, $what"
  bounded "$out/$name-sanitized"
}

valgrind_run() {
  have valgrind || install_package valgrind || { skip "$1 under valgrind" "valgrind is not installed"; return; }
  local leaks=(--leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite)
  # A forked child leaks what its parent's threads held, and some programs end with clients open, on purpose.
  case $1 in
    fork | load) leaks=(--leak-check=no) ;;
    guest) leaks=(--leak-check=no --trace-children=yes) ;;
  esac
  echo "$1, valgrind"
  LEVERET_WATCHED=1 bounded valgrind --quiet --error-exitcode=99 "${leaks[@]}" --fair-sched=yes \
    --num-callers=40 --suppressions=ffi-c/tests/valgrind.supp "$out/$1"
}

# bounded COMMAND…: ended with a word about it when it hangs, so that one program costs minutes and not the whole run
bounded() {
  local status=0
  timeout --kill-after=5 300 "$@" || status=$?
  if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then echo "$*: still running after 300 s, ended" >&2; fi
  return "$status"
}

run() {
  say "ffi-c/tests/$1.c"
  # The element that signs.
  if [ "$1" = sign ]; then have openssl || install_package openssl || { skip "ffi-c/tests/sign.c" "openssl is not installed"; return; }; fi
  # The program that runs them.
  if [ "$1" = examples ]; then examples; fi
  compile "$1" ""
  bounded "$out/$1"
  # A fork copies the address sanitizer's allocator with whatever lock of it another thread held (GCC before 14 does not take them
  # first), and the child's first new thread can wait for it without end; valgrind watches that program's memory instead.
  if [ "$1" = fork ]; then sanitized "$1" "undefined behaviour sanitizer" -fsanitize=undefined -fno-sanitize-recover=all
  elif [ "$1" = guest ]; then
    ASAN_OPTIONS=detect_leaks=0 sanitized "$1" "address and undefined behaviour sanitizers" -fsanitize=address,undefined -fno-sanitize-recover=all
  else sanitized "$1" "address and undefined behaviour sanitizers" -fsanitize=address,undefined -fno-sanitize-recover=all; fi
  # It sees neither the locks nor the memory of the library's Rust, so only a program that tells it of the order fits it.
  if grep -q __SANITIZE_THREAD__ "ffi-c/tests/$1.c"; then
    echo called_from_lib:libleveret.so > "$out/suppressions"
    TSAN_OPTIONS="halt_on_error=1 suppressions=$out/suppressions" sanitized "$1" "thread sanitizer" -fsanitize=thread
  else skip "$1 under the thread sanitizer" "its order comes from locks of the library, which is not instrumented"; fi
  valgrind_run "$1"
}

# examples: as a user would compile them
examples() {
  local source language
  for source in examples/c/*.c; do
    "$cc" -std=c99 -D_POSIX_C_SOURCE=200809L -O1 "${strict[@]}" "$source" -o "$out/example-$(basename "$source" .c)" \
      -L"$built" -lleveret -pthread -Wl,-rpath,"$built"
  done
  have "$cxx" || die "a C++ compiler is needed"
  for source in examples/cpp/*.cpp; do
    local flags=()
    case $source in */no_exceptions.cpp) flags=(-fno-exceptions) ;; esac
    # The last of these is the one that is run.
    for language in c++20 c++17; do
      "$cxx" "-std=$language" -O1 "${strict[@]}" "${flags[@]}" "$source" -o "$out/example-cpp-$(basename "$source" .cpp)" \
        -L"$built" -lleveret -pthread -Wl,-rpath,"$built"
    done
  done
}

# wrapper: leveret.hpp with every compiler and standard there is, with exceptions and without. Those with one standard of each compiler
# are run, and one of these under the address sanitizer and valgrind too.
wrapper() {
  local compiler standard
  for compiler in "$cxx" clang++; do
    have "$compiler" || { skip "leveret.hpp with $compiler" "it is not installed"; continue; }
    for standard in c++17 c++20; do
      say "leveret.hpp, $compiler -std=$standard"
      case $compiler-$standard in
        "$cxx-c++20" | clang++-c++17)
          "$compiler" "-std=$standard" "${strict[@]}" -fsyntax-only ffi-c/tests/wrapper.cpp
          "$compiler" "-std=$standard" "${strict[@]}" -fno-exceptions -fsyntax-only ffi-c/tests/wrapper_results.cpp
          continue ;;
      esac
      wrapped wrapper "$compiler" "$standard"
      wrapped wrapper_results "$compiler" "$standard" -fno-exceptions
      bounded "$out/wrapper"
      bounded "$out/wrapper_results"
    done
  done
  have "$cxx" || return 0
  "$cxx" -std=c++17 "${strict[@]}" -DLEVERET_NO_EXCEPTIONS -fsyntax-only ffi-c/tests/wrapper_results.cpp
  wrapped wrapper "$cxx" c++17
  valgrind_run wrapper
  # Under the sanitizers GCC 12 takes an empty std::optional for one that may be read.
  wrapped wrapper "$cxx" c++17 -O1 -Wno-maybe-uninitialized -fsanitize=address,undefined -fno-sanitize-recover=all 2>/dev/null ||
    { skip "leveret.hpp under the address sanitizer" "$cxx has none"; return 0; }
  echo "wrapper, address and undefined behaviour sanitizers"
  bounded "$out/wrapper"
}

# wrapped PROGRAM COMPILER STANDARD FLAG…
wrapped() {
  local name=$1 compiler=$2 standard=$3; shift 3
  "$compiler" "-std=$standard" -g "${strict[@]}" "$@" "ffi-c/tests/$name.cpp" -o "$out/$name" -L"$built" -lleveret -pthread -Wl,-rpath,"$built"
}

if [ $# -eq 0 ]; then
  headers
  wrapper
fi
# For what loads the library by name.
export LD_LIBRARY_PATH=$built
programs=("$@")
[ ${#programs[@]} -gt 0 ] || programs=($(basename -s .c ffi-c/tests/*.c))
if [ ${#programs[@]} -eq 1 ]; then run "${programs[0]}"; exit; fi

# Two at a time, since each of them uses one core and waits for much; what they print comes in their order.
for program in "${programs[@]}"; do
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
  (
    trap 'echo $? >"$out/$program.status"' EXIT
    run "$program"
  ) >"$out/$program.log" 2>&1 &
done
wait
failed=()
for program in "${programs[@]}"; do
  cat "$out/$program.log"
  [ "$(cat "$out/$program.status")" = 0 ] || failed+=("$program")
done
[ ${#failed[@]} -eq 0 ] || die "FAILED: ${failed[*]}"
