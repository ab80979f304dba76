"""The benchmark's peer ONNX Runtime, for inference, asked as networks.c is.

    ort.py NETWORK KIND BATCH THREADS WEIGHTS [WAY]
    ort.py --version | --about

The network is exported from PyTorch by a process of its own, so that this one
has nothing but ONNX Runtime in its memory.
"""
import os
import subprocess
import sys

try:
    import importlib.util
    import numpy
    import onnxruntime
    for module in ("torch", "onnx"):    # the export's
        if importlib.util.find_spec(module) is None:
            raise ImportError(f"No module named '{module}'")
except ImportError as missing:
    sys.exit(f"ort.py: {missing}")
import protocol


def export(name, batch, weights):
    script = os.path.join(os.path.dirname(__file__), "pytorch.py")
    subprocess.run([sys.executable, script, "--export", name, batch, weights,
                    weights], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def session_of(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = \
        onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options,
                                        ["CPUExecutionProvider"])


def bound_step(session, x):
    """Input and output stay where they are."""
    binding = session.io_binding()
    binding.bind_ortvalue_input(
        "x", onnxruntime.OrtValue.ortvalue_from_numpy(x))
    y = session.run(["y"], {"x": x})[0]
    binding.bind_ortvalue_output(
        "y", onnxruntime.OrtValue.ortvalue_from_numpy(y))
    return lambda: session.run_with_iobinding(binding)


def ways(session, x, wanted):
    made = {"plain": lambda: lambda: session.run(["y"], {"x": x}),
            "bound": lambda: bound_step(session, x)}
    for name in [wanted] if wanted else made:
        yield name, made[name]()


def check(session, x):
    y = session.run(["y"], {"x": x})[0].astype(numpy.float64)
    absolute = numpy.abs(y).sum()
    return f"{y.sum() / absolute:.7g} {absolute:.7g}"


def main(name, kind, batch, threads, weights, way=None):
    if kind not in ("infer", "latency"):
        print("pass: inference alone", flush=True)
        return
    if way is None:
        export(name, batch, weights)
    before = protocol.status("VmRSS")
    x = numpy.load(f"{weights}.npy")
    session = session_of(f"{weights}.onnx", int(threads))
    protocol.serve(f"ONNX Runtime {onnxruntime.__version__}", kind,
                   int(threads), before, lambda _: check(session, x),
                   lambda wanted: ways(session, x, wanted), way)


if __name__ == "__main__":
    if sys.argv[1:] == ["--version"]:
        print("ONNX Runtime", onnxruntime.__version__)
    elif sys.argv[1:] == ["--about"]:
        print(f"  ONNX Runtime {onnxruntime.__version__}, CPU, all graph "
              f"optimisations, exported from PyTorch; {sys.executable}")
    else:
        main(*sys.argv[1:])
