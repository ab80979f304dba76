#!/bin/sh
# facts.sh: the networks of tests/facts.rnet and tests/facts.c, in the double
# build.
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${OUT:=$BUILD/facts}" "${CC:=cc}"
: "${DOUBLE:=$BUILD/librnet_double.a}"
mkdir -p "$OUT" && make -s "B=$BUILD" "$DOUBLE" || exit 2
sources=
for name in $(sed -n 's/^network \(fact_[a-z]*\).*/\1/p' tests/facts.rnet); do
    $RNETC --network="$name" tests/facts.rnet -o "$OUT/$name.c" || exit 1
    sources="$sources $OUT/$name.c"
done
$CC -std=gnu11 -O1 -g -pthread -Iruntime -Itests "-I$OUT" -DRNET_ONLY_SCALAR \
    -DRNET_ISA=scalar -include tests/double.h -o "$OUT/facts" tests/facts.c \
    $sources "$DOUBLE" -lm &&
"$OUT/facts"
