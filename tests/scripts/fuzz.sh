#!/usr/bin/env bash
# Fuzzes one target for a time and keeps what it found worth keeping: fuzz.sh TARGET SECONDS.
# Coverage comes from LLVM's own pass, which the stable compiler has; it needs clang for libFuzzer's C++, no other toolchain.
source "$(dirname "$0")/env.sh"

target=${1:?which target: decoder, engine or broker}
seconds=${2:-60}
corpus=tests/fuzz/corpus/$target.txt
work=$TARGET/fuzz/$target
rm -rf "$work/kept" "$work/least"
mkdir -p "$work/corpus" "$work/found" "$work/least"
python3 tests/scripts/corpus.py unpack "$corpus" "$work/kept"

flags="-Cpasses=sancov-module"
for arg in -sanitizer-coverage-level=4 -sanitizer-coverage-inline-8bit-counters -sanitizer-coverage-pc-table -sanitizer-coverage-trace-compares; do
  flags+=" -Cllvm-args=$arg"
done
features=()
[ "$target" != broker ] || features=(--features clients)
# The host is named so that build scripts and macros are built without these flags.
host=$(rustc -vV | sed -n 's/^host: //p')
RUSTFLAGS="$flags" cargo build --quiet --release --manifest-path tests/fuzz/Cargo.toml --target "$host" --target-dir "$TARGET/fuzz/build" --bin "$target" "${features[@]}"
program=$TARGET/fuzz/build/$host/release/$target

"$program" "$work/corpus" "$work/kept" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
  -artifact_prefix="$work/found/" -print_final_stats=1
say "the smallest inputs that reach the same"
"$program" -merge=1 -max_len=1024 "$work/least" "$work/kept" "$work/corpus"
du -sh --apparent-size "$work/least"
echo "to keep them: python3 tests/scripts/corpus.py pack $work/least $corpus"
