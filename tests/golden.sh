#!/bin/sh
# golden.sh [--update]: the parser's trees and messages, each compared with the
# file beside its input: tests/ast/x.rnet with x.ast, tests/diag/syntax/x.rnet
# with x.err (options for the printer: x.options).  --update rewrites them: read
# the difference before it is committed.
set -eu
cd "$(dirname "$0")/.."

: "${BUILD:=build}" "${CC:=cc}"
front="base/util base/diag syntax/ast syntax/recover syntax/syntax syntax/lex
       syntax/parse"
objects=$(for name in $front; do echo "$BUILD/compiler/$name.o"; done)
make -s "B=$BUILD" $objects
$CC -std=gnu11 -Wall -Wextra -g -Icompiler/base -Icompiler/syntax \
    -o "$BUILD/ast_dump" tests/ast/ast_main.c $objects
dump=$BUILD/ast_dump
case $dump in /*) ;; *) dump=$PWD/$dump ;; esac
update=${1:-}
count=0
failed=0

# golden <folder> <extension> <options>: every input of a folder
golden() {
    cd "$1"
    for input in *.rnet; do
        name=${input%.rnet}
        options=$3
        test ! -f "$name.options" || options="$options $(cat "$name.options")"
        "$dump" $options "$input" >"$dump.out" || test $? -eq 1
        count=$((count + 1))
        if [ "$update" = --update ]; then
            cp "$dump.out" "$name.$2"
        elif ! diff -u "$name.$2" "$dump.out"; then
            failed=$((failed + 1))
        fi
    done
    cd - >/dev/null
}

golden tests/ast ast ""
golden tests/diag/syntax err -q
echo "$((count - failed)) passed, $failed failed"
test $failed -eq 0
