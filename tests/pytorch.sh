#!/bin/sh
# pytorch.sh [--long | SEED ...]: random networks against PyTorch in float64 by
# tests/random/translate.py, a second reading of their text.  Skipped where
# Python has no PyTorch.
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${OUT:=$BUILD/pytorch}"
: "${CC:=cc}" "${JOBS:=2}" "${DOUBLE:=$BUILD/librnet_double.a}"
export BUILD RNETC OUT CC DOUBLE PYTHON PYTHONDONTWRITEBYTECODE=1
GENERATE=$BUILD/random/generate
IN_DOUBLE="-std=gnu11 -w -pthread -Iruntime -Itests -DRNET_ONLY_SCALAR
           -include tests/double.h"

# The networks whose seeds file $1 has, as one program, then translated.
group() {
    objects= names= seeds=
    while read -r seed; do
        if $GENERATE "$seed" "$OUT" &&
            $RNETC "$OUT/$seed.rnet" -o "$OUT/$seed.c" 2>"$OUT/$seed.err" &&
            $CC $IN_DOUBLE -O0 -c -o "$OUT/$seed.o" "$OUT/$seed.c"; then
            objects="$objects $OUT/$seed.o" names="$names X(n$seed)"
            seeds="$seeds $seed"
        else
            echo "$seed: FAILED: $(cat "$OUT/$seed.err")"
        fi
    done <"$1"
    echo "#define NETWORKS(X) $names" >"$1.h"
    $CC $IN_DOUBLE -O1 -include "$1.h" -o "$1.run" tests/random/numbers.c \
        $objects "$DOUBLE" -lm && "$1.run" "$OUT" &&
        "$PYTHON" tests/random/translate.py "$OUT" $seeds ||
        echo "$1: FAILED: a network of this group"
    rm -f $objects "$1.run"
}

if [ "$1" = --group ]; then
    group "$2" >"$2.log" 2>&1
    exit
fi
for python in "${PYTHON:-python3}" /usr/bin/python3 none; do
    "$python" -c 'import numpy, torch' 2>/dev/null && break
done
if [ "$python" = none ]; then
    echo "pytorch.sh: skipped, because no Python here has PyTorch"
    exit 0
fi
PYTHON=$python
make -s "B=$BUILD" "$GENERATE" "$DOUBLE" || exit 2
rm -rf "$OUT"
mkdir -p "$OUT" || exit 2
case $1 in
'') seq 1 20 ;;
--long) seq 1001 "${LAST:-1500}" ;;
*) printf '%s\n' "$@" ;;
esac >"$OUT/list"
split -a 4 -l 25 "$OUT/list" "$OUT/group."
ls "$OUT"/group.???? | xargs -P "$JOBS" -n 1 tests/pytorch.sh --group
cat "$OUT"/group.????.log >"$OUT/log"
grep FAILED "$OUT/log"
count=$(wc -l <"$OUT/list")
good=$(grep -c ': ok$' "$OUT/log")
other=$(grep -c ': unsupported' "$OUT/log")
echo "pytorch.sh: $good of $count networks compared, $other not translated:"
sed -n 's/^.*: unsupported: /    /p' "$OUT/log" | sort | uniq -c
[ "$1" = --long ] && echo "figure networks compared with PyTorch: $good"
failed=$((count - good - other))
[ $((3 * good)) -ge $((2 * count)) ] || failed=$((failed + 1))
echo "$good passed, $failed failed"
[ "$failed" = 0 ]
