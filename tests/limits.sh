#!/bin/sh
# limits.sh: at each limit of compiler/base/limit.h that a small file reaches, the
# compiler takes what is exactly there and names the limit one further.
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}"
case $RNETC in /*) ;; *) RNETC=$PWD/$RNETC ;; esac
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
passed=0 failed=0

# copies N TEXT: TEXT N times, each # in it the number, from 1.
copies() {
    awk -v n="$1" -v text="$2" 'BEGIN {
        for (i = 1; i <= n; i++) { line = text; gsub(/#/, i, line)
            printf "%s", line } }'
}

# network LINE...: a network of these lines.
network() {
    echo "network n {"
    printf '%s\n' "$@"
    echo "output y }"
}

# limit LIMIT MESSAGE MAKER: `MAKER N` prints a program that reaches N.
limit() {
    for reach in $1 $(($1 + 1)); do
        "$3" $reach >reach.rnet
        "$RNETC" -o n.c reach.rnet >out 2>&1
        status=$?
        if [ $status = 0 ] && [ $reach = "$1" ] ||
            { [ $status = 1 ] && [ $reach != "$1" ] &&
              grep -q "error: .*$2" out; }; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "limits.sh: $3 $reach: FAILED: status $status, $(head -n 1 out)"
        fi
    done
}

name() {
    echo "block $(copies "$1" a) { relu }"
    network "input x [2]" "linear(3)"
}
dotted() {
    network "input x [2]" "linear(3) as $(copies $(($1 - 7)) a)"
}
brackets() {
    network "input x [2]" "x * $(copies $(($1 - 1)) '(')3$(copies $(($1 - 1)) ')')"
}
parameters() {
    echo "block many($(copies $(($1 - 1)) 'p#, ')last) { linear(p1 + last) }"
    network "input x [2]" "many($(copies "$1" '#, ')last = 3)" |
        sed "s/, $1, last/, last/"
}
knobs() {
    echo "network n($(copies $(($1 - 1)) 'p# = #, ')last = 3) {"
    echo "input x [2] linear(p1 + last) output y }"
}
recursion() {
    echo "block down(n) { tanh if n > 1 { down(n - 1) } }"
    network "input x [2]" "linear(3) -> down($1)"
}
repeats() {
    network "input x [2]" "$(copies "$1" 'repeat 2 {') linear(2) $(copies "$1" '}')"
}
iterations() {
    network "input x [2]" "repeat $1 { linear(2) }"
}
axes() {
    network "input x [$(copies $(($1 - 1)) '1, ')2]" "linear(2)"
}
reshaped() {
    network "input x [2]" "reshape([$(copies $(($1 - 1)) '1, ')2]) -> linear(2)"
}
joined() {
    network "input x [2]" "$(copies "$1" 'linear(1) as v# ')" \
        "concat($(copies $(($1 - 1)) 'v#, ')v$1)"
}
window() {
    network "input x [1, 1, 1]" "maxpool(1, stride = $1)"
}
axis() {
    network "input x [1]" "linear($1)"
}
input_axis() {
    network "input x [$1]" "linear(1)"
}
size() {
    network "input x [1048576]" "linear($1, bias = no)"
}
bytes() {
    network "input x [1]" "linear(1)" >small.rnet
    head -c $(($1 - $(wc -c <small.rnet))) /dev/zero | tr '\0' ' '
    cat small.rnet
}
imports() {
    i=1
    while [ $i -lt "$1" ]; do
        echo "import \"i$((i + 1)).rnet\"" >i$i.rnet
        i=$((i + 1))
    done
    echo "block last { relu }" >i$i.rnet
    echo 'import "i1.rnet"'
    network "input x [1]" "linear(1) -> last"
}
# 1023 numbers of a tower and one beside it, so many times.
numbers() {
    echo "block unit(i) { shortcut identity  scale 1 / (i + 1)  linear(1) }"
    echo "block tower { repeat 1023 as i { unit(i) } }"
    network "input x [1]" "linear(1)" \
        "repeat $(($1 / 1024)) as o { tower -> dropout(0.5 / (o + 1)) }" \
        "$([ $(($1 % 1024)) = 0 ] || echo 'repeat 2 as i { unit(i) }')"
}
files() {
    i=1
    while [ $i -lt "$1" ]; do
        echo "block b$i { relu }" >f$i.rnet
        echo "import \"f$i.rnet\""
        i=$((i + 1))
    done
    network "input x [1]" "linear(1) -> b1"
}

limit 200 "200 bytes" name
limit 200 "200 bytes" dotted
limit 200 "200 levels" brackets
limit 64 "limit of 64" parameters
limit 64 "limit of 64" knobs
limit 200 "200" recursion
limit 4 "limit of 4" repeats
limit 1000000 "limit of 1000000" iterations
limit 1048576 "limit of 1048576" numbers
limit 8 "8 axes" axes
limit 8 "8 axes" reshaped
limit 16 "16" joined
limit 1048576 "2^20" window
limit 2147483647 "2^31" axis
limit 2147483647 "2^31" input_axis
limit 1048576 "2^40" size
limit 16777216 "16777216" bytes
limit 64 "limit of 64" imports
limit 256 "limit is 256" files
echo "$passed passed, $failed failed"
[ $failed = 0 ]
