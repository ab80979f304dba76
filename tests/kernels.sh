#!/bin/sh
# kernels.sh [--long] [KERNEL...]: every entry point of rnet_kernels.h at many
# shapes and with many lists of steps: the textbook's loops, the scalar twin and
# every instruction set of the machine give the same numbers (tests/kernels/).
# --long: all shapes and lists, JOBS kernels at once.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${CC:=cc}" "${CFLAGS:=-O1 -g}" "${JOBS:=2}"
: "${BUILD:=build}" "${LIBRNET:=$BUILD/librnet.a}"
long=
[ "${1:-}" = --long ] && { long=1; shift; }
[ -e "$LIBRNET" ] || { echo "kernels.sh: no $LIBRNET: run make" >&2; exit 2; }
room=$(mktemp -d) || exit 2
trap 'rm -rf "$room"' EXIT
compile() { $CC -std=gnu11 -Wall -Wextra $CFLAGS -Iruntime "$@"; }
for file in tests/kernels/*.c tests/guarded.c; do
    compile -c -o "$room/$(basename "$file" .c).o" "$file" || exit 1
done
compile -o "$room/kernels" "$room"/*.o "$LIBRNET" -lm -pthread || exit 1
kernels=$room/kernels

# What is no kernel: other tests call it.
others="rnet_begin rnet_end rnet_hold rnet_release rnet_begin_forward_only
    rnet_end_forward_only rnet_parallel rnet_dropout_word
    rnet_keeps_batch rnet_check_work rnet_check_array rnet_check_indices
    rnet_check_labels rnet_check_graph rnet_check_sgd rnet_check_adam
    rnet_begin_sgd rnet_begin_adam rnet_update rnet_update_rest rnet_clear"

# Every function of the header has a trial, or is one of the others.
names() {
    sed -n 's/^[a-z][a-z0-9_ ]*[ *]\(rnet_[a-z0-9_]*\)(.*/\1/p' \
        runtime/rnet_kernels.h
}
missing=0 found=0
for name in $(names); do
    case " $(echo $others) " in
    *" $name "*) grep -q "$name(" tests/kernels/*.c tests/unit/*.c ;;
    *) "$kernels" --list | grep -qx "$name" ;;
    esac && found=$((found + 1)) || {
        missing=$((missing + 1))
        echo "kernels.sh: $name of rnet_kernels.h has no test"
    }
done
[ $found -ge 50 ] || { missing=$((missing + 1)); echo "kernels.sh: few names"; }

[ $# -gt 0 ] || set -- $("$kernels" --list)
if [ -n "$long" ]; then
    printf '%s\n' "$@" | nice -n 19 xargs -P "$JOBS" -n 1 "$kernels" --all
else
    printf '%s\n' "$@" | xargs -P "$JOBS" -n 4 "$kernels"
fi | tee "$room/log" |
    grep --line-buffered -v -e ' passed, ' -e '^[0-9]* cases$'

# A kernel that is in no line "passed" has ended the program.
awk -v long="$long" -v found=$found -v missing=$missing -v asked=$# '
    /^[0-9]+ cases$/ { cases += $1 }
    / passed, / { good += $1; bad += $3 }
    END {
        if (long) printf "figure kernel cases: %d\n", cases
        printf "%d cases, %d names\n", cases, found
        bad = asked - good + missing
        printf "%d passed, %d failed\n", good, bad
        exit bad != 0
    }' "$room/log"
