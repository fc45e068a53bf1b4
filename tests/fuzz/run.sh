#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzz targets with clang (libFuzzer, ASan, UBSan) and replays their corpora and the seeds that seeds/ describes;
# with an argument SECONDS each target then fuzzes that long, from these and from what earlier runs found. T=name: one
# target. MERGE=1: the corpus becomes the fewest inputs of all these that reach as much code. Exit 1 on a failure: the
# input that caused it stands in $BUILD.
set -u
cd "$(dirname "$0")/../.." || exit 2
seconds=${1:-0}
BUILD=${BUILD:-build}/fuzz
flags="-std=c11 -O1 -g -D_GNU_SOURCE -Iinclude -Isrc -Itests/support -Iport/host -Itools -fno-omit-frame-pointer"
sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=all"
library="src/base/*.c src/apdu/*.c src/fs/*.c src/crypto/*.c src/gate/*.c src/app_domain/*.c src/secure_domain/*.c
    tests/fuzz/contacts_model.c tests/fuzz/memory.c tests/fuzz/rig.c tests/support/bench.c tests/support/sim_*.c tests/support/gate_*.c tests/support/hunt.c
    tests/support/iso_sm.c port/host/contacts.c port/host/contacts_test.c port/host/host_card.c
    tools/twinctl/apdu.c tools/twinctl/bytes.c tools/twinctl/crypto.c tools/twinctl/objects.c tools/twinctl/problem.c tools/twinctl/scp03.c"

command -v clang >/dev/null || { echo "fuzz: clang is not installed (make setup)" >&2; exit 2; }
rm -rf "$BUILD/obj"
mkdir -p "$BUILD/obj" || exit 2
# One object a source; names carry the path, since some files of different folders share theirs.
for source in $library; do
    # Coverage of arithmetic and of the rig would lead nowhere, and take half the time.
    case $source in
    src/crypto/* | src/base/crc32.c | src/base/secret.c | port/* | tests/* | tools/*) coverage= ;;
    *) coverage=-fsanitize=fuzzer-no-link ;;
    esac
    echo "$source $BUILD/obj/$(echo "$source" | tr / _).o $coverage $sanitizers"
done | xargs -P 2 -L 1 sh -c "source=\$0 object=\$1; shift; clang $flags \"\$@\" -c -o \"\$object\" \"\$source\" || exit 255" || exit 1

failed=0 targets=0 inputs=0
for source in tests/fuzz/${T:-fuzz_*}.c; do
    target=$(basename "$source" .c)
    corpus=tests/fuzz/corpus/${target#fuzz_}
    clang $flags $sanitizers -fsanitize=fuzzer -o "$BUILD/$target" "$source" "$BUILD"/obj/*.o \
        -ltomcrypt -ltommath -lcrypto || exit 1
    found=$BUILD/corpus/$target seeds=$BUILD/seeds/$target
    rm -rf "$seeds"
    mkdir -p "$found" "$seeds"
    if [ -f "tests/fuzz/seeds/${target#fuzz_}.txt" ]; then
        python3 tests/fuzz/seeds.py "tests/fuzz/seeds/${target#fuzz_}.txt" "$seeds" || exit 2
    fi
    if ! "$BUILD/$target" -runs=0 -artifact_prefix="$BUILD/$target-" "$corpus" "$seeds" >"$BUILD/$target.log" 2>&1; then
        cat "$BUILD/$target.log"
        echo "FAIL $target: corpus"
        failed=$((failed + 1))
        continue
    fi
    replayed=$(find "$corpus" "$seeds" -type f | wc -l)
    echo "ok   $target: $replayed inputs"
    targets=$((targets + 1)) inputs=$((inputs + replayed))
    if [ "$seconds" -gt 0 ]; then
        if "$BUILD/$target" -max_total_time="$seconds" -max_len=1024 -timeout=20 -artifact_prefix="$BUILD/$target-" \
            -print_final_stats=1 "$found" "$corpus" "$seeds" >"$BUILD/$target.log" 2>&1; then
            echo "ok   $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$BUILD/$target.log") inputs in $seconds s"
        else
            tail -40 "$BUILD/$target.log"
            echo "FAIL $target: see $BUILD/$target-*"
            failed=$((failed + 1))
            continue
        fi
    fi
    [ -n "${MERGE:-}" ] || continue
    merged=$BUILD/merged/$target
    rm -rf "$merged"
    mkdir -p "$merged"
    # How often code runs does not count here: a few hundred inputs are enough to replay.
    if "$BUILD/$target" -set_cover_merge=1 -use_counters=0 -max_len=1024 "$merged" "$corpus" "$seeds" "$found" \
        >"$BUILD/$target.log" 2>&1; then
        rm -rf "$corpus"
        cp -r "$merged" "$corpus"
        echo "ok   $target: $(find "$corpus" -type f | wc -l) inputs kept"
    else
        tail -40 "$BUILD/$target.log"
        echo "FAIL $target: merging"
        failed=$((failed + 1))
    fi
done
echo "fuzz: $targets targets replayed $inputs inputs, $failed failed"
[ "$failed" -eq 0 ]
