#!/bin/sh
# coverage.sh [SCRIPT ...]: which branches of compiler and runtime the tests take,
# by gcov.  Everything is built once more, with counters, and tests/all.sh run, or
# the scripts that are named.  `coverage.sh --report` prints what was counted
# before.  A table of the files, the branches that were never taken in
# $BUILD/uncovered, and figures; tests/coverage/table.py says how it is counted.
# Needs gcov and python3.
#
#   BUILD     the folder of this build: build/coverage
#   HOST_CC   the compiler: cc
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build/coverage}"
export BUILD
for tool in gcov python3; do
    command -v $tool >/dev/null || {
        echo "coverage.sh: skipped, because there is no $tool"
        exit 0
    }
done

table() { python3 tests/coverage/table.py "$BUILD"; }

if [ "$1" = --report ]; then
    table
    exit
fi
[ "$1" != --long ] || shift
CC=$PWD/tests/coverage/cc
export CC
units=$(ls tests/unit/test_*.c | sed "s|tests/unit/\(.*\)\.c|$BUILD/tests/\1|")
make -s -j2 "B=$BUILD" CFLAGS='-g -O1' KERNEL= LINED=yes all $units || exit
find "$BUILD" -name '*.gcda' -exec rm {} +
if [ $# -gt 0 ]; then
    for script; do
        tests/all.sh --one "$script"
    done
else                    # these build the sources once more, in another way
    SKIP="mutants sanitize" tests/all.sh $units
fi
failed=$?
table
exit $failed
