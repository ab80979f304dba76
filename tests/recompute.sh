#!/bin/sh
# recompute.sh: each network of tests/recompute with `checkpoint` and without
# (tests/recompute.c), in the double build.
cd "$(dirname "$0")/.." || exit 2
: "${RNETC:=build/rnetc}" "${CC:=cc}" "${OUT:=build/recompute}"
mkdir -p "$OUT" || exit 2
passed=0 failed=0
for source in tests/recompute/*.rnet; do
    name=$(basename "$source" .rnet)
    sed 's/checkpoint \(repeat\|{\)/\1/' "$source" >"$OUT/$name.rnet"
    if $RNETC "$source" -o "$OUT/again_$name.c" &&
       $RNETC --prefix=plain_ "$OUT/$name.rnet" -o "$OUT/plain_$name.c" &&
       $CC -std=gnu11 -O1 -g -pthread -Iruntime -Itests "-I$OUT" \
           -DRNET_ONLY_SCALAR -DRNET_ISA=scalar -include tests/double.h \
           "-DNETWORK=$name" "-DPLAIN=plain_$name" -o "$OUT/$name" \
           tests/recompute.c tests/sample.c "$OUT/again_$name.c" \
           "$OUT/plain_$name.c" runtime/*.c runtime/scalar/*.c -lm &&
       "$OUT/$name"
    then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "recompute.sh: $name: FAILED"
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
