#!/bin/sh
# zoo.sh: parameters and multiply-adds of every network of examples/zoo, exactly
# as in zoo.tsv, and how long the compiler took for all; every file of library/
# compiles by itself, without a warning.
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}"
out=$(mktemp -d) || exit 2
trap 'rm -rf "$out"' EXIT
passed=0 failed=0

# verdict STATUS WHAT
verdict() {
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "zoo.sh: $2: FAILED"
    fi
}

# total NAME: of the summary, one network's.
total() { sed -n "s/^  \"$1\": \([0-9]*\),\{0,1\}$/\1/p" "$out/summary"; }

counts() {
    "$RNETC" --summary=json "examples/zoo/$1.rnet" >"$out/summary" || {
        verdict 1 "$1"
        return
    }
    params=$(total params) macs=$(total macs)
    [ "$params" = "$2" ] && { [ "$3" = - ] || [ "$macs" = "$3" ]; }
    verdict $? "$1: $params parameters and $macs multiply-adds, not $2 and $3"
}

start=$(date +%s%N)
grep -v '^#' tests/zoo.tsv >"$out/rows"
while read -r name params macs source; do
    counts "$name" "$params" "$macs"
done <"$out/rows"
echo "zoo.sh: $(wc -l <"$out/rows") networks in $((
    ($(date +%s%N) - start) / 1000000)) ms"

for file in examples/zoo/*.rnet; do
    name=$(basename "$file" .rnet)
    grep -q "^$name	" "$out/rows"
    verdict $? "$file has no row in zoo.tsv"
done
for file in library/*.rnet; do
    name=$(basename "$file" .rnet)
    printf 'import "%s"\nnetwork n { input x [4]  linear(2)  output y }\n' \
        "$name" >"$out/n.rnet"
    "$RNETC" --check -Werror "$out/n.rnet" >"$out/err" 2>&1
    verdict $? "library/$name.rnet: $(head -n 3 "$out/err")"
    [ -z "$(awk 'length > 80' "$file")" ] && ! sed -n 2p "$file" | grep -q '^// [a-z]'
    verdict $? "library/$name.rnet: a title of one line, 80 columns"
    "$RNETC" "--library=$name" | cmp -s - "$file"
    verdict $? "--library=$name is the file"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
