#!/bin/sh
# mangle.sh [count [seed]]: harmed inputs, under the address and undefined
# behaviour sanitizers: see tests/ast/mangle.c.
set -eu
cd "$(dirname "$0")/.."

: "${BUILD:=build}" "${CC:=cc}"
make -s "B=$BUILD" "$BUILD/compiler/syntax/lex.c" \
    "$BUILD/compiler/syntax/parse.c"
front=compiler/syntax
$CC -std=gnu11 -g -O1 -fsanitize=address,undefined \
    -fno-sanitize-recover=all -Icompiler/base -I$front "-I$BUILD/$front" \
    -o "$BUILD/mangle" tests/ast/mangle.c compiler/base/util.c \
    compiler/base/diag.c $front/ast.c $front/recover.c $front/syntax.c \
    "$BUILD/$front/lex.c" "$BUILD/$front/parse.c"
"$BUILD/mangle" -n "${1:-500}" -s "${2:-1}" tests/ast/*.rnet
echo "mangle: no failure"
