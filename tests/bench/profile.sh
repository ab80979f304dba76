#!/bin/sh
# profile.sh NETWORK KIND BATCH [STEPS]: where a step's time goes: milliseconds
# a step, share, calls, GFLOP/s and share of the peak, kernel by kernel.
# After bench.sh has built; m2 train-momentum 32, say.
cd "$(dirname "$0")/../.." || exit 2
: "${BUILD:=build}" "${LIBRNET:=$BUILD/librnet.a}" "${OUT:=$BUILD}" "${CC:=cc}"
steps=${4:-40}
wraps=$(sed -n 's/.*\(__wrap_rnet_[a-z_]*\).*/\1/p
                s/^WRAP(\(rnet_[a-z_]*\),.*/__wrap_\1/p' \
            tests/bench/profile.c | sort -u | sed 's/__wrap_/-Wl,--wrap=/')
$CC -std=gnu11 -O2 -g -pthread -Iruntime "-I$OUT/bench" $wraps \
    -o "$OUT/bench/profile" tests/bench/networks.c tests/bench/profile.c \
    "$OUT"/bench/net/*.o "$LIBRNET" -lm ||
    exit 1
peak=$(printf 'check 3\nrun %s\npeak\n' "$steps" |
    PROFILE=$OUT/bench/profile.out "$OUT/bench/profile" "$1" "$2" "$3" 1 |
    tail -1)
sort -rn "$OUT/bench/profile.out" | awk -v steps="$steps" -v peak="$peak" \
    -v kind="$2" '
{
    count = kind == "infer" ? steps + 1 : steps + 3
    time[NR] = $1 / 1e3 / count; calls[NR] = $2 / count; work[NR] = $3
    all += time[NR]
    $1 = $2 = $3 = ""; name[NR] = substr($0, 4)
}
END {
    printf "%8.3f ms a step in kernels, peak %.1f GFLOP/s\n", all, peak / 1e9
    for (i = 1; i <= NR; i++) {
        rate = work[i] * calls[i] / time[i] * 1e3
        printf "%8.3f %5.1f%% %4d x", time[i], 100 * time[i] / all, calls[i]
        if (work[i])
            printf " %6.1f %4.0f%%", rate / 1e9, 100 * rate / peak
        else
            printf " %6s %5s", "", ""
        printf "  %s\n", name[i]
    }
}'
