#!/bin/sh
# pairs.sh [--long | KIND SEED]: pairs of random programs that must give the same
# numbers: repeats and repeats written out, statements in another order, links
# that change nothing, a call and its block's text, with and without checkpoint,
# imports and odd spelling, one batch and its two parts.  In the double build:
# outputs, loss, all gradients to 1e-9.  The slice takes a few of each kind.
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${OUT:=$BUILD/pairs}"
: "${CC:=cc}" "${JOBS:=2}" "${DOUBLE:=$BUILD/librnet_double.a}"
export BUILD RNETC OUT CC DOUBLE
GENERATE=$BUILD/random/generate
IN_DOUBLE="-std=gnu11 -w -pthread -Iruntime -Itests -DRNET_ONLY_SCALAR
           -include tests/double.h"
KINDS="unroll order identity inline checkpoint spelling batch"

# The C of a pair, or why there is none.
emit() {
    $GENERATE --pair "$1" "$2" "$OUT" || return
    for end in a b; do
        stem=$OUT/$1$2$end
        $RNETC "$stem.rnet" -o "$stem.c" 2>"$stem.err" &&
            $CC $IN_DOUBLE -O0 -c -o "$stem.o" "$stem.c" 2>>"$stem.err" || {
            echo "$1$2$end: FAILED: $(grep -m 1 error "$stem.err")"
            return 1
        }
    done
}

# The pairs in file $1, lines "KIND SEED", as one program.
group() {
    objects= names=
    while read -r kind seed; do
        emit "$kind" "$seed" || continue
        objects="$objects $OUT/$kind${seed}a.o $OUT/$kind${seed}b.o"
        names="$names X($kind${seed}a, $kind${seed}b)"
    done <"$1"
    [ -n "$names" ] || return
    echo "#define PAIRS(X) $names" >"$1.h"
    $CC $IN_DOUBLE -O1 -include "$1.h" -o "$1.run" tests/random/pairs.c \
        $objects "$DOUBLE" -lm && timeout 300 "$1.run" ||
        echo "$1: FAILED: a pair of this group"
    rm -f $objects "$1.run"
}

if [ "$1" = --group ]; then
    group "$2" >"$2.log" 2>&1
    exit
fi
make -s "B=$BUILD" "$GENERATE" "$DOUBLE" || exit 2
rm -rf "$OUT"
mkdir -p "$OUT" || exit 2
case $1 in
'') first=1 last=8 ;;
--long) first=101 last=${LAST:-600} ;;
*) echo "$1 $2" >"$OUT/list" ;;
esac
[ -n "$first" ] && for seed in $(seq $first "$last"); do
    for kind in $KINDS; do
        echo "$kind $seed"
    done
done >"$OUT/list"
split -a 4 -l 14 "$OUT/list" "$OUT/group."
ls "$OUT"/group.???? | xargs -P "$JOBS" -n 1 tests/pairs.sh --group
cat "$OUT"/group.????.log >"$OUT/log"
grep -v ': ok ' "$OUT/log"
count=$(wc -l <"$OUT/list")
good=$(grep -c ': ok ' "$OUT/log")
[ "$1" = --long ] && echo "figure metamorphic pairs: $good"
echo "$good passed, $((count - good)) failed"
[ "$good" = "$count" ]
