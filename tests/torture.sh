#!/bin/sh
# torture.sh [NAME ...]: the long versions of the tests that have one (or of those
# named), one after the other, each with its log in build/torture/, and at last
# a table of their figures, which is kept in build/torture/figures.txt: what
# docs/RELIABILITY.md quotes.  It takes hours; docs/TESTING.md says how long each.
set -u
cd "$(dirname "$0")/.." || exit 2
unset MAKEFLAGS MFLAGS
: "${BUILD:=build}"
export BUILD
out=$BUILD/torture
mkdir -p "$out" || exit 2

# Scripts that know --long.
names=${*:-$(grep -l -e '--long' tests/*.sh | sed 's|.*/||; s|\.sh$||' |
    grep -v '^torture$')}
failed=
for name in $names; do
    begin=$(date +%s)
    printf '%-12s ' "$name"
    if sh "tests/$name.sh" --long >"$out/$name.log" 2>&1 </dev/null; then
        verdict=good
        grep -q ': skipped,' "$out/$name.log" &&
            verdict="good, but: $(grep -m 1 ': skipped,' "$out/$name.log")"
    else
        verdict="FAILED, see $out/$name.log"
        failed="$failed $name"
    fi
    echo "$(($(date +%s) - begin)) s  $verdict"
done

# A later figure of the same name replaces an earlier one.
cat "$out"/*.log | sed -n 's/^figure \(.*\): \(.*\)$/\1	\2/p' | awk -F '\t' '
    !($1 in value) { name[++count] = $1 }
    { value[$1] = $2 }
    END { for (i = 1; i <= count; i++) printf "%-56s %s\n", name[i], value[name[i]] }
    ' >"$out/figures.txt"
echo
cat "$out/figures.txt"
[ -z "$failed" ]
