#!/bin/sh
# ulp.sh [--long] [FUNCTION...]: the error of the vector functions, in units of
# the last place, for every instruction set of the machine: over every 4099th
# float and the borders, or over all 2^32 floats, JOBS functions at once.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${CC:=cc}" "${JOBS:=2}" "${BUILD:=build}" "${LIBRNET:=$BUILD/librnet.a}"
long=
[ "${1:-}" = --long ] && { long=1; shift; }
[ -e "$LIBRNET" ] || { echo "ulp.sh: no $LIBRNET: run make" >&2; exit 2; }
[ "$(uname -m)" = x86_64 ] && own=-march=native || own=
room=$(mktemp -d) || exit 2
trap 'rm -rf "$room"' EXIT
compile() {
    $CC -std=gnu11 -D_GNU_SOURCE -O3 $own -Wall -Wextra -Iruntime "$@"
}
compile -ffast-math -c -o "$room/fast.o" tests/ulp/fast.c &&
    compile -fno-math-errno -fno-trapping-math -o "$room/ulp" tests/ulp/ulp.c \
        "$room/fast.o" "$LIBRNET" -lm -pthread || exit 1

[ -n "$long" ] || { "$room/ulp" "$@"; exit; }
[ $# -gt 0 ] || set -- $("$room/ulp" --list)
printf '%s\n' "$@" | nice -n 19 xargs -P "$JOBS" -n 1 "$room/ulp" --all |
    tee "$room/log" | grep --line-buffered -v ' passed, '
awk -v asked=$# '/ passed, /{ good += $1 }
     END { printf "%d passed, %d failed\n", good, asked - good
           exit asked != good }' "$room/log"
