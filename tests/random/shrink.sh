#!/bin/sh
# shrink.sh FILE.rnet COMMAND [ARGUMENT ...]: a smaller file, FILE.small.rnet, on
# which the command still ends with the same status: see shrink.c.
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 2
: "${BUILD:=build}"
case $BUILD in /*) ;; *) BUILD=$root/$BUILD ;; esac
make -s -C "$root" B="$BUILD" "$BUILD/random/shrink" >&2 || exit 2
exec "$BUILD/random/shrink" "$@"
