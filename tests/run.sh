#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
set -uo pipefail

usage() {
    cat <<'EOF'
usage: tests/run.sh [--quick] [--long] [--help]

Installs what the tests need, builds Gatehouse in four ways and tests each. All stages run, whatever
fails; the output of each is in build/tests/, and the end of it is shown where the stage failed.

  --quick   release build, its tests and the fault injection only
  --long    each fuzz target for 10 minutes instead of 30 seconds
  --help    this text

Exit code: 0 all stages passed, 1 a stage failed, 2 wrong usage, 3 something needed is missing.
EOF
}

quick=0
fuzz_seconds=30
for argument in "$@"; do
    case $argument in
    --quick) quick=1 ;;
    --long) fuzz_seconds=600 ;;
    --help | -h)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 3
. packaging/packages.sh

logs=build/tests
gatehouse=build/release/bin/gatehouse
launcher=()
passed=0
failed=0

# stage NAME COMMAND… runs one stage; its last line of output becomes part of the summary line.
stage() {
    local name=$1 log verdict=PASS began=$SECONDS
    shift
    log=$logs/${name// /-}.log
    say "$name …"
    if "$@" >"$log" 2>&1 </dev/null; then
        passed=$((passed + 1))
    else
        verdict=FAIL
        failed=$((failed + 1))
        printf -- '---- %s: the end of %s\n' "$name" "$log"
        tail -n 60 "$log"
        printf -- '----\n'
    fi
    printf '%s  %-16s %4d s  %s\n' "$verdict" "$name" $((SECONDS - began)) "$(conclusion "$log")"
}

# What a log says of its own outcome: ctest's line of totals, else its last one.
conclusion() {
    grep -E 'tests passed, [0-9]+ tests failed' "$1" | tail -n 1 | grep . || tail -n 1 "$1"
}

ctest_preset() {
    local preset=$1
    shift
    "${launcher[@]}" ctest --preset "$preset" -j "$(nproc)" "$@"
}

# The rooms that have threads; the tests of the others would run as they do under AddressSanitizer.
threaded=(config demo net pipeline quota secrets)

# ThreadSanitizer of GCC 12 knows one layout of the address space, and newer kernels randomise beyond
# it ("unexpected memory mapping"). Where switching that off is forbidden, it is tried as it is.
tsan_tests() {
    local launcher=()
    if setarch -R true 2>/dev/null; then launcher=(setarch -R); fi
    ctest_preset tsan -L "^($(IFS='|' && printf '%s' "${threaded[*]}"))\$"
}

# Each target gets a corpus of its own to write to; the seeds are read only.
fuzz_one() {
    local program=$1 name=${1##*/fuzz_} corpus inputs result=0
    corpus=$(mktemp -d)
    inputs=("$corpus")
    [ ! -d "tests/fuzz/seeds/$name" ] || inputs+=("tests/fuzz/seeds/$name")
    "$program" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="$logs/crashes/$name-" -print_final_stats=1 \
        "${inputs[@]}" >"$logs/fuzz-$name.log" 2>&1 || {
        result=1
        tail -n 60 "$logs/fuzz-$name.log"
        printf 'fuzz_%s failed; the input is in %s\n' "$name" "$logs/crashes"
    }
    rm -rf "$corpus"
    return $result
}

fuzz() {
    local programs=(build/fuzz/bin/fuzz_*) result=0
    [ -x "${programs[0]}" ] || return 1
    export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
    export logs fuzz_seconds
    export -f fuzz_one
    mkdir -p "$logs/crashes"
    printf '%s\0' "${programs[@]}" \
        | xargs -0 -n 1 -P "$(nproc)" bash -c 'fuzz_one "$1"' fuzz || result=1
    printf '%d targets, %d s each\n' "${#programs[@]}" "$fuzz_seconds"
    return $result
}

if [ $quick -eq 1 ]; then
    install_missing "${BUILD_PACKAGES[@]}" python3 dbus gnome-keyring || exit 3
else
    install_missing "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}" || exit 3
fi
use_ccache
export QT_QPA_PLATFORM=offscreen
export UBSAN_OPTIONS=print_stacktrace=1
mkdir -p $logs

stage 'release build' build_preset release
stage 'release tests' ctest_preset release
stage 'faults' tests/faults/run.sh --gateway $gatehouse
if [ $quick -eq 0 ]; then
    stage 'clients' tests/clients/run.sh
    stage 'asan build' build_preset asan
    stage 'asan tests' ctest_preset asan -LE architecture
    stage 'tsan build' build_preset tsan "${threaded[@]/#/tests_}"
    stage 'tsan tests' tsan_tests
    stage 'fuzz build' build_preset fuzz fuzz_targets
    stage 'fuzz' fuzz
fi

printf '%d passed, %d failed\n' $passed $failed
[ $failed -eq 0 ]
