#!/bin/sh
# targets.sh: what rnetc writes to and how that can fail: a full device, a full
# disk, a limit on the size of files, folders that may not be written, devices,
# links, pipes that close, closed standard streams, signals while it writes.
# After each the files are those of before or those of a good run, and no
# temporary is left.
#
#   BUILD     the folder of the build: build
set -u
cd "$(dirname "$0")/.." || exit 2
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}"
case $RNETC in /*) ;; *) RNETC=$PWD/$RNETC ;; esac
root=$PWD passed=0 failed=0
work=$(mktemp -d) || exit 2
trap 'cd /; umount "$work/disk" 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

verdict() {
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $1"
    fi
}

# begin: an empty folder with old outputs.
begin() {
    cd "$work" || exit 2
    rm -rf run
    mkdir run && cd run || exit 2
    cp "$root/tests/faults/in/one.rnet" .
    echo old >out.c && echo old >out.h && echo old >out.d
}

# kept NAME: the old outputs are there and nothing else is.
kept() {
    [ "$(cat out.c out.h out.d)" = "$(printf 'old\nold\nold')" ]
    verdict "$1: the old files are as they were" $?
    [ "$(ls -A | tr '\n' ' ')" = "err one.rnet out.c out.d out.h " ]
    verdict "$1: nothing is left: $(ls -A | tr '\n' ' ')" $?
}

# fails NAME TEXT COMMAND...: status 1 and a message with TEXT.
fails() {
    name=$1 text=$2
    shift 2
    "$@" 2>err </dev/null
    status=$?
    [ $status -eq 1 ] && grep -q "error: .*$text" err
    verdict "$name: status $status, $(head -n 1 err)" $?
}

compile() { "$RNETC" one.rnet -o out.c -MD "$@"; }

# A limit of 1,024 bytes; without the signal that comes with it.
begin
(ulimit -f 1 && compile) 2>err </dev/null
[ $? -eq 1 ] && grep -q 'File too large' err
verdict "a limit on files: $(head -n 1 err)" $?
kept "a limit on files"

# A device that is full.  The header is not written before it.
if [ -c /dev/full ]; then
    begin
    fails "a full device" "No space left" \
        "$RNETC" one.rnet -o /dev/full --header=out.h
    kept "a full device"
    begin
    for option in --help --version --library --library=se --summary \
        --dump=plan --dot; do
        file=one.rnet
        case $option in --help|--version|--library*) file= ;; esac
        "$RNETC" $option $file >/dev/full 2>err
        [ $? -eq 1 ] && grep -q 'standard output: No space left' err
        verdict "$option to a full device" $?
    done
fi

# A disk that is full, where a small one can be made: six pages, of which four
# are taken.
begin
mkdir "$work/disk" 2>/dev/null
if mount -t tmpfs -o size=24k none "$work/disk" 2>/dev/null; then
    cp one.rnet out.c out.h out.d "$work/disk" && cd "$work/disk" || exit 2
    compile 2>../err </dev/null
    [ $? -eq 1 ] && grep -q 'No space left' ../err
    verdict "a full disk: $(head -n 1 ../err)" $?
    [ "$(cat out.c out.h out.d)" = "$(printf 'old\nold\nold')" ] &&
        [ "$(ls -A | tr '\n' ' ')" = "one.rnet out.c out.d out.h " ]
    verdict "a full disk: the old files are as they were, nothing is left" $?
    cd "$work" && umount "$work/disk"
else
    echo "a full disk: skipped, because none can be mounted"
fi

# Folders.
begin
mkdir folder
fails "a folder" "Is a directory" "$RNETC" one.rnet -o folder
rmdir folder
kept "a folder"
fails "no folder" "No such file" "$RNETC" one.rnet -o nowhere/out.c \
    --header=out.h
kept "no folder"
if [ "$(id -u)" -ne 0 ]; then
    mkdir closed && chmod 500 closed
    fails "a closed folder" "Permission denied" "$RNETC" one.rnet \
        -o closed/out.c --header=out.h
    rmdir closed
    kept "a closed folder"
fi

# Links, and two names of one file.
begin
ln -s out.c link.c
"$RNETC" one.rnet -o link.c --header=out.h 2>err
[ $? -eq 0 ] && [ -L link.c ] && grep -q one.rnet out.c
verdict "a link stays a link" $?
begin
ln -s out.c out2.h
fails "two names of one file" "are one file" "$RNETC" one.rnet -o out.c \
    --header=out2.h
rm out2.h
kept "two names of one file"
begin
"$RNETC" - -o one.rnet --header=out.h <one.rnet 2>err
[ $? -eq 1 ] && grep -q 'is an input' err
verdict "standard input is an input" $?
kept "standard input is an input"

# Standard output by its name, and a pipe that nobody reads.
begin
"$RNETC" one.rnet -o /dev/stdout --header=out.h 2>err | cmp - /dev/stdin \
    >/dev/null 2>&1 <<END
$("$RNETC" one.rnet -o - --header=out.h)
END
grep -q one.rnet out.h
verdict "standard output by its name" $?
begin
(trap "" PIPE; sleep 0.3; "$RNETC" one.rnet -o - --header=out.h 2>err
    echo $? >../status) |
    true
[ "$(cat ../status)" -eq 1 ] && grep -q 'standard output: Broken pipe' err
verdict "a closed pipe is an error: $(cat err)" $?
kept "a closed pipe"
(sleep 0.3; "$RNETC" one.rnet -o - --header=out.h
    echo $? >../status) 2>err | true
[ "$(cat ../status)" -ge 1 ]
verdict "a closed pipe, with its signal" $?
kept "a closed pipe, with its signal"

# Streams that are closed from the start are not taken for files.
begin
"$RNETC" one.rnet -o out.c -MD <&- >&- 2>&-
[ $? -eq 0 ] && grep -q one.rnet out.c
verdict "all streams closed" $?
begin
"$RNETC" --summary one.rnet >&- 2>err
[ $? -eq 1 ] && grep -q 'standard output: Bad file descriptor' err
verdict "standard output closed" $?
"$RNETC" nowhere.rnet -o out.c >&- 2>&-
[ $? -eq 1 ]
verdict "an error without streams" $?
: >err
kept "an error without streams"

# Signals at any moment: killed or not, the outputs are whole and no temporary
# stays.  (Only SIGKILL leaves one: tests/faults.sh.)
begin
"$RNETC" one.rnet -o new.c && mv new.c ../new.c && mv new.h ../new.h
bad=0 i=0
while [ $i -lt 60 ]; do
    "$RNETC" one.rnet -o out.c 2>err &
    child=$!
    [ $((i % 3)) -eq 0 ] || sleep 0.00$((i % 7))
    kill -TERM $child 2>/dev/null
    wait $child 2>/dev/null
    sed 's/out\.h/new.h/' out.c | cmp -s - ../new.c ||
        [ "$(cat out.c)" = old ] || bad=1
    cmp -s out.h ../new.h || [ "$(cat out.h)" = old ] || bad=1
    ls -A | grep -q rnetc- && bad=1
    i=$((i + 1))
done
[ $bad -eq 0 ]
verdict "signals while it writes" $?
echo "$passed passed, $failed failed"
[ $failed = 0 ]
