#!/bin/sh
# recompute.sh: each network of tests/recompute with `checkpoint` and without
# (tests/recompute.c), in the double build; and reversible streams take the same
# memory for training whatever their depth.
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${OUT:=$BUILD/recompute}"
: "${CC:=cc}" "${DOUBLE:=$BUILD/librnet_double.a}"
mkdir -p "$OUT" && make -s "B=$BUILD" "$DOUBLE" || exit 2
passed=0 failed=0
for source in tests/recompute/*.rnet; do
    name=$(basename "$source" .rnet)
    sed 's/checkpoint \(repeat\|{\)/\1/' "$source" >"$OUT/$name.rnet"
    if $RNETC "$source" -o "$OUT/again_$name.c" &&
       $RNETC --prefix=plain_ "$OUT/$name.rnet" -o "$OUT/plain_$name.c" &&
       $CC -std=gnu11 -O1 -g -pthread -Iruntime -Itests "-I$OUT" \
           -DRNET_ONLY_SCALAR -include tests/double.h \
           "-DNETWORK=$name" "-DPLAIN=plain_$name" -o "$OUT/$name" \
           tests/recompute.c "$OUT/again_$name.c" "$OUT/plain_$name.c" \
           "$DOUBLE" -lm &&
       "$OUT/$name"
    then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "recompute.sh: $name: FAILED"
    fi
done
train_bytes() {
    $RNETC --summary=json -D "layers=$1" tests/networks/revnet.rnet |
        sed -n 's/.*"train_bytes": *\([0-9]*\).*/\1/p'
}
shallow=$(train_bytes 2) deep=$(train_bytes 200)
if [ -n "$shallow" ] && [ "$shallow" = "$deep" ]; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo "recompute.sh: $shallow bytes for 2 reversible layers, $deep for 200"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
