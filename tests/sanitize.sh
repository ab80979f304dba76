#!/bin/sh
# sanitize.sh: the address and undefined behaviour sanitizers over rnetc with
# every .rnet file of the tree, good and bad; under them its allocations and
# calls made to fail.
#
# sanitize.sh NAME...: address, undefined, thread, memory or valgrind over the
# whole test suite: all of it built once more with that sanitizer, vector kernels
# and emitted C of every example and network too.  --long: all of these.
#
#   JOBS      how many compilers at once: 2
#   HOST_CC   gcc; clang for memory
set -u
cd "$(dirname "$0")/.." || exit 2
: "${JOBS:=2}" "${HOST_CC:=cc}"
export HOST_CC JOBS
passed=0 failed=0 runs=0
out=$(mktemp -d) || exit 2
trap 'rm -rf "$out"' EXIT
trap 'exit 2' HUP INT TERM
CC=$PWD/tests/sanitize/cc
export CC
# frames are larger with sanitizers
ulimit -s 65536 2>/dev/null
# with two threads a child of a fork may start others: die_after_fork is off
export ASAN_OPTIONS=exitcode=99:allocator_may_return_null=1:detect_leaks=1
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=exitcode=99:die_after_fork=0
export MSAN_OPTIONS=exitcode=99:allocator_may_return_null=1
UNDEFINED=undefined,float-cast-overflow,bounds-strict

# Sums up: the name, and the last line of its log.
count() {
    line=$(tail -n 1 "$2")
    good=$(echo "$line" | sed -n 's/^\([0-9]*\) passed, [0-9]* failed$/\1/p')
    bad=$(echo "$line" | sed -n 's/^[0-9]* passed, \([0-9]*\) failed$/\1/p')
    if [ -z "$good" ]; then
        good=0 bad=1
    fi
    [ "$bad" = 0 ] || { echo "$1:"; head -n 60 "$2"; }
    passed=$((passed + good)) failed=$((failed + bad)) runs=$((runs + good))
}

# one STATUS COMMAND...: a run without a report, with at most this status.
one() {
    most=$1
    shift
    "$@" >"$out/one" 2>&1 </dev/null
    if [ $? -le "$most" ] &&
        ! grep -q '\(ERROR\|WARNING\): .*Sanitizer: \|runtime error' "$out/one"
    then
        passed=$((passed + 1)) runs=$((runs + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $*"
        grep -v '^ *$' "$out/one" | head -n 40
    fi
}

every_file() {
    find examples library tests -name '*.rnet' | sort
}

# all_files STAGE...: rnetc over every file, and these dumps of it.
all_files() {
    for file in $(every_file); do
        one 1 "$BUILD/rnetc" -o "$out/x.c" "$file"
        for stage; do
            one 1 "$BUILD/rnetc" "--dump=$stage" "$file"
        done
    done
}

# ------------------------------------------------------------ the short version

# Allocations that fail: faulty.c takes the place of malloc by the linker.
wrapped() {
    wraps=
    for name in malloc calloc realloc aligned_alloc free pthread_create \
        pthread_mutex_init pthread_cond_init open mkstemp read write fsync \
        close rename link unlink stat lstat fstat access fchmod realpath \
        getcwd; do
        wraps="$wraps -Wl,--wrap=$name"
    done
    $CC -g -O1 -std=gnu11 -D_GNU_SOURCE -DWRAPPED -DPRELOADED \
        -c -o "$BUILD/faulty.o" tests/faults/faulty.c &&
    $CC -g -o "$BUILD/rnetc_wrapped" $wraps "$BUILD"/compiler/*.o \
        "$BUILD"/compiler/*/*.o "$BUILD/faulty.o" -lm -ldl || return 1
    at=1 step=1
    while :; do
        rm -f "$out/log"
        # kinds at errno manner: a malloc that fails once, leaks do not count
        ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0 FAULTS="1 $at 12 0" \
            FAULTS_LOG=$out/log one 1 "$BUILD/rnetc_wrapped" -o "$out/x.c" \
            tests/faults/in/net.rnet
        case $(cat "$out/log" 2>/dev/null) in 1*) ;; *) break ;; esac
        at=$((at + step)) step=$((1 + at / 4))
    done
    for kind in 8 16 32 64 128 256 1024 2048 4096 8192; do
        for at in 1 2 3 4 5 6; do
            FAULTS="$kind $at 5 0" one 1 "$BUILD/rnetc_wrapped" -MD \
                -o "$out/x.c" tests/faults/in/net.rnet
        done
    done
}

short() {
    export SANITIZE="-fsanitize=address,$UNDEFINED -fno-sanitize-recover=all"
    export BUILD=build/sanitize
    make -s -j"$JOBS" B=$BUILD CFLAGS='-g -O0' $BUILD/rnetc || exit 2
    all_files
    wrapped
    echo "$passed passed, $failed failed"
    exit $((failed > 0))
}

# ------------------------------------------------------------- the whole suite

units() { ls tests/unit/test_*.c | sed "s|tests/unit/\(.*\)\.c|$BUILD/tests/\1|"; }

# suite NAME HOST FLAGS...: everything built with FLAGS, and run.
suite() {
    name=$1
    HOST_CC=$2
    shift 2
    command -v ${HOST_CC%% *} >/dev/null || {
        echo "$name: skipped, because there is no $HOST_CC"
        return
    }
    export HOST_CC SANITIZE="$*" BUILD=build/$name
    runs=0
    make -s -j"$JOBS" B="$BUILD" CFLAGS='-g -O1' KERNEL=-O1 all $(units) || {
        failed=$((failed + 1))
        return
    }
    for test in $(units); do
        one 0 "$test"
    done
    all_files ast graph grad fuse plan
    for script in networks odd streams recompute cli golden golden_check \
        processes; do
        sh tests/$script.sh >"$out/log" 2>&1 </dev/null
        count "$name, $script.sh" "$out/log"
    done
    echo "figure runs under $name: $runs"
}

# rnetc over the examples, and two networks trained in two threads.
memcheck() {
    command -v valgrind >/dev/null || {
        echo "valgrind: skipped, because it is not there"
        return
    }
    check="valgrind -q --error-exitcode=99 --leak-check=full
        --errors-for-leak-kinds=definite,indirect,possible"
    export CC=$HOST_CC SANITIZE= BUILD=build
    runs=0
    make -s -j"$JOBS" all || exit 2
    for file in $(find examples -name '*.rnet' | sort); do
        one 0 $check "$BUILD/rnetc" -o "$out/x.c" "$file"
    done
    for file in tests/diag/check/*.rnet tests/diag/syntax/*.rnet; do
        one 1 $check "$BUILD/rnetc" --check "$file"
    done
    for name in resnet_smooth mlp_prenorm; do
        "$BUILD/rnetc" tests/networks/$name.rnet -o "$out/$name.c" || exit 2
    done
    $CC -O1 -g -Iruntime -Itests -DNETWORK=resnet_smooth -DOTHER=mlp_prenorm \
        -o "$out/threads" tests/threads.c tests/sample.c "$out"/*_*.c \
        "$BUILD/librnet.a" -lm -pthread || exit 2
    one 0 $check "$out/threads"
    for test in test_safetensors test_tensor test_pool test_data test_papers; do
        make -s "$BUILD/tests/$test" && one 0 $check "$BUILD/tests/$test"
    done
    echo "figure runs under valgrind: $runs"
}

[ $# -gt 0 ] || short
[ "$1" != --long ] || set -- address undefined thread memory valgrind
for name; do
    case $name in
    address) suite AddressSanitizer "$HOST_CC" -fsanitize=address ;;
    undefined) suite UndefinedBehaviorSanitizer "$HOST_CC" \
        "-fsanitize=$UNDEFINED" -fno-sanitize-recover=all ;;
    thread) suite ThreadSanitizer "$HOST_CC" -fsanitize=thread ;;
    memory) suite MemorySanitizer clang -fsanitize=memory \
        -fsanitize-memory-track-origins ;;
    valgrind) memcheck ;;
    *) echo "sanitize.sh: no sanitizer '$name'" >&2; exit 2 ;;
    esac
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
