#!/bin/sh
# seeds.sh FOLDER: what fuzzing begins with: FOLDER/TARGET/* for each target,
# and dictionaries FOLDER/TARGET.dict.  Nothing of it is committed: .rnet files
# are the tree's, the words of the language the compiler's own.
# Requires: make -f tests/fuzz/fuzz.mk KIND=plain.
set -eu
cd "$(dirname "$0")/../.."
: "${BUILD:=build}"
out=$1
for target in compiler safetensors idx counts words text papers; do
    mkdir -p "$out/$target"
    for found in tests/fuzz/found/$target/*; do
        test ! -f "$found" || cp "$found" "$out/$target/"
    done
done

# ---- the compiler ----

for file in examples/*.rnet examples/*/*.rnet library/*.rnet \
    tests/networks/*.rnet tests/odd/*.rnet tests/diag/*/*.rnet \
    tests/ast/*.rnet tests/cli/*.rnet tests/injection/*.rnet; do
    test $(($(wc -c <"$file") < 4000)) -eq 0 ||
        cp "$file" "$out/compiler/$(echo "$file" | tr / _)"
done
cat >"$out/compiler/files.rnet" <<'END'
import "one.rnet"
import "./two.rnet"
import "resnet"
network n { input x [4] a(5) -> b output y }
//// one.rnet
import "two.rnet"
block a(w) { shortcut projection  linear(w) -> b }
//// two.rnet
block b { shortcut identity  relu }
END
cat >"$out/compiler/options.rnet" <<'END'
//: -D n=3 --prefix=p_ --network=m -Werror -fmax-errors=2 --batch=7
network m(n = 2, w = 0.5) { input x [4] repeat n { linear(4) } * w output y }
network other { input x [4] output y }
END

# Every word and sign that the compiler's sources know, in quotes.
{
    grep -oh '"[a-z_0-9]\{2,\}"' compiler/check/*.c compiler/syntax/lex.re
    sed -n 's/^ *\("[^a-z"]*"\) *{ *\(AT_END\|SAY\).*/\1/p' \
        compiler/syntax/lex.re | grep -v '\\x'
    for file in library/*.rnet; do echo "\"$(basename "$file" .rnet)\""; done
    printf '"%s"\n' 'i' '[8]' '[8, 8, 3]' '{ shortcut identity' \
        'network n { input x [8]' 'output y }' '\x0a//// one.rnet\x0a' \
        'import \"one.rnet\"' '//: -D n=' '1000000' '2147483647' \
        '9223372036854775807' '1e308' '1048576' '- 1' '0.5'
} | sort -u >"$out/compiler.dict"

# ---- safetensors ----

weights() {                         # header data: with the header's length
    printf "\\$(printf %03o $((${#1} % 256)))\\$(printf %03o \
        $((${#1} / 256)))\\0\\0\\0\\0\\0\\0%s" "$1"
    printf "$2"
}
a='"dtype":"F32","shape":[2],"data_offsets":[0,8]'
b='"dtype":"F32","shape":[1],"data_offsets":[8,12]'
weights "{\"a\":{$a},\"b\":{$b}}" '\0\0\200\77\0\0\0\100\0\0\100\100' \
    >"$out/safetensors/two"
weights "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{$a},\"b\":{$b}} " \
    '\0\0\200\77\0\0\0\100\0\0\100\100' >"$out/safetensors/metadata"
a='"dtype":"F16","shape":[2],"data_offsets":[0,4]'
b='"dtype":"BF16","shape":[1],"data_offsets":[4,6]'
weights "{\"b\":{$b},\"a\":{$a}}" '\0\74\0\100\200\77' \
    >"$out/safetensors/half"
weights '{"\u00e9\n":{"dtype":"I64","shape":[],"data_offsets":[0,8]}}' \
    '12345678' >"$out/safetensors/escapes"
"$BUILD/fuzz/plain/seed" "$out/safetensors/small"
printf '"%s"\n' '\"dtype\":\"F32\"' '\"dtype\":\"F16\"' \
    '\"dtype\":\"BF16\"' '\"dtype\":\"F64\"' '\"shape\":[' \
    '\"data_offsets\":[' '\"__metadata__\":{' '\"format\":\"pt\"' '{\"' \
    '\"}' '},' ']}' '\\u0000' '\\ud83d\\ude00' '\\\"' '\"a\":{' '\"b\":{' \
    '18446744073709551615' '9223372036854775808' '4294967296' '1e3' '-1' \
    'true' 'null' 'residual.0.scale' 'num_batches_tracked' \
    '\xff\xff\xff\xff\xff\xff\xff\x7f' >"$out/safetensors.dict"

# ---- the examples' readers ----

images='\0\0\10\3\0\0\0\2\0\0\0\2\0\0\0\3abcdefABCDEF'
labels='\0\0\10\1\0\0\0\2\3\7'
printf "\\1\\12\\0$labels$images" >"$out/idx/plain"
printf "\\3\\12\\0$labels$images" >"$out/idx/zipped"
printf "\\0\\0\\0$images" >"$out/idx/images"
{ printf '\0\0\0'; printf "$images" | gzip -n9; } >"$out/idx/gzip"
printf '"%s"\n' '\x00\x00\x08\x03' '\x00\x00\x08\x01' '\x1f\x8b\x08' \
    '\xff\xff\xff\xff' >"$out/idx.dict"
printf '# two\n0,16,8,1,9\n16,15,1,0,0\n' >"$out/counts/two"
printf '# two\n0,16,8,1,9\r\n' | gzip -n9 >"$out/counts/zipped"
for i in a b c d e f g h i j k l m n o p q r s t u; do
    echo "Anna$i"
done >"$out/words/names"
printf 'a\0b\377\n' >"$out/text/bytes"
printf '%s\n' '0 1 train 0 3 6' '# second' '1 2 none' '2 0 test 5' -- '0 1' \
    '2 0' '1 1' >"$out/papers/three"
printf '"%s"\n' '--\x0a' 'train' 'val' 'test' 'none' '#' ' ' '0' \
    '18446744073709551616' >"$out/papers.dict"
