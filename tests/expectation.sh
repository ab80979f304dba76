#!/bin/sh
# expectation.sh: the mean of what training gives over many steps, with
# everything that drops, is what inference gives (tests/expectation.c).
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${LIBRNET:=$BUILD/librnet.a}"
: "${OUT:=$BUILD/expectation}" "${CC:=cc}"
mkdir -p "$OUT" || exit 2
$RNETC tests/drops/mean.rnet -o "$OUT/mean.c" &&
    $CC -std=gnu11 -O2 -g -pthread -Iruntime -DNETWORK=mean -o "$OUT/mean" \
        tests/expectation.c "$OUT/mean.c" "$LIBRNET" -lm &&
    "$OUT/mean" || {
    echo "0 passed, 1 failed"
    exit 1
}
echo "1 passed, 0 failed"
