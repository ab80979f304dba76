#!/bin/sh
# odd.sh [FILE ...]: networks nobody would draw (tests/odd, or those given):
# values from outside a repeat, the same value twice, vectors against
# positions, empty and nameless blocks, several losses.  Each compiles without
# warnings and its gradients agree with finite differences in double.
cd "$(dirname "$0")/.." || exit 2
: "${RNETC:=build/rnetc}" "${OUT:=build/odd}" "${CC:=cc}"
STRICT="-std=gnu11 -O1 -Wall -Wextra -Wconversion -Wshadow -pedantic -Werror"
DOUBLE="-std=gnu11 -O1 -g -pthread -Iruntime -Itests -DRNET_ONLY_SCALAR
        -DRNET_ISA=scalar -include tests/double.h"
mkdir -p "$OUT/parts" || exit 2
for source in runtime/*.c runtime/scalar/*.c tests/sample.c; do
    echo "$OUT/parts/$(echo "$source" | tr / _).o $source"
done | xargs -P 2 -L 1 sh -c "$CC $(echo $DOUBLE)"' -c -o "$0" "$1"' || exit 2
passed=0 failed=0
for file in "${@:-}"; do
    [ -n "$file" ] || set -- tests/odd/*.rnet
done
for file in "$@"; do
    name=$(basename "$file" .rnet)
    if $RNETC "$file" -o "$OUT/$name.c" &&
        $CC $STRICT -Iruntime -c -o "$OUT/$name.o" "$OUT/$name.c" &&
        $CC $DOUBLE -DNETWORK=odd -o "$OUT/$name" tests/gradcheck.c \
            "$OUT/$name.c" "$OUT"/parts/*.o -lm &&
        timeout 120 "$OUT/$name"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "odd.sh: $file: FAILED"
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
