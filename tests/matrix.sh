#!/bin/sh
# matrix.sh [--long | NAME ...]: gradients by finite differences in double of
# every layer and of every shortcut x norm x placement x scale, alone and in
# repeats.  matrix.awk makes the networks from the compiler's own tables and
# matrix.txt; networks that the compiler must refuse are marked there.
# Without --long every eighth.  Some dozens share one program.
cd "$(dirname "$0")/.." || exit 2

: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${OUT:=$BUILD/matrix}" "${JOBS:=2}"
: "${CC:=cc}" "${DOUBLE:=$BUILD/librnet_double.a}"
export RNETC OUT CC DOUBLE
FLAGS="-std=gnu11 -pthread -Iruntime -Itests -DRNET_ONLY_SCALAR
       -include tests/double.h"
GROUP=32                        # networks a program

# The C of one network of a group, or word that it was refused as it must be.
emit() {
    if $RNETC "$OUT/$1.rnet" -o "$OUT/$1.c" 2>"$OUT/$1.err"; then
        [ -z "$2" ] && return 0
        echo "$1: FAILED: compiled, though it means nothing"
    elif [ -n "$2" ] && grep -q "^[^ ]*: error: " "$OUT/$1.err"; then
        echo "$1: ok: refused"
    else
        echo "$1: FAILED: refused"
        cat "$OUT/$1.err"
    fi
    return 1
}

# The networks in file $1: compiled into one program and run.
group() {
    objects= names=
    while read -r name error; do
        emit "$name" "$error" || continue
        if $CC $FLAGS -O0 -c -o "$OUT/$name.o" "$OUT/$name.c"; then
            objects="$objects $OUT/$name.o" names="$names X(net_$name)"
        else
            echo "$name: FAILED: the emitted C does not compile"
        fi
    done <"$1"
    [ -n "$names" ] || return
    echo "#define NETWORKS(X) $names" >"$1.h"
    $CC $FLAGS -O1 -DEVALUATIONS=100 -include "$1.h" -o "$1.run" \
        tests/gradcheck.c $objects "$DOUBLE" -lm &&
    timeout 300 "$1.run" || echo "$1: FAILED: a network of this group"
}

if [ "$1" = --group ]; then
    group "$2" >"$2.log" 2>&1
    exit
fi
[ -x "$RNETC" ] || {
    echo "matrix.sh: $RNETC is missing: run make first" >&2
    exit 2
}
long=
if [ "$1" = --long ]; then
    long=yes
    shift
fi
mkdir -p "$OUT"
rm -f "$OUT"/group.*
awk -v out="$OUT" -f tests/matrix.awk compiler/graph/ops.h compiler/check/layers_*.c \
    tests/matrix.txt >"$OUT/all" || exit 2
if [ $# -gt 0 ]; then
    for name; do
        grep "^$name\( \|\$\)" "$OUT/all" || exit 2
    done >"$OUT/list"
elif [ -z "$long" ]; then
    awk 'NR % 8 == 1' "$OUT/all" >"$OUT/list"
else
    cp "$OUT/all" "$OUT/list"
fi
make -s "B=$BUILD" "$DOUBLE" || exit 2
split -a 4 -l $GROUP "$OUT/list" "$OUT/group."
ls "$OUT"/group.???? | xargs -P "$JOBS" -n 1 tests/matrix.sh --group
cat "$OUT"/group.????.log >"$OUT/log"
grep -v ' ok ' "$OUT/log" | grep -v ': ok: '
count=$(wc -l <"$OUT/list")
good=$(grep -c -e ' ok ' -e ': ok: ' "$OUT/log")
[ -n "$long" ] && echo "figure gradients of layers and shortcuts: $good"
echo "$good passed, $((count - good)) failed"
[ "$good" = "$count" ] && ! grep -q FAILED "$OUT/log"
