#!/bin/sh
# cli.sh [--update]: the command line: options, exit codes, reports, imports,
# and that nothing is written after an error.  Expected reports stand in
# tests/cli/*.expected; --update rewrites them: read the difference.
#
#   BUILD     the folder of the build: build
#   RNETC     what is tested: $BUILD/rnetc
#   CC        a C compiler: cc
#   REPORTS   no: not every report of every network
#   JOBS      networks at a time, for these: 2

# cli.sh --reports FILE: every report of it, twice; a line each.
if [ "$1" = --reports ]; then
    for report in --summary --summary=json --dot --dump=ast --dump=graph \
        --dump=grad --dump=fuse --dump=plan --dump=c --report=fusion; do
        "$RNETC" -w $report "$2" >out.$$ 2>err.$$ && [ -s out.$$ ] &&
            [ ! -s err.$$ ] && "$RNETC" -w $report "$2" | cmp -s - out.$$ &&
            echo good || echo "FAILED: $report $2: $(head -n 1 err.$$)"
    done
    exit
fi
cd "$(dirname "$0")/.." || exit 2
root=$PWD
: "${BUILD:=build}" "${RNETC:=$BUILD/rnetc}" "${CC:=cc}"
: "${REPORTS:=yes}"
case $RNETC in /*) ;; *) RNETC=$root/$RNETC ;; esac
update=${1:-}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM
unset NO_COLOR
passed=0 failed=0

# ------------------------------------------------------------------ helpers

# verdict NAME STATUS: counts a test whose STATUS is 0 or not.
verdict() {
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $1"
    fi
}

# run STATUS ARGUMENT...: rnetc must end with STATUS; leaves $work/out and err.
run() {
    wanted=$1
    shift
    "$RNETC" "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    [ $status -eq "$wanted" ]
    verdict "rnetc $*: status $status, not $wanted" $?
}

# says FILE TEXT: $work/FILE has TEXT in one line.
says() {
    grep -qF -e "$2" "$work/$1"
    verdict "no \"$2\" in $1: $(head -n 3 "$work/$1")" $?
}

silent() {
    [ ! -s "$work/$1" ]
    verdict "$1 is not empty: $(head -n 3 "$work/$1")" $?
}

there() { [ -e "$1" ]; verdict "$1 is missing" $?; }
gone() { [ ! -e "$1" ]; verdict "$1 is there" $?; }

# usage ARGUMENT... TEXT: an error of usage that says TEXT.
usage() {
    for text in "$@"; do :; done
    count=$#
    while [ $count -gt 1 ]; do
        set -- "$@" "$1"
        shift
        count=$((count - 1))
    done
    shift
    run 2 "$@"
    says err "rnetc: error: $text"
    says err "Try 'rnetc --help' for more information."
    silent out
}

# golden NAME: $work/out is tests/cli/NAME.expected.
golden() {
    file=$root/tests/cli/$1.expected
    [ "$update" = --update ] && cp "$work/out" "$file"
    diff -u "$file" "$work/out"
    verdict "$1 differs" $?
}

# counts PARAMETERS MULTIPLY-ADDS ARGUMENT...: of --summary=json.
counts() {
    params=$1 macs=$2
    shift 2
    run 0 --summary=json "$@"
    says out "\"params\": $params,"
    [ "$macs" = - ] || says out "  \"macs\": $macs,"
}

is_json() {
    command -v python3 >/dev/null || return 0
    python3 -m json.tool <"$1" >/dev/null
    verdict "$1 is no JSON: $2" $?
}

ex=$root/examples here=$root/tests/cli
cd "$work" || exit 2
cat >good.rnet <<'END'
network good(width = 8) {
    input x [8]
    linear(width) -> relu -> linear(2)
    output y
    loss mse(y, target)
}
END
cat >bad.rnet <<'END'
network bad {
    input x [8]
    liner(8) -> rleu
    linear(4, bogus = 3)
    output y
}
END
cat >warned.rnet <<'END'
network warned {
    input x [8]
    linear(8) -> relu
    (x -> linear(8))
    output y
}
END

# ------------------------------------------------- help, version, exit codes

run 0 --help
says out "Usage: rnetc [OPTION]... FILE"
silent err
run 0 -h
run 0 --version
says out "rnetc (rnetc) 0."
silent err
[ "$(wc -l <out)" -eq 1 ]
verdict "--version is one line" $?
run 0 --check good.rnet
silent out
silent err
run 1 --check bad.rnet
silent out
says err "bad.rnet:3:5: error: "
run 1 --check missing.rnet
says err "rnetc: error: cannot read 'missing.rnet': No such file"
run 1 --check .
says err "Is a directory"

usage "no input file"
usage good.rnet bad.rnet "one input file at a time: 'good.rnet' and 'bad.rnet'"
usage "" "the input's name is empty"
usage --chek good.rnet "unknown option '--chek'; did you mean '--check'?"
usage --sumary=json good.rnet \
    "unknown option '--sumary'; did you mean '--summary'?"
usage --zzz good.rnet "unknown option '--zzz'"
run 2 --zzz -q good.rnet
[ "$(wc -l <err)" -eq 2 ]
verdict "of two wrong options one is reported" $?
usage -z good.rnet "unknown option '-z'"
usage --check -z good.rnet "unknown option '-z'"
usage -Mx good.rnet "unknown option '-Mx'"
usage --check=yes good.rnet "option '--check' takes no value"
usage good.rnet -o "option '-o' needs a value"
usage good.rnet --header "option '--header' needs a value"
usage good.rnet -MD -MF "option '-MF' needs a value"
usage good.rnet -o "" "-o takes a name that is not empty"
usage good.rnet --dump=plam "unknown stage 'plam'; did you mean 'plan'?"
usage good.rnet --summary=yaml "unknown format 'yaml': it is text or json"
usage good.rnet --color=allways \
    "unknown time for colors 'allways'; did you mean 'always'?"
usage good.rnet -Werrror \
    "unknown warning option, after -W, 'errror'; did you mean 'error'?"
usage good.rnet -fmax-error=3 \
    "unknown option '-fmax-error=3'; did you mean '-fmax-errors'?"
usage good.rnet -fmax-errors=many "-fmax-errors takes a number from 0 to"
usage good.rnet -fmax-errors=3x "-fmax-errors takes a number from 0 to"
usage good.rnet -fmax-errors=99999999999999999999 "-fmax-errors takes"
usage good.rnet --batch=+1 "--batch takes a number from 1 to"
usage good.rnet --threads=1025 "--threads takes a number from 1 to 1024"
usage good.rnet --batch=0 "--batch takes a number from 1 to"
usage good.rnet --threads=-1 "--threads takes a number from 1 to 1024"
usage good.rnet -D width "-D takes name=value, not 'width'"
usage good.rnet -D =3 "-D takes name=value, not '=3'"
usage good.rnet -D width=eight "-D width: 'eight' is not a number"
usage good.rnet -D width=8x "-D width: '8x' is not a number"
usage good.rnet -D width=nan "-D width: 'nan' is not a number"
usage good.rnet -D width=0x10 "-D width: '0x10' is not a number"
usage good.rnet -D width= "-D takes name=value, not 'width='"
usage good.rnet -D width=1e999 "-D width: '1e999' is not a number"
usage good.rnet -D width=-x "-D width: '-x' is not a number"
usage good.rnet -D width=/ "-D width: '/' is not a number"
usage good.rnet -D w-h=3 "-D takes name=value, not 'w-h=3'"
for prefix in 2a a-b 'a@' 'a[' 'a{' 'a:' 'a/' "$(printf 'a\303\244')"; do
    usage good.rnet --prefix="$prefix" "--prefix takes letters, digits and '_'"
done
run 0 --check good.rnet --prefix=_aZ09z
usage good.rnet --check --dot "--check and --dot exclude each other"
run 0 --check --check good.rnet
usage good.rnet --dot --header=a.h "--dot writes no header"
usage good.rnet --check -MD "-MD goes with an output of C"
usage good.rnet -MP "-MF, -MT and -MP go with -M or -MD"
usage good.rnet -MT x "-MF, -MT and -MP go with -M or -MD"
usage good.rnet -MF x "-MF, -MT and -MP go with -M or -MD"
usage good.rnet -M -o a -MF b "-M writes one file: give it by -o or by -MF"
usage good.rnet "--$(printf '%0300d' 0)" "unknown option '--0000"
usage --library=zzz "the library has no 'zzz'"
usage - "name the output of standard input with -o"
usage good.rnet -o - "'-o -' needs --header"
usage good.rnet -o a.h "the C and its header would both be 'a.h'"
usage good.rnet -o a.c -MD -MF a.c "the C and its depfile would both be 'a.c'"
[ "$(ls *.c *.h *.d 2>/dev/null | wc -l)" -eq 0 ]
verdict "no error of usage wrote a file" $?

# -------------------------------------------------------------- values of -D

run 0 --check -D width=16 good.rnet
run 0 --check -Dwidth=16 good.rnet
run 0 --check good.rnet -D width=16
run 1 --check -D width=1.5 good.rnet
run 1 --check -D width=-3 good.rnet
says err "it is -3"
run 1 --check -D width=.5 good.rnet
says err "it is 0.5"
run 1 --check -D width=-.5 good.rnet
says err "it is -0.5"
run 1 --check -D widht=16 good.rnet
says err "widht"
run 0 --summary -D width=9 -D width=16 good.rnet
says out "width=16"

# -------------------------------------------------------------------- output

run 0 good.rnet
there good.c
there good.h
silent out
silent err
run 0 good.rnet -o two.c
cp two.c first.c
cp two.h first.h
run 0 good.rnet -o two.c
cmp -s two.c first.c && cmp -s two.h first.h
verdict "the same bytes twice" $?
mkdir -p sub
run 0 "$here/resnet20.rnet" -o sub/a.c --header sub/other.h
there sub/a.c
there sub/other.h
gone sub/a.h
cp sub/a.c out
says out '#include "other.h"'
run 0 "$here/resnet20.rnet" -o sub/b.c --header sub/other.h
cmp -s sub/a.c sub/b.c
verdict "the C does not depend on its own name" $?
! grep -q "$work\|$root" sub/a.c sub/other.h
verdict "no absolute path in the output" $?
run 0 good.rnet -o - --header piped.h
there piped.h
says out '#include "piped.h"'
"$RNETC" - -o stdin.c <good.rnet 2>err
verdict "standard input" $?
there stdin.h
run 0 --dump=c good.rnet
cmp -s out good.c
verdict "--dump=c is the C" $?
run 0 --dump=graph -o graph.txt good.rnet
silent out
there graph.txt

# Nothing is written after an error.
rm -f bad.c bad.h
run 1 bad.rnet -MD
gone bad.c
gone bad.h
gone bad.d
echo kept >kept.c
run 1 bad.rnet -o kept.c
cp kept.c out
says out kept
gone kept.h
run 1 good.rnet -o no/folder.c
says err "cannot write 'no/folder.h': No such file or directory"
run 1 good.rnet -o both.c --header no/both.h
gone both.c
run 1 good.rnet -o no/both.c --header both.h
gone both.h
mkdir folder.c
run 1 good.rnet -o folder.c
says err "cannot write 'folder.c': Is a directory"
gone folder.h
run 1 good.rnet -o good.rnet --header other.h
says err "'good.rnet' is an input: it is not written"
gone other.h
ln -s good.rnet link.c
run 1 good.rnet -o link.c
says err "'link.c' is an input"
[ -z "$(ls -A . sub | grep rnetc-)" ]
verdict "temporary files are gone" $?

# What a target is, it stays.
echo old >real.c
ln -s real.c linked.c
chmod 640 real.c
run 0 good.rnet -o linked.c --header good.h
[ -L linked.c ] && grep -q '#include' real.c
verdict "a symbolic link stays" $?
[ "$(ls -l real.c | cut -c1-10)" = "-rw-r-----" ]
verdict "a file's mode stays" $?
(umask 027 && "$RNETC" good.rnet -o mode.c)
[ "$(ls -l mode.c | cut -c1-10)" = "-rw-r-----" ]
verdict "a new file's mode is the mask's" $?
run 0 good.rnet -o /dev/null --header good.h
[ -c /dev/null ]
verdict "/dev/null stays" $?
if [ -c /dev/full ]; then
    "$RNETC" --summary good.rnet >/dev/full 2>err
    [ $? -eq 1 ]
    verdict "a full standard output: status 1" $?
    says err "cannot write standard output: No space left on device"
fi
if [ "$(id -u)" -ne 0 ]; then
    mkdir closed && chmod 555 closed
    run 1 good.rnet -o closed/a.c
    says err "Permission denied"
    echo old >closed.c && chmod 444 closed.c
    run 1 good.rnet -o closed.c
    says err "Permission denied"
fi

# Names that C, the C library or the runtime have.
cat >malloc.rnet <<'END'
network malloc(RNET_K = 3) {
    input _x [3]
    input rnet_run [3]
    input int [3]
    _x * rnet_run * int -> linear(RNET_K) as free
    output RNET_Y
    output _z = free
    loss mse(RNET_Y, params)
}
END
run 0 malloc.rnet -o reserved.c
$CC -std=gnu11 -Wall -Wextra -Werror -I"$root/runtime" -c reserved.c \
    -o reserved.o 2>err
verdict "reserved names compile: $(head -n 3 err)" $?

# --prefix: every name the linker sees.
run 0 good.rnet --prefix=my_ -o prefixed.c
if $CC -std=gnu11 -I"$root/runtime" -c prefixed.c -o prefixed.o 2>err; then
    [ -z "$(nm -g --defined-only prefixed.o | awk '{print $3}' \
            | grep -vE '^(__odr_asan\.)?my_good')" ]
    verdict "--prefix is on every name" $?
else
    verdict "the prefixed C compiles: $(head -n 3 err)" 1
fi

# --no-fuse: nothing rides on a kernel, nothing shares memory.
"$RNETC" --dump=plan "$ex/highway.rnet" | grep -q 'in place' \
    && ! "$RNETC" --no-fuse --dump=plan "$ex/highway.rnet" | grep -q 'in place'
verdict "--no-fuse plans nothing in place" $?

# Work memory is exact: what is run again has no more room than it needs.
for sized in revnet:668736 dense_recomputed:2337664; do
    run 0 -w --summary=json "$root/tests/networks/${sized%:*}.rnet"
    says out "\"train_bytes\": ${sized#*:},"
done

# A block that becomes part of its caller names its tensors as any block.
run 0 "$root/tests/random/corners/inlined_names.rnet" -o names.c
sed -n 's/.*name = "\(unit\.[^"]*\)".*/\1/p' names.c >out
says out unit.3.once.weight
says out unit.#.gate.linear.0.bias
[ "$(grep -c 'once\.[0-9]\|gate\.[0-9]\|last\.[0-9]\|scale\.' out)" = 0 ]
verdict "no numbers within an inlined block" $?

# --report=fusion: bytes and operations of a product, by hand: 32 rows of 4 to
# 6 features have 2 x 32 x 24 operations, with the bias 32 x 6 more; 4 bytes of
# 24 + 6 + 32 x (4 + 6) numbers.
cat >one.rnet <<'END'
network one { input x [4]  linear(6)  output y  loss mse(y, t) }
END
run 0 one.rnet --report=fusion --batch=32 --machine=50,10
says out '  linear linear.0                         0.002     0.001     1.23     12.3 memory'
run 2 one.rnet --report=fusions
says err "unknown report 'fusions'; did you mean 'fusion'?"
run 2 one.rnet --report=fusion --machine=50
says err "--machine takes GFLOP/s and GB/s, as 100,20, not '50'"

# --fuse-optimizer: a step instead of gradients.
run 0 good.rnet --fuse-optimizer=adamw -o stepped.c
grep -q 'struct rnet_adam \*optimizer' stepped.h && ! grep -q grads stepped.h
verdict "--fuse-optimizer=adamw makes a step of Adam" $?
run 2 good.rnet --fuse-optimizer=lion
says err "sgd, momentum, adam or adamw"

# ------------------------------------------------------------------ messages

run 1 bad.rnet -fdiagnostics-format=json
is_json err "diagnostics"
says err '"kind": "error"'
run 0 good.rnet --check -fdiagnostics-format=json
is_json err "no diagnostics"
run 0 warned.rnet --check -fdiagnostics-format=json
is_json err "a warning"
says err '"option": "-W'
printf 'import "a\\b"\nimport "c\nblock b { s = "x" }' >quotes.rnet
run 1 quotes.rnet -fdiagnostics-format=json
is_json err "quotes and backslashes"
says err 'there is no '"'\\\\'"' in'
run 1 "$(printf 'a\033[31m\377"\\.rnet')" -fdiagnostics-format=json
is_json err "control characters and bytes that are not UTF-8"
says err 'a\u001b[31m\ufffd\"\\.rnet'
run 1 "$(printf 'a\033[31m\377.rnet')"
says err "cannot read 'a?[31m?.rnet'"
run 1 bad.rnet --color=always
says err "$(printf '\033[')"
run 1 bad.rnet --color
says err "$(printf '\033[')"
run 1 bad.rnet -fdiagnostics-color=always
says err "$(printf '\033[')"
for set in NO_COLOR=1 NO_COLOR= TERM=dumb TERM=xterm -uTERM; do
    env $set "$RNETC" --color=auto bad.rnet >out 2>err
    ! grep -q "$(printf '\033')" err
    verdict "$set: no colors in a file" $?
done
run 1 bad.rnet --color=never
! grep -q "$(printf '\033')" err
verdict "--color=never has no colors" $?
run 1 bad.rnet
! grep -q "$(printf '\033')" err
verdict "no colors in a pipe" $?
run 1 bad.rnet -fmax-errors=1
says err "only the first 1 are shown"
run 0 warned.rnet --check
says err "warning: "
says err "[-W"
run 0 warned.rnet --check -Wall
says err "warning: "
run 1 warned.rnet -Werror
gone warned.c
run 0 warned.rnet --check -Werror -Wno-error
run 0 warned.rnet --check -Werror -Wno-juxtaposition
run 1 warned.rnet --check -Werror -Wno-juxtaposition -Wjuxtaposition
run 1 warned.rnet --check -Werror -Wno-gate-bias
run 0 warned.rnet --check -w
silent err

# Text that is none, and where: overlong forms, surrogates, past the last code,
# half a character, in the main file and in one it imports.
for bytes in '\200' '\300\200' '\340\200\200' '\355\240\200' '\355\277\277' \
    '\364\220\200\200' '\370\210\200\200\200' '\377' '\303(' '\303'; do
    printf "// $bytes" >bytes.rnet
    run 1 --check bytes.rnet
    says err "bytes.rnet:1:4: error: this byte is not UTF-8 text"
done
for bytes in '\303\244' '\355\237\277' '\356\200\200' '\364\217\277\277'; do
    printf "// $bytes\n" | cat - good.rnet >bytes.rnet
    run 0 --check bytes.rnet
done
printf '\376\377\0b' >bytes.rnet
run 1 --check bytes.rnet
says err "this file is UTF-16: save it as UTF-8"
printf 'import "bytes.rnet"\n' >main.rnet
run 1 --check main.rnet
says err "main.rnet:1:1: note: the file is imported here"
head -c 16777217 /dev/zero | tr '\0' ' ' >long.rnet
run 1 --check long.rnet
says err "'long.rnet' is too long: the limit is 16777216 bytes"
rm long.rnet

# --------------------------------------------------- a group is no repeat

cat >group.rnet <<'END'
network group { input x [4]  checkpoint { linear(4) -> tanh }  output y }
END
run 0 --summary group.rnet
says out "linear.0 "
! grep -q '^  *\[' out
verdict "a group is shown as what is in it, without a row of its own" $?

# ----------------------------------------------------------- several networks

cat >several.rnet <<'END'
network one { input x [2] linear(3) output y }
network two { input x [4] linear(5) output y }
END
run 1 --check several.rnet
says err "choose one with --network"
run 0 --network=two --summary several.rnet
says out "two (several.rnet)"
run 1 --network=three --check several.rnet
says err "there is no network 'three'"

# ------------------------------------------------------------------- imports

mkdir -p lib/deep away
cat >lib/one.rnet <<'END'
import "deep/two.rnet"
block one(width) { shortcut identity  linear(width) -> two }
END
cat >lib/deep/two.rnet <<'END'
block two { relu }
network ignored { input x [3]  linear(2)  output y }
END
cat >main.rnet <<'END'
import "lib/one.rnet"
import "lib/deep/../deep/two.rnet"
network main(width = 8) {
    input x [8]
    repeat 3 { one(width) }
    two -> linear(2)
    output y
}
END
run 0 main.rnet
there main.c
! grep -q ignored main.c
verdict "networks of imported files are not emitted" $?
run 0 --summary main.rnet
says out "3 x one.0..2"
(cd away && "$RNETC" ../main.rnet --check)
verdict "imports are relative to their file" $?
"$RNETC" --check - <main.rnet
verdict "imports of standard input are relative to here" $?

# fails LINE TEXT: a network whose first line is LINE says TEXT.
fails() {
    printf '%s\nnetwork fails { input x [8]  linear(2)  output y }\n' "$1" \
        >fails.rnet
    run 1 fails.rnet
    says err "fails.rnet:1:"
    says err "$2"
    gone fails.c
}
fails 'import "nowhere.rnet"' "cannot find 'nowhere.rnet'"
fails 'import "/etc/passwd"' "'/etc/passwd' is an absolute path"
fails 'import "../fails.rnet"' "lies outside of the folder of the main file"
fails 'import "lib/../../x"' "lies outside of the folder of the main file"
fails 'import "./lib"' "'./lib' is not a file"
fails 'import ""' "this path is empty"
fails 'import "./-"' "cannot find './-'"
fails 'import "fails.rnet"' "'fails.rnet' imports itself"
fails 'import "lib/one.rnet" as one' "'as' after an import is not supported yet"
cp lib/one.rnet lib/clash.rnet
cat >clash.rnet <<'END'
import "lib/one.rnet"
import "lib/clash.rnet"
network clash { input x [8]  linear(2)  output y }
END
run 1 clash.rnet
says err "lib/clash.rnet:2:7: error: 'one' is declared twice"
says err "lib/one.rnet:2:7: note: "
printf 'import "b.rnet"\nnetwork a { input x [8] linear(2) output y }\n' \
    >a.rnet
echo 'import "c.rnet"' >b.rnet
echo 'import "b.rnet"' >c.rnet
run 1 a.rnet
says err "c.rnet:1:1: error: 'b.rnet' imports itself"
says err "b.rnet:1:1: note: by way of 'c.rnet', imported here"
echo 'block broken( { relu }' >lib/broken.rnet
fails 'import "lib/broken.rnet"' "lib/broken.rnet:1:"
says err "note: 'lib/broken.rnet' is imported here"
i=0
while [ $i -lt 70 ]; do
    echo "import \"deep$((i + 1)).rnet\"" >deep$i.rnet
    i=$((i + 1))
done
run 1 --check deep0.rnet
says err "imports are nested above the limit of 64"
i=0
while [ $i -lt 260 ]; do
    echo "block b$i { relu }" >many$i.rnet
    echo "import \"many$i.rnet\""
    i=$((i + 1))
done >many.rnet
run 1 --check many.rnet
says err "too many files: the limit is 256"

# Along -I, and out of the root where -I allows it.
printf 'import "one.rnet"\n%s' "$(sed 1,2d main.rnet)" >away/far.rnet
run 1 --check away/far.rnet
run 0 --check -I lib away/far.rnet
run 0 --check -Ilib away/far.rnet
run 0 --check -I away -I lib/. away/far.rnet
printf 'import "../lib/one.rnet"\n%s' "$(sed 1,2d main.rnet)" >away/up.rnet
run 1 --check away/up.rnet
run 0 --check -I . away/up.rnet
run 0 --check -I lib away/up.rnet
run 1 --check -I lib away/none.rnet
printf 'import "nowhere.rnet"\n' >away/none.rnet
run 1 --check -I lib away/none.rnet
says err "it is not in 'away' nor in a folder of -I"
(cd lib && run 0 --check -I '' ../away/up.rnet)
printf 'import "dot..rnet"\n%s' "$(sed 1,2d main.rnet)" >dots.rnet
echo 'block one(width) { linear(width) }  block two { relu }' >dot..rnet
run 0 --check dots.rnet

# ------------------------------------------------------------------ depfiles

run 0 -M main.rnet
golden depend
run 0 -M -MP -MT '$(OBJ)' -MT x.o main.rnet
golden depend_phony
run 0 -M -MF only.d main.rnet
silent out
there only.d
rm -f main.c main.d
run 0 -MD main.rnet
there main.c
there main.d
run 0 main.rnet -MD -MP -MF named.d -o 'a b.c'
cp named.d out
says out 'a\ b.c a\ b.h: main.rnet'
says out 'lib/one.rnet:'
if command -v make >/dev/null; then
    printf 'include main.d\nmain.c:\n\t@echo made\n' >Makefile
    touch -d 2000-01-01 main.rnet lib/one.rnet lib/deep/two.rnet
    touch main.c main.h
    make -s >out 2>&1
    ! grep -q made out
    verdict "make: up to date" $?
    touch -d 2000-01-01 main.c main.h
    touch lib/deep/two.rnet
    make -s main.c >out 2>&1
    says out made
fi
run 1 -M bad_import.rnet
silent out
cp good.rnet 'a$b #c%d.rnet'
run 0 -M 'a$b #c%d.rnet'
says out 'a$$b\ \#c\%d.c a$$b\ \#c\%d.h: a$$b\ \#c%d.rnet'
"$RNETC" - -o piped.c -MD <good.rnet 2>err
verdict "a depfile of standard input" $?
cp piped.d out
says out 'piped.c piped.h:'
run 0 good.rnet -o - --header=good.h -MD
[ -e good.d ]
verdict "-o - -MD names the depfile after the input" $?

# ------------------------------------------------------------------- library

run 0 --library
says out "resnet       ResNet: "
run 0 --library=resnet
cmp -s out "$root/library/resnet.rnet"
verdict "--library=resnet is the file" $?
usage --library=resnt "the library has no 'resnt'; did you mean 'resnet'?"

# unit LINE: a network of the library's blocks, with this line.
unit() {
    cat >unit.rnet <<END
import "wide"
import "resnet"
import "se"
network unit {
    input image [8, 8, 3]
    conv(4, 3) -> batchnorm -> relu
    $1
    classifier(10)
    output logits
    loss cross_entropy(logits, label)
}
END
}
unit 'stage(basic, 4, 2) -> se_basic(8, ratio = 2)'
echo 'block basic { this file is not read }' >resnet.rnet
run 0 unit.rnet -MD -MP
cp unit.d out
says out "unit.c unit.h: unit.rnet"
[ "$(wc -l <unit.d)" -eq 1 ]
verdict "depfiles leave the library out" $?
"$RNETC" --check - <unit.rnet
verdict "the library in standard input" $?
unit 'stage(basic, 4, 2) -> se_basic(4, ratio = 3)'
run 1 unit.rnet
says err "<library>/se.rnet:"
says err "note: in 'se_basic', used here"
gone unit2.c
fails 'import "resnt"' "the library has no 'resnt'; did you mean 'resnet'?"
fails 'import "good"' "the library has no 'good'"
says err 'a file is imported by its whole name: "good.rnet"'
fails 'import "zzz"' "the library has no 'zzz'"
says err "'rnetc --library' lists its files"
rm resnet.rnet

# ------------------------------------------------------------------- reports

# The bytes of work change with every better plan: the header's macros are
# what they are compared with.
masked() {
    run 0 --summary "$@"
    sed -E -e '/^(Inference|Training)/s/ [0-9,]+ bytes/ N bytes/' out >masked
    mv masked out
}
masked "$here/resnet20.rnet"
golden resnet20
masked "$here/highway50.rnet" --batch 64 --threads 4
golden highway50
masked "$here/nested.rnet"
golden nested
run 0 --summary=json "$here/nested.rnet"
is_json out "summary"
sed -E '/(infer|train)_bytes/s/[0-9]+/0/' out >masked
mv masked out
golden nested.json
run 0 --dot "$here/nested.rnet"
golden nested.dot

# Iterations that agree are loops, others stay apart.
run 0 -w --dump=graph "$root/tests/odd/iterations.rnet"
sed -n 's/^function \([^ ]*\).*/\1/p
    s/.*= \(loop [0-9]* times\).*/    \1/p' out >masked
mv masked out
golden iterations

# bytes FILE NAME ARGUMENT...: --summary=json and the header's macros agree.
bytes() {
    file=$1 name=$2
    upper=$(echo "$2" | tr a-z A-Z)
    shift 2
    run 0 "$file" -o bytes.c "$@"
    cat >main.c <<END
#include "bytes.h"
#include <stdio.h>
int main(void)
{
    printf("  \"params\": %d,\n", ${upper}_PARAMETERS);
    printf("  \"param_bytes\": %zu,\n",
           sizeof(float) * (size_t)${upper}_PARAM_FLOATS);
    printf("  \"infer_bytes\": %zu,\n", (size_t)${upper}_INFER_BYTES(7, 3));
    printf("  \"train_bytes\": %zu,\n", (size_t)${upper}_TRAIN_BYTES(7, 3));
}
END
    $CC -std=gnu11 -I"$root/runtime" main.c -o main.bin 2>err \
        && ./main.bin >wanted
    verdict "the header of $name compiles: $(head -n 3 err)" $?
    run 0 --summary=json --batch=7 --threads=3 "$file" "$@"
    grep '^  "\(params\|[a-z]*_bytes\)"' out >got
    cmp -s wanted got
    verdict "bytes of $name: $(diff wanted got)" $?
}
bytes "$ex/resnet_cifar.rnet" resnet_cifar
bytes "$ex/densenet.rnet" densenet
bytes "$ex/residual_mlp.rnet" digits -D width=33 -D depth=5
bytes "$here/nested.rnet" nested

# Published counts; those of the zoo are zoo.sh's.
counts 269722 40551040 "$ex/resnet_cifar.rnet"
counts 464154 68862592 -D n=5 "$ex/resnet_cifar.rnet"
counts 853018 125485696 -D n=9 "$ex/resnet_cifar.rnet"
counts 1727962 252887680 -D n=18 "$ex/resnet_cifar.rnet"
counts 19421274 2829238912 -D n=200 "$ex/resnet_cifar.rnet"
counts 289660 - "$ex/highway.rnet"
counts 769162 287929692 -D n=16 "$ex/densenet.rnet"
counts 1703258 244500992 -D n=18 "$ex/preact.rnet"
counts 10327706 1487849984 -D n=111 "$ex/preact.rnet"

# --dot
run 0 --dot "$ex/resnet_cifar.rnet"
says out 'label="3 x basic.0..2"'
says out "royalblue"
run 0 --dot "$ex/highway.rnet"
says out "darkorange"
run 0 --dot -o drawing.dot "$ex/shortcuts/dense.rnet"
silent out
there drawing.dot
files=$(find "$ex" "$root/tests/networks" -name '*.rnet' ! -path '*/zoo/*' | sort)
if command -v dot >/dev/null; then
    for file in $files; do
        "$RNETC" -w --dot "$file" | dot -Tsvg >drawing.svg 2>err \
            && grep -q '</svg>' drawing.svg && [ ! -s err ]
        verdict "dot draws $file: $(head -n 1 err)" $?
    done
fi

# A drawing of more than 1,000 boxes keeps blocks closed; names of files.
cat >'many "\.rnet' <<'END'
block a { shortcut identity  linear(4) -> tanh }
block b { shortcut identity  linear(4) -> silu }
network many { input x [4]  repeat 250 { a }  repeat 600 as i { if i / 2 == floor(i / 2) { a } else { b } }  output y }
END
run 0 --dot 'many "\.rnet'
says out 'many \"\\.rnet'
says out 'shape=box3d'

# What does not fit in 63 bits; the largest batch.
cat >huge.rnet <<'END'
network huge { input x [2000000000, 2]  attention(2)  output y }
END
run 0 --check huge.rnet
run 1 --summary huge.rnet
says err "the multiply-adds, or the bytes at this batch, are above the limit"
cat >wide.rnet <<'END'
network wide { input x [30000, 30000]  relu  output y  loss mse(y, t) }
END
run 0 wide.rnet
cp wide.c out
says out "batch > 134217728"

# Every report of every network: no error, and the same twice.
[ "$REPORTS" = yes ] || files=
export RNETC
echo $files | xargs -r -P "${JOBS:-2}" -n 1 sh "$root/tests/cli.sh" \
    --reports >reports
grep -v '^good$' reports
passed=$((passed + $(grep -c '^good$' reports)))
failed=$((failed + $(grep -vc '^good$' reports)))

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
