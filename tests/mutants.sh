#!/bin/sh
# mutants.sh: changes sources of the compiler and the runtime, a place at a time
# (a comparison, an operator, a condition, a number, a statement left out, a
# result), and sees whether the tests notice.
#
#   mutants.sh                  five changes that must be noticed
#   mutants.sh --long           250 changes, thoroughly: the share that is noticed
#   mutants.sh --count N --seed S --files GLOB --jobs J
#                               N at random, by lines; the same for the same S
#
# --long takes two hours of one processor.  tests/mutants/survivors.txt says why
# what is known not to be noticed is not.
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}"
command -v python3 >/dev/null || {
    echo "mutants.sh: skipped, because python3 is not there"
    exit 0
}
case ${1:-} in
"")     set -- --slice "$BUILD" ;;
--long) shift; set -- --count 250 --thorough "$@" ;;
esac
exec python3 -B tests/mutants/run.py "$@"
