#!/bin/sh
# deep.sh: a residual MLP of 10,000 blocks compiles in under a second to no
# more C than one of 8, runs forward and backward, and its gradient agrees
# with a finite difference along a direction.
cd "$(dirname "$0")/.." || exit 2
: "${RNETC:=build/rnetc}" "${LIBRNET:=build/librnet.a}" "${CC:=cc}"
: "${OUT:=build/deep}"
mkdir -p "$OUT" || exit 2
passed=0 failed=0
check() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "deep.sh: $2: FAILED"
    fi
}

start=$(date +%s%N)
$RNETC -D depth=10000 -D width=16 examples/residual_mlp.rnet -o "$OUT/deep.c"
check $? "compiling 10,000 blocks"
echo "10,000 blocks compiled in $((($(date +%s%N) - start) / 1000000)) ms"
$RNETC -D depth=8 -D width=16 examples/residual_mlp.rnet -o "$OUT/shallow.c"
deep=$(wc -c <"$OUT/deep.c") shallow=$(wc -c <"$OUT/shallow.c")
[ $((deep * 100)) -lt $((shallow * 101)) ]
check $? "$deep bytes of C for 10,000 blocks, $shallow for 8"
flags="-std=gnu11 -O2 -g -pthread -Iruntime -I$OUT -DNETWORK=digits"
$CC $flags -DRNET_ONLY_SCALAR -DRNET_ISA=scalar -include tests/double.h \
    -o "$OUT/deep_double" tests/deep.c "$OUT/deep.c" runtime/*.c \
    runtime/scalar/*.c -lm && slope=$("$OUT/deep_double")
check $? "double: $slope"
echo "double: $slope"
$CC $flags -o "$OUT/deep" tests/deep.c "$OUT/deep.c" "$LIBRNET" -lm &&
    slope=$("$OUT/deep" "${slope%% *}")
check $? "float32: $slope"
echo "float32: $slope"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
