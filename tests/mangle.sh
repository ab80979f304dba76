#!/bin/sh
# mangle.sh [count [seed]]: harmed inputs, under the address and undefined
# behaviour sanitizers: see tests/ast/mangle.c.
set -eu
cd "$(dirname "$0")/.."

make -s build/compiler/syntax/lex.c build/compiler/syntax/parse.c
front=compiler/syntax
${CC:-cc} -std=gnu11 -g -O1 -fsanitize=address,undefined \
    -fno-sanitize-recover=all -Icompiler/base -I$front -Ibuild/$front \
    -o build/mangle tests/ast/mangle.c compiler/base/util.c \
    compiler/base/diag.c $front/ast.c $front/recover.c $front/syntax.c \
    build/$front/lex.c build/$front/parse.c
build/mangle -n "${1:-500}" -s "${2:-1}" tests/ast/*.rnet
echo "mangle: no failure"
