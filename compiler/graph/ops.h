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

/* Kernels: ROW(op, name in dumps, formula).  What each op's fields mean is
 * said in graph.h; its gradient rule is grad_<op> in grad.c. */
#define KERNEL_ROWS(ROW) \
ROW(INPUT,      "input",          "what the caller passes") \
ROW(POINT,      "point",          "one step") \
ROW(REDUCE,     "reduce",         "sums over rows, one line a chunk") \
ROW(ADD_SUMS,   "add_sums",       "d parameter += sum of lines") \
ROW(RESHAPE,    "reshape",        "the same memory, other axes") \
ROW(SLICE,      "slice",          "some of the features") \
ROW(CONCAT,     "concat",         "[x0, x1, ...] along features") \
ROW(PACK,       "pack",           "plain rows to strips") \
ROW(UNPACK,     "unpack",         "strips to plain rows") \
ROW(OUTPUT,     "output",         "what the caller receives") \
ROW(LINEAR,     "linear",         "y = W x + b") \
ROW(LINEAR_DX,  "linear_grad_input",  "dx = W' dy") \
ROW(LINEAR_DW,  "linear_grad_weight", "dW += dy x', db += sum dy") \
ROW(EMBEDDING,  "embedding",      "y = table[index]") \
ROW(EMBEDDING_DW, "embedding_grad", "d table[index] += dy") \
ROW(CONV,       "conv",           "y = W * x + b") \
ROW(CONV_GRAD,  "conv_grad",      "dW += dy * x, db += sum dy, dx = W' * dy") \
ROW(POOL,       "pool",           "y = pool(x)") \
ROW(POOL_GRAD,  "pool_grad",      "dx = pool'(dy)") \
ROW(NORM,       "norm",           "y = gamma (x - mean) / sqrt(var + e) + beta") \
ROW(NORM_GRAD,  "norm_grad",      "dx = r (g - mean g - x^ mean(g x^)), g = gamma dy") \
ROW(BATCH_NORM, "batch_norm",     "y = gamma (x - mean) / sqrt(var + e) + beta, over the batch") \
ROW(BATCH_NORM_GRAD, "batch_norm_grad", "dx = A dy + B x + C") \
ROW(BN_FINISH,  "batch_norm_finish", "scale, shift from the sums") \
ROW(BN_INFER,   "batch_norm_infer", "scale, shift from the running statistics") \
ROW(BN_GRAD_FINISH, "batch_norm_grad_finish", "d gamma, d beta, A, B, C from the sums") \
ROW(SOFTMAX,    "softmax",        "y = e^x / sum e^x") \
ROW(SOFTMAX_GRAD, "softmax_grad", "dx = y (dy - sum y dy)") \
ROW(LOSS,       "loss",           "loss += weight mean l(x, target), and its gradient") \
ROW(CALL,       "call",           "a block") \
ROW(CALL_GRAD,  "call_grad",      "a block's gradient") \
ROW(LOOP,       "loop",           "repeat") \
ROW(LOOP_GRAD,  "loop_grad",      "repeat, backwards")

enum op {
#define ROW(op, name, formula) OP_##op,
    KERNEL_ROWS(ROW)
#undef ROW
    OP_COUNT
};

#endif
