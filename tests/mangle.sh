#!/bin/sh
# mangle.sh [count [seed]]: harmed inputs, under the address and undefined
# behaviour sanitizers: see tests/ast/mangle.c.
set -eu
cd "$(dirname "$0")/.."

make -s build/compiler/lex.c build/compiler/parse.c
${CC:-cc} -std=gnu11 -g -O1 -fsanitize=address,undefined \
    -fno-sanitize-recover=all -Icompiler -Ibuild/compiler -o build/mangle \
    tests/ast/mangle.c compiler/util.c compiler/diag.c compiler/ast.c \
    compiler/recover.c compiler/syntax.c build/compiler/lex.c \
    build/compiler/parse.c
build/mangle -n "${1:-500}" -s "${2:-1}" tests/ast/*.rnet
echo "mangle: no failure"
