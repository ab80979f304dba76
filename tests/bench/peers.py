"""The benchmark's peers: PyTorch, asked as networks.c is.

    peers.py MODEL train-momentum|train-adamw|infer BATCH THREADS WEIGHTS
    peers.py --version | --about

Reads orders from standard input (see networks.c).  The weights are those that
networks.c wrote, the batch is the same.  Of the ways there are to run a step
(which optimiser loop, frozen graph or eager, compiled where it can be), the
fastest of a few steps is taken and named.
"""
import json
import os
import resource
import sys
import time

try:
    import numpy
    import torch
    from torch import nn
except ImportError as missing:
    sys.exit(f"peers.py: {missing}")


def resident():
    """KB of this process, now."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def blas():
    """The library of PyTorch's matrix products, as far as it shows."""
    if "BLAS_INFO=mkl" in torch.__config__.show():
        return "MKL"
    torch.ones(64, 64) @ torch.ones(64, 64)
    with open("/proc/self/maps") as maps:
        loaded = maps.read()
    for name, sign in (("MKL", "libmkl"), ("OpenBLAS", "openblas"),
                       ("BLIS", "libblis")):
        if sign in loaded:
            return name
    return ("a slow BLAS (the comparison is not fair to it: "
            "apt install libopenblas0-pthread)")


def about():
    how = "with" if torch.backends.mkldnn.is_available() else "without"
    return (f"  PyTorch {torch.__version__}, {how} oneDNN, {blas()}, "
            f"{sys.executable}")


# ------------------------------------------------------------- the networks


class Unit(nn.Module):
    """x + W2 relu(W1 LN x)"""

    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, width)
        self.down = nn.Linear(width, width)

    def forward(self, x):
        return x + self.down(torch.relu(self.up(self.norm(x))))

    def named(self, path):
        yield f"{path}layernorm.0", self.norm
        yield f"{path}linear.0", self.up
        yield f"{path}linear.1", self.down


class Layers(nn.Module):
    """What is fed in, what the labels are, and the loss."""
    kinds = None                # of integers; None: floats
    labels, label_kinds = (), 10

    def loss(self, y, label):
        return nn.functional.cross_entropy(y.flatten(0, -2), label.flatten())


class ResidualMLP(Layers):
    shape = (784,)

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(784, 512)
        self.units = nn.Sequential(*[Unit(512) for _ in range(8)])
        self.last = nn.Linear(512, 10)

    def forward(self, x):
        return self.last(self.units(self.first(x)))

    def named(self):
        yield "linear.0", self.first
        yield "linear.1", self.last
        for i, unit in enumerate(self.units):
            yield from unit.named(f"unit.{i}.")


class Basic(nn.Module):
    """He et al. 2015, option A: every second pixel, zeros for channels."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        self.stride = stride
        self.more = out - channels

    def forward(self, x):
        y = torch.relu_(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        if self.stride != 1 or self.more:
            x = x[:, :, ::self.stride, ::self.stride]
            x = nn.functional.pad(x, (0, 0, 0, 0, 0, self.more))
        return torch.relu_(y.add_(x))

    def named(self, path):
        yield f"{path}conv.0", self.conv1
        yield f"{path}batchnorm.0", self.norm1
        yield f"{path}conv.1", self.conv2
        yield f"{path}batchnorm.1", self.norm2


class ResNet20(Layers):
    shape = (32, 32, 3)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        blocks, channels = [], 16
        for out in [16] * 3 + [32] * 3 + [64] * 3:
            blocks.append(Basic(channels, out, 1 + (out != channels)))
            channels = out
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Linear(64, 10)

    def forward(self, x):
        x = self.blocks(torch.relu_(self.norm(self.conv(x))))
        return self.last(x.mean((2, 3)))

    def named(self):
        yield "conv.0", self.conv
        yield "batchnorm.0", self.norm
        yield "linear.0", self.last
        for i, block in enumerate(self.blocks):
            yield from block.named(f"basic.{i}.")


class Rows:
    """Some of a linear layer's outputs, under a name of their own."""

    def __init__(self, layer, first, count):
        self.layer, self.rows = layer, slice(first, first + count)

    def state_dict(self):
        return {name: value[self.rows]
                for name, value in self.layer.state_dict().items()}


def attend(q, k, v):
    """Causal; PyTorch's own kernel where it has one."""
    if hasattr(nn.functional, "scaled_dot_product_attention"):
        return nn.functional.scaled_dot_product_attention(q, k, v,
                                                          is_causal=True)
    scores = q @ (k.transpose(-1, -2) * k.shape[-1] ** -0.5)
    hidden = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return scores.masked_fill(hidden, -torch.inf).softmax(-1) @ v


class Layer(nn.Module):
    """x + W attention LN x, then x + W2 gelu(W1 LN x)"""

    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.heads = heads

    def forward(self, x):
        parts = self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, -1))
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        y = attend(q, k, v)
        x = x + self.out(y.transpose(1, 2).flatten(-2))
        y = nn.functional.gelu(self.up(self.norm2(x)))
        return x + self.down(y)

    def named(self, i):
        width = self.out.weight.shape[0]
        yield f"attend.{i}.layernorm.0", self.norm1
        for k, name in enumerate(("q", "k", "v")):
            yield (f"attend.{i}.attention.0.{name}_proj",
                   Rows(self.qkv, k * width, width))
        yield f"attend.{i}.attention.0.out_proj", self.out
        yield f"feed.{i}.layernorm.0", self.norm2
        yield f"feed.{i}.linear.0", self.up
        yield f"feed.{i}.linear.1", self.down


class LanguageModel(Layers):
    shape, kinds = (256,), 256
    labels, label_kinds = (256,), 256

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(256, 384)
        self.positions = nn.Embedding(256, 384)
        self.layers = nn.Sequential(*[Layer(384, 6) for _ in range(6)])
        self.norm = nn.LayerNorm(384)

    def forward(self, x):
        x = self.layers(self.table(x) + self.positions.weight)
        return nn.functional.linear(self.norm(x), self.table.weight)

    def named(self):
        yield "table", self.table
        yield "positions.0", self.positions
        for i, layer in enumerate(self.layers):
            yield from layer.named(i)
        yield "layernorm.0", self.norm


MODELS = {"M1": ResidualMLP, "M2": ResNet20, "M5": LanguageModel}


def load(model, path):
    """Weights from a safetensors file of float32."""
    with open(path, "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(size))
        data = file.read()
    for name, layer in model.named():
        for part, value in layer.state_dict().items():
            if part == "num_batches_tracked":
                continue
            entry = header[f"{name}.{part}"]
            start, end = entry["data_offsets"]
            array = numpy.frombuffer(data[start:end], numpy.float32)
            with torch.no_grad():
                value.copy_(torch.from_numpy(array.copy()).view(value.shape))


def integers_of(shape, kinds):
    count = int(numpy.prod(shape))
    return (torch.arange(count) * 7 % kinds).view(shape)


def batch_of(model, batch):
    """networks.c's batch_of(), of inputs and of labels."""
    label = integers_of((batch, *model.labels), model.label_kinds)
    if model.kinds:
        return integers_of((batch, *model.shape), model.kinds), label
    count = batch * int(numpy.prod(model.shape))
    hashed = numpy.arange(count, dtype=numpy.uint32) * numpy.uint32(2654435761)
    values = (hashed >> 16 & 255).astype(numpy.float32) / 256 - 0.5
    x = torch.from_numpy(values.reshape(batch, *model.shape))
    if len(model.shape) == 3:       # ours is (N, H, W, C): channels last
        x = x.permute(0, 3, 1, 2)
    return x, label


# ------------------------------------------------------- the ways to run them


def optimizers(kind, parameters):
    """The optimiser's loops that this PyTorch knows, by name."""
    for way in ("plain", "foreach", "fused"):
        flags = {} if way == "plain" else {way: True}
        try:
            if kind == "train-adamw":
                yield way, torch.optim.AdamW(parameters, 1e-4, (0.9, 0.999),
                                             1e-8, 1e-2, **flags)
            else:
                yield way, torch.optim.SGD(parameters, 1e-3, 0.9, **flags)
        except (TypeError, RuntimeError):
            continue


def training_step(model, run, optimizer, x, label):
    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = model.loss(run(x), label)
        loss.backward()
        optimizer.step()
        return loss
    return step


def inference_step(run, x):
    def step():
        with torch.inference_mode():
            return run(x)
    return step


def compiled(model, x):
    """torch.compile's, or None where there is none or it fails."""
    if not hasattr(torch, "compile") or os.environ.get("BENCH_COMPILE") == "0":
        return None
    try:
        run = torch.compile(model)
        run(x)
        return run
    except Exception as failure:    # no compiler, no Triton, ...
        print(f"peers.py: no torch.compile: {failure}"[:200], file=sys.stderr)
        return None


def frozen(model, x):
    with torch.no_grad():
        graph = torch.jit.freeze(torch.jit.trace(model, x))
        return torch.jit.optimize_for_inference(graph)


def forwards(model, x, training):
    """Ways to run the model, by name."""
    yield "eager", model
    if not training:
        yield "frozen", frozen(model, x)
    fast = compiled(model, x)
    if fast is not None:
        yield "compiled", fast


def ways(model, kind, x, label):
    """The steps there are: (name, function)."""
    training = kind != "infer"
    for name, run in forwards(model, x, training):
        if not training:
            yield name, inference_step(run, x)
            continue
        for loop, optimizer in optimizers(kind, list(model.parameters())):
            step = training_step(model, run, optimizer, x, label)
            try:
                step()
            except RuntimeError:
                continue
            yield f"{name}, {loop} optimiser", step


def spent(step, count):
    """Milliseconds a step: by the clock, and of all threads."""
    wall, cpu = time.monotonic(), time.process_time()
    for _ in range(count):
        step()
    return ((time.monotonic() - wall) * 1e3 / count,
            (time.process_time() - cpu) * 1e3 / count)


def fastest(model, kind, x, label):
    best = None
    for name, step in ways(model, kind, x, label):
        for _ in range(3):
            step()
        taken = min(spent(step, 3)[torch.get_num_threads() == 1]
                    for _ in range(3))
        if best is None or taken < best[0]:
            best = taken, name, step
    return best[1:]


def check(model, kind, x, label, steps):
    """What networks.c's check says, by a plain eager run."""
    if kind == "infer":
        y = inference_step(model, x)().double()
        return f"{y.sum():.7g} {y.abs().sum():.7g}"
    optimizer = dict(optimizers(kind, list(model.parameters())))["plain"]
    step = training_step(model, model, optimizer, x, label)
    return " ".join(f"{step().item():.7g}" for _ in range(steps))


def main(name, kind, batch, threads, weights):
    torch.set_num_threads(int(threads))
    before = resident()
    model = MODELS[name]()
    load(model, weights)
    x, label = batch_of(model, int(batch))
    if name == "M2":
        model = model.to(memory_format=torch.channels_last)
    model.train(kind != "infer")
    print(f"ready PyTorch {torch.__version__}", flush=True)
    step = None
    for line in sys.stdin:
        order, _, count = line.strip().partition(" ")
        if order == "check":
            print(check(model, kind, x, label, int(count)), flush=True)
        elif order == "prepare":
            way, step = fastest(model, kind, x, label)
            print(way, flush=True)
        elif order == "run":
            print("%.6f %.6f" % spent(step, int(count)), flush=True)
        elif order == "memory":
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            print(peak - before, flush=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--version"]:
        print(torch.__version__)
    elif sys.argv[1:] == ["--about"]:
        print(about())
    else:
        main(*sys.argv[1:])
