#!/usr/bin/python3
"""Networks at full size against PyTorch, nothing stored: ResNet-20 at batch 4
and the residual MLP at batch 64, each as it stands in examples/ and as a
smooth twin (gelu for relu).

    tests/full.py           needs build/rnetc, build/librnet.a and PyTorch;
                            without PyTorch it says so and passes
    BUILD, RNETC, LIBRNET, OUT, CC as for networks.sh

Parameters come from NAME_init, through rnet_save; PyTorch loads them, and both
take one training step.  The reference is PyTorch in float64; what PyTorch in
float32 misses it by is printed beside our error.  Then PyTorch writes weights,
rnet_load reads them, and rnet_save gives the same back.

A relu's sign that rounding flips changes earlier gradients by 1e-4 to 5e-3.
The data are those, of SEEDS tries, that stay farthest from such kinks; still
the networks with relu are only held to the looser bound, and their smooth
twins, which have every other piece in common, to float32's rounding.
"""
import copy
import json
import os
import re
import struct
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tests", "fixtures"))
try:
    import numpy
    import torch
except ImportError:
    print("full.py: skipped, this Python has no PyTorch")
    sys.exit(0)

import examples
from make_fixtures import (draw_port, randomise, statistics,
                           write_safetensors)
from pieces import gelu, margins, relu

BUILD = os.environ.get("BUILD", "build")
RNETC = os.environ.get("RNETC", BUILD + "/rnetc")
LIBRNET = os.environ.get("LIBRNET", BUILD + "/librnet.a")
OUT = os.environ.get("OUT", BUILD + "/full")
CC = os.environ.get("CC", "cc")

# Relative to a tensor's largest magnitude, as in compare.c; a gradient is
# measured against a hundredth of the network's largest at least.
ACTIVATIONS = 5e-6
GRADIENTS_SMOOTH = 5e-5
GRADIENTS_RELU = 5e-3
FLOOR = 1e-2
SEEDS = 12

NETWORKS = [
    # label, example, network's name, PyTorch's module by the example's knobs,
    # batch, image
    ("ResNet-20", "resnet_cifar", "resnet_cifar",
     lambda knob, activation: examples.ResnetCifar(
         knob["n"], knob["width"], knob["classes"], knob["colours"],
         activation),
     4, (32, 32, 3)),
    ("residual MLP", "residual_mlp", "digits",
     lambda knob, activation: examples.residual_mlp(
         knob["width"], knob["depth"], knob["classes"], activation),
     64, (28, 28)),
]

passed = failed = 0


def check(good, what):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print(f"full.py: {what}: FAILED")


# ------------------------------------------------------------- files

def read_safetensors(path):
    with open(path, "rb") as file:
        content = file.read()
    [length] = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8:8 + length]), content[8 + length:]
    header.pop("__metadata__", None)
    tensors = {}
    for name, row in header.items():
        assert row["dtype"] == "F32", name
        begin, end = row["data_offsets"]
        array = numpy.frombuffer(data[begin:end], "<f4").reshape(row["shape"])
        tensors[name] = torch.tensor(array)
    return tensors


def state(module):
    """What PyTorch saves, but for the count of batches."""
    return {name: tensor for name, tensor in module.state_dict().items()
            if not name.endswith("num_batches_tracked")}


def same_table(tensors, module):
    ours = {name: tuple(t.shape) for name, t in tensors.items()}
    return ours == {name: tuple(t.shape) for name, t in state(module).items()}


# ------------------------------------------------------------- programs

def build(example, network, smooth):
    """The program for one network; a smooth twin is made from its text."""
    kind = network + ("_smooth" if smooth else "")
    stem = os.path.join(OUT, kind)
    with open(f"examples/{example}.rnet") as file:
        text = file.read()
    if smooth:
        text = re.sub(r"\brelu\b", "gelu", text)
    with open(stem + ".rnet", "w") as file:
        file.write(text)
    subprocess.run([RNETC, stem + ".rnet", "-o", stem + ".c"], check=True)
    subprocess.run([CC, "-std=gnu11", "-O2", "-pthread", "-Iruntime",
                    "-Itests", "-I" + OUT, "-DNETWORK=" + network, "-include",
                    kind + ".h", "-o", stem, "tests/full.c",
                    "tests/fixture.c", stem + ".c", LIBRNET, "-lm"],
                   check=True)
    return stem


def knobs(program, network):
    """The network's parameters as the emitted header states them."""
    with open(program + ".h") as file:
        found = re.findall(rf"#define {network.upper()}_(\w+)\s+(\d+)\b",
                           file.read())
    return {name.lower(): int(value) for name, value in found}


def run(program, *arguments, isa=None):
    """The last line that it prints; None where it failed."""
    environment = dict(os.environ, RNET_ISA=isa) if isa else None
    done = subprocess.run([program, *arguments], env=environment,
                          stdout=subprocess.PIPE, text=True)
    check(done.returncode == 0, f"{program} {arguments[0]}: {done.stdout}")
    return done.stdout.strip() if done.returncode == 0 else None


# ------------------------------------------------------------- PyTorch

def torch_step(module, tensors, image, label, real):
    """loss, outputs and gradients in the precision `real`; `module` stays."""
    module = copy.deepcopy(module).to(real)
    missing = module.load_state_dict(tensors, strict=False).missing_keys
    assert all(name.endswith("num_batches_tracked") for name in missing)
    with torch.no_grad():
        [infer] = module.eval()(image.to(real)).values()
    outputs = module.train()(image.to(real))
    loss = module.loss(outputs, label)
    loss.backward()
    [train] = outputs.values()
    after = {name: tensor for name, tensor in state(module).items()
             if statistics(name)}
    grads = {name: value.grad for name, value in module.named_parameters()}
    return {"loss": loss.detach().reshape(1), "infer": infer,
            "train": train.detach(), **after}, grads


def draw(module, tensors, batch, shape, smooth):
    """The data of the seed whose values stay farthest from every kink."""
    best = (-1, None, None)
    module.load_state_dict(tensors, strict=False)
    for seed in range(1, 2 if smooth else SEEDS + 1):
        generator = torch.Generator().manual_seed(seed)
        image = draw_port(shape, batch, generator, False)
        label = draw_port(((), 10), batch, generator, False)
        margins.clear()
        with torch.no_grad():
            copy.deepcopy(module).train()(image)
        margin = min(margins, default=1)
        if margin > best[0]:
            best = (margin, image, label)
    return best


# ------------------------------------------------------------- comparing

def gap(ours, reference, floor=0.0):
    scale = max(float(reference.abs().max()), floor, 1e-30)
    return float((ours.double() - reference).abs().max()) / scale


def worst(ours, reference, floor=0.0):
    """The largest error of all tensors, and whose it is."""
    assert ours.keys() == reference.keys()
    return max((gap(ours[name], reference[name], floor), name)
               for name in reference)


def our_step(program, module, params, data, batch, isa):
    result, numbers = program + ".result", program + ".numbers"
    used = run(program, "step", params, data, result, numbers, isa=isa)
    if used != isa:
        return None             # this machine has no such instructions
    values = torch.tensor(numpy.fromfile(numbers, "<f4"))
    outputs = values[1:].reshape(2, batch, -1)
    tensors = read_safetensors(result)
    trained = {name for name, _ in module.named_parameters()}
    activations = {"loss": values[:1], "infer": outputs[0],
                   "train": outputs[1]}
    activations.update((name, tensor) for name, tensor in tensors.items()
                       if name not in trained)
    return activations, {name: tensors[name] for name in trained}


def compare_steps(label, program, module, batch, shape, smooth):
    params, data = program + ".params", program + ".data"
    run(program, "init", params)
    tensors = read_safetensors(params)
    check(same_table(tensors, module), f"{label}: names and shapes")
    margin, image, target = draw(module, tensors, batch, shape, smooth)
    write_safetensors(data, {"input:image": image, "target:label": target})
    reference, grads = torch_step(module, tensors, image, target,
                                  torch.float64)
    floor = FLOOR * max(float(g.abs().max()) for g in grads.values())
    bound = GRADIENTS_SMOOTH if smooth else GRADIENTS_RELU

    def report(who, activations, gradients, held):
        a, b = worst(activations, reference), worst(gradients, grads, floor)
        good = not held or (a[0] <= ACTIVATIONS and b[0] <= bound)
        print(f"  {who:8} activations {a[0]:.1e}  gradients {b[0]:.1e} "
              f"({b[1]})")
        check(good, f"{label}, {who}")

    print(f"{label}: batch {batch}, "
          f"{sum(g.numel() for g in grads.values()):,} parameters, "
          + ("smooth" if smooth else f"{margin:.0e} from a kink")
          + f"; at most {ACTIVATIONS:.0e}, gradients {bound:.0e}")
    for isa in ("base", "avx2", "avx512"):
        ours = our_step(program, module, params, data, batch, isa)
        if ours:
            report(isa, *ours, True)
    report("PyTorch", *torch_step(module, tensors, image, target,
                                  torch.float32), False)


def exchange(label, program, module, batch, shape):
    """Weights from PyTorch to rnet_load and back, to the bit."""
    theirs, copied = program + ".theirs", program + ".copied"
    generator = torch.Generator().manual_seed(5)
    randomise(module, generator)
    write_safetensors(theirs, module.state_dict())
    run(program, "copy", theirs, copied)
    back = read_safetensors(copied)
    check(same_table(back, module), f"{label}: names and shapes")
    check(all(torch.equal(back[name].double(), tensor)
              for name, tensor in state(module).items()),
          f"{label}: weights through rnet_load and rnet_save")
    image = draw_port(shape, batch, generator, False)
    target = draw_port(((), 10), batch, generator, False)
    data = program + ".data"
    write_safetensors(data, {"input:image": image, "target:label": target})
    run(program, "step", theirs, data, program + ".result",
        program + ".numbers")
    values = torch.tensor(numpy.fromfile(program + ".numbers", "<f4"))
    with torch.no_grad():
        [expected] = module.eval()(image).values()
    error = gap(values[1:].reshape(2, batch, -1)[0], expected)
    check(error <= ACTIVATIONS, f"{label}: inference with PyTorch's weights")
    print(f"{label}: PyTorch's weights, loaded and saved: the same; inference "
          f"{error:.1e}")


def main():
    os.chdir(ROOT)
    os.makedirs(OUT, exist_ok=True)
    for label, example, network, make, batch, shape in NETWORKS:
        for smooth in (False, True):
            title = label + (", smooth" if smooth else "")
            program = build(example, network, smooth)
            module = make(knobs(program, network), gelu if smooth else relu)
            compare_steps(title, program, module, batch, shape, smooth)
        exchange(label, program, module, batch, shape)
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
