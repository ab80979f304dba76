"""The benchmark's peer PyTorch, asked as networks.c is.

    pytorch.py NETWORK KIND BATCH THREADS WEIGHTS [WAY]
    pytorch.py --version | --about
    pytorch.py --export NETWORK BATCH WEIGHTS FILE

The weights are those that networks.c wrote, the batch is the same.  Of the ways
there are to run a step (layout of images, frozen graph, eager or compiled,
which optimiser loop), the fastest of a few steps is taken and named.  --export
writes FILE.onnx and its input, FILE.npy, for other peers.
"""
import contextlib
import importlib
import os
import sys
import warnings

# It compiles here, not in processes that stay behind.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")

try:
    import numpy
    import torch
    from models import NETWORKS, batch_of, load
except ImportError as missing:
    sys.exit(f"pytorch.py: {missing}")
import protocol

warnings.filterwarnings("ignore")


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


def compile_modes():
    """The modes of torch.compile that are tried."""
    asked = os.environ.get("BENCH_COMPILE") or "1"
    if asked == "0" or not hasattr(torch, "compile"):
        return []
    return ["default", "max-autotune"] if asked == "max" else ["default"]


def about():
    how = "with" if torch.backends.mkldnn.is_available() else "without"
    modes = ", ".join(compile_modes()) or "none"
    return (f"  PyTorch {torch.__version__}, {how} oneDNN, {blas()}, eager and "
            f"frozen graphs, torch.compile: {modes}; {sys.executable}")


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


def gradient_step(model, run, x, label, optimizer=None):
    def step():
        model.zero_grad(set_to_none=True)
        loss = model.loss(run(x), label)
        loss.backward()
        if optimizer:
            optimizer.step()
        return loss
    return step


def inference_step(run, x, mode=torch.inference_mode):
    def step():
        with mode():
            return run(x)
    return step


def frozen(model, x):
    with torch.no_grad():
        graph = torch.jit.freeze(torch.jit.trace(model, x))
        return torch.jit.optimize_for_inference(graph)


def compiled(model, mode, inference):
    settings = importlib.import_module("torch._inductor.config")
    settings.freezing = inference       # weights are constants
    return torch.compile(model, mode=mode)


def forwards(model, x, inference):
    """Ways to run the model: name, layout of images, function that makes it."""
    layouts = ["channels last", "planes"] if x.dim() == 4 else [""]
    for layout in layouts:
        yield "eager", layout, lambda: model
        if inference:
            yield "frozen", layout, lambda: frozen(model, x)
    for mode in compile_modes():
        name = "compiled" if mode == "default" else f"compiled {mode}"
        yield (name, layouts[0],
               lambda mode=mode: compiled(model, mode, inference))


def steps(model, kind, x, label, run, name):
    """The ways to make a step of a way to run the model."""
    if kind in ("infer", "latency"):
        mode = (torch.no_grad if name.startswith("compiled")
                else torch.inference_mode)
        yield name, inference_step(run, x, mode)
    elif kind == "grad":
        yield name, gradient_step(model, run, x, label)
    else:
        for loop, optimizer in optimizers(kind, list(model.parameters())):
            yield (f"{name}, {loop} optimiser",
                   gradient_step(model, run, x, label, optimizer))


def arrange(model, x, layout):
    if not layout:
        return x
    order = (torch.channels_last if layout == "channels last"
             else torch.contiguous_format)
    model.to(memory_format=order)
    return x.contiguous(memory_format=order)


def ways(model, kind, x, label, wanted):
    """(name, step) of each way that works, or of the wanted one."""
    inference = kind in ("infer", "latency")
    for name, layout, make in forwards(model, x, inference):
        name = f"{name}, {layout}" if layout else name
        if wanted and not wanted.startswith(name):
            continue
        image = arrange(model, x, layout)
        try:
            with torch.no_grad() if inference else contextlib.nullcontext():
                run = make()
                run(image)
        except Exception as failure:    # no compiler, no Triton, ...
            print(f"pytorch.py: not {name}: {failure}"[:200], file=sys.stderr)
            continue
        for way, step in steps(model, kind, image, label, run, name):
            if wanted in (None, way):
                yield way, step


# ------------------------------------------------------------------ the peer


def check(model, kind, x, label, count):
    """What networks.c's check says, by a plain eager run."""
    if kind in ("infer", "latency"):
        y = inference_step(model, x)().double()
        absolute = y.abs().sum()
        return f"{y.sum() / absolute:.7g} {absolute:.7g}"
    if kind == "grad":
        loss = gradient_step(model, model, x, label)()
        total = sum(p.grad.double().abs().sum() for p in model.parameters())
        return f"{loss.item():.7g} {total:.7g}"
    optimizer = dict(optimizers(kind, list(model.parameters())))["plain"]
    step = gradient_step(model, model, x, label, optimizer)
    return " ".join(f"{step().item():.7g}" for _ in range(count))


def build(name, batch, weights):
    model = NETWORKS[name.split("_")[0]]()
    load(model, weights)
    return model, *batch_of(model, int(batch))


def export(name, batch, weights, file):
    model, x, _ = build(name, batch, weights)
    flags = {"dynamo": False} if torch.__version__ > "2" else {}
    torch.onnx.export(model.eval(), (x,), f"{file}.onnx", opset_version=17,
                      input_names=["x"], output_names=["y"], **flags)
    numpy.save(f"{file}.npy", numpy.ascontiguousarray(x.numpy()))


def main(name, kind, batch, threads, weights, way=None):
    torch.set_num_threads(int(threads))
    if way and way.startswith("compiled"):
        importlib.import_module("torch._inductor.compile_fx")
    before = protocol.status("VmRSS")
    model, x, label = build(name, batch, weights)
    model.train(kind not in ("infer", "latency"))
    protocol.serve(
        f"PyTorch {torch.__version__}", kind, int(threads), before,
        lambda count: check(model, kind, arrange(
            model, x, "channels last" if x.dim() == 4 else ""), label, count),
        lambda wanted: ways(model, kind, x, label, wanted), way)


if __name__ == "__main__":
    if sys.argv[1:] == ["--version"]:
        print("PyTorch", torch.__version__)
    elif sys.argv[1:] == ["--about"]:
        print(about())
    elif sys.argv[1] == "--export":
        export(*sys.argv[2:])
    else:
        main(*sys.argv[1:])
