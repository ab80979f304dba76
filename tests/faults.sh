#!/bin/sh
# faults.sh [--long]: every call that can fail made to fail in turn, in rnetc,
# in the runtime and in what the examples read; and the process ended at each
# step of writing a file.  See tests/faults/compiler.c and runtime.c.
#
#   BUILD     the folder of the build: build
#   CC        a C compiler: cc
#   CFLAGS    for the tests themselves
# --long: every allocation, not a part of them, and real networks.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${CC:=cc}" "${CFLAGS:=-O1 -g}" "${LDFLAGS:=}"
: "${OUT:=$BUILD/faults}"
long=${1:-}
room=tests/faults
mkdir -p "$OUT" || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

build() {
    $CC -std=gnu11 -D_GNU_SOURCE -Wall -Wextra $CFLAGS -Iruntime -Iexamples \
        -I$room -I"$OUT" "$@" || exit 2
}

"$BUILD/rnetc" $room/in/net.rnet -o "$OUT/net.c" || exit 2
build -shared -fPIC -DPRELOADED -o "$OUT/faulty.so" $room/faulty.c -ldl
build -o "$OUT/compiler" $room/compiler.c $room/folder.c $LDFLAGS
build -o "$OUT/runtime" $room/runtime.c $room/faulty.c $room/folder.c \
    "$OUT/net.c" examples/data.c examples/text.c examples/papers.c \
    "$BUILD/librnet.a" $LDFLAGS -lz -lm -pthread -ldl

mkdir "$work/run" "$work/weights"
cp -r $room/in "$work/in"
networks=
if [ "$long" = --long ]; then
    for file in examples/resnet_cifar.rnet examples/chars.rnet \
        examples/gcn.rnet tests/networks/unet.rnet tests/networks/streams.rnet \
        tests/networks/dropped.rnet tests/networks/library_maps.rnet; do
        cp $file "$work/in" || exit 2
        networks="$networks ${file##*/}"
    done
fi
# a copy: a build that goes on meanwhile does not disturb
cp "$BUILD/rnetc" "$work/rnetc" || exit 2
OUT=$(cd "$OUT" && pwd)
{
    "$OUT/compiler" "$work/rnetc" "$OUT/faulty.so" "$work" $long $networks
    "$OUT/runtime" "$work/weights"
} >"$work/report" 2>&1
grep -v ' passed, ' "$work/report"
[ "$long" = --long ] && awk '/faults injected$/ { n += $2 }
    END { print "figure faults injected: " n + 0 }' "$work/report"
awk '/ passed, [0-9]+ failed$/ { good += $1; bad += $3; runs++ }
     END { if (runs != 2) bad++
           printf "%d passed, %d failed\n", good, bad
           exit bad > 0 }' "$work/report"
