#!/bin/sh
# docs.sh: what the documents show is true.  Every fenced block of README.md and
# docs/*.md whose first line says one of these is tried:
#   rnet [NAME]         compiles, and its C without warnings
#   rnet fails          does not; `text messages` after it: the messages' lines
#   text rnetc ...      lines of that command's output, in this order
#   c emitted, c header lines of the C or header of the last network, in order
#   c program           compiles with that C, runs, returns 0
# A line ![...](pictures/NAME.svg) shows what `rnetc --dot` drew of NAME.rnet,
# the last block: pictures/NAME.dot is that text; `docs.sh --pictures` writes
# it, and NAME.svg by Graphviz.
cd "$(dirname "$0")/.." || exit 2
root=$PWD
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${LIBRNET:=$BUILD/librnet.a}"
: "${CC:=cc}"
case $RNETC in /*) ;; *) RNETC=$root/$RNETC ;; esac
case $LIBRNET in /*) ;; *) LIBRNET=$root/$LIBRNET ;; esac
STRICT="-std=gnu11 -Wall -Wextra -Wconversion -Wshadow -pedantic -Werror"
out=$(mktemp -d) || exit 2
trap 'rm -rf "$out"' EXIT
passed=0 failed=0
draw=
[ "$1" != --pictures ] || draw=yes

# Blocks as files $out/NUMBER, and a list: number, line, info string.
blocks() {
    awk -v out="$2" '
        !inside && /^```[a-z]+ ?/ { inside = 1; n++
            printf "%d %d %s\n", n, NR, substr($0, 4); next }
        /^```/ { inside = 0; next }
        inside { print > (out "/" n); next }
        match($0, /^!\[[^]]*\]\(pictures\/[a-z0-9_]+\.svg\)/) {
            split(substr($0, RSTART, RLENGTH), part, /pictures\/|\.svg/)
            printf "%d %d picture %s\n", n, NR, part[2] }' "$1"
}

# Whether the lines of $1 stand in $2 in this order, others between them.
in_order() {
    awk 'NR == FNR { want[++n] = $0; next }
         seen < n && $0 == want[seen + 1] { seen++ }
         END { if (seen < n) { print "not there: " want[seen + 1]; exit 1 } }' \
        "$1" "$2"
}

# The picture of NAME.rnet, which is here.
picture() {
    dot=$root/docs/pictures/$1
    "$RNETC" --dot "$1.rnet" >drawn || return 1
    if [ -n "$draw" ]; then
        mkdir -p "$root/docs/pictures" && cp drawn "$dot.dot" &&
            dot -Tsvg drawn | sed '/^<!--/,/-->$/d' >"$dot.svg"
    else
        [ -s "$dot.svg" ] && diff "$dot.dot" drawn
    fi
}

try() {
    case $2 in
    picture\ *)
        picture "${2#picture }" ;;
    rnet\ fails)
        cp "$1" bad.rnet && ! "$RNETC" --check bad.rnet >messages 2>&1 ;;
    rnet|rnet\ *)
        name=${2#rnet} name=${name# } name=${name:-model.rnet} base=${name%.rnet}
        cp "$1" "$name"
        "$RNETC" "$name" -o "$base.c" &&
            $CC $STRICT -I"$root/runtime" -c "$base.c" -o "$base.o" ;;
    text\ messages)
        in_order "$1" messages ;;
    text\ rnetc\ *)
        "$RNETC" ${2#text rnetc } >said && in_order "$1" said ;;
    c\ emitted)
        in_order "$1" "$base.c" ;;
    c\ header)
        in_order "$1" "$base.h" ;;
    c\ program)
        cp "$1" program.c && $CC $STRICT -I"$root/runtime" program.c "$base.o" \
            "$LIBRNET" -lm -pthread -o program && ./program >/dev/null ;;
    *)  return 99 ;;
    esac
}

for page in README.md docs/*.md; do
    rm -rf "$out/here"
    mkdir "$out/here"
    blocks "$page" "$out/here" >"$out/list"
    cd "$out/here" || exit 2
    while read -r number line info; do
        try "$out/here/$number" "$info" </dev/null >"$out/log" 2>&1
        case $? in
        0)  passed=$((passed + 1)) ;;
        99) ;;
        *)  failed=$((failed + 1))
            echo "docs.sh: $page:$line: \`$info\` is not true"
            cat "$out/log" ;;
        esac
    done <"$out/list"
    cd "$root" || exit 2
done

# docs/NUMERICS.md and test_numerics.c name the same cases.
sed -n 's/^| .*| `\([a-z_]*\)` |$/\1/p' docs/NUMERICS.md | sort -u >"$out/told"
sed -n 's/.*cmocka_unit_test(\([a-z_]*\)).*/\1/p' tests/unit/test_numerics.c |
    sort >"$out/tested"
if [ -s "$out/told" ] && diff "$out/told" "$out/tested" >"$out/log"; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
    echo "docs.sh: docs/NUMERICS.md and tests/unit/test_numerics.c differ:"
    cat "$out/log"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
