#!/bin/sh
# sanitize.sh BUILD UNIT-TEST...: a build with sanitizers (make sanitize) over
# every .rnet file of the tree, good and bad, and every dump of it; the unit
# tests; and an example that trains for an epoch.
set -u
cd "$(dirname "$0")/.." || exit 2
build=$1 passed=0 failed=0
shift
out=$(mktemp -d) || exit 2
trap 'rm -rf "$out"' EXIT

# expect NAME STATUS COMMAND...: at most this exit status, no report.
expect() {
    name=$1 most=$2
    shift 2
    "$@" >"$out/log" 2>&1 </dev/null
    if [ $? -le "$most" ] && ! grep -q 'ERROR: .*Sanitizer\|runtime error' "$out/log"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "$name: FAILED"
        grep -v '^ *$' "$out/log" | head -30
    fi
}

# frames are larger with sanitizers
ulimit -s 65536 2>/dev/null
export ASAN_OPTIONS=exitcode=99:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
for file in $(find examples tests -name '*.rnet' | sort); do
    expect "$file" 1 "$build/rnetc" -o "$out/x.c" "$file"
    for stage in ast graph grad fuse plan; do
        expect "$file, $stage" 1 "$build/rnetc" "--dump=$stage" "$file"
    done
done
for test in "$@"; do
    expect "${test##*/}" 0 "$test"
done
RNET_ISA=scalar
export RNET_ISA
expect train 0 "$build/examples/train" --epochs 1
echo "$passed passed, $failed failed"
[ $failed = 0 ]
