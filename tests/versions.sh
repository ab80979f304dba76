#!/bin/sh
# versions.sh: emitted C, rnet.h and librnet.a of different versions.  With
# another header emitted C does not compile, in C and in C++, and says why; with
# another library, or a doctored table, every call says RNET_BAD_VERSION and
# touches nothing (tests/versions/calls.c).
#
#   BUILD     the folder of the build: build
#   CC, CXX   compilers: cc, c++
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${CC:=cc}" "${CXX:=c++}" "${OUT:=$BUILD/versions}"
: "${RNETC:=$BUILD/rnetc}" "${LIBRNET:=$BUILD/librnet.a}"
STRICT="-Wall -Wextra -Wconversion -Wshadow -Werror -O1"
passed=0 failed=0
mkdir -p "$OUT" || exit 2
"$RNETC" tests/faults/in/net.rnet -o "$OUT/net.c" || exit 2
version=$(sed -n 's/^#define RNET_VERSION \([0-9]*\).*/\1/p' runtime/rnet.h)

verdict() {
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $1"
    fi
}

# headers NUMBER: a folder with the runtime's headers, of that version.
headers() {
    mkdir -p "$OUT/$1" && cp runtime/*.h "$OUT/$1" && sed -i \
        "s/^#define RNET_VERSION .*/#define RNET_VERSION $1/" "$OUT/$1/rnet.h"
}

# emitted COMPILER LANGUAGE NUMBER: compiles the emitted header, for the runtime
# of a version; what it says is in $OUT/log.
emitted() {
    $1 -x "$2" -I"$OUT/$3" -c -o /dev/null "$OUT/net.h" >"$OUT/log" 2>&1
}

headers "$version"
for number in $((version - 1)) $((version + 1)); do
    headers $number
    for language in c c++; do
        compiler=$CC
        [ $language = c ] || compiler=$CXX
        emitted "$compiler" $language "$version"
        verdict "$language compiles with its own header" $?
        ! emitted "$compiler" $language $number
        verdict "$language compiles with a header of version $number" $?
        grep -q 'error.*wrote this for another rnet.h' "$OUT/log"
        verdict "$language says why: $(head -n 3 "$OUT/log")" $?
    done
    # the library: all that looks at the version, then the rest
    for part in check tensor safetensors optimizer; do
        $CC -std=gnu11 -D_GNU_SOURCE -O1 -g -DRNET_ISA=scalar -I"$OUT/$number" \
            -iquote "$OUT/$number" -x c - -c -o "$OUT/$part.o" <<END || exit 2
#include "$PWD/$OUT/$number/rnet.h"
#include "$PWD/runtime/$part.c"
END
    done
    $CC -std=gnu11 $STRICT -Iruntime -I"$OUT" -o "$OUT/calls" \
        tests/versions/calls.c "$OUT/net.c" "$OUT"/*.o "$LIBRNET" -lm -pthread
    "$OUT/calls" >"$OUT/log"
    verdict "a library of version $number: $(cat "$OUT/log")" $?
    rm -f "$OUT"/*.o
    $CC -std=gnu11 $STRICT -Iruntime -I"$OUT" -o "$OUT/calls" \
        tests/versions/calls.c "$OUT/net.c" "$LIBRNET" -lm -pthread
    "$OUT/calls" $number >"$OUT/log"
    verdict "a table of version $number: $(cat "$OUT/log")" $?
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
