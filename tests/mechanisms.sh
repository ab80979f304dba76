#!/bin/sh
# mechanisms.sh [TITLE]: every test that docs/MECHANISMS.md names is there: a
# network with PyTorch's numbers.  With a title, such as 'Highway', its tests
# are run.
cd "$(dirname "$0")/.." || exit 2
page=docs/MECHANISMS.md

# title<TAB>test, one a line
tests_of() {
    awk '/^### / { title = substr($0, 5); count++ }
         /^Tests: / { named++
             gsub(/^Tests: |`|,/, "")
             for (i = 1; i <= NF; i++) print title "\t" $i }
         END { if (count != named) print "a section\twithout tests" }' $page
}

there() {
    [ -e "tests/fixtures/$1.safetensors" ] &&
        { [ -e "tests/networks/$1.rnet" ] ||
          grep -q "^$1 " tests/examples.list; }
}

if [ $# -gt 0 ]; then
    names=$(tests_of | awk -F '\t' -v title="$1" '$1 == title { print $2 }')
    [ -n "$names" ] || { echo "mechanisms.sh: no '$1' in $page" >&2; exit 2; }
    exec tests/networks.sh $names
fi
passed=0 failed=0
for name in $(tests_of | cut -f2 | sort -u); do
    if there "$name"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "mechanisms.sh: $page names '$name', which is no test"
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
