#!/bin/sh
# all.sh UNIT-TEST...: these and every script of tests/, but large.sh, coverage.sh,
# torture.sh and those that SKIP names ("odd zoo"), two at a time: a line each,
# with the output of those that fail before it, and at last one line "N passed, N
# failed" over all.  $BUILD/times.txt has the processor time of each, of the user
# and of the system.
set -u
cd "$(dirname "$0")/.." || exit 2
unset MAKEFLAGS MFLAGS

# Sums up a log: its last line "N passed, N failed", or cmocka's.  A test that
# fails without saying how often has failed once.
sum() {
    awk -v name="$1" -v status="$2" '
        / passed, [0-9]+ failed$/     { good = $(NF - 3); bad = $(NF - 1) }
        /: skipped,/                  { skipped = 1 }
        /^\[  PASSED  \]/             { good = $4 }
        /^\[  FAILED  \] [0-9]+ test/ { bad = $4 }
        END {
            if (status && !bad) bad = 1
            if (!status && !good && !bad && !skipped) good = 1
            printf "%s: %d passed, %d failed\n", name, good, bad
        }' "$3"
}

if [ "$1" = --one ]; then
    log=$(mktemp) || exit 2
    case $2 in
    *.sh) sh "$2" ;;
    *) "$2" ;;
    esac >"$log" 2>&1 </dev/null
    line=$(sum "${2##*/}" $? "$log")
    case $line in *" 0 failed") ;; *) cat "$log" ;; esac
    echo "$line"
    times >"$log"
    sed -n "2s|^|${2##*/} |p" "$log" >>"${BUILD:-build}/times.txt"
    rm -f "$log"
    exit 0
fi

# The longest first, so that both jobs end at about the same time.
longest="networks matrix random"
scripts=
for script in $(printf 'tests/%s.sh ' $longest) tests/*.sh; do
    name=${script##*/}
    case " all large coverage torture ${SKIP:-} $scripts " in
    *" ${name%.sh} "*|*" $script "*) ;;
    *) scripts="$scripts $script" ;;
    esac
done

: "${BUILD:=build}" "${JOBS:=1}"
export JOBS
all=$(mktemp) || exit 2
trap 'rm -f "$all"' EXIT
: >"$BUILD/times.txt"
printf '%s\n' $scripts "$@" | xargs -P 2 -n 1 sh tests/all.sh --one | tee "$all"
awk '/^[a-z0-9_.]+: [0-9]+ passed, [0-9]+ failed$/ { good += $2; bad += $4 }
     END { printf "%d passed, %d failed\n", good, bad; exit bad || !good }' "$all"
