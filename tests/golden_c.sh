#!/bin/sh
# golden_c.sh [--update]: the C that some networks become, compared with the
# files in tests/golden.  --update rewrites them: read the difference before it
# is committed.
set -eu
cd "$(dirname "$0")/.."

: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}"
# One of each kind: dense, convolutional, repeats, gates, concats, a block that
# is handed a layer, values from outside a repeat, indices, attention.
cases="examples/residual_mlp.rnet examples/resnet_cifar.rnet
    examples/highway.rnet examples/densenet.rnet tests/networks/preact.rnet
    tests/networks/squeeze.rnet tests/networks/recursive.rnet
    tests/networks/tagger.rnet tests/networks/llama.rnet
    tests/networks/frames.rnet tests/networks/denseformer.rnet"
mkdir -p tests/golden
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
update=${1:-}
count=0
failed=0

for case in $cases; do
    name=$(basename "$case" .rnet)
    count=$((count + 1))
    if ! "$RNETC" "$case" -o "$scratch/$name.c"; then
        failed=$((failed + 1))
    elif [ "$update" = --update ]; then
        cp "$scratch/$name.c" "$scratch/$name.h" tests/golden/
    elif ! diff -u "tests/golden/$name.c" "$scratch/$name.c" ||
            ! diff -u "tests/golden/$name.h" "$scratch/$name.h"; then
        failed=$((failed + 1))
    fi
done
echo "$((count - failed)) passed, $failed failed"
test $failed -eq 0
