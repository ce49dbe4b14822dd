#!/usr/bin/env bash
# The C door from C: the headers in C99 and C++17 without a warning, then the programs of ffi-c/tests, under valgrind too.
source "$(dirname "$0")/env.sh"
cc=${CC:-cc} cxx=${CXX:-c++}
have "$cc" || die "a C compiler is needed"
strict=(-Wall -Wextra -Werror -pedantic -Iinclude)
out=$TARGET/c
mkdir -p "$out"
built=$TARGET/debug

for header in include/*.h; do
  say "$header"
  "$cc" -std=c99 "${strict[@]}" -x c -fsyntax-only - <<<"#include \"$(basename "$header")\""
  if have "$cxx"; then "$cxx" -std=c++17 "${strict[@]}" -x c++ -fsyntax-only - <<<"#include \"$(basename "$header")\""
  else skip "$header as C++17" "there is no C++ compiler"; fi
done

have valgrind || skip "the C programs under valgrind" "valgrind is not installed"
for source in ffi-c/tests/*.c; do
  [ -e "$source" ] || { skip "C programs" "ffi-c/tests has none yet"; break; }
  program=$out/$(basename "$source" .c)
  say "$source"
  "$cc" -std=c99 -D_POSIX_C_SOURCE=200809L -g "${strict[@]}" "$source" -o "$program" -L"$built" -lleveret -pthread -Wl,-rpath,"$built"
  "$program"
  if have valgrind; then
    valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite "$program"
  fi
  echo "ok: $source"
done
