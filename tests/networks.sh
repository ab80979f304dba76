#!/bin/sh
# networks.sh [NAME ...]: every network of tests/networks and every example of
# tests/examples.list (or those named) through the compiler, against PyTorch's
# numbers with each instruction set (those of tests/train.list for 20 steps of
# training as well), against finite differences, and two of them at once in
# threads.
#
#   BUILD            the folder of the build: build
#   RNETC, LIBRNET   what is tested: $BUILD/rnetc, $BUILD/librnet.a
#   DOUBLE           the runtime in double: $BUILD/librnet_double.a
#   OUT              where everything goes: $BUILD/networks
#   JOBS             networks at a time: 2
#   CC, CXX          compilers: cc, c++; clang reads the emitted C as well
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${LIBRNET:=$BUILD/librnet.a}"
: "${DOUBLE:=$BUILD/librnet_double.a}"
: "${OUT:=$BUILD/networks}" "${JOBS:=2}" "${CC:=cc}" "${CXX:=c++}"
export RNETC LIBRNET DOUBLE OUT CC CXX

STRICT="-std=gnu11 -Wall -Wextra -Wconversion -Wshadow -pedantic -Werror"
PLAIN="-std=gnu11 -O1 -g -pthread -Iruntime -Itests"
IN_DOUBLE="-DRNET_ONLY_SCALAR -include tests/double.h"
TSAN="-DRNET_ONLY_SCALAR -fsanitize=thread"

# ---------------------------------------------------------- what is tested

LIST=tests/examples.list

every_name() {
    (cd tests/networks && ls ./*.rnet) | sed 's|^\./||; s|\.rnet$||'
    sed -n 's/^\([a-z][a-z0-9_]*\) .*/\1/p' $LIST
}

# source_of NAME: its file, and its knobs as options.
source_of() {
    row=$(sed -n "s/^$1  *//p" $LIST)
    [ -n "$row" ] && echo "examples/$row" || echo "tests/networks/$1.rnet"
}

# The network's own name in the file that comes first.
network_in() {
    sed -n 's/^network  *\([a-z0-9_]*\).*/\1/p' "$1"
}

# No example may be left out of the list, but for the zoo: zoo.sh counts it.
unlisted() {
    for file in $(cd examples && ls ./*.rnet ./*/*.rnet |
        sed '/^\.\/zoo/d; s|^\./||'); do
        grep -q "^[a-z][a-z0-9_]*  *$file" $LIST || echo "$file"
    done
}

# --------------------------------------------------------------- the parts

# archive NAME FLAGS...: runtime/ for the scalar twins alone, and sample.c
archive() {
    name=$1
    shift
    mkdir -p "$OUT/$name.parts"
    for source in runtime/*.c runtime/scalar/*.c tests/sample.c; do
        part=$OUT/$name.parts/$(echo "$source" | tr / _).o
        echo "$part $source"
    done | xargs -P "$JOBS" -L 1 sh -c '
        '"$CC $PLAIN $*"' -DRNET_ISA=scalar -c -o "$0" "$1"' || return 1
    rm -f "$OUT/$name.a"
    ar rcs "$OUT/$name.a" "$OUT/$name.parts"/*.o
}

# Instruction sets of this machine.
sets() {
    echo scalar base
    case $(uname -m) in
    x86_64)
        grep -qw avx2 /proc/cpuinfo && echo avx2
        grep -qw avx512vl /proc/cpuinfo && echo avx512 ;;
    esac
}

# The emitted C: the same twice, and no warnings from anyone.
emit() {
    source=$(source_of "$1")
    $RNETC $source -o "$2/$1.c" &&
    mkdir -p "$2/again" &&
    $RNETC $source -o "$2/again/$1.c" &&
    cmp "$2/$1.c" "$2/again/$1.c" &&
    $CC $STRICT -O1 -g -Iruntime -c -o "$2/$1.o" "$2/$1.c" || return 1
    if command -v clang >/dev/null; then
        clang $STRICT -fsyntax-only -Iruntime "$2/$1.c" || return 1
    fi
    echo "#include \"$1.h\"" >"$2/include.cc"
    $CXX -std=c++11 -Wall -Wextra -pedantic -Werror -fsyntax-only -Iruntime \
        "-I$2" "$2/include.cc"
}

compare() {
    network=$(network_in $(source_of "$1"))
    prefix=$(echo "$network" | tr a-z A-Z)
    $CC $PLAIN "-DNETWORK=$network" "-DPREFIX=$prefix" "-I$2" -include "$1.h" \
        -o "$2/compare" tests/compare.c "$OUT/fixture.o" "$OUT/guarded.o" \
        "$2/$1.o" "$LIBRNET" -lm || return 1
    bad=0
    for set in $(sets); do
        RNET_ISA=$set timeout 60 "$2/compare" \
            "tests/fixtures/$1.safetensors" || bad=1
    done
    return $bad
}

# steps_of NAME FOLDER C FLAGS...: twenty steps with this C, in each set.
steps_of() {
    name=$1 dir=$2 code=$3
    shift 3
    $CC $PLAIN "-DNETWORK=$(network_in $(source_of "$name"))" "$@" \
        -o "$dir/train_steps" tests/train_steps.c "$OUT/fixture.o" "$code" \
        "$LIBRNET" -lm || return 1
    bad=0
    for set in $(sets); do
        RNET_ISA=$set timeout 60 "$dir/train_steps" \
            "tests/fixtures/$name.safetensors" || bad=1
    done
    return $bad
}

# Twenty steps of each optimiser, where tests/train.list says so: by gradients,
# and within the backward pass.
train_steps() {
    grep -q "^$1 " tests/train.list || return 0
    steps_of "$1" "$2" "$2/$1.o" || return 1
    for rule in sgd adamw; do
        other=BY_ADAM
        [ $rule = sgd ] || other=BY_SGD
        $RNETC -w --fuse-optimizer=$rule $(source_of "$1") -o "$2/$rule.c" &&
        $CC $STRICT -O1 -g -Iruntime -c -o "$2/$rule.o" "$2/$rule.c" &&
        steps_of "$1" "$2" "$2/$rule.o" -D$other=0 || return 1
    done
}

gradcheck() {
    network=$(network_in $(source_of "$1"))
    $CC $PLAIN $IN_DOUBLE "-DNETWORK=$network" -o "$2/gradcheck" \
        tests/gradcheck.c "$2/$1.c" "$DOUBLE" -lm &&
    timeout 120 "$2/gradcheck"
}

# Everything about one network; writes its log and says how it went.
one() {
    dir=$OUT/$1
    mkdir -p "$dir"
    rm -f "$dir/passed"
    {
        emit "$1" "$dir" && {
            good=1
            compare "$1" "$dir" || good=0
            train_steps "$1" "$dir" || good=0
            gradcheck "$1" "$dir" || good=0
            [ $good = 1 ] && : >"$dir/passed"
        }
    } >"$dir/log" 2>&1
    cat "$dir/log"
    [ -e "$dir/passed" ] || echo "$1: FAILED"
}

# Two networks in one program, plain and under the thread sanitizer.
threads() {
    pair="-DNETWORK=$1 -DOTHER=$2"
    one_c=$OUT/$1/$1.c two_c=$OUT/$2/$2.c
    $CC $PLAIN $pair -o "$OUT/threads" tests/threads.c tests/sample.c \
        "$one_c" "$two_c" "$LIBRNET" -lm &&
    timeout 60 "$OUT/threads" &&
    archive tsan $TSAN &&
    $CC $PLAIN $TSAN $pair -o "$OUT/threads_tsan" tests/threads.c "$one_c" \
        "$two_c" "$OUT/tsan.a" -lm &&
    timeout 120 "$OUT/threads_tsan"
}

# --------------------------------------------------------------------- main

if [ "$1" = --one ]; then
    one "$2"
    exit
fi
[ -x "$RNETC" ] && [ -e "$LIBRNET" ] || {
    echo "networks.sh: $RNETC or $LIBRNET is missing: run make first" >&2
    exit 2
}
names=${*:-$(every_name)}
mkdir -p "$OUT"
for part in fixture guarded; do
    $CC $PLAIN -c -o "$OUT/$part.o" "tests/$part.c" || exit 2
done
make -s "B=$BUILD" "$DOUBLE" || exit 2
echo $names | xargs -P "$JOBS" -n 1 tests/networks.sh --one

passed=0 failed=0
for name in $names; do
    if [ -e "$OUT/$name/passed" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done
if [ $# = 0 ]; then
    for file in $(unlisted); do
        failed=$((failed + 1))
        echo "examples/$file is not in $LIST: FAILED"
    done
    if threads resnet_smooth mlp_prenorm; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "threads: FAILED"
    fi
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
