#!/bin/sh
# large.sh [NAME ...]: large networks of examples/zoo at full size: bytes of the
# C, seconds of the C compiler, work memory, and one step of training with a
# finite loss.  Needs minutes and gigabytes, so it is no part of `make test`.
#
#   BATCH, THREADS   of that step: 1, 2
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${LIBRNET:=$BUILD/librnet.a}"
: "${OUT:=$BUILD/large}" "${CC:=cc}" "${BATCH:=1}" "${THREADS:=2}"
NAMES="resnet50 densenet121 vit-b-16 gpt2-small unet-572 unet-512-padded"
mkdir -p "$OUT" || exit 2
passed=0 failed=0

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

large() {
    network=$(sed -n 's/^network  *\([a-z0-9_]*\).*/\1/p' "examples/zoo/$1.rnet")
    start=$(milliseconds)
    "$RNETC" "examples/zoo/$1.rnet" -o "$OUT/$1.c" || return 1
    middle=$(milliseconds)
    $CC -std=gnu11 -O2 -Iruntime -c -o "$OUT/$1.o" "$OUT/$1.c" || return 1
    end=$(milliseconds)
    echo "$1: $(wc -c <"$OUT/$1.c") bytes of C in $((middle - start)) ms," \
        "compiled in $((end - middle)) ms"
    $CC -std=gnu11 -O2 -pthread -Iruntime -Itests "-DNETWORK=$network" \
        -o "$OUT/$1" tests/large.c tests/sample.c "$OUT/$1.o" "$LIBRNET" -lm &&
        "$OUT/$1" "$BATCH" "$THREADS"
}

for name in ${*:-$NAMES}; do
    if large "$name"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$name: FAILED"
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
