#!/usr/bin/env bash
# Programs in C and C++ built outside the tree from an installed prefix: by CMake and by pkg-config, shared and static, the prefix moved.
#
# usage: tests/scripts/consumers.sh [FOLDER]      (that holds the built libraries; the debug build unless given)
source "$(dirname "$0")/env.sh"
from=${1:-$TARGET/debug}
cc=${CC:-cc} cxx=${CXX:-c++}
have "$cc" || die "a C compiler is needed"
have cmake || install_package cmake || skip "consumers by CMake" "cmake is not installed"
have pkg-config || install_package pkg-config || skip "consumers by pkg-config" "pkg-config is not installed"
[ "$from" != "$TARGET/debug" ] || [ -e "$from/libleveret.a" ] || cargo build -p leveret-ffi

try=$(mktemp -d)
trap 'rm -rf "$try"' EXIT
say "make install"
FROM=$from PREFIX=/opt/leveret DESTDIR=$try/stage tests/scripts/install.sh
# Elsewhere than it was installed for: nothing may point back.
mv "$try/stage/opt/leveret" "$try/moved"
prefix=$try/moved
if grep -rIl -e "$ROOT" -e "$try" -e /opt/leveret "$prefix/include" "$prefix/lib/cmake" "$prefix/lib/pkgconfig"; then
  die "these installed files name the place where they were built"
fi
[ "$(readlink "$prefix/lib/libleveret.so")" = libleveret.so.0 ] && [ -e "$prefix/lib/libleveret.so.0" ] || die "the links of libleveret.so are wrong"
cp ffi-c/tests/consumers/* "$try"
cd "$try"

# expect NAME COMMAND…: it prints what a delivered letter prints.
expect() {
  local name=$1 printed
  shift
  printed=$(timeout --kill-after=5 60 "$@" 2>&1 </dev/null) || die "$name ended with status $?: $printed"
  [ "$printed" = $'received a letter\nacknowledged' ] || die "$name printed: $printed"
  echo "ok: $name"
}

# needs_library NAME yes|no: whether the program asks for the shared library when it starts.
needs_library() {
  local needs=no
  if LC_ALL=C objdump -p "$1" | grep -c 'NEEDED.*libleveret\.so\.0' >/dev/null; then needs=yes; fi
  [ "$needs" = "$2" ] || die "whether $1 needs libleveret.so.0: $needs, not $2"
}

if have cmake; then
  say "CMake"
  cmake -S . -B build -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx" >cmake.log 2>&1 || { cat cmake.log; exit 1; }
  cmake --build build >>cmake.log 2>&1 || { cat cmake.log; exit 1; }
  for program in shared_c shared_cpp static_c static_cpp; do expect "CMake, $program" "build/$program"; done
  for program in shared_c shared_cpp; do needs_library "build/$program" yes; done
  for program in static_c static_cpp; do needs_library "build/$program" no; done
  sed 's/leveret 0.1/leveret 0.2/' CMakeLists.txt > wrong && mkdir other && mv wrong other/CMakeLists.txt
  ! cmake -S other -B other/build -DCMAKE_PREFIX_PATH="$prefix" >cmake.log 2>&1 || die "find_package(leveret 0.2) accepted another version"
fi

if have pkg-config; then
  say "pkg-config"
  export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
  version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$ROOT/Cargo.toml" | head -n 1)
  [ "$(pkg-config --modversion leveret)" = "$version" ] || die "pkg-config tells another version than $version"
  strict=(-Wall -Wextra -Werror -pedantic)
  # shellcheck disable=SC2046  # words are what is wanted
  {
    "$cc" "${strict[@]}" consumer.c -o shared_c $(pkg-config --cflags --libs leveret)
    "$cxx" -std=c++17 "${strict[@]}" consumer.cpp -o shared_cpp $(pkg-config --cflags --libs leveret)
    # Where both libraries are installed a linker takes the shared one: to have the other, name it.
    "$cc" "${strict[@]}" consumer.c -o static_c $(pkg-config --static --cflags --libs leveret | sed 's/-lleveret/-l:libleveret.a/')
    "$cxx" -std=c++17 "${strict[@]}" consumer.cpp -o static_cpp $(pkg-config --static --cflags --libs leveret | sed 's/-lleveret/-l:libleveret.a/')
  }
  for program in shared_c shared_cpp; do
    expect "pkg-config, $program" env "LD_LIBRARY_PATH=$prefix/lib" "./$program"
    needs_library "$program" yes
  done
  for program in static_c static_cpp; do
    expect "pkg-config, $program" "./$program"
    needs_library "$program" no
  done
fi
