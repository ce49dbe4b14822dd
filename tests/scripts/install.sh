#!/usr/bin/env bash
# Installs what C and C++ need: headers, libleveret.so with its links, libleveret.a, and the packages of pkg-config and CMake.
#
# usage: PREFIX=/usr/local DESTDIR= tests/scripts/install.sh
# FROM is the folder that holds the built libraries; without it the release is built. TESTING=no leaves the test broker out, for devices.
source "$(dirname "$0")/env.sh"
prefix=${PREFIX:-/usr/local}
[[ $prefix == /* ]] || die "PREFIX must be an absolute path, not $prefix"
root=${DESTDIR:-}$prefix
testing=${TESTING:-yes}

from=${FROM:-}
if [ -z "$from" ]; then
  features=()
  [ "$testing" = yes ] || features=(--no-default-features --features tls,websocket)
  cargo build --release -p leveret-ffi "${features[@]}"
  from=$TARGET/release
fi
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
abi=$(sed -n 's/^const ABI: u32 = \([0-9]*\);$/\1/p' ffi-c/build.rs)
# As `rustc --print native-static-libs` says it for this platform.
case $(rustc -vV | sed -n 's/^host: //p') in
  *-linux-musl*) system="-lpthread -lm -ldl -lc" ;;
  *) system="-lgcc_s -lutil -lrt -lpthread -lm -ldl -lc" ;;
esac

# filled TEMPLATE TO: a template with what is known only now.
filled() {
  local libraries=$system
  # CMake takes a list.
  case $2 in *.cmake) libraries=${system// /;} ;; esac
  sed -e "s/@VERSION@/$version/g" -e "s/@ABI@/$abi/g" -e "s/@SYSTEM_LIBRARIES@/$libraries/g" "ffi-c/install/$1" > "$root/lib/$2"
  chmod 644 "$root/lib/$2"
}

install -d "$root/include/leveret" "$root/lib/pkgconfig" "$root/lib/cmake/leveret"
for header in include/*.h include/*.hpp; do
  [ "$testing" = yes ] || [[ $header != *_testing.h* ]] || continue
  install -m 644 "$header" "$root/include"
done
install -m 644 include/leveret/*.hpp "$root/include/leveret"
install -m 755 "$from/libleveret.so" "$root/lib/libleveret.so.$version"
ln -sf "libleveret.so.$version" "$root/lib/libleveret.so.$abi"
ln -sf "libleveret.so.$abi" "$root/lib/libleveret.so"
install -m 644 "$from/libleveret.a" "$root/lib"
filled leveret.pc.in pkgconfig/leveret.pc
filled leveretConfig.cmake.in cmake/leveret/leveretConfig.cmake
filled leveretConfigVersion.cmake.in cmake/leveret/leveretConfigVersion.cmake
echo "leveret $version for C and C++ is in $root"
