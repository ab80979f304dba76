#!/bin/sh
# processes.sh: an emitted network in programs that fork, share pools, take
# signals and so on: tests/processes/processes.c, plain and under the thread
# sanitizer.
#
#   BUILD     the folder of the build: build
#   CC        a C compiler: cc
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${LIBRNET:=$BUILD/librnet.a}"
: "${OUT:=$BUILD/processes}" "${CC:=cc}"
FLAGS="-std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Iruntime -Itests -pthread
       -DNETWORK=resnet_smooth"
mkdir -p "$OUT" || exit 2
"$RNETC" tests/networks/resnet_smooth.rnet -o "$OUT/net.c" || exit 2
$CC $FLAGS -o "$OUT/processes" tests/processes/processes.c tests/sample.c \
    "$OUT/net.c" "$LIBRNET" -lm || exit 2
"$OUT/processes" "${1:-240}"
