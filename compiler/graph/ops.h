/* ops.h: the operators.  One row is one operator: the checker, the gradient,
 * the fuser, the writer, the dumps and the tests read these rows. */
#ifndef OPS_H
#define OPS_H

/* Pointwise functions of one value, y = f(x):
 *   ROW(word in .rnet, forward step, gradient step, what the gradient step
 *       reads: OUTPUT y or INPUT x, default of its argument `value`, formula,
 *       gradient)
 * The steps are RNET_<step> of rnet_kernels.h. */
#define POINTWISE_ROWS(ROW) \
ROW(relu,       RELU,      RELU_GRAD,      OUTPUT, 0,    "max(x, 0)",              "dy where y > 0") \
ROW(leaky_relu, LEAKY,     LEAKY_GRAD,     OUTPUT, 0.01, "x > 0 ? x : slope x",    "y > 0 ? dy : slope dy") \
ROW(relu6,      RELU6,     RELU6_GRAD,     OUTPUT, 0,    "min(max(x, 0), 6)",      "dy where 0 < y < 6") \
ROW(elu,        ELU,       ELU_GRAD,       OUTPUT, 1,    "x > 0 ? x : a (e^x - 1)", "y > 0 ? dy : dy (y + a)") \
ROW(gelu,       GELU,      GELU_GRAD,      INPUT,  0,    "x Phi(x)",               "dy (Phi(x) + x phi(x))") \
ROW(gelu_tanh,  GELU_TANH, GELU_TANH_GRAD, INPUT,  0,    "x (1 + tanh(0.79788 (x + 0.044715 x^3))) / 2", "dy gelu_tanh'(x)") \
ROW(silu,       SILU,      SILU_GRAD,      INPUT,  0,    "x sigmoid(x)",           "dy s (1 + x (1 - s)), s = sigmoid(x)") \
ROW(sigmoid,    SIGMOID,   SIGMOID_GRAD,   OUTPUT, 0,    "1 / (1 + e^-x)",         "dy y (1 - y)") \
ROW(tanh,       TANH,      TANH_GRAD,      OUTPUT, 0,    "tanh x",                 "dy (1 - y^2)") \
ROW(softplus,   SOFTPLUS,  SOFTPLUS_GRAD,  INPUT,  0,    "log(1 + e^x)",           "dy sigmoid(x)") \
ROW(exp,        EXP,       MUL,            OUTPUT, 0,    "e^x",                    "dy y") \
ROW(log,        LOG,       DIV,            INPUT,  0,    "log x",                  "dy / x") \
ROW(abs,        ABS,       ABS_GRAD,       INPUT,  0,    "|x|",                    "dy sign x")

/* What the passes need to know of an operator. */
enum op_traits {
    ACC = 1,            /* its result is in `acc`: steps may ride on it */
    EFFECT = 2,         /* writes more than its results: gradients, the loss */
    SAVES = 4,          /* results after the first serve backward alone */
    CONVOLVES = 8,      /* node->conv describes it */
    POOLS = 16,         /* node->pool does */
    ATTENDS = 32,       /* its settings do, as a struct rnet_attention */
    GATHERS = 64        /* reads whole rows, plain; its result is in strips */
};

/* Operators:
 *   ROW(op, name in dumps, formula, function of the runtime, traits,
 *       arguments of its call after `run`)
 * What each op's fields mean is said in graph.h.  In the arguments, k is a
 * number from 0:
 *   x<k>   input k: pointer, stride; NULL, 0 when there is none
 *   i<k>   input k: pointer            o<k>   output k: pointer, or NULL
 *   y<k>   output k: pointer, stride   own    its scratch of its own
 *   v<k>   input k: pointer, stride; parameter 0, 0 when there is none
 *   w<k>   parameter k, or NULL        g<k>   its gradient, or NULL
 *   a<k>   axis k of parameter 0       m<k>   input k: number of rows
 *   l<k>   input k: struct rnet_rows   f<k>   input k: features
 *   M<k>   L<k>   F<k>   likewise of output k
 *   n<k>   whole setting k             r<k>   real setting k
 *   batch  samples                     shape  the constant that describes it
 *   graph  setting 0: of the run        kind   setting 1: enum aggregate
 *   steps, input, output               its step programs
 * A row without arguments is no call, or has a function of its own in
 * emit_kernel.c. */
#define KERNEL_ROWS(ROW) \
ROW(INPUT, "input", "what the caller passes", \
    NULL, 0, NULL) \
ROW(POINT, "point", "one step", \
    NULL, 0, NULL) \
ROW(REDUCE, "reduce", "sums over rows, one line a chunk", \
    NULL, 0, NULL) \
ROW(ADD_SUMS, "add_sums", "d parameter += sum of lines", \
    "rnet_add_sums", EFFECT, NULL) \
ROW(RESHAPE, "reshape", "the same memory, other axes", \
    NULL, 0, NULL) \
ROW(SLICE, "slice", "some of the features", \
    NULL, 0, NULL) \
ROW(CONCAT, "concat", "[x0, x1, ...] along features", \
    NULL, 0, NULL) \
ROW(PACK, "pack", "plain rows to strips", \
    "rnet_pack_rows", ACC, "m0 f0 x0 steps") \
ROW(UNPACK, "unpack", "strips to plain rows", \
    "rnet_unpack_rows", ACC, "m0 f0 x0 steps") \
ROW(OUTPUT, "output", "what the caller receives", \
    NULL, 0, NULL) \
ROW(LINEAR, "linear", "y = W x + b", \
    "rnet_linear", ACC, "m0 a1 a0 x0 w0 steps") \
ROW(LINEAR_DX, "linear_grad_input", "dx = W' dy", \
    "rnet_linear_grad_input", ACC, "m0 a1 a0 x0 w0 steps") \
ROW(LINEAR_DW, "linear_grad_weight", "dW += dy x', db += sum dy", \
    "rnet_linear_grad_weight", EFFECT, "m0 a1 a0 g0 g1 x0 x1") \
ROW(EMBEDDING, "embedding", "y = table[index]", \
    "rnet_embedding", ACC, "M0 a0 a1 i0 w0 steps") \
ROW(EMBEDDING_DW, "embedding_grad", "d table[index] += dy", \
    "rnet_embedding_grad", EFFECT, "m0 a0 a1 g0 i1 x0") \
ROW(CONV, "conv", "y = W * x + b", \
    "rnet_conv", ACC | CONVOLVES, "batch shape input w0 steps") \
ROW(CONV_GRAD, "conv_grad", "dW += dy * x, db += sum dy, dx = W' * dy", \
    "rnet_conv_grad", ACC | CONVOLVES, "batch shape input output w0 g2 g1 steps") \
ROW(UPCONV, "upconv", "y = W' * x + b", \
    "rnet_upconv", ACC | CONVOLVES, "batch shape output w0 steps") \
ROW(POOL, "pool", "y = pool(x)", \
    "rnet_pool", ACC | POOLS, "batch shape x0 steps") \
ROW(POOL_GRAD, "pool_grad", "dx = pool'(dy)", \
    "rnet_pool_grad", ACC | POOLS, "batch shape x0 x1 steps") \
ROW(UPSAMPLE, "upsample", "y = pool'(x): more pixels", \
    "rnet_pool_grad", ACC | POOLS, "batch shape x0 x1 steps") \
ROW(NORM, "norm", "y = gamma (x - mean) / sqrt(var + e) + beta", \
    NULL, ACC | SAVES, NULL) \
ROW(NORM_GRAD, "norm_grad", "dx = r (g - mean g - x^ mean(g x^)), g = gamma dy", \
    NULL, ACC, NULL) \
ROW(BATCH_NORM, "batch_norm", "y = gamma (x - mean) / sqrt(var + e) + beta, over the batch", \
    NULL, 0, NULL) \
ROW(BATCH_NORM_GRAD, "batch_norm_grad", "dx = A dy + B x + C", \
    NULL, EFFECT, NULL) \
ROW(BN_FINISH, "batch_norm_finish", "scale, shift from the sums", \
    "rnet_batch_norm", 0, NULL) \
ROW(BN_INFER, "batch_norm_infer", "scale, shift from the running statistics", \
    "rnet_batch_norm_infer", 0, NULL) \
ROW(BN_GRAD_FINISH, "batch_norm_grad_finish", "d gamma, d beta, A, B, C from the sums", \
    "rnet_batch_norm_grad", 0, NULL) \
ROW(SOFTMAX, "softmax", "y = e^x / sum e^x", \
    "rnet_softmax", ACC, "l0 f0 x0 steps") \
ROW(SOFTMAX_GRAD, "softmax_grad", "dx = y (dy - sum y dy)", \
    "rnet_softmax_grad", ACC, "l0 f0 x1 x0 steps") \
ROW(MIX, "mix", "y_j = sum w_ij x_i, blocks of features", \
    "rnet_mix", ACC, "l0 n0 n1 n2 x0 v1 steps") \
ROW(MIX_DX, "mix_grad_input", "dx_i = sum w_ij dy_j", \
    "rnet_mix_transposed", ACC, "l0 n1 n0 n2 x0 v1 steps") \
ROW(MIX_DW, "mix_grad_weight", "dw_ij = <x_i, dy_j>", \
    "rnet_dots", ACC, "l0 n0 n1 n2 x1 x0 steps") \
ROW(MIX_TRANSPOSED, "mix_transposed", "y_j = sum w_ji x_i", \
    "rnet_mix_transposed", ACC, "l0 n0 n1 n2 x0 v1 steps") \
ROW(MIX_TRANSPOSED_DX, "mix_transposed_grad_input", "dx_i = sum w_ji dy_j", \
    "rnet_mix", ACC, "l0 n1 n0 n2 x0 v1 steps") \
ROW(MIX_TRANSPOSED_DW, "mix_transposed_grad_weight", "dw_ji = <dy_j, x_i>", \
    "rnet_dots", ACC, "l0 n1 n0 n2 x0 x1 steps") \
ROW(DOTS, "dots", "s_ij = <x_i, y_j>, blocks of features", \
    "rnet_dots", ACC, "l0 n0 n1 n2 x0 v1 steps") \
ROW(DOTS_DX, "dots_grad_input", "dx_i = sum ds_ij y_j", \
    "rnet_mix_transposed", ACC, "l0 n1 n0 n2 v1 x0 steps") \
ROW(DOTS_DY, "dots_grad_weight", "dy_j = sum ds_ij x_i", \
    "rnet_mix", ACC, "l0 n0 n1 n2 x1 x0 steps") \
ROW(SINKHORN, "sinkhorn", "e^x, its columns and rows divided by their sums", \
    "rnet_sinkhorn", ACC, "l0 n0 n1 x0 steps") \
ROW(SINKHORN_GRAD, "sinkhorn_grad", "dx = sinkhorn'(x) dy", \
    "rnet_sinkhorn_grad", ACC, "l0 n0 n1 x1 x0 steps") \
ROW(LSTM, "lstm", "h = o tanh c, c = f c + i g, of each step from the last", \
    "rnet_lstm", 0, "batch n0 n1 n2 y0 o1 x0 w0 w1") \
ROW(LSTM_GRAD, "lstm_grad", "d gates from dh = dy + W' d gates of the next step", \
    "rnet_lstm_grad", EFFECT, "batch n0 n1 n2 y0 g0 g1 x0 i1 w0 own") \
ROW(GRU, "gru", "h = (1 - z) n + z h, of each step from the last", \
    "rnet_gru", 0, "batch n0 n1 n2 y0 o1 x0 w0 w1") \
ROW(GRU_GRAD, "gru_grad", "d gates from dh = dy + W' d gates of the next step", \
    "rnet_gru_grad", EFFECT, "batch n0 n1 n2 y0 g0 g1 x0 i1 w0 own") \
ROW(ATTENTION, "attention", "y = softmax(q k' / sqrt(head)) v, head by head", \
    "rnet_attention", SAVES | ATTENDS, "batch shape y0 o1 x0 x1 x2 i3") \
ROW(ATTENTION_GRAD, "attention_grad", "dv = p' dy, ds = p (dy v' - y dy), dq = ds k, dk = ds' q", \
    "rnet_attention_grad", ATTENDS, "batch shape y0 y1 y2 x0 x1 i2 x3 x4 x5 i6") \
ROW(ROPE, "rope", "pairs of each head turned by their position", \
    "rnet_rope", ACC, "l0 f0 n0 n1 r0 x0 steps") \
ROW(ROPE_GRAD, "rope_grad", "turned back", \
    "rnet_rope_grad", ACC, "l0 f0 n0 n1 r0 x0 steps") \
ROW(SINES, "sines", "sine and cosine of position base^(-2 i / features)", \
    "rnet_sine_positions", ACC, "L0 F0 r0 steps") \
ROW(SINE_FEATURES, "sine_features", "y = [sin(w_i x), cos(w_i x)]", \
    "rnet_sine_features", ACC, "l0 n0 r0 n1 x0 steps") \
ROW(SINE_FEATURES_GRAD, "sine_features_grad", "dx = sum w_i (dy_i cos(w_i x) - dy_half+i sin(w_i x))", \
    "rnet_sine_features_grad", ACC, "l0 n0 r0 n1 x0 x1 steps") \
ROW(AGGREGATE, "aggregate", "y_i = sum a_ij x_j", \
    "rnet_aggregate", ACC | GATHERS, "graph f0 kind x0 own steps") \
ROW(AGGREGATE_GRAD, "aggregate_grad", "dx_j = sum a_ij dy_i", \
    "rnet_aggregate_grad", ACC | GATHERS, "graph f0 kind x0 own steps") \
ROW(LOSS, "loss", "loss += weight mean l(x, target), and its gradient", \
    NULL, ACC | EFFECT, NULL) \
ROW(CALL, "call", "a block", \
    NULL, 0, NULL) \
ROW(CALL_GRAD, "call_grad", "a block's gradient", \
    NULL, EFFECT, NULL) \
ROW(LOOP, "loop", "repeat", \
    NULL, 0, NULL) \
ROW(LOOP_GRAD, "loop_grad", "repeat, backwards", \
    NULL, EFFECT, NULL)

/* Gradients that are kernels: ROW(op, its gradient's op, what that reads after
 * dy: inputs i<k> and outputs o<k> of the operator, the inputs whose gradients
 * it gives).  Parameters and settings are the operator's.  Where parameter 0
 * stands for an input (v<k>), nothing is read, and what is given, one a row, is
 * summed into its gradient.  An operator may have several rows; one without
 * has a rule in grad.c. */
#define GRADIENT_ROWS(ROW) \
ROW(SOFTMAX, SOFTMAX_GRAD, "o0", "0") \
ROW(ATTENTION, ATTENTION_GRAD, "o0 o1 i0 i1 i2 i3", "0 1 2") \
ROW(ROPE, ROPE_GRAD, "", "0") \
ROW(SINE_FEATURES, SINE_FEATURES_GRAD, "o0", "0") \
ROW(MIX, MIX_DX, "i1", "0") \
ROW(MIX, MIX_DW, "i0", "1") \
ROW(MIX_TRANSPOSED, MIX_TRANSPOSED_DX, "i1", "0") \
ROW(MIX_TRANSPOSED, MIX_TRANSPOSED_DW, "i0", "1") \
ROW(DOTS, DOTS_DX, "i1", "0") \
ROW(DOTS, DOTS_DY, "i0", "1") \
ROW(SINKHORN, SINKHORN_GRAD, "i0", "0") \
ROW(AGGREGATE, AGGREGATE_GRAD, "", "0") \
ROW(LSTM, LSTM_GRAD, "o1", "0") \
ROW(GRU, GRU_GRAD, "o1", "0")

enum op {
#define ROW(op, name, formula, function, traits, arguments) OP_##op,
    KERNEL_ROWS(ROW)
#undef ROW
    OP_COUNT
};

#endif
