# matrix.awk: writes the networks of tests/matrix.sh.
#     awk -v out=FOLDER -f matrix.awk ops.h layers_*.c matrix.txt
# Gives FOLDER/NAME.rnet, and a line "NAME", or "NAME error" where the compiler
# must refuse, on standard output.

BEGIN {
    shapes["v"] = "[1];[3];[17];[33]"
    shapes["p"] = "[3, 5];[2, 17];[1, 33]"
    shapes["m"] = "[5, 7, 3];[3, 3, 17];[4, 5, 1];[3, 4, 33]"
    shapes["i"] = "[1];[5]"
    layer["stream"] = 1         # check/streams.c: lines like a layer's
}

FILENAME ~ /ops\.h$/ && /^#define KERNEL_ROWS/ { kernels = 1 }
FILENAME ~ /ops\.h$/ && /^ROW\(/ && !kernels {
    sub(/^ROW\(/, "")
    sub(/,.*/, "")
    pointwise[$0] = 1
}
FILENAME ~ /layers_[a-z]+\.c$/ && /^    \{ "[a-z0-9_]+", apply_/ {
    split($0, part, "\"")
    layer[part[2]] = 1
}
FILENAME ~ /matrix\.txt$/ && !/^#/ && /\|/ {
    split($0, column, / *\| */)
    line[++lines] = $0
    has[column[1]] = 1
}

function write_case(name, text, error)
{
    printf "%s", text >(out "/" name ".rnet")
    close(out "/" name ".rnet")
    print name (error ? " error" : "")
}

# One layer in three places: between an input and a loss; between layers with
# weights; and where another reads its input as well.
function layer_cases(name, kinds, chain,    kind, n, k, list, s, count, axes,
                     c, i, text)
{
    n = split(kinds, kind, " ")
    for (k = 1; k <= n; k++) {
        count = split(shapes[kind[k]], list, ";")
        for (s = 1; s <= count; s++) {
            i = split(substr(list[s], 2, length(list[s]) - 2), axes, ", ")
            c = axes[i]
            text = chain
            gsub(/C/, c, text)
            i = "layer_" name "_" ++number[name]
            write_case(i, "network net_" i " {\n" \
                       (kind[k] == "i" ? of_indices(list[s], text) \
                                       : of_values(list[s], text, c)) \
                       "}\n", 0)
        }
    }
}

function of_indices(shape, chain)
{
    return "    input x int " shape "\n" \
        "    " chain "\n" \
        "    output alone\n    loss mse(alone, target_a)\n" \
        "    x -> " chain " -> linear(3)\n" \
        "    output within\n    loss mse(within, target_w)\n"
}

function of_values(shape, chain, c)
{
    return "    input x " shape "\n    input z " shape "\n" \
        (chain ~ /\(g,/ ? "    input g graph\n" : "") "    x -> " chain "\n" \
        "    output alone\n    loss mse(alone, target_a)\n" \
        "    z -> linear(" c ") -> tanh -> " chain " -> linear(3)\n" \
        "    output within\n    loss mse(within, target_w)\n" \
        "    z -> linear(" c ") as h -> " chain " -> flatten -> linear(4)" \
        " as a\n" \
        "    h -> flatten -> linear(4) -> tanh\n    a + tanh(a) * silu\n" \
        "    output both\n    loss mse(both, target_b)\n"
}

# ---- shortcuts x norms x placements, each with every scale

function block(name, maps, shortcut, norm, scale,    text, weights)
{
    text = "block " name "(width, step = 1) {\n"
    if (shortcut == "own" && maps)
        text = text "    shortcut conv(width, 1, step) -> tanh\n"
    else if (shortcut == "own")
        text = text "    shortcut linear(width) -> tanh\n"
    else if (shortcut != "")
        text = text "    shortcut " shortcut "\n"
    if (norm != "")
        text = text "    norm " norm "\n"
    if (scale != "")
        text = text "    scale " scale "\n"
    weights = maps ? "conv(width, 3, step) -> tanh -> conv(width, 3)" \
                   : "linear(width) -> tanh -> linear(width)"
    return text "    " weights "\n" (scale ~ /0.7/ ? "    then tanh\n" : "") \
        "}\n"
}

# Four blocks, one a scale: two alone, the first of which changes the shape
# where the shortcut can, two in repeats.  Without a shortcut so many norms in
# a row would be too ill-conditioned for differences: two blocks.
function shortcut_case(name, maps, shortcut, norm, error,    wide, step, none,
                       few)
{
    none = shortcut == "none"
    few = none || shortcut == "dense" ? 2 : 3
    wide = shortcut ~ /projection|own|none/ && (maps || shortcut !~ /pad/)
    step = maps && wide && !none ? ", step = 2" : ""
    wide = wide ? 10 : 6        # both even: group(2)
    write_case(name, block("plain", maps, shortcut, norm, "") \
        block("scaled", maps, shortcut, norm, "0.7") \
        block("trained", maps, shortcut, norm, "learned(0.5)") \
        block("channel", maps, shortcut, norm, "channel(0.6)") \
        "network net_" name " {\n    input x " \
        (maps ? "[4, 5, 2]\n    conv(6, 3)\n" : "[5]\n    linear(6)\n") \
        (none ? "" : "    plain(" wide step ")\n" \
                     "    repeat 2 { scaled(" wide ") }\n") \
        "    " (maps ? "conv(6, 1)" : "linear(6)") "\n" \
        "    repeat " few " { channel(6) }\n" \
        (none ? "    scaled(10)\n" : "    trained(6)\n") "    linear(2)\n" \
        "    output y\n    loss mse(y, target)\n}\n", error)
}

function shortcut_cases(maps,    shortcut, kind, place, s, k, p, norm, ns, nk,
                        np, name, error)
{
    ns = split("none;identity;projection;projection(pad);projection(conv);" \
        "projection(always);gated(bias = -1);gated(exclusive);" \
        "gated(shortcut);gated(gru);0.8;dense;own", shortcut, ";")
    nk = split("layer;rms;group(2);batch;instance;batch -> silu", kind, ";")
    np = split("before;after;around;before weights;after weights", place, ";")
    for (s = 1; s <= ns; s++) {
        shortcut_case((maps ? "conv_" : "dense_") s "_none", maps,
                      shortcut[s], "", 0)
        for (k = 1; k <= nk; k++)
            for (p = 1; p <= np; p++) {
                # instance norm is for maps
                error = kind[k] == "instance" && !maps
                name = (maps ? "conv_" : "dense_") s "_" k "_" p
                if (!error || p == 1)
                    shortcut_case(name, maps, shortcut[s],
                                  kind[k] " " place[p], error)
            }
    }
}

END {
    for (name in layer)
        if (!has[name]) {
            print "matrix: layer '" name "' of layers_*.c has no line in " \
                "matrix.txt" >"/dev/stderr"
            exit 1
        }
    for (name in pointwise)
        if (!has[name])
            layer_cases(name, "v p m", name)
    for (i = 1; i <= lines; i++) {
        split(line[i], column, / *\| */)
        if (!layer[column[1]] && !pointwise[column[1]]) {
            print "matrix: '" column[1] "' of matrix.txt is no layer" \
                >"/dev/stderr"
            exit 1
        }
        layer_cases(column[1], column[2], column[3])
    }
    shortcut_cases(0)
    shortcut_cases(1)
}
