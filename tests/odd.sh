#!/bin/sh
# odd.sh [FILE ...]: networks nobody would draw (tests/odd, or those given):
# values from outside a repeat, the same value twice, vectors against
# positions, empty and nameless blocks, several losses.  Each compiles without
# warnings and its gradients agree with finite differences in double.
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${OUT:=$BUILD/odd}" "${CC:=cc}"
: "${DOUBLE:=$BUILD/librnet_double.a}"
STRICT="-std=gnu11 -O1 -Wall -Wextra -Wconversion -Wshadow -pedantic -Werror"
IN_DOUBLE="-std=gnu11 -O1 -g -pthread -Iruntime -Itests -DRNET_ONLY_SCALAR
           -include tests/double.h"
mkdir -p "$OUT" && make -s "B=$BUILD" "$DOUBLE" || exit 2
passed=0 failed=0
for file in "${@:-}"; do
    [ -n "$file" ] || set -- tests/odd/*.rnet
done
for file in "$@"; do
    name=$(basename "$file" .rnet)
    if $RNETC "$file" -o "$OUT/$name.c" &&
        $CC $STRICT -Iruntime -c -o "$OUT/$name.o" "$OUT/$name.c" &&
        $CC $IN_DOUBLE -DNETWORK=odd -o "$OUT/$name" tests/gradcheck.c \
            "$OUT/$name.c" "$DOUBLE" -lm &&
        timeout 120 "$OUT/$name"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "odd.sh: $file: FAILED"
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
