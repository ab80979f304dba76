#!/bin/sh
# generate.sh: the generator of random programs knows every layer of the
# compiler and all of their arguments, uses each construct, gives the same bytes
# for the same seed, and what it writes compiles; the shrinker shrinks.
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${OUT:=$BUILD/generate}"
GENERATE=$BUILD/random/generate
make -s "B=$BUILD" "$GENERATE" "$BUILD/random/shrink" || exit 2
rm -rf "$OUT"
mkdir -p "$OUT" || exit 2
passed=0 failed=0
check() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "generate.sh: $2: FAILED"
    fi
}

# Layers are rows of check/layers_*.c and the pointwise rows of ops.h.
$GENERATE --knows >"$OUT/knows"
{
    sed -n 's/^    { "\([a-z0-9_]*\)", apply_.*/\1/p' compiler/check/layers_*.c
    sed -n '/^#define KERNEL_ROWS/q; s/^ROW([A-Z0-9_]*, "\([a-z0-9_]*\)".*/\1/p' \
        compiler/graph/ops.h
} | sort -u >"$OUT/layers"
for name in $(cat "$OUT/layers"); do
    grep -qx "$name" "$OUT/knows"
    check $? "no program has the layer '$name': a row of layers.c"
done

# Arguments are words of the generator's texts.
sed -n 's/.*{ "\([a-z0-9_]*\)", ARG_.*/\1/p' compiler/check/layers*.[ch] |
    sort -u >"$OUT/arguments"
for name in $(cat "$OUT/arguments"); do
    grep -q "[^a-z_]$name\( =\|[^a-z_]\)" tests/random/*.c
    check $? "no program gives the argument '$name'"
done

$GENERATE --census "${CENSUS:-1200}" >"$OUT/census"
check $? "constructs that no program has: $(awk '$1 == 0' "$OUT/census")"

# Without a warning of the generator's own making that a seed tells apart.
for seed in $(seq 1 "${PROGRAMS:-40}"); do
    $GENERATE "$seed" "$OUT" && $RNETC -w "$OUT/$seed.rnet" -o "$OUT/$seed.c"
    check $? "the program of seed $seed"
done
mkdir "$OUT/again"
$GENERATE 7 "$OUT/again" && cmp "$OUT/7.rnet" "$OUT/again/7.rnet"
check $? "the same seed gives other bytes"

# Shrunk to what makes a convolution of two channels out of a map.
cat >"$OUT/whole.rnet" <<'END'
network whole {
    input map [4, 4, 3]  // a comment
    relu
    { conv(2, 3) -> tanh }
    output y
}
END
cat >"$OUT/has_conv" <<END
#!/bin/sh
$RNETC --dump=graph "\$1" 2>"$OUT/has_conv.err" | grep -q ' conv ' && exit 3
exit 0
END
chmod +x "$OUT/has_conv"
tests/random/shrink.sh "$OUT/whole.rnet" "$OUT/has_conv" >"$OUT/shrunk"
check $? "shrink.sh"
[ "$(wc -w <"$OUT/whole.small.rnet")" -le 14 ] &&
    ! "$OUT/has_conv" "$OUT/whole.small.rnet"
check $? "what shrink.sh left: $(cat "$OUT/whole.small.rnet")"
echo "$passed passed, $failed failed"
[ $failed = 0 ]
