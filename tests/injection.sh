#!/bin/sh
# injection.sh [--long]: nothing in a .rnet file, its name or the command line
# puts text into what rnetc writes, and every name becomes one that C takes:
#   names    tests/injection/words.txt as network, block, parameter, input,
#            target, output, value, tensor: an error with its place, or C that
#            compiles without a warning, a header that C++ takes, a run;
#   texts    comments, names of files, values of -D, bytes that are no text;
#   folders  imports stay in theirs; make reads the depfile as it was meant.
# The slice takes every fourth word, and runs but the programs of all of them.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$PWD/$BUILD/rnetc}" "${CC:=cc}" "${CXX:=c++}"
root=$PWD
here=$root/tests/injection
out=$(mktemp -d) || exit 2
trap 'rm -rf "$out"' EXIT
long=${1:-}
good=0 bad=0 names=0

pass() { good=$((good + 1)); }
fail() { bad=$((bad + 1)); echo "injection: $*"; }
strict="-std=gnu11 -Wall -Wextra -pedantic -Werror -Wno-unused-function -Iruntime"

# A file is printable ASCII and line ends alone.
plain() { test -z "$(LC_ALL=C tr -d '\n -~' <"$1" | head -c 1)"; }
# Or UTF-8 without what a terminal obeys.
shown() {
    test -z "$(LC_ALL=C tr -d '\n -~\200-\377' <"$1" | head -c 1)" &&
        ! LC_ALL=C grep -q "$(printf '\302[\200-\237]')" "$1"
}

# located LOG: errors, each with its place.
located() {
    grep -q ':[0-9]*:[0-9]*: error: ' "$1" && ! grep -q '^rnetc: error' "$1"
}

# compiles NAME: out/NAME.c, and out/NAME.h as C++.
compiles() {
    plain "$out/$1.c" && plain "$out/$1.h" &&
        $CC $strict -I"$out" -c -o "$out/$1.o" "$out/$1.c" &&
        $CXX -Wall -Wextra -pedantic -Werror -Iruntime -I"$out" \
            -fsyntax-only -x c++ "$out/$1.h"
}

# What the header calls the network.
network_of() {
    sed -n 's/^extern const struct rnet_network \(.*\);/\1/p' "$out/$1.h"
}

# runs NAME
runs() {
    $CC -std=gnu11 -O0 -Iruntime -include "$out/$1.h" -DNAME="$(network_of "$1")" \
        -o "$out/$1.run" "$here/run.c" "$out/$1.o" "$BUILD/librnet.a" \
        -lm -pthread && "$out/$1.run"
}

# takes FILE: whether rnetc compiles it; a refusal must have its place.
takes() {
    if "$RNETC" -w --check "$1" >"$out/log" 2>&1; then
        return 0
    fi
    located "$out/log" || fail "no place: $(cat "$1" "$out/log")"
    return 1
}

whole() {                           # NAME: written, compiled, run
    if "$RNETC" -w "$out/$1.rnet" -o "$out/$1.c" >"$out/log" 2>&1 &&
        compiles "$1" >"$out/log" 2>&1 && {
            case $long$1 in pair*|word*) ;; *) runs "$1" >"$out/log" 2>&1 ;;
            esac; }; then
        pass
    else
        fail "$1: $(head -n 12 "$out/log")"
    fi
}

# ---- names ----

words=$(tr -s ' ' '\n' <"$here/words.txt")
enough=100
if [ "$long" != --long ]; then
    words=$(echo "$words" | awk 'NR % 4 == 0')
    enough=25
fi

# Those of all words that may stand in this place: accepted TEXT, @ for the name
accepted() {
    for word in $words; do
        names=$((names + 1))
        echo "$1" | sed "s/@/$word/g" >"$out/one.rnet"
        if takes "$out/one.rnet"; then echo "$word"; fi
    done
}

accepted 'network net { input @ [4]  linear(3)  output y_1 }' >"$out/inputs"
accepted 'network net { input x_1 [4]  linear(3)  output @ }' >"$out/outputs"
accepted 'network net { input x_1 [4]  linear(3) as @  output y_1 }' \
    >"$out/values"
accepted 'network net { input x_1 [4]  linear(3)  output y_1
    loss mse(y_1, @) }' >"$out/targets"
accepted 'network net(@ = 1) { input x_1 [4]  linear(@)  output y_1 }' \
    >"$out/knobs"
accepted 'block @(n) { shortcut identity  linear(n) }
network net { input x_1 [4]  @(4)  output y_1 }' >"$out/blocks"
accepted 'network @(n = 2) { input x_1 [4]  linear(n)  output y_1
    loss mse(y_1, t_1) }' >"$out/networks"
for list in inputs outputs values targets knobs blocks networks; do
    count=$(wc -l <"$out/$list")
    if [ "$count" -gt $enough ]; then pass; else fail "$count names as $list"; fi
done

# no_twice LIST: without names that the header cannot have beside another
# (x and X, x and x_grad): those are errors of their own.
no_twice() { sort -f "$out/$1" | awk '!seen[tolower($0)]++'; }

{
    echo 'network net {'
    no_twice inputs | sed 's/.*/    input & [4]/'
    i=0
    for word in $(no_twice inputs); do
        i=$((i + 1))
        echo "    output out_$i = $word -> linear(3)"
        echo "    loss mse(out_$i, goal_$i)"
    done
    echo '}'
} >"$out/all_inputs.rnet"
{
    echo 'network net {'
    echo '    input x_1 [4]'
    no_twice outputs | sed 's/.*/    output & = linear(3)/'
    echo '}'
} >"$out/all_outputs.rnet"
{
    echo 'block first(n) { shortcut identity  linear(n) -> relu }'
    echo 'network net {'
    echo '    input x_1 [4, 4, 4]'
    echo '    conv(4, 3) -> maxpool(2) -> first(4) -> flatten'
    sed 's/.*/    linear(5) -> tanh as &/' "$out/values"
    sed 's/.*/    linear(5) * & -> relu/' "$out/values"
    echo '    output y_1'
    echo '    loss mse(y_1, t_1)'
    echo '}'
} >"$out/all_values.rnet"
{
    echo 'network net {'
    echo '    input x_1 [4]'
    echo '    linear(3)'
    echo '    output y_1'
    no_twice targets | sed 's/.*/    loss mse(y_1, &)/'
    echo '}'
} >"$out/all_targets.rnet"
for part in 1 2 3 4 5 6 7 8; do
    knobs=$(no_twice knobs | awk -v p=$part 'NR % 8 == p - 1 {
        printf "%s%s = 3", n++ ? ", " : "", $0 }')
    echo "network net($knobs) { input x_1 [4]  linear(3)  output y_1 }" \
        >"$out/all_knobs_$part.rnet"
done
{
    sed 's/.*/block &(n) { shortcut identity  linear(n) -> tanh }/' \
        "$out/blocks"
    echo 'network net {'
    echo '    input x_1 [4]'
    sed 's/.*/    &(4)/' "$out/blocks"
    echo '    output y_1'
    echo '    loss mse(y_1, t_1)'
    echo '}'
} >"$out/all_blocks.rnet"
for file in "$out"/all_*.rnet; do
    whole "$(basename "$file" .rnet)"
done

# One network each; and a block of the same name in it.
one_network() {
    printf 'block %s(n) { shortcut identity  linear(n) }
network %s(n = 4) { input x_1 [4]  %s(n)  output y_1  loss mse(y_1, t_1) }' \
        "$1" "$1" "$1" >"$out/word_$1.rnet"
    whole "word_$1"
    rm -f "$out/word_$1"*
}
i=0
for word in $(cat "$out/networks"); do
    i=$((i + 1))
    if [ "$long" != --long ] && [ $((i % 6)) -ne 0 ]; then continue; fi
    grep -qx "$word" "$out/blocks" || continue
    one_network "$word"
done

# Collisions: each compiles, or is an error with its place.
i=0
while IFS= read -r line; do
    case $line in ''|'#'*) continue ;; esac
    i=$((i + 1))
    printf '%s\n' "$line" | sed 's/;; /\n/g' >"$out/pair_$i.rnet"
    if takes "$out/pair_$i.rnet"; then whole "pair_$i"; else pass; fi
done <"$here/collisions.txt"

# ---- texts ----

# Comments, in a file and in what the C quotes of it.
"$RNETC" -w "$here/comments.rnet" -o "$out/comments.c" >"$out/log" 2>&1 &&
    plain "$out/comments.c" && plain "$out/comments.h" &&
    $CC -std=c11 -D_GNU_SOURCE -trigraphs -Wall -Wextra -Wcomment -Werror \
        -Wno-pedantic -Iruntime -I"$out" -c -o "$out/comments.o" \
        "$out/comments.c" >>"$out/log" 2>&1
if [ $? -eq 0 ]; then pass; else fail "comments: $(cat "$out/log")"; fi

# Every report of a file of this name.
source_named() {
    file=$out/odd/$1
    mkdir -p "$out/odd"
    cp "$here/small.rnet" "$file" 2>/dev/null || return
    for task in '--summary' '--summary=json' --dot --dump=graph; do
        "$RNETC" $task "$file" >"$out/report" 2>&1 && shown "$out/report" ||
            fail "$task of '$1'"
    done
    echo 'network n { input x [4]  linear(0)  output y }' >"$file"
    "$RNETC" --check "$file" >"$out/report" 2>&1
    shown "$out/report" || fail "a message on '$1'"
    cp "$here/small.rnet" "$file"
    "$RNETC" "$file" -o "$out/odd.c" >"$out/log" 2>&1 &&
        compiles odd >"$out/log" 2>&1 ||
        fail "the C of '$1': $(head -n 5 "$out/log")"
    rm -rf "$out/odd"
    pass
}
tab=$(printf '\t') esc=$(printf '\033') csi=$(printf '\302\233')
rtl=$(printf '\342\200\256') latin=$(printf '\351')
line='a
b'
for name in '*_ *.rnet' "a*${tab}b.rnet" '??-.rnet' '%s%n.rnet' 'a"b.rnet' \
    "a'b.rnet" 'a\.rnet' 'back\' "$line.rnet" "${esc}[31mred.rnet" \
    "${csi}31m.rnet" "${rtl}txet.rnet" "$latin.rnet" '-x.rnet' '#error.rnet' \
    '$(touch x).rnet' '`x`.rnet' '&amp;<b>.rnet' 'label="x.rnet' 'ä.rnet'; do
    source_named "$name"
done

# A header that no #include can name is refused.
for name in 'a"b.c' 'a\b.c' "$line.c" '??x.c'; do
    "$RNETC" "$here/small.rnet" -o "$out/$name" >"$out/log" 2>&1
    if [ $? -eq 1 ] && shown "$out/log"; then pass; else fail "-o '$name'"; fi
done

# Values and names on the command line.
for value in 'n=1;x' 'n=0x10' 'n=1e999' 'n=nan' 'n=inf' 'n=--1' 'n= 1' 'n=1 ' \
    'n=' '=1' 'n' '1n=1' 'n-m=1' "n=1${esc}" "n=1$line" 'n=*/' 'ä=1' \
    "n=9223372036854775808x"; do
    "$RNETC" --check -D "$value" "$here/small.rnet" >"$out/log" 2>&1
    if [ $? -eq 2 ] && shown "$out/log"; then pass; else fail "-D '$value'"; fi
done
for prefix in 'a b' 'a-' '1' '*/' "$esc" 'ä' ''; do
    "$RNETC" --check --prefix="$prefix" "$here/small.rnet" >"$out/log" 2>&1
    if [ $? -eq 2 ] && shown "$out/log"; then pass
    else fail "--prefix '$prefix'"; fi
done
for name in "$esc[1m" '*/' '%s%n' "$csi"; do
    "$RNETC" --check --network="$name" "$here/small.rnet" >"$out/log" 2>&1
    if [ $? -eq 1 ] && shown "$out/log"; then pass
    else fail "--network '$name'"; fi
done

# Bytes that are no text: an error with a place, nothing of it shown raw.
bytes() {
    printf "$1" >"$out/bytes.rnet"
    "$RNETC" --check "$out/bytes.rnet" >"$out/log" 2>&1
    if [ $? -eq 1 ] && located "$out/log" && shown "$out/log"; then pass
    else fail "bytes $1: $(cat "$out/log")"; fi
}
net='network n { input x [4]  linear(2)  output y }'
bytes "$net\\0"
bytes "// \\0\\n$net"
bytes "\\377\\376n\\0"
bytes "// \\300\\257\\n$net"
bytes "// \\355\\240\\200\\n$net"
bytes "$net \\033[2J"
bytes "$net // \\033]0;title\\007\\nlinear(0)"
bytes "import \"\\302\\2331m\"\\n$net"
bytes "import \"\\033[1m\"\\n$net"
bytes "import \"a\\\\b\"\\n$net"
bytes "import \"*/\"\\n$net"
bytes "network \\342\\200\\256n { }"
bytes "network n\\303\\251 { }"
bytes "$net \\\\\\n linear"
bytes "$net ??/ \\n"

# Very long names: taken, or refused with a place.
for length in 100 199 200 201 300 5000 100000; do
    long_name=$(head -c "$length" /dev/zero | tr '\0' a)
    for text in "network $long_name { input x [4]  linear(2)  output y }" \
        "network n { input $long_name [4]  linear(2)  output y }" \
        "network n { input x [4]  linear(2) as $long_name  output y }" \
        "block $long_name { linear(4) } network n { input x [4]  $long_name
            output y }" \
        "import \"./$long_name\"" "network n { input x [$long_name] }"; do
        echo "$text" >"$out/long.rnet"
        if takes "$out/long.rnet"; then
            "$RNETC" -w "$out/long.rnet" -o "$out/long.c" 2>"$out/log" &&
                $CC $strict -I"$out" -fsyntax-only "$out/long.c" \
                    >"$out/log" 2>&1 || fail "$length: $(head -n 3 "$out/log")"
        fi
        shown "$out/log" || fail "a message on a name of $length"
    done
    pass
done

# ---- folders ----

mkdir -p "$out/f/root/sub" "$out/f/out" "$out/f/forest" "$out/f/root2"
for file in out/k root2/k root/sub/s root/sub/k; do
    echo 'block k { linear(4) }' >"$out/f/$file.rnet"
done
ln -s ../out/k.rnet "$out/f/root/link.rnet"
ln -s ../out "$out/f/root/outside"
ln -s sub/s.rnet "$out/f/root/inside.rnet"
ln -s loop.rnet "$out/f/root/loop.rnet"
mkfifo "$out/f/root/pipe.rnet"
imports() {                     # yes|no PATH OPTIONS...
    want=$1 path=$2
    shift 2
    printf 'import "%s"\nnetwork n { input x [4]  k  output y }\n' "$path" \
        >"$out/f/root/main.rnet"
    (cd "$out/f/root" && timeout 10 "$RNETC" --check main.rnet "$@") \
        >"$out/log" 2>&1
    case $?$want in
    0yes) pass ;;
    1no) if located "$out/log"; then pass; else fail "place: $path"; fi ;;
    *) fail "import \"$path\" $* is taken or not: $(cat "$out/log")" ;;
    esac
}
imports yes sub/s.rnet
imports yes ./sub/../inside.rnet
imports yes sub//s.rnet
imports yes inside.rnet
imports yes outside/../inside.rnet
imports no ../out/k.rnet
imports no sub/../../out/k.rnet
imports no ../root2/k.rnet
imports no sub/../../root/../out/k.rnet
imports no "$out/f/out/k.rnet"
imports no /dev/stdin
imports no link.rnet
if grep -q "give the folder that it leads to with -I" "$out/log"; then pass
else fail "no advice: $(cat "$out/log")"; fi
imports no outside/k.rnet
imports no loop.rnet
imports no pipe.rnet
imports no sub
imports no sub/
imports no .
imports no ..
imports no main.rnet
imports no inside.rnet.
imports no INSIDE.rnet
imports no '~/k.rnet'
imports no '$HOME/k.rnet'
imports yes 'sub/s.rnet/'
imports yes link.rnet -I ../out
imports yes outside/k.rnet -I ../out
imports yes k.rnet -I ../out
imports yes k.rnet -I sub
imports no k.rnet -I .
ln -s ../root/main.rnet "$out/f/forest/main.rnet"
ln -s ../root/inside.rnet "$out/f/forest/inside.rnet"
imports yes inside.rnet
if "$RNETC" --check "$out/f/forest/main.rnet" >"$out/log" 2>&1; then pass
else fail "a tree of links: $(cat "$out/log")"; fi

# Depfiles: make sees that an import of this name is newer; or rnetc refuses.
depends() {
    rm -rf "$out/d"
    mkdir -p "$out/d/$1"
    echo 'block k { linear(4) }' >"$out/d/$1/$1.rnet"
    printf 'import "%s/%s.rnet"\nnetwork n { input x [4]  k  output y }\n' \
        "$1" "$1" >"$out/d/m.rnet"
    (cd "$out/d" && "$RNETC" -MD -MP m.rnet -o m.c) >"$out/log" 2>&1
    status=$?
    if [ $status -eq 1 ] && [ "$2" = no ] && shown "$out/log"; then
        pass
        return
    fi
    printf 'all: m.c\nm.c:\n\t@echo made >>log\n\t@touch m.c\ninclude m.d\n' \
        >"$out/d/Makefile"
    touch -d '1 hour ago' "$out/d/m.c" "$out/d/m.rnet"
    (cd "$out/d" && make && make) >"$out/log" 2>&1
    if [ $status -eq 0 ] && [ "$2" = yes ] &&
        [ "$(cat "$out/d/log" 2>/dev/null)" = made ] &&
        [ "$(ls "$out/d" | wc -l)" -eq 7 ]; then
        pass
    else
        fail "a depfile with '$1': $(cat "$out/log")"
    fi
}
for name in 'a b' 'a#b' 'a$b' 'a:b' 'a|b' 'a%b' 'a*b' 'a?b' '[a]' '~a' 'a&b' \
    '(a)' 'a<b>' "a'b" 'a`b' 'a!b' 'a,b' '@a' '{a}' '$(HOME)' 'ä' '-a' '*' \
    '$$'; do
    depends "$name" yes
done
for name in 'a;b' 'a=b' ';touch evil;'; do
    depends "$name" no
done

echo "figure names tried: $names"
echo "$good passed, $bad failed"
test $bad -eq 0
