#!/bin/sh
# golden_check.sh [--update]: the checker's messages: tests/diag/check/x.rnet
# with x.err, all that `rnetc --check` says about it (options: x.options).
# Every case must fail, with status 1.
# --update rewrites the files: read the difference before it is committed.
set -eu
cd "$(dirname "$0")/.."

: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}"
case $RNETC in
/*) ;;
*) RNETC=$PWD/$RNETC ;;
esac
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
update=${1:-}
count=0
failed=0

cd tests/diag/check
for input in *.rnet; do
    name=${input%.rnet}
    options=
    test ! -f "$name.options" || options=$(cat "$name.options")
    status=0
    timeout 60 "$RNETC" --check $options "$input" >"$scratch/out" 2>&1 ||
        status=$?
    count=$((count + 1))
    if [ $status -ne 1 ]; then
        echo "$name: status $status"
        failed=$((failed + 1))
    elif [ "$update" = --update ]; then
        cp "$scratch/out" "$name.err"
    elif ! diff -u "$name.err" "$scratch/out"; then
        failed=$((failed + 1))
    fi
done
echo "$((count - failed)) passed, $failed failed"
test $failed -eq 0
