#!/usr/bin/env bash
# The tarball for C and C++ in the folder given, and a try of it where nothing else of the project is: the demo, and consumers by CMake
# and pkg-config on the release build; then the library for devices, which has no test broker.
source "$(dirname "$0")/env.sh"
out=${1:?the folder for the tarball}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
host=$(rustc -vV | sed -n 's/^host: //p')
name=leveret-$version-$host

cargo build --release -p leveret-ffi
try=$(mktemp -d)
trap 'rm -rf "$try"' EXIT
FROM=$TARGET/release PREFIX=/$name DESTDIR=$try/stage tests/scripts/install.sh
cp LICENSE-MIT LICENSE-APACHE "$try/stage/$name"
cp ffi-c/README.md "$try/stage/$name/README.md"
mkdir -p "$out"
tar -C "$try/stage" -czf "$out/$name.tar.gz" "$name"

say "symbols of the release build"
foreign=$(nm -D --defined-only "$TARGET/release/libleveret.so" | awk '$3 !~ /^mqtt_/ { print $3 }')
[ -z "$foreign" ] || die "libleveret.so exports more than mqtt_…: $foreign"
# In the archive all is visible: Rust's names are mangled, and the compiler's own begin with two underscores, as no program's may.
foreign=$(nm -g --defined-only "$TARGET/release/libleveret.a" 2>/dev/null | awk 'NF == 3 && $3 !~ /^(mqtt_|_R|_ZN|__|DW\.ref\.|rust_eh_personality)/ { print $3 }')
[ -z "$foreign" ] || die "libleveret.a has names that a program could have too: $foreign"
echo "ok: only mqtt_…"

say "the tarball"
tar -C "$try" -xzf "$out/$name.tar.gz"
"${CC:-cc}" -std=c11 -I"$try/$name/include" examples/demo/demo.c -o "$try/demo" -L"$try/$name/lib" -lleveret -pthread -Wl,-rpath,"$try/$name/lib"
timeout 60 "$try/demo" </dev/null >"$try/printed" && diff examples/demo/expected.txt "$try/printed" || die "the demo does not work from the tarball"
echo "ok: demo.c"
tests/scripts/consumers.sh "$TARGET/release"

say "the library for devices"
cargo build -p leveret-ffi --no-default-features --features tls,websocket --target-dir "$TARGET/device"
FROM=$TARGET/device/debug PREFIX=/device DESTDIR=$try TESTING=no tests/scripts/install.sh
if nm -D --defined-only "$try/device/lib/libleveret.so" | grep -c mqtt_test_ >/dev/null || [ -e "$try/device/include/leveret_testing.h" ]; then
  die "the library for devices has the test broker"
fi
printf '#include <leveret.hpp>\nint main() { leveret::client client("mqtt://localhost"); return leveret::version() != "%s"; }\n' "$version" >"$try/device.cpp"
"${CXX:-c++}" -std=c++17 "$try/device.cpp" -o "$try/on_device" -I"$try/device/include" "$try/device/lib/libleveret.a" \
  $(PKG_CONFIG_PATH=$try/device/lib/pkgconfig pkg-config --static --libs-only-l leveret | sed 's/-lleveret//')
timeout 60 "$try/on_device"
echo "ok: no test broker, linked statically"
