#!/bin/sh
# fuzz.sh [--long]: inputs that nobody meant.
# The slice needs no clang: everything that fuzzing found, every .rnet file of the
# tree and what the readers' seeds are, replayed with the sanitizers and within 2 s
# of the processor and 256 MB without; every 25th mangled example
# (tests/fuzz/mangle.c).
# --long: all mangled inputs; then libFuzzer and AFL++, where they are, for
# FUZZ_MINUTES in all (30), one process at a time, and how much of the sources the
# corpus reaches.  Corpora stay in FUZZ_OUT (build/fuzz/out), what breaks in
# FUZZ_OUT/broken.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${FUZZ_MINUTES:=30}" "${FUZZ_OUT:=$BUILD/fuzz/out}" "${MAKE:=make}"
long=${1:-}
good=0 bad=0
targets="compiler safetensors idx counts words text papers"
# The compiler's target works in a folder of its own: paths are absolute.
mkdir -p "$BUILD/fuzz" "$FUZZ_OUT" || exit 2
seeds=$(cd "$BUILD/fuzz" && pwd)/seeds
FUZZ_OUT=$(cd "$FUZZ_OUT" && pwd)
log=$(mktemp) || exit 2
trap 'rm -f "$log"' EXIT

pass() { good=$((good + 1)); }
fail() { bad=$((bad + 1)); echo "fuzz: $*"; tail -n 40 "$log"; }
build() { $MAKE -s -j2 -f tests/fuzz/fuzz.mk B="$BUILD" KIND="$1" >"$log" 2>&1; }
has() { command -v "$1" >/dev/null 2>&1; }
# A program with sanitizers has larger frames.
roomy() { (ulimit -s 65536 2>/dev/null; "$@"); }

files="$(ls -d examples/*.rnet examples/*/*.rnet library/*.rnet \
    tests/*/*.rnet tests/*/*/*.rnet)"

# ---- replay, without clang ----

if build plain && BUILD=$BUILD sh tests/fuzz/seeds.sh "$seeds" >"$log" 2>&1
then pass; else fail "build"; fi
for target in $targets; do
    inputs=$seeds/$target
    test $target != compiler || inputs="$inputs $files"
    # shellcheck disable=SC2086
    if "$BUILD/fuzz/plain/fuzz_$target" -s 2 -m 256 $inputs >"$log" 2>&1
    then pass; else fail "$target, 2 s and 256 MB"; fi
done
if build sanitized; then pass; else fail "build with sanitizers"; fi
for target in $targets; do
    inputs=$seeds/$target
    if [ $target = compiler ] && [ "$long" != --long ]; then
        inputs=$(ls "$seeds"/compiler/* | awk 'NR % 8 == 0')
        inputs="$inputs $(ls -d tests/fuzz/found/compiler/*)"
    fi
    # shellcheck disable=SC2086
    if roomy "$BUILD/fuzz/sanitized/fuzz_$target" -s 20 $inputs >"$log" 2>&1
    then pass; else fail "$target, with sanitizers"; fi
done

# ---- mangled ----

if [ "$long" = --long ]; then harm="-e 1 $files"
else harm="-e 25 $(ls -d examples/*.rnet examples/*/*.rnet library/*.rnet)"; fi
# shellcheck disable=SC2086
if "$BUILD/fuzz/plain/mangle" -m 256 $harm >"$log" 2>&1
then pass; else fail "mangled inputs"; fi
mangled=$(sed -n 's/^\([0-9]*\) inputs, .*/\1/p' "$log")
echo "figure mangled inputs: $mangled"

if [ "$long" != --long ]; then
    echo "$good passed, $bad failed"
    test $bad -eq 0
    exit
fi

# ---- libFuzzer and AFL++ ----

began=$(date +%s)
executions=0
mkdir -p "$FUZZ_OUT/broken"

# share TARGET: its seconds of each fuzzer; the compiler has two thirds.
share() {
    whole=$((FUZZ_MINUTES * 60 / 2))
    if [ "$1" = compiler ]; then echo $((whole * 2 / 3))
    else echo $((whole / 18)); fi
}

dictionary() { test ! -f "$seeds/$2.dict" || echo "$1$seeds/$2.dict"; }

# A crash ends libFuzzer: it goes on until its time is over.
fuzz_llvm() {
    target=$1 end=$(($(date +%s) + $(share "$1")))
    mkdir -p "$FUZZ_OUT/$target"
    while left=$((end - $(date +%s))); [ $left -gt 0 ]; do
        roomy "$BUILD/fuzz/libfuzzer/fuzz_$target" -timeout=60 \
            -rss_limit_mb=1536 -max_len=4096 -max_total_time=$left \
            -artifact_prefix="$FUZZ_OUT/broken/$target-" -close_fd_mask=1 \
            -print_final_stats=1 $(dictionary -dict= "$target") \
            "$FUZZ_OUT/$target" "$seeds/$target" >"$log" 2>&1
        status=$?
        count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
        executions=$((executions + ${count:-0}))
        [ $status -eq 0 ] || fail "libFuzzer on $target"
        [ "${count:-0}" -gt 0 ] || break
    done
}

fuzz_afl() {
    target=$1 out=$FUZZ_OUT/afl/$1
    mkdir -p "$out"
    AFL_SKIP_CPUFREQ=1 AFL_NO_UI=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
        AFL_NO_AFFINITY=1 roomy afl-fuzz -m none -t 20000 -G 4096 \
        -i "$seeds/$target" -o "$out" -V "$(share "$target")" \
        $(dictionary '-x ' "$target") -- "$BUILD/fuzz/afl/fuzz_$target" \
        >"$log" 2>&1
    stats=$out/default/fuzzer_stats
    count=$(sed -n 's/^execs_done *: *//p' "$stats" 2>/dev/null)
    executions=$((executions + ${count:-0}))
    if [ -z "$(ls "$out"/default/crashes/id* 2>/dev/null)" ]; then pass
    else fail "AFL++ on $target: $out/default/crashes"; fi
    cp "$out"/default/queue/id* "$FUZZ_OUT/$target/" 2>/dev/null
}

if ! has clang; then
    echo "fuzz.sh: libFuzzer: skipped, because there is no clang"
elif ! build libfuzzer; then
    fail "build with libFuzzer"
else
    for target in $targets; do fuzz_llvm "$target"; done
fi
if ! has afl-clang-fast; then
    echo "fuzz.sh: AFL++: skipped, because there is no afl-clang-fast"
elif ! build afl; then
    fail "build with AFL++"
else
    for target in $targets; do fuzz_afl "$target"; done
fi
echo "figure inputs fuzzed: $executions"
echo "$began $(date +%s)" | awk '{ printf "figure fuzzing hours: %.2f\n",
                                   ($2 - $1) / 3600 }'

# ---- how far they came ----

# coverage TARGET WORDS FILE...: lines of the files that its corpus reaches.
coverage() {
    target=$1 words=$2
    shift 2
    program=$BUILD/fuzz/coverage/fuzz_$target
    profile=$BUILD/fuzz/coverage/$target
    rm -f "$profile".*
    LLVM_PROFILE_FILE=$PWD/$profile.raw "$program" -s 60 "$seeds/$target" \
        $(ls -d "$FUZZ_OUT/$target" 2>/dev/null) >"$log" 2>&1
    $llvm_profdata merge -o "$profile.data" "$profile.raw" 2>>"$log" &&
        $llvm_cov report "$program" -instr-profile="$profile.data" "$@" \
            2>>"$log" >"$profile.txt"
    awk -v words="$words" '$1 == "TOTAL" {
        printf "figure fuzz coverage of %s lines: %s\n", words, $10
        printf "figure fuzz coverage of %s branches: %s\n", words, $13 }' \
        "$profile.txt"
}

llvm_profdata=$(ls /usr/bin/llvm-profdata /usr/bin/llvm-profdata-* 2>/dev/null |
    head -n 1)
llvm_cov=$(ls /usr/bin/llvm-cov /usr/bin/llvm-cov-* 2>/dev/null | head -n 1)
if ! has clang || [ -z "$llvm_cov" ] || [ -z "$llvm_profdata" ]; then
    echo "fuzz.sh: coverage: skipped, because there is no llvm-cov"
elif ! build coverage; then
    fail "build for coverage"
else
    # shellcheck disable=SC2046
    coverage compiler "the compiler's" $(ls compiler/*/*.[ch])
    coverage safetensors "safetensors'" runtime/safetensors.c \
        runtime/safetensors_header.c runtime/tensor.c
    coverage idx "the IDX reader's" examples/data.c
    coverage counts "the counts reader's" examples/data.c
    coverage words "the words reader's" examples/words.c
    coverage text "the text reader's" examples/text.c
    coverage papers "the papers reader's" examples/papers.c
fi
echo "$good passed, $bad failed"
test $bad -eq 0
