#!/bin/sh
# batch.sh FOLDER: compiles the networks of FOLDER/networks, a line of rnetc's
# options each, fused, unfused and with an optimiser's step in the backward pass,
# into one shared object, and runs
# build/random/compare on them; what it says is FOLDER/log.
#
#   CC_FAST   compiles the emitted C: tcc where it is installed, else cc -O0
#   COMPARE   options of compare
: "${RNETC:=build/rnetc}" "${OUT:=build/random}"
: "${CC_FAST:=$(command -v tcc || echo "${CC:-cc} -O0 -fPIC")}"
dir=$1

# The table that an emitted header declares.
table_in() {
    sed -n 's/^extern const struct rnet_network \([A-Za-z0-9_]*\);$/\1/p' "$1"
}

# emit FORM NUMBER OPTIONS...: a word for the list, and the code's name for cc.
emit() {
    form=$1 number=$2
    shift 2
    # shellcheck disable=SC2086
    $RNETC --prefix="$form${number}_" -w "$@" -o "$dir/$form$number.c" &&
        echo "$dir/$form$number.c" >>"$dir/sources" &&
        printf '%s=%s ' "$form" "$(table_in "$dir/$form$number.h")"
}

emit_all() {
    number=0
    while read -r options; do
        number=$((number + 1))
        rule=sgd
        [ $((number % 2)) = 0 ] || rule=adam
        # shellcheck disable=SC2086
        forms=$(emit fused $number $options) &&
            forms="$forms$(emit unfused $number --no-fuse $options)" &&
            forms="$forms$(emit $rule $number --fuse-optimizer=$rule $options)" ||
            { printf 'FAILED\t%s\n' "$options"; continue; }
        printf '%s\t%s\t%s\n' "$options" "$dir/code.so" "$forms" \
            >>"$dir/list"
    done <"$dir/networks"
}

rm -f "$dir/sources" "$dir/list"
touch "$dir/sources" "$dir/list"
{
    emit_all
    [ ! -s "$dir/sources" ] ||
        xargs $CC_FAST -shared -Iruntime -o "$dir/code.so" <"$dir/sources" ||
        sed 's/^/FAILED\t/' "$dir/networks"
    $OUT/compare $COMPARE --list "$dir/list"
} >"$dir/log" 2>&1
