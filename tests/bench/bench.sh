#!/bin/sh
# bench.sh [kernels]: what this machine can do, and whole networks beside the
# peers that are installed (build/bench.json has the table), or what our
# kernels make of it.  workloads.tsv lists the networks.
#
#   BENCH_ONLY     rows, separated by commas, by the first words of their names
#                  or by network: M1,M7,resnet50
#   BENCH_THREADS  1,2
#   BENCH_ROUNDS   turns of each program in a row: 9
#   BENCH_PYTHON   Pythons that may have PyTorch and ONNX Runtime
#   BENCH_COMPILE  0: peers do not try torch.compile; max: they try
#                  max-autotune too
#   BUILD, RNETC, LIBRNET, OUT   build, its rnetc, its librnet.a, build
cd "$(dirname "$0")/../.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${LIBRNET:=$BUILD/librnet.a}"
: "${OUT:=$BUILD}"
: "${CC:=cc}" "${BENCH_PYTHON:=/usr/bin/python3 python3}"
FLAGS="-std=gnu11 -O2 -g -Wall -Wextra -pthread -Iruntime -I$OUT/bench"
tab=$(printf '\t')
export PYTHONDONTWRITEBYTECODE=1

[ -x "$RNETC" ] && [ -e "$LIBRNET" ] || {
    echo "bench.sh: $RNETC or $LIBRNET is missing: run make first" >&2
    exit 2
}
mkdir -p "$OUT/bench"

# program NAME [FILE]...: a file of tests/bench, linked.
program() {
    name=$1
    shift
    $CC $FLAGS -o "$OUT/bench/$name" "tests/bench/$name.c" "$@" "$LIBRNET" -lm
}

# How peers run best on one machine: OpenBLAS for this instruction set, memory
# kept rather than given back, threads that sleep when idle.
SETTINGS="MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=4294967296"
SETTINGS="$SETTINGS MALLOC_TOP_PAD_=268435456 OMP_WAIT_POLICY=PASSIVE"
if grep -qw avx512_bf16 /proc/cpuinfo 2>/dev/null; then
    core=Cooperlake
elif grep -qw avx512f /proc/cpuinfo 2>/dev/null; then
    core=SkylakeX
fi
[ -n "$core" ] &&
    SETTINGS="$SETTINGS OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-$core}"

program ceilings && "$OUT/bench/ceilings" || exit

# ---------------------------------------------------------------- the kernels

# library WORD HEADER FLAGS PACKAGES: adds one that compiles to KERNEL_FLAGS, or
# says how to install it.
library() {
    if printf '#include <%s>\nint main(void) { return 0; }\n' "$2" |
        $CC -x c - $3 -o "$OUT/bench/library" 2>/dev/null; then
        KERNEL_FLAGS="$KERNEL_FLAGS -DWITH_$1 $3"
    else
        echo "  absent: $1.  Debian: apt install $4"
    fi
}

# kernels NAME TITLE [FILE]...
kernels() {
    part=bench_$1 title=$2
    shift 2
    program "$part" "$@" || exit
    printf '\n%s' "$title"
    env $SETTINGS OMP_NUM_THREADS=1 "$OUT/bench/$part"
}

if [ "$1" = kernels ]; then
    echo "Libraries with $SETTINGS OMP_NUM_THREADS=1"
    library OPENBLAS cblas-openblas.h -lopenblas libopenblas-dev
    library ONEDNN dnnl.h -ldnnl 'libdnnl-dev (version 2)'
    library LIBXSMM libxsmm.h "-lxsmm -lopenblas" \
        'libxsmm-dev libopenblas-dev'
    beside="tests/bench/peers/kernels.c $KERNEL_FLAGS"
    kernels rows 'Dense products, GFLOP/s and share of the peak: ' $beside
    kernels recurrent 'Recurrences, GFLOP/s and share of the peak: '
    kernels conv 'Convolutions, GFLOP/s forward and shares of the peak: ' \
        $beside
    kernels attention 'Attention, GFLOP/s and share of the peak: '
    kernels point 'Steps and norms, '
    kernels graph ''
    exit
fi

# --------------------------------------------------------------- the networks

# The rows of workloads.tsv that BENCH_ONLY names.
rows() {
    awk -F '\t' -v only=",$BENCH_ONLY," '
        /^#/ { next }
        { split($1, word, " ") }
        only == ",," || index(only, "," word[1] ",") ||
            index(only, "," $2 ",")' tests/bench/workloads.tsv
}

# field NAME: a string or a number of the summary, the network's own.
field() { sed -n "s/^  \"$1\": \"\{0,1\}\([^\",]*\).*/\1/p" "$net/summary"; }

# Compiles each network once, as ID_NAME; writes networks.inc for networks.c,
# and `rows` for bench: name, network, kind, batch, multiply-adds.
networks() {
    net=$OUT/bench/net
    rm -rf "$net" && mkdir "$net" || return
    rows | cut -f 2,5,6 | sort -u >"$net/list"
    : >"$net/macs"
    while IFS=$tab read -r id source options; do
        $RNETC $options --prefix="${id}_" "$source" -o "$net/$id.c" &&
            $RNETC $options --summary=json "$source" -o "$net/summary" &&
            $CC $FLAGS -c "$net/$id.c" -o "$net/$id.o" || return
        echo "#include \"net/$id.h\"" >>"$net/includes"
        echo "{ \"$id\", &${id}_$(field name) }," >>"$net/table"
        echo "$id$tab$(field macs)" >>"$net/macs"
    done <"$net/list"
    [ -s "$net/macs" ] || {
        echo "bench.sh: no row of workloads.tsv is '$BENCH_ONLY'" >&2
        return 2
    }
    { cat "$net/includes"; echo '#define NETWORKS \'
      sed '$!s/$/ \\/' "$net/table"; } >"$OUT/bench/networks.inc"
    rows | awk -F '\t' -v OFS='\t' '
        NR == FNR { macs[$1] = $2; next }
        { print $1, $2, $3, $4, macs[$2] }' "$net/macs" - >"$OUT/bench/rows"
    program networks "$net"/*.o && program bench -D_GNU_SOURCE
}

networks || exit

# ------------------------------------------------------------------ the peers

# peers FILE: a line NAME=COMMAND for each Python in which this peer runs, one
# version once.
peers() {
    found=" "
    for python in $BENCH_PYTHON; do
        version=$(env $SETTINGS $python "tests/bench/peers/$1" --version \
                  2>/dev/null) || continue
        case $found in *" $version "*) continue ;; esac
        found="$found$version "
        echo "$version=env $SETTINGS $python tests/bench/peers/$1"
    done
}

# tell LIST HOW: the peers of a list with what they are, or how to install one.
tell() {
    [ -n "$1" ] || { echo "  absent: $2"; return; }
    echo "$1" | while IFS== read -r name command; do
        $command --about
    done
}

printf '\nPeers with %s\n' "$SETTINGS"
pytorch=$(peers pytorch.py)
onnx=$(peers ort.py)
VENV="python3 -m venv V && V/bin/pip install torch numpy onnx onnxruntime"
tell "$pytorch" "PyTorch.  Debian: apt install python3-torch\
 libopenblas0-pthread; today's: $VENV, BENCH_PYTHON=V/bin/python"
case $pytorch in
*"PyTorch "[2-9]*) ;;
?*) tell '' "today's PyTorch: $VENV, and BENCH_PYTHON as it was with\
 V/bin/python" ;;
esac
tell "$onnx" "ONNX Runtime: $VENV, BENCH_PYTHON=V/bin/python"
IFS='
'
set -f
: >"$OUT/bench/peers.log"
"$OUT/bench/bench" "$OUT" $pytorch $onnx
