#!/bin/sh
# odd.sh [FILE ...]: networks nobody would draw (tests/odd, or those given):
# values from outside a repeat, the same value twice, vectors against
# positions, empty and nameless blocks, several losses.  Each compiles without
# warnings and its gradients agree with finite differences in double.
#
#   JOBS   networks at a time: 2
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${OUT:=$BUILD/odd}" "${CC:=cc}"
: "${DOUBLE:=$BUILD/librnet_double.a}" "${JOBS:=2}"
export RNETC OUT CC DOUBLE
STRICT="-std=gnu11 -O1 -Wall -Wextra -Wconversion -Wshadow -pedantic -Werror"
IN_DOUBLE="-std=gnu11 -O1 -g -pthread -Iruntime -Itests -DRNET_ONLY_SCALAR
           -include tests/double.h"

if [ "$1" = --one ]; then
    name=$(basename "$2" .rnet)
    {
        $RNETC "$2" -o "$OUT/$name.c" &&
            $CC $STRICT -Iruntime -c -o "$OUT/$name.o" "$OUT/$name.c" &&
            $CC $IN_DOUBLE -DNETWORK=odd -o "$OUT/$name" tests/gradcheck.c \
                "$OUT/$name.c" "$DOUBLE" -lm &&
            timeout 120 "$OUT/$name" && echo good ||
            echo "odd.sh: $2: FAILED"
    } >"$OUT/$name.log" 2>&1
    sed '$ { /^good$/d }' "$OUT/$name.log"
    exit
fi
mkdir -p "$OUT" && make -s "B=$BUILD" "$DOUBLE" || exit 2
rm -f "$OUT"/*.log
[ $# -gt 0 ] || set -- tests/odd/*.rnet
printf '%s\n' "$@" | xargs -P "$JOBS" -n 1 sh tests/odd.sh --one
passed=$(grep -lx good "$OUT"/*.log | wc -l)
failed=$(($# - passed))
echo "$passed passed, $failed failed"
[ $failed = 0 ]
