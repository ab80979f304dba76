#!/bin/sh
# promises.sh: what docs/RELIABILITY.md, SECURITY.md and docs/NUMERICS.md
# promise.  A row of their tables whose last column is "Shown by" or "Test" names
# tests that exist (`tests/x.sh`; after a file, `names` that stand in it); the
# table of limits is that of compiler/base/limit.h.
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}"
passed=0 failed=0
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

verdict() {
    if [ "$2" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$1: FAILED"
    fi
}

# rows FILE: "line<tab>last column" of each row of such a table
rows() {
    awk -F ' *\\| *' '
        /^\|/ && !within { within = 1; shown = $(NF - 1) ~ /^(Shown by|Test)$/; next }
        !/^\|/ { within = 0 }
        within && shown && !/^\|---/ { print FNR "\t" $(NF - 1) }' "$1"
}

# shown CELL FILE: every `word` in it is a test's file, or stands in the last one
shown() {
    file=$2
    for word in $(echo "$1" | grep -o '`[^`]*`' | tr -d '`' | tr ' ' '_'); do
        case $word in
        tests/*)
            file=$word
            [ -e "$file" ] || return 1 ;;
        *)
            [ -n "$file" ] && grep -qr -e "$(echo "$word" | tr '_' '.')" "$file" ||
                return 1 ;;
        esac
    done
    [ -n "$file" ] && [ -n "$1" ]
}

for page in docs/RELIABILITY.md docs/NUMERICS.md SECURITY.md; do
    [ -e $page ]
    verdict "$page exists" $?
    rows $page >"$work/rows"
    every=$(sed -n '/^|/q; s/^[^|]*each row.*`\(tests[^`]*\)`.*/\1/ip' $page)
    while IFS='	' read -r line cell; do
        shown "$cell" "$every"
        verdict "$page:$line: no such test: $cell" $?
    done <"$work/rows"
done

# ------------------------------------------------------------------- limits

sed -n 's/^ *\(LIMIT_[A-Z_]*\)  *= \([^,/]*[^ ,/]\),* *\/\* \(.*\) \*\/$/| `\1` | \2 | \3 |/p
        s/^#define \(LIMIT_[A-Z_]*\) *(\(.*[^ ]\)) *\/\* \(.*\) \*\/$/| `\1` | \2 | \3 |/p' \
    compiler/base/limit.h |
    sed 's/(int64_t)//; s/| 1 << \([0-9]*\) |/| 2^\1 |/; s/| \([0-9]*\) << 20 |/| \1 × 2^20 |/' >"$work/limits"
grep '^| `LIMIT_' docs/RELIABILITY.md | diff - "$work/limits"
verdict "docs/RELIABILITY.md has the limits of compiler/base/limit.h" $?
grep -o 'LIMIT_[A-Z_]*' compiler/base/limit.h | grep -v 'LIMIT_H$' | sort -u >"$work/all"
grep -o 'LIMIT_[A-Z_]*' "$work/limits" | sort -u | diff - "$work/all"
verdict "every limit has a line and a comment" $?
echo "$passed passed, $failed failed"
[ $failed = 0 ]
