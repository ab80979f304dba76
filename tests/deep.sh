#!/bin/sh
# deep.sh: a residual MLP of 10,000 blocks compiles in under a second to no
# more C than one of 8, runs forward and backward, and its gradient agrees
# with a finite difference along a direction.  So does one whose blocks have
# numbers that depend on their index: its C has no more functions and loops.
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${LIBRNET:=$BUILD/librnet.a}"
: "${OUT:=$BUILD/deep}" "${CC:=cc}" "${DOUBLE:=$BUILD/librnet_double.a}"
mkdir -p "$OUT" && make -s "B=$BUILD" "$DOUBLE" || exit 2
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
cat >"$OUT/varying.rnet" <<'END'
block inner(c, q) { shortcut identity  scale q  linear(c) -> tanh }
block outer(c, p) {
    shortcut identity
    drop sample(p)
    inner(c, p + 1) -> inner(c, 1 / (p + 1))
}
network digits(depth = 10000, width = 4) {
    input image [28, 28]
    flatten -> linear(width)
    repeat depth as i { outer(width, p = i / depth * 0.5) }
    repeat depth as i {
        { shortcut identity  scale 1 / sqrt(i + 1)  linear(width) }
    }
    linear(10)
    output logits
    loss cross_entropy(logits, label)
}
END
start=$(date +%s%N)
$RNETC "$OUT/varying.rnet" -o "$OUT/varying.c"
check $? "compiling 10,000 blocks with numbers that vary"
time=$((($(date +%s%N) - start) / 1000000))
echo "10,000 blocks with numbers that vary compiled in $time ms"
[ $time -lt 10000 ]
check $? "compiling 10,000 blocks with numbers that vary took $time ms"
$RNETC -D depth=8 "$OUT/varying.rnet" -o "$OUT/varying_8.c"
code="^static void\|^ *for (\|^ *rnet_"
[ "$(grep -c "$code" "$OUT/varying.c")" = \
    "$(grep -c "$code" "$OUT/varying_8.c")" ]
check $? "10,000 blocks with numbers that vary are more code than 8"

flags="-std=gnu11 -O2 -g -pthread -Iruntime -I$OUT -DNETWORK=digits"
$CC $flags -DRNET_ONLY_SCALAR -DRNET_ISA=scalar -include tests/double.h \
    -o "$OUT/deep_double" tests/deep.c "$OUT/deep.c" "$DOUBLE" -lm && slope=$("$OUT/deep_double")
check $? "double: $slope"
echo "double: $slope"
$CC $flags -o "$OUT/deep" tests/deep.c "$OUT/deep.c" "$LIBRNET" -lm &&
    slope=$("$OUT/deep" "${slope%% *}")
check $? "float32: $slope"
echo "float32: $slope"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
