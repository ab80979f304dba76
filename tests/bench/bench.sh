#!/bin/sh
# bench.sh: what this machine can do, what our kernels make of it, and whole
# networks beside the peers that are installed; build/bench.json has the table.
#
#   BENCH_ONLY     models, separated by commas: M1,M2,M5; the word `kernels` adds
#                  the kernels
#   BENCH_THREADS  1,2
#   BENCH_ROUNDS   turns of each program in a row: 9
#   BENCH_PYTHON   Pythons that may have PyTorch
#   BENCH_COMPILE  0: peers do not try torch.compile
#   BUILD, RNETC, LIBRNET, OUT   build, its rnetc, its librnet.a, build
cd "$(dirname "$0")/../.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${LIBRNET:=$BUILD/librnet.a}"
: "${OUT:=$BUILD}"
: "${CC:=cc}" "${BENCH_PYTHON:=/usr/bin/python3 python3}"
FLAGS="-std=gnu11 -O2 -g -Wall -Wextra -pthread -Iruntime -I$OUT/bench"

[ -x "$RNETC" ] && [ -e "$LIBRNET" ] || {
    echo "bench.sh: $RNETC or $LIBRNET is missing: run make first" >&2
    exit 2
}

# ------------------------------------------------------------------ building

build() {
    mkdir -p "$OUT/bench" &&
    $RNETC tests/bench/models/m1.rnet -o "$OUT/bench/m1.c" &&
    $RNETC examples/resnet_cifar.rnet -o "$OUT/bench/m2.c" &&
    $RNETC tests/bench/models/m5.rnet -o "$OUT/bench/m5.c" &&
    $CC $FLAGS -o "$OUT/bench/networks" tests/bench/networks.c \
        "$OUT/bench/m1.c" "$OUT/bench/m2.c" "$OUT/bench/m5.c" "$LIBRNET" \
        -lm &&
    $CC $FLAGS -D_GNU_SOURCE -o "$OUT/bench/bench" tests/bench/bench.c -lm &&
    for part in bench_rows bench_recurrent bench_conv bench_point \
        bench_attention bench_graph ceilings; do
        $CC $FLAGS -U_GNU_SOURCE -o "$OUT/bench/$part" \
            "tests/bench/$part.c" "$LIBRNET" -lm || return 1
    done
}

# ----------------------------------------------------------------- the peers

# How PyTorch runs best on one machine: its products by OpenBLAS for this
# instruction set, memory kept rather than given back, threads that sleep when
# idle.
SETTINGS="MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=4294967296"
SETTINGS="$SETTINGS MALLOC_TOP_PAD_=268435456 OMP_WAIT_POLICY=PASSIVE"
if grep -qw avx512_bf16 /proc/cpuinfo 2>/dev/null; then
    core=Cooperlake
elif grep -qw avx512f /proc/cpuinfo 2>/dev/null; then
    core=SkylakeX
fi
[ -n "$core" ] &&
    SETTINGS="$SETTINGS OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-$core}"

# Prints NAME=COMMAND of each Python that has PyTorch, one version once.
peers() {
    found=" "
    for python in $BENCH_PYTHON; do
        version=$(env $SETTINGS $python tests/bench/peers.py --version \
                  2>/dev/null) || continue
        case $found in *" $version "*) continue ;; esac
        found="$found$version "
        echo "PyTorch $version=env $SETTINGS $python tests/bench/peers.py"
    done
}

tell_peers() {
    if [ -z "$1" ]; then
        echo "PyTorch: absent.  Debian: apt install python3-torch" \
             "libopenblas0-pthread; or pip install torch and" \
             "BENCH_PYTHON=that Python"
        return
    fi
    echo "peers with $SETTINGS:"
    for python in $BENCH_PYTHON; do
        env $SETTINGS $python tests/bench/peers.py --about 2>/dev/null
    done | sort -u
}

# --------------------------------------------------------------------- main

build || exit 1
"$OUT/bench/ceilings"
case ${BENCH_ONLY:-kernels} in
*kernels*)
    printf '\nDense products, GFLOP/s and share of the peak: '
    "$OUT/bench/bench_rows"
    printf '\nRecurrences, GFLOP/s and share of the peak: '
    "$OUT/bench/bench_recurrent"
    printf '\nConvolutions, GFLOP/s forward and shares of the peak: '
    "$OUT/bench/bench_conv"
    printf '\nAttention, GFLOP/s and share of the peak: '
    "$OUT/bench/bench_attention"
    printf '\nSteps and norms, '
    "$OUT/bench/bench_point"
    "$OUT/bench/bench_graph" ;;
esac

printf '\nNetworks; '
list=$(peers)
tell_peers "$list"
old=$IFS
IFS='
'
set -f
"$OUT/bench/bench" "$OUT" $list
