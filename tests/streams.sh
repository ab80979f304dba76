#!/bin/sh
# streams.sh: what streams are at first.  Weighted ones and hyper-connections
# are the network without them (hyper-connections n times it); attention with a
# query of 0 is a mean.  Parameters are as many as the papers count, and
# hyper-connections of 1,000 layers are no more C than of 4.
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${LIBRNET:=$BUILD/librnet.a}"
: "${OUT:=$BUILD/streams}" "${CC:=cc}"
mkdir -p "$OUT" || exit 2
passed=0 failed=0
check() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "streams.sh: $2: FAILED"
    fi
}

# Blocks, then `network streamed` and `network plain`.
networks() {
    cat <<END
block feed(own = yes) {
    input x [.., d]
    if own { shortcut identity }
    norm layer before
    linear(3 * d) -> gelu -> linear(d)
}
block curve(own = yes) {
    input x [.., d]
    if own { shortcut identity }
    norm layer before
    linear(d) -> tanh
}
network streamed(width = 12, layers = 3) {
    input x [2, 5]
    linear(width)
    $1
    output out
}
network plain(width = 12, layers = 3) {
    input x [2, 5]
    linear(width)
    $2
    output out
}
END
}

# twins NAME STREAM PLAIN FACTOR TOLERANCE
twins() {
    networks "$2" "$3" >"$OUT/$1.rnet"
    for network in streamed plain; do
        $RNETC --network=$network "$OUT/$1.rnet" -o "$OUT/$1_$network.c" ||
            return 1
    done
    $CC -std=gnu11 -O1 -g -pthread -Iruntime -Itests -DFIRST=streamed \
        -DSECOND=plain -o "$OUT/$1" tests/twins.c tests/sample.c \
        "$OUT/$1_streamed.c" "$OUT/$1_plain.c" "$LIBRNET" -lm &&
        "$OUT/$1" "$4" "$5"
}

same="repeat layers { curve feed }"
twins weighted "stream weighted $same" "$same" 1 1e-6
check $? "a weighted stream begins as the network without it"
twins hyper "stream hyper(4) $same" "$same" 0.25 1e-6
check $? "hyper-connections begin as a residual network"
twins dynamic "stream hyper(3, dynamic) $same" "$same" 0.3333333333333 1e-6
check $? "dynamic hyper-connections begin as a residual network"
# the block's norm sees 1.1 x: the same but for its epsilon
twins manifold "stream manifold(4) $same" "$same" 0.25 1e-4
check $? "manifold-constrained hyper-connections begin as a residual network"
mean="a = curve(no)  b = (identity + a) / 2 -> feed(no)
    y = (identity + a + b) / 3  y"
twins attention "stream attention { curve feed }" "$mean" 1 1e-6
check $? "attention begins as a mean"
mean="a = curve(no)  b = (identity + a) / 2 -> feed(no)
    c = (identity + (a + b)) / 2 -> curve(no)
    d = (identity + (a + b) + c) / 3 -> feed(no)
    y = (identity + (a + b) + (c + d)) / 3  y"
twins blocks "stream attention(every = 2) { curve feed curve feed }" \
    "$mean" 1 1e-6
check $? "attention over blocks begins as a mean of their sums"

# total WHAT FILE NETWORK LAYERS: of its summary
total() {
    $RNETC --summary --network="$3" -D layers="$4" -D width=12 "$2" |
        sed -n "s/^$1  *\([0-9,]*\)\$/\1/p" | tr -d ,
}

# more NAME LAYERS COUNT [WHAT]: parameters beyond the plain network's
more() {
    what=${4:-Parameters}
    [ $(($(total "$what" "$OUT/$1.rnet" streamed "$2")
        - $(total "$what" "$OUT/$1.rnet" plain "$2"))) = "$3" ]
    check $? "$1, $2 layers: $what: not $3 more"
}
more weighted 6 $((6 * 9 / 2))          # L (L + 3) / 2
more weighted 48 $((48 * 51 / 2))
more hyper 6 $((12 * 4 * 6))            # n (n + 2) a block
more hyper 6 $((2 * 12 * 12 * 4 * 6)) Multiply-adds     # each of d at 2 places
more dynamic 6 $((12 * (3 * 5 + 12 * 5 + 2)))   # + d (n + 2) + 2
more manifold 6 $((12 * (24 * (4 * 12 + 1) + 3)))       # n (n + 2) (n d + 1) + 3

for name in hyper dynamic manifold; do
    for layers in 4 1000; do
        $RNETC --network=streamed -D layers=$layers "$OUT/$name.rnet" \
            -o "$OUT/size.c" || exit 1
        wc -c <"$OUT/size.c"
    done | tr '\n' ' ' >"$OUT/sizes"
    read -r shallow deep <"$OUT/sizes"
    [ $((deep * 100)) -lt $((shallow * 102)) ]
    check $? "$name: $deep bytes of C for 1,000 layers, $shallow for 4"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
