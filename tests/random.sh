#!/bin/sh
# random.sh [--long] [COUNT [SEED]]: random networks, and those of the other
# tests, against a second implementation: emitted code, fused and unfused, in
# each instruction set and several numbers of threads, and the interpreter of
# tests/interpreter in double.  Networks SEED, SEED + 1, ... are those that
# build/random/generate makes.  One that differs is left in
# build/random/failed, and a smaller one that differs beside it.
#
# random.sh --one OPTIONS...: one network, as rnetc is given it.  0: all agree,
# or float32 cannot tell; 1: something differs; 2: rnetc does not take it.
#
#   JOBS       batches at a time: 2
#   SLICE      seconds after which no batch begins, without arguments: 15
#   CC_FAST    compiles the emitted C: tcc where it is installed, else cc -O0
#   WORK       multiply-adds a network may cost: decides its batch sizes
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${JOBS:=2}" "${CC:=cc}" "${SLICE:=15}"
: "${RNETC:=$BUILD/rnetc}" "${OUT:=$BUILD/random}" "${WORK:=5e6}"
export BUILD RNETC OUT CC WORK
export COMPARE="--work $WORK"

# ------------------------------------------------------------------ batches

# The networks of other tests: a line of options each.
known() {
    ls tests/random/corners/*.rnet tests/networks/*.rnet tests/odd/*.rnet
    sed -n 's/^[a-z][a-z0-9_]*  */examples\//p' tests/examples.list
    ls examples/zoo/highway50-mlp.rnet examples/zoo/gru-64-128.rnet \
        examples/zoo/lstm-64-128.rnet examples/zoo/llama-tiny-tied.rnet
}

# run_batch FOLDER: its networks, unless the slice is over; the log on stdout.
run_batch() {
    [ -z "$END" ] || [ "$(date +%s)" -lt "$END" ] || return 0
    sh tests/random/batch.sh "$1"
    cat "$1/log"
}

# run_seeds FIRST COUNT
run_seeds() {
    [ -z "$END" ] || [ "$(date +%s)" -lt "$END" ] || return 0
    dir=$OUT/batches/$1
    rm -rf "$dir"
    mkdir -p "$dir"
    for seed in $(seq "$1" $(($1 + $2 - 1))); do
        if "$OUT/generate" "$seed" "$dir"; then
            echo "$dir/$seed.rnet" >>"$dir/networks"
        else
            printf 'FAILED\tgenerate %s\n' "$seed"
        fi
    done
    run_batch "$dir"
    keep_failed "$dir"
    rm -rf "$dir"
}

# Networks that differ are copied with what they import.
keep_failed() {
    [ -f "$1/log" ] || return 0
    sed -n 's/^FAILED\t\([^ ]*\/[0-9]*\)\.rnet$/\1/p' "$1/log" |
    while read -r stem; do
        mkdir -p "$OUT/failed"
        cp "$stem".*rnet "$OUT/failed/"
    done
}

case $1 in
--one)
    shift
    $RNETC --check -w "$@" || exit 2
    mkdir -p "$OUT/one.$$"
    echo "$*" >"$OUT/one.$$/networks"
    sh tests/random/batch.sh "$OUT/one.$$"
    cat "$OUT/one.$$/log"
    ! grep -q '^FAILED' "$OUT/one.$$/log"
    status=$?
    rm -rf "$OUT/one.$$"
    exit $status ;;
--batch)
    run_batch "$2"
    exit 0 ;;
--seeds)
    run_seeds "$2" "$3"
    exit 0 ;;
esac

# ---------------------------------------------------------------- all of it

make -s B="$BUILD" CC="$CC" "$OUT/compare" "$OUT/generate" "$OUT/shrink" ||
    exit 2
SIZE=20                                 # networks of a batch
[ -n "$1" ] || SIZE=10
long='' count=2000 seed=1
[ "$1" = --long ] && { long=1 count=10000; shift; }
[ -z "$1" ] || { count=$1; [ -n "$long" ] || SLICE=86400; }
[ -z "$2" ] || seed=$2
END=
[ -n "$long" ] || END=$(($(date +%s) + SLICE))
export END
rm -rf "$OUT/failed" "$OUT/batches"
mkdir -p "$OUT/batches"

# Batches of seeds; of the known networks the slice takes a few.
known | awk -v size=$SIZE -v out="$OUT/batches" '
    { dir = out "/known" int((NR - 1) / size) }
    (NR - 1) % size == 0 { system("mkdir -p " dir); print "--batch " dir }
    { print >(dir "/networks") }' >"$OUT/batches/known"
seq "$seed" $SIZE $((seed + count - 1)) | while read -r first; do
    left=$((seed + count - first))
    echo "--seeds $first $((left < SIZE ? left : SIZE))"
done >"$OUT/batches/seeds"
if [ -n "$1$long" ]; then
    cat "$OUT/batches/known" "$OUT/batches/seeds"
else
    { sed 2q "$OUT/batches/seeds"; sed 1q "$OUT/batches/known"
      sed 1,2d "$OUT/batches/seeds"; }
fi >"$OUT/batches/jobs"
xargs -P "$JOBS" -L 1 sh tests/random.sh <"$OUT/batches/jobs" >"$OUT/log" 2>&1

grep -v '^networks \|^undecided' "$OUT/log"
for file in "$OUT"/failed/*.rnet; do
    case $file in *.blocks.rnet|*'*'*) continue ;; esac
    timeout 300 "$OUT/shrink" "$file" sh tests/random.sh --one \
        >"${file%.rnet}.shrink" 2>&1
    echo "random.sh: see ${file%.rnet}.*"
done
awk -v long="$long" '
    /^networks / { n += $2; c += $4; u += $6; f += $8 }
    /^FAILED\t/ { bad++ }
    END {
        if (bad < f) bad = f
        if (long) {
            printf "figure networks compared: %d\n", n
            printf "figure comparisons: %d\n", c
            printf "figure networks undecided: %d\n", u
        }
        printf "%d passed, %d failed\n", n - bad, bad
        exit bad || !n }' "$OUT/log"
