#!/usr/bin/python3
"""Random networks against PyTorch in float64: reads the .rnet text itself (see
rnet_text.py), computes with torch what docs/LANGUAGE.md says, and compares with
what the emitted code gave: outputs of inference and of training, the loss, all
gradients and running statistics.

    translate.py FOLDER NAME ...     FOLDER/NAME.rnet, and NAME.numbers that
                                     numbers.c wrote

Parameters are taken by their dotted names; one that is not there, or has
another shape, or is left over, is a failure.  A construct that is not known
here is said, and the network is not compared.
"""
import json
import math
import os
import struct
import sys

import numpy
import torch
from torch.nn import functional

import rnet_text

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
TOLERANCE = 1e-6        # of the largest magnitude of what is compared
FLOOR = 1e-2            # of the largest gradient, likewise of 1

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


class Unsupported(Exception):
    """A construct that this translation does not know."""


class Wrong(Exception):
    """The network is not what its text says."""


# ------------------------------------------------------------- files

def read_numbers(path):
    """name -> tensor, from a file in the form of safetensors."""
    with open(path, "rb") as file:
        content = file.read()
    [length] = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8:8 + length]), content[8 + length:]
    kinds = {"F64": "<f8", "I32": "<i4", "I64": "<i8"}
    tensors = {}
    for name, row in header.items():
        begin, end = row["data_offsets"]
        array = numpy.frombuffer(data[begin:end], kinds[row["dtype"]])
        tensors[name] = torch.tensor(array.reshape(row["shape"]))
    return tensors


def read_program(path, seen=None):
    """networks and blocks of a file and of what it imports."""
    seen = seen if seen is not None else set()
    if path in seen:
        return {}, {}
    seen.add(path)
    with open(path, newline="") as file:
        imports, networks, blocks = rnet_text.Reader(file.read()).file()
    for name in imports:
        library = "/" not in name and "." not in name
        other = os.path.join(ROOT, "library", name + ".rnet") if library \
            else os.path.join(os.path.dirname(path), name)
        blocks.update(read_program(os.path.normpath(other), seen)[1])
    return networks, blocks


# ------------------------------------------------------------- names

class Scope:
    """The names of a body's parameters: X.k for the k-th use of X."""

    def __init__(self, prefix, loops):
        self.prefix, self.loops, self.uses = prefix, loops, {}

    def join(self, last):
        return self.prefix + "." + last if self.prefix else last

    def next(self, word, indexed=True):
        k = self.uses.get((word, indexed), 0)
        self.uses[word, indexed] = k + 1
        return self.join(f"{word}.{k}" if indexed else word)


class Bound:
    """A chain given as an argument, with the names it was written among."""

    def __init__(self, node, env):
        self.node, self.env = node, env


class Shared:
    def __init__(self, node, env, path):
        self.node, self.env, self.path = node, env, path


class Graph:
    def __init__(self, weights):
        self.weights = weights          # (nodes, nodes)


class Body:
    """One body while it is run."""

    def __init__(self, env, scope, **more):
        self.env, self.scope = env, scope
        self.loops, self.before, self.after = 0, None, None
        self.stream, self.as_name, self.making = None, None, None
        self.first_in = self.first_normed = None
        self.__dict__.update(more)

    def inner(self, **more):
        body = Body(self.env, self.scope)
        body.__dict__.update(self.__dict__)
        body.__dict__.update(more)
        return body


# ------------------------------------------------------------- functions

FUNCTIONS = {
    "relu": functional.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh,
    "relu6": functional.relu6, "silu": functional.silu, "exp": torch.exp,
    "softplus": lambda x: torch.log1p(torch.exp(-x.abs())) + x.clamp(min=0),
    "log": torch.log, "abs": torch.abs, "identity": lambda x: x,
    "gelu_tanh": lambda x: functional.gelu(x, approximate="tanh"),
    "softmax": lambda x: torch.softmax(x, -1),
    "flatten": lambda x: x.flatten(1),
}

# name -> arguments in order: (name, default or None, word or None)
CONV = [("channels", None, None), ("kernel", None, None), ("stride", 1, None),
        ("padding", "same", "causal"), ("dilation", 1, None),
        ("groups", 1, None), ("bias", "auto", None)]
UPCONV = [("channels", None, None), ("kernel", None, None),
          ("stride", "kernel", None), ("padding", 0, None),
          ("dilation", 1, None), ("groups", 1, None), ("bias", "auto", None),
          ("output_padding", 0, None)]
POOL = [("size", None, "all"), ("stride", "size", None), ("padding", 0, None)]
NORM = [("eps", 1e-5, None), ("affine", 1, None), ("gamma", 1, None)]
CELL = [("hidden", None, None), ("bias", 1, None), ("reverse", 0, None)]
LAYERS = {
    **{name: [] for name in FUNCTIONS},
    "gelu": [("form", 0, "tanh")], "leaky_relu": [("slope", 0.01, None)],
    "elu": [("alpha", 1, None)],
    "linear": [("out", None, None), ("bias", "auto", None)],
    "embedding": [("vocabulary", None, None), ("width", None, None)],
    "conv": CONV, "conv1d": CONV, "upconv": UPCONV, "upconv1d": UPCONV,
    "maxpool": POOL, "avgpool": POOL + [("count_pad", 1, None)],
    "upsample": [("factor", None, None), ("form", 0, "bilinear")],
    "pad": [("sides", None, None)], "crop": [("size", None, None)],
    "reshape": [("shape", None, None)],
    "slice": [("from", None, None), ("to", None, None), ("axis", -1, None)],
    "part": [("number", None, None), ("of", None, None), ("axis", -1, None)],
    "row": [("number", None, None)],
    "learned": [("value", None, None), ("shape", None, None)],
    "attention": [("heads", None, None), ("causal", 0, "causal"),
                  ("groups", "heads", None), ("head", "even", None),
                  ("from", "none", None), ("lengths", "none", None),
                  ("bias", "auto", None), ("rope", 0, "rope"),
                  ("neighbours", 0, "neighbours"), ("qk_norm", "none", None)],
    "positions": [("kind", None, None), ("count", "rows", None),
                  ("base", 10000, None)],
    "time_embedding": [("features", None, None), ("base", 10000, None),
                       ("shift", 1, None)],
    "dropout": [("p", None, None)],
    "layernorm": NORM, "rmsnorm": NORM,
    "batchnorm": [("eps", 1e-5, None), ("gamma", 1, None)],
    "groupnorm": [("groups", None, None)] + NORM, "instancenorm": NORM,
    "shift": [("start", 0, None)], "gain": [("start", 1, None)],
    "lstm": CELL, "gru": CELL,
    "aggregate": [("graph", None, None), ("kind", None, None)],
    "concat": [],
}
CHAINS = {("crop", "size"), ("attention", "from"), ("attention", "lengths"),
          ("attention", "qk_norm"), ("positions", "kind"),
          ("aggregate", "graph"), ("aggregate", "kind")}
WEIGHTS = {"linear", "conv", "conv1d", "upconv", "upconv1d", "attention",
           "lstm", "gru"}
INITIAL = {"init", "v_init", "out_init"}


def pair(n):
    return list(n) if isinstance(n, list) else [n, n]


def is_value(thing):
    return isinstance(thing, torch.Tensor)


def broadcast(a, b):
    """[C] goes with [.., C]: samples come first."""
    if is_value(a) and is_value(b) and a.dim() != b.dim():
        if a.dim() == 2:
            a = a.reshape(a.shape[0], *[1] * (b.dim() - 2), a.shape[1])
        elif b.dim() == 2:
            b = b.reshape(b.shape[0], *[1] * (a.dim() - 2), b.shape[1])
    return a, b


def divide(a, b):
    if not (isinstance(a, int) and isinstance(b, int)):
        return a / b
    return a // b if a % b == 0 else a / b


OPERATORS = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b,
    "*": lambda a, b: a * b, "/": divide, "^": lambda a, b: a ** b,
    "||": lambda a, b: int(bool(a) or bool(b)),
    "&&": lambda a, b: int(bool(a) and bool(b)),
    "==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b), ">": lambda a, b: int(a > b),
    "<=": lambda a, b: int(a <= b), ">=": lambda a, b: int(a >= b),
}
OF_NUMBERS = {
    "sqrt": math.sqrt, "log": math.log, "exp": math.exp, "abs": abs,
    "floor": math.floor, "ceil": math.ceil, "min": min, "max": max,
    "round": lambda x: math.floor(x + 0.5) if x >= 0 else math.ceil(x - 0.5),
}


class NoNumber(Exception):
    pass


def single(n):
    """Numbers stand in emitted code as float, in the double build too."""
    return float(numpy.float32(n)) if isinstance(n, float) else n


def number(node, env):
    """A number, or NoNumber."""
    kind = node[0]
    if kind == "number":
        return node[1]
    if kind == "name":
        thing = env.get(node[1])
        if node[1] in ("yes", "no") and thing is None:
            return int(node[1] == "yes")
        if isinstance(thing, Bound):
            return number(thing.node, thing.env)
        if isinstance(thing, (int, float)):
            return thing
    if kind == "call" and node[1] in OF_NUMBERS and node[2] \
            and node[1] not in env:
        return OF_NUMBERS[node[1]](*[number(a, env) for _, a in node[2]])
    if kind == "negate":
        return -number(node[1], env)
    if kind == "binary":
        return OPERATORS[node[1]](number(node[2], env), number(node[3], env))
    if kind == "condition":
        return number(node[2] if number(node[1], env) else node[3], env)
    if kind == "list":
        return [number(n, env) for n in node[1]]
    raise NoNumber


def is_number(node, env):
    try:
        return not isinstance(number(node, env), list)
    except NoNumber:
        return False


# ------------------------------------------------------------- a network

class Network:
    """Runs a network's text on tensors."""

    def __init__(self, name, networks, blocks, numbers, training):
        self.parameters, self.items = networks[name]
        self.blocks, self.training = blocks, training
        self.leaves, self.used, self.moved = {}, set(), {}
        self.numbers = numbers
        self.outputs, self.loss, self.ports = {}, 0, {}

    # ---- parameters

    def has(self, name):
        return "param:" + name in self.numbers

    def param(self, name, *shape):
        """The leaf of this name, which must have the shape."""
        if name not in self.leaves:
            if not self.has(name):
                raise Wrong(f"there is no parameter {name}")
            leaf = self.numbers["param:" + name].clone()
            self.leaves[name] = leaf.requires_grad_(
                not name.endswith(("running_mean", "running_var")))
        leaf = self.leaves[name]
        if tuple(leaf.shape) != tuple(shape):
            raise Wrong(f"{name} is {tuple(leaf.shape)}, not {shape}")
        return leaf

    def bias(self, path, bias, count, name="bias"):
        """`auto`: as the emitted code has it."""
        if bias == "auto" and not self.has(f"{path}.{name}"):
            return None
        return self.param(f"{path}.{name}", count) if bias else None

    def path(self, body, word):
        if body.making and not body.making[1]:
            body.making[1] = True
            return body.making[0]
        name, body.as_name = body.as_name, None
        if name:
            return body.scope.next(name, body.loops > body.scope.loops)
        return body.scope.next(word)

    def property_scope(self, body, word):
        """Names of what a property makes."""
        made = body.scope.uses.get(("a " + word, True), 0)
        body.scope.uses["a " + word, True] = made + 1
        looped = body.loops > body.scope.loops
        return body.scope.join(f"{word}.{made}" if looped or made else word)

    # ---- the whole

    def port(self, name):
        for kind in ("input", "target"):
            if f"{kind}:{name}" in self.numbers:
                leaf = self.numbers[f"{kind}:{name}"]
                if leaf.is_floating_point():
                    leaf = leaf.clone().requires_grad_()
                self.ports[name] = leaf
                return leaf
        raise Wrong(f"there is no port {name}")

    def run(self):
        env = {}
        for name, default in self.parameters:
            env[name] = number(default, env)
        body = Body(env, Scope("", 0), network=True)
        body.network_inputs = [i for i in self.items if i[0] == "input"
                               and i[2] != "graph"]
        self.run_items(body, self.items, None)

    # ---- bodies

    def properties(self, items, body):
        """The properties of a body, those in chosen ifs among them."""
        found = {}
        for item in self.chosen(items, body):
            if item[0] == "norm":
                found["weights " + item[2] if item[3] else "norm"] = item
            elif item[0] in ("shortcut", "scale", "drop", "then"):
                found[item[0]] = item[1]
        return found

    def chosen(self, items, body):
        env = dict(body.env)
        for item in items:
            if item[0] == "value" and is_number(item[2], env):
                env[item[1]] = number(item[2], env)
            if item[0] == "if":
                try:
                    branch = item[2] if number(item[1], env) else item[3]
                except NoNumber:
                    raise Unsupported("an if that is not known at first")
                yield from self.chosen(branch, body.inner(env=env))
            else:
                yield item

    def run_block(self, body, items, x):
        """A block or group that is not directly in a stream."""
        p = self.properties(items, body)
        return self.finish(body, p, x, *self.branch(body, p, items, x))

    def branch(self, body, p, items, x):
        gate = None
        body.before = p.get("weights before")
        body.after = p.get("weights after")
        body.first_in = body.first_normed = None
        shortcut = self.head(p["shortcut"], body.env) if "shortcut" in p \
            else (("name", "none"), body.env)
        if shortcut[0][:2] == ("name", "gated") \
                or shortcut[0][:2] == ("call", "gated"):
            gate = self.open_gate(body, shortcut, x)
        y = x
        if "norm" in p and p["norm"][2] != "after":
            y = self.norm(body, p["norm"][1], x)
        return self.run_items(body, items, y), shortcut, gate

    def finish(self, body, p, x, y, shortcut, gate):
        place = p["norm"][2] if "norm" in p else None
        if place == "around":
            y = self.norm(body, p["norm"][1], y)
        y = self.scaled(body, p, y)
        self.dropped(body, p)
        y = self.joined(body, shortcut, gate, x, y)
        if place == "after":
            y = self.norm(body, p["norm"][1], y)
        if "then" in p:
            y = self.value(body, p["then"], y)
        return y

    def run_items(self, body, items, x):
        env = body.env
        body.env = dict(env)
        x = self.run_list(body, items, x)
        body.env = env
        return x

    def run_list(self, body, items, x):
        for item in items:
            x = self.run_item(body, item, x)
        return x

    def run_item(self, body, item, x):
        kind = item[0]
        if kind == "line":
            return self.value(body, item[1], x, column=True)
        if kind == "value":
            self.side_line(body, item[1], item[2], x)
        elif kind == "if":
            branch = item[2] if number(item[1], body.env) else item[3]
            return self.run_list(body, branch, x)
        elif kind == "shared":
            indexed = body.loops > body.scope.loops
            body.env[item[1]] = Shared(item[2], body.env, body.scope.next(
                item[1], indexed))
        elif kind == "input" and getattr(body, "network", False):
            x = self.input(body, item, x)
        elif kind == "output":
            y = self.value(body, item[2], x) if item[2] else x
            self.outputs[item[1]] = body.env[item[1]] = y
        elif kind == "loss" and self.training:
            self.loss = self.loss + self.loss_of(body, item[1])
        return x

    def side_line(self, body, name, node, x):
        if is_number(node, body.env):
            body.env[name] = number(node, body.env)
        else:
            body.env[name] = self.value(body, node, x)

    def input(self, body, item, x):
        _, name, kind, axes = item
        if kind == "graph":
            body.env[name] = Graph(self.numbers["input:" + name])
            return x
        if not getattr(body, "network", False):
            self.bind_axes(body, axes, x)
            body.env[name] = x
            return x
        body.env[name] = self.port(name)
        return body.env[name] if len(body.network_inputs) == 1 else x

    def bind_axes(self, body, axes, x):
        sizes = list(x.shape[1:])
        if ("rest",) in axes:
            at = axes.index(("rest",))
            rest = len(sizes) - (len(axes) - 1)
            sizes[at:at + rest] = [None]
        for axis, size in zip(axes, sizes):
            if axis[0] == "name" and axis[1] not in body.env:
                body.env[axis[1]] = size
            elif axis != ("rest",) and number(axis, body.env) != size:
                raise Wrong("an axis of a block's input")

    # ---- properties

    def head(self, node, env):
        """A property's first word, which may be a parameter of the block."""
        while node[0] in ("name", "call") and isinstance(env.get(node[1]),
                                                         Bound):
            bound = env[node[1]]
            if node[0] == "call":
                raise Unsupported("arguments after a property's parameter")
            node, env = bound.node, bound.env
        return node, env

    def norm(self, body, node, x):
        """K, or K -> activation."""
        links = node[1] if node[0] == "flow" else [node]
        kind, env = self.head(links[0], body.env)
        names = {"layer": "layernorm", "rms": "rmsnorm", "batch": "batchnorm",
                 "group": "groupnorm", "instance": "instancenorm"}
        arguments = kind[2] if kind[0] == "call" else []
        name, body.as_name = body.as_name, None
        outer, body.env = body.env, env
        x = self.layer(body, names[kind[1]], arguments, x)
        body.env, body.as_name = outer, name
        for link in links[1:]:
            x = self.value(body, link, x)
        return x

    def scaled(self, body, p, y):
        if "scale" not in p:
            return y
        node, env = self.head(p["scale"], body.env)
        if is_number(node, env):
            return y * single(number(node, env))
        path = self.property_scope(body, "scale")
        return y * self.param(path, 1 if node[1] == "learned" else y.shape[-1])

    def dropped(self, body, p):
        if "drop" not in p:
            return
        node, env = self.head(p["drop"], body.env)
        if number(node[2][0][1], env) != 0:
            raise Unsupported("drop")

    def gate_weights(self, body, path, x, bias):
        shape = [x.shape[-1]] * 2 + [1] * (2 if x.dim() == 4 else 0)
        weight = self.param(path + ".weight", *shape).flatten(1)
        return functional.linear(x, weight, self.param(
            path + ".bias", x.shape[-1]) if bias else None)

    def open_gate(self, body, shortcut, x):
        node = shortcut[0]
        words = [a[1] for name, a in node[2] if not name] \
            if node[0] == "call" else []
        kind = words[0] if words else "highway"
        if kind == "gru":
            return "gru", None
        path = self.property_scope(body, "gate")
        layer = "conv" if x.dim() == 4 else "linear"
        return kind, torch.sigmoid(self.gate_weights(
            body, f"{path}.{layer}.0", x, True))

    def gru_gate(self, body, x, y):
        path = self.property_scope(body, "gate")

        def weigh(name, v):
            return self.gate_weights(body, f"{path}.{name}", v, False)

        z = torch.sigmoid(weigh("w_z", y) + weigh("u_z", x)
                          - self.param(path + ".bias", x.shape[-1]))
        r = torch.sigmoid(weigh("w_r", y) + weigh("u_r", x))
        h = torch.tanh(weigh("w_g", y) + weigh("u_g", r * x))
        return (1 - z) * x + z * h

    def joined(self, body, shortcut, gate, x, y):
        node, env = shortcut
        word = node[1] if node[0] in ("name", "call") else None
        if gate and gate[0] == "gru":
            return self.gru_gate(body, x, y)
        if gate:
            kind, t = gate
            return y + (1 - t) * x if kind == "shortcut" \
                else t * y + (1 - t) * x
        if word == "none":
            return y
        if word == "identity":
            return x + y
        if word == "dense":
            return torch.cat([x, y], -1)
        if word == "projection":
            return self.projected(body, node, x, y) + y
        if is_number(node, env):
            return single(number(node, env)) * x + y
        inner = body.inner(scope=Scope(self.property_scope(body, "shortcut"),
                                       body.loops), env=env)
        return self.value(inner, node, x) + y

    def projected(self, body, node, x, y):
        word = node[2][0][1][1] if node[0] == "call" else "conv"
        if word != "always" and x.shape == y.shape:
            return x
        strides = [-(-a // b) for a, b in zip(x.shape[1:-1], y.shape[1:-1])]
        if word != "pad" and body.first_in is x \
                and body.first_normed is not None:
            x = body.first_normed
        for axis, stride in enumerate(strides):
            at = torch.arange(0, x.shape[axis + 1], stride)
            x = x.index_select(axis + 1, at)
        if word == "pad":
            return functional.pad(x, [0, y.shape[-1] - x.shape[-1]])
        maps = x.dim() == 4 or (x.dim() == 3 and strides != [1])
        inner = body.inner(scope=Scope(self.property_scope(body, "shortcut"),
                                       body.loops), as_name=None)
        name = "linear" if not maps else "conv" if x.dim() == 4 else "conv1d"
        path = inner.scope.next(name)
        weight = self.param(path + ".weight", y.shape[-1], x.shape[-1],
                            *[1] * (x.dim() - 2 if maps else 0))
        x = functional.linear(x, weight.flatten(1))
        if body.after:
            inner.env = body.env
            x = self.norm(inner, body.after[1], x)
        return x

    # ---- chains

    def value(self, body, node, x, column=False):
        kind = node[0]
        if kind == "flow":
            for link in node[1]:
                x = self.value(body, link, x, column)
            return x
        if kind == "as":
            return self.named(body, node, x, column)
        if kind == "call" and is_number(node, body.env):
            return single(number(node, body.env))   # log, exp and abs are layers too
        if kind == "name" or kind == "call":
            arguments = node[2] if kind == "call" else []
            return self.applied(body, node[1], arguments, x, column)
        if kind == "number" or is_number(node, body.env):
            return single(number(node, body.env))
        if kind == "negate":
            return -self.value(body, node[1], x)
        if kind == "binary":
            return self.binary(body, node, x)
        if kind == "condition":
            chosen = node[2] if number(node[1], body.env) else node[3]
            return self.value(body, chosen, x, column)
        if kind == "group":
            return self.group(body, node[1], x)
        if kind == "repeat":
            return self.repeat(body, node, x)
        if kind == "checkpoint":
            return self.value(body, node[1], x)
        if kind == "stream":
            return self.stream(body, node, x)
        raise Unsupported(kind)

    def named(self, body, node, x, column):
        body.as_name = node[2]
        x = self.value(body, node[1], x, column)
        body.as_name = None
        body.env[node[2]] = x
        return x

    def unnamed(self, body, node, x):
        name, body.as_name = body.as_name, None
        making, body.making = body.making, None
        x = self.value(body, node, x)
        body.as_name, body.making = name, making
        return x

    def binary(self, body, node, x):
        a = self.unnamed(body, node[2], x)
        b = self.unnamed(body, node[3], x)
        return OPERATORS[node[1]](*broadcast(a, b))

    def group(self, body, items, x):
        """In a stream, one with a shortcut is a block of it."""
        inner = body.inner(before=None, after=None)
        if body.stream and "shortcut" in self.properties(items, inner):
            inner.stream = None
            return body.stream.through(inner, items, body.stream.read(), x)
        if body.stream:
            return self.run_items(inner, items, x)
        y = self.run_block(inner, items, x)
        return y

    def repeat(self, body, node, x):
        for i in range(number(node[1], body.env)):
            inner = body.inner(env=dict(body.env), loops=body.loops + 1)
            if node[2]:
                inner.env[node[2]] = i
            x = self.value(inner, node[3], x)
        return x

    # ---- blocks

    def applied(self, body, name, arguments, x, column):
        thing = body.env.get(name)
        if isinstance(thing, (int, float)) or (thing is None and name in
                                               ("yes", "no")):
            return single(number(("name", name), body.env))
        if isinstance(thing, Shared):
            return self.apply_shared(body, thing, arguments, x, column)
        if isinstance(thing, Bound):
            return self.apply_bound(body, thing, arguments, x, column)
        if is_value(thing):
            return thing
        if name in LAYERS:
            return self.apply_layer(body, name, arguments, x, column)
        if name in self.blocks:
            return self.call(body, name, arguments, x)
        raise Unsupported(f"the name {name}")

    def apply_shared(self, body, shared, arguments, x, column):
        for _, chain in arguments:          # f(chain) is chain -> f
            x = self.unnamed(body, chain, x)
        inner = body.inner(env=shared.env, making=[shared.path, False],
                           as_name=None)
        node = shared.node
        x = self.applied(inner, node[1], node[2] if node[0] == "call" else [],
                         x, column)
        if column and inner.first_normed is not None \
                and body.first_normed is None:
            body.first_in, body.first_normed = (inner.first_in,
                                                inner.first_normed)
        return x

    def apply_bound(self, body, bound, arguments, x, column):
        node = bound.node
        env, body.env = body.env, bound.env
        if arguments:
            given = node[2] if node[0] == "call" else []
            moved = [(name, ("bound", Bound(a, env)))
                     for name, a in arguments]
            x = self.applied(body, node[1], given + moved, x, column)
        else:
            x = self.value(body, node, x, column)
        body.env = env
        return x

    def bind(self, body, name, arguments):
        parameters = self.blocks[name][0]
        env, given = {}, {}
        names = [p[0] for p in parameters]
        unnamed = [a for n, a in arguments if not n]
        for i, node in enumerate(unnamed):
            given[names[i]] = node
        given.update({n: a for n, a in arguments if n})
        for parameter, default in parameters:
            node, around = (given[parameter], body.env) \
                if parameter in given else (default, env)
            if node[0] == "bound":
                node, around = node[1].node, node[1].env
            env[parameter] = self.bound(node, around)
        return env

    @staticmethod
    def bound(node, around):
        if is_number(node, around):
            return number(node, around)
        if node[0] == "name" and isinstance(around.get(node[1]),
                                            (Bound, Graph)):
            return around[node[1]]
        return Bound(node, dict(around))

    def call(self, body, name, arguments, x):
        env = self.bind(body, name, arguments)
        items = self.blocks[name][1]
        inner = Body(env, None, loops=body.loops)
        inner.scope = Scope(self.path(body, name), body.loops)
        enters = body.stream.read() if body.stream else x
        for item in items:
            if item[0] == "input":
                self.input(inner, item, enters)
        if body.stream:
            return body.stream.through(inner, items, enters, x)
        return self.run_block(inner, items, x)

    # ---- layers

    def apply_layer(self, body, name, arguments, x, column):
        rows = LAYERS[name]
        if arguments and not arguments[0][0] and name != "concat" \
                and not (rows and (rows[0][1] is None or self.is_word(
                    body, rows[0], arguments[0][1]))):
            node = arguments[0][1]
            if node[0] != "list" and not is_number(node, body.env):
                x = self.unnamed(body, node, x)
                arguments = arguments[1:]
                column = False
        if not (column and name in WEIGHTS):
            return self.layer(body, name, arguments, x)
        making, body.making = body.making, None
        if body.before:
            normed = self.norm(body, body.before[1], x)
            if body.first_normed is None:
                body.first_in, body.first_normed = x, normed
            x = normed
        body.making = making
        x = self.layer(body, name, arguments, x)
        making, body.making = body.making, None
        if body.after:
            x = self.norm(body, body.after[1], x)
        body.making = making
        return x

    @staticmethod
    def is_word(body, row, node):
        return row[2] and node == ("name", row[2]) and row[2] not in body.env

    def arguments(self, body, name, given):
        rows = LAYERS[name]
        found = {row[0]: single(row[1]) for row in rows}
        position = 0
        for key, node in given:
            if key is None:
                words = [row for row in rows
                         if self.is_word(body, row, node)]
                key = words[0][0] if words else rows[position][0]
                position += not words or words[0] is rows[position]
            if key in INITIAL:
                continue
            row = next((r for r in rows if r[0] == key), (key, None, None))
            found[key] = self.argument(body, name, row, node)
        return found

    def argument(self, body, name, row, node):
        around = body.env
        if node[0] == "bound":
            node, around = node[1].node, node[1].env
        if self.is_word(body, row, node):
            return "all" if row[0] == "size" else row[2] \
                if row[0] == "padding" else 10000 if row[0] == "rope" else 1
        if (name, row[0]) in CHAINS or row[0] == "weight":
            return Bound(node, around)
        n = number(node, around)
        return n if row[0] in ("base", "rope") else single(n)

    def layer(self, body, name, given, x):
        if name == "concat":
            return self.concat(body, given, x)
        a = self.arguments(body, name, given)
        if name in FUNCTIONS:
            return FUNCTIONS[name](x)
        return getattr(self, "layer_" + name)(body, a, x)

    def concat(self, body, given, x):
        values = [self.unnamed(body, node, x) for key, node in given
                  if not key]
        axis = [number(node, body.env) for key, node in given if key]
        axis = axis[0] if axis else -1
        return torch.cat(values, axis if axis < 0 else axis + 1)

    def layer_gelu(self, body, a, x):
        return functional.gelu(x, approximate="tanh" if a["form"] else "none")

    def layer_leaky_relu(self, body, a, x):
        return functional.leaky_relu(x, a["slope"])

    def layer_elu(self, body, a, x):
        return functional.elu(x, a["alpha"])

    def member(self, body, bound):
        _, table, word = bound.node
        shared = bound.env[table[1]]
        return f"{shared.path}.{word}"

    def layer_linear(self, body, a, x):
        path = self.path(body, "linear")
        weight = self.member(body, a["weight"]) if "weight" in a \
            else path + ".weight"
        return functional.linear(
            x, self.param(weight, a["out"], x.shape[-1]),
            self.bias(path, a["bias"], a["out"]))

    def layer_embedding(self, body, a, x):
        path = self.path(body, "embedding")
        weight = self.member(body, a["weight"]) if "weight" in a \
            else path + ".weight"
        return functional.embedding(x.long(), self.param(
            weight, a["vocabulary"], a["width"]))

    def layer_dropout(self, body, a, x):
        if a["p"]:
            raise Unsupported("dropout")
        return x

    def layer_shift(self, body, a, x):
        return x + self.param(self.path(body, "shift") + ".bias", 1)

    def layer_gain(self, body, a, x):
        return x * self.param(self.path(body, "gain") + ".weight", 1)

    def layer_learned(self, body, a, x):
        path = self.path(body, "learned")
        value = self.param(path + ".value", *a["shape"])
        return value.expand(self.batch(), *value.shape)

    def batch(self):
        return next(iter(self.ports.values())).shape[0]

    def layer_time_embedding(self, body, a, x):
        half = a["features"] // 2
        i = torch.arange(half)
        w = a["base"] ** (-i / (half - a["shift"]))
        return torch.cat([torch.sin(x * w), torch.cos(x * w)], -1)

    # ---- norms

    def affine(self, path, a, c, y, bias=True):
        if not a.get("affine", 1):
            return y
        y = y * self.param(path + ".weight", c)
        return y + self.param(path + ".bias", c) if bias else y

    def layer_layernorm(self, body, a, x):
        y = (x - x.mean(-1, True)) / torch.sqrt(
            x.var(-1, unbiased=False, keepdim=True) + a["eps"])
        return self.affine(self.path(body, "layernorm"), a, x.shape[-1], y)

    def layer_rmsnorm(self, body, a, x):
        y = x / torch.sqrt((x * x).mean(-1, True) + a["eps"])
        return self.affine(self.path(body, "rmsnorm"), a, x.shape[-1], y,
                           bias=False)

    def layer_groupnorm(self, body, a, x, name="groupnorm"):
        n, c = x.shape[0], x.shape[-1]
        groups = a["groups"] if name == "groupnorm" else c
        y = x.reshape(n, -1, groups, c // groups)
        y = (y - y.mean((1, 3), True)) / torch.sqrt(
            y.var((1, 3), unbiased=False, keepdim=True) + a["eps"])
        return self.affine(self.path(body, name), a, c, y.reshape(x.shape))

    def layer_instancenorm(self, body, a, x):
        return self.layer_groupnorm(body, a, x, "instancenorm")

    def layer_batchnorm(self, body, a, x):
        path, c = self.path(body, "batchnorm"), x.shape[-1]
        names = path + ".running_mean", path + ".running_var"
        mean, var = [self.moved.get(n, self.param(n, c)) for n in names]
        if self.training:
            rows = x.reshape(-1, c)
            seen = rows.mean(0), rows.var(0, unbiased=False)
            count = rows.shape[0]
            self.moved[names[0]] = 0.9 * mean + 0.1 * seen[0].detach()
            self.moved[names[1]] = 0.9 * var + 0.1 * seen[1].detach() \
                * count / (count - 1)
            mean, var = seen
        y = (x - mean) / torch.sqrt(var + a["eps"])
        return self.affine(path, {}, c, y)

    # ---- shapes

    def layer_reshape(self, body, a, x):
        return x.reshape(x.shape[0], *a["shape"])

    @staticmethod
    def axis(a, x):
        return a["axis"] + x.dim() if a["axis"] < 0 else a["axis"] + 1

    def layer_slice(self, body, a, x):
        return x.narrow(self.axis(a, x), a["from"], a["to"] - a["from"])

    def layer_part(self, body, a, x):
        axis = self.axis(a, x)
        size = x.shape[axis] // a["of"]
        return x.narrow(axis, a["number"] * size, size)

    def layer_row(self, body, a, x):
        return x[:, a["number"]]

    # ---- maps; a sequence is a map of height 1

    @staticmethod
    def as_map(x):
        if x.dim() == 4:
            return x.permute(0, 3, 1, 2)
        return x.permute(0, 2, 1).unsqueeze(2)

    @staticmethod
    def from_map(y, x):
        return y.permute(0, 2, 3, 1) if x.dim() == 4 \
            else y.squeeze(2).permute(0, 2, 1)

    @staticmethod
    def windows(a, x, *names):
        """[y, x] of each; of a sequence y does nothing."""
        found = []
        for name in names:
            y, along = pair(a[name])
            if x.dim() == 3:
                y = 0 if "padding" in name else 1
            found.append([y, along])
        return found

    def layer_conv(self, body, a, x, name="conv"):
        path, c = self.path(body, name), x.shape[-1]
        kernel, stride, dilation = self.windows(a, x, "kernel", "stride",
                                                "dilation")
        sides = []
        for k, d, i in zip(reversed(kernel), reversed(dilation), (1, 0)):
            whole = d * (k - 1)
            low = whole if a["padding"] == "causal" else whole // 2
            if a["padding"] not in ("same", "causal"):
                low = self.windows(a, x, "padding")[0][i]
                whole = 2 * low
            sides += [low, whole - low]
        shape = kernel if x.dim() == 4 else kernel[1:]
        weight = self.param(path + ".weight", a["channels"], c // a["groups"],
                            *shape)
        y = functional.conv2d(
            functional.pad(self.as_map(x), sides),
            weight if x.dim() == 4 else weight.unsqueeze(2),
            self.bias(path, a["bias"], a["channels"]), stride, 0, dilation,
            a["groups"])
        return self.from_map(y, x)

    def layer_conv1d(self, body, a, x):
        return self.layer_conv(body, a, x, "conv1d")

    def layer_upconv(self, body, a, x, name="upconv"):
        path, c = self.path(body, name), x.shape[-1]
        a = dict(a, stride=a["kernel"] if a["stride"] == "kernel"
                 else a["stride"])
        kernel, stride, padding, dilation, more = self.windows(
            a, x, "kernel", "stride", "padding", "dilation", "output_padding")
        shape = kernel if x.dim() == 4 else kernel[1:]
        weight = self.param(path + ".weight", c, a["channels"] // a["groups"],
                            *shape)
        y = functional.conv_transpose2d(
            self.as_map(x), weight if x.dim() == 4 else weight.unsqueeze(2),
            self.bias(path, a["bias"], a["channels"]), stride, padding, more,
            a["groups"], dilation)
        return self.from_map(y, x)

    def layer_upconv1d(self, body, a, x):
        return self.layer_upconv(body, a, x, "upconv1d")

    def pool(self, a, x, average):
        if a["size"] == "all":
            rows = x.flatten(1, -2)
            return rows.mean(1) if average else rows.max(1)[0]
        a = dict(a, stride=a["size"] if a["stride"] == "size"
                 else a["stride"])
        size, stride, padding = self.windows(a, x, "size", "stride",
                                             "padding")
        if average:
            y = functional.avg_pool2d(self.as_map(x), size, stride, padding,
                                      count_include_pad=bool(a["count_pad"]))
        else:
            y = functional.max_pool2d(self.as_map(x), size, stride, padding)
        return self.from_map(y, x)

    def layer_maxpool(self, body, a, x):
        return self.pool(a, x, False)

    def layer_avgpool(self, body, a, x):
        return self.pool(a, x, True)

    def layer_upsample(self, body, a, x):
        [factor] = self.windows(a, x, "factor")
        size = [n * f for n, f in zip(self.as_map(x).shape[2:], factor)]
        y = functional.interpolate(self.as_map(x), size, mode="bilinear",
                                   align_corners=False) if a["form"] \
            else functional.interpolate(self.as_map(x), size, mode="nearest")
        return self.from_map(y, x)

    def layer_pad(self, body, a, x):
        n = a["sides"]
        if isinstance(n, list):
            sides = [0, 0, *n[-2:], *n[:-2]]
        else:
            sides = [0, 0, n, n] + [n, n] * (x.dim() == 4)
        return functional.pad(x, sides)

    def layer_crop(self, body, a, x):
        bound = a["size"]
        try:
            size = number(bound.node, bound.env)
            size = pair(size)[-(x.dim() - 2):]
        except NoNumber:
            size = self.unnamed(body, bound.node, x).shape[1:-1]
        for axis, n in enumerate(size):
            x = x.narrow(axis + 1, (x.shape[axis + 1] - n) // 2, n)
        return x

    # ---- rows

    def project(self, path, x, out, bias):
        return functional.linear(
            x, self.param(path + ".weight", out, x.shape[-1]),
            self.param(path + ".bias", out) if bias else None)

    def head_norm(self, path, bound, q):
        """q: (N, t, heads, d)"""
        node = bound.node
        kind, given = node[1], node[2] if node[0] == "call" else []
        name = {"layer": "layernorm", "rms": "rmsnorm"}[kind]
        body = Body(bound.env, Scope("", 0), making=[path, False])
        return self.layer(body, name, given, q)

    @staticmethod
    def turned(q, base, neighbours):
        t, d = q.shape[1], q.shape[3]
        angle = torch.arange(t)[:, None] * base ** (
            -2 * torch.arange(d // 2) / d)
        cos, sin = angle.cos()[:, None], angle.sin()[:, None]
        one, two = (q[..., 0::2], q[..., 1::2]) if neighbours \
            else (q[..., :d // 2], q[..., d // 2:])
        pairs = one * cos - two * sin, one * sin + two * cos
        return torch.stack(pairs, -1).flatten(-2) if neighbours \
            else torch.cat(pairs, -1)

    def layer_attention(self, body, a, x):
        path = self.path(body, "attention")
        rows, f = x.flatten(1, -2), x.shape[-1]
        other = rows
        if a["from"] != "none":
            other = self.unnamed(body, a["from"].node, x).flatten(1, -2)
        heads = a["heads"]
        groups = heads if a["groups"] == "heads" else a["groups"]
        d = f // heads if a["head"] == "even" else a["head"]
        q = self.project(path + ".q_proj", rows, heads * d, a["bias"])
        k = self.project(path + ".k_proj", other, groups * d, a["bias"])
        v = self.project(path + ".v_proj", other, groups * d, a["bias"])
        q, k, v = [m.unflatten(-1, (-1, d)) for m in (q, k, v)]
        if a["qk_norm"] != "none":
            q = self.head_norm(path + ".q_norm", a["qk_norm"], q)
            k = self.head_norm(path + ".k_norm", a["qk_norm"], k)
        if a["rope"]:
            q, k = [self.turned(m, a["rope"], a["neighbours"])
                    for m in (q, k)]
        k, v = [m.repeat_interleave(heads // groups, 2) for m in (k, v)]
        scores = torch.einsum("nihd,njhd->nhij", q, k) * single(
            1 / math.sqrt(d))
        seen = torch.ones(scores.shape[-2:], dtype=torch.bool)
        seen = seen.tril() if a["causal"] else seen
        seen = seen.expand(scores.shape)
        if a["lengths"] != "none":
            count = self.unnamed(body, a["lengths"].node, x).reshape(-1)
            seen = seen & (torch.arange(k.shape[1])
                           < count[:, None, None, None])
        scores = scores.masked_fill(~seen, -1e300)
        p = torch.softmax(scores, -1) * seen
        y = torch.einsum("nhij,njhd->nihd", p, v).flatten(2)
        bias = a["bias"] if a["bias"] != "auto" \
            else self.has(path + ".out_proj.bias")
        return self.project(path + ".out_proj", y, f, bias).reshape(x.shape)

    def layer_positions(self, body, a, x):
        rows, f = x.flatten(1, -2).shape[1], x.shape[-1]
        if a["kind"].node[1] == "learned":
            count = rows if a["count"] == "rows" else a["count"]
            table = self.param(self.path(body, "positions") + ".weight",
                               count, f)[:rows]
        else:
            even = torch.arange(0, f, 2)
            angle = torch.arange(rows)[:, None] * a["base"] ** (-even / f)
            table = torch.stack([angle.sin(), angle.cos()], -1).flatten(1)
            table = table[:, :f]
        return x + table.reshape(x.shape[1:])

    def cell(self, body, a, x, name, gates):
        path, h = self.path(body, name), a["hidden"]
        suffix = [("weight_ih_l0", (gates * h, x.shape[-1])),
                  ("weight_hh_l0", (gates * h, h))]
        if a["bias"]:
            suffix += [("bias_ih_l0", (gates * h,)),
                       ("bias_hh_l0", (gates * h,))]
        weights = [self.param(f"{path}.{n}", *shape) for n, shape in suffix]
        zero = torch.zeros(1, x.shape[0], h)
        x = x.flip(1) if a["reverse"] else x
        run = torch.lstm if name == "lstm" else torch.gru
        state = [zero, zero] if name == "lstm" else zero
        y = run(x, state, weights, bool(a["bias"]), 1, 0.0, False, False,
                True)[0]
        return y.flip(1) if a["reverse"] else y

    def layer_lstm(self, body, a, x):
        return self.cell(body, a, x, "lstm", 4)

    def layer_gru(self, body, a, x):
        return self.cell(body, a, x, "gru", 3)

    def layer_aggregate(self, body, a, x):
        w = body.env[a["graph"].node[1]].weights
        kind, env = self.head(a["kind"].node, a["kind"].env)
        if kind[1] == "symmetric":
            w = w + torch.eye(w.shape[0])
            d = w.sum(1)
            d = torch.where(d > 0, d, torch.ones(())) ** -0.5 * (d > 0)
            w = d[:, None] * w * d
        elif kind[1] == "mean":
            d = w.sum(1, True)
            w = torch.where(d != 0, w / torch.where(d != 0, d, torch.ones(
                ())), torch.zeros(()))
        return torch.einsum("ij,j...->i...", w, x)

    # ---- streams

    def stream(self, body, node, x):
        name = node[1][1]
        given = node[1][2] if node[1][0] == "call" else []
        kind = STREAMS[name](self, body, given)
        return kind.run(node[2], x)

    # ---- losses

    def loss_of(self, body, node):
        if node[0] == "binary" and node[1] in "+-" \
                and not is_number(node, body.env):
            a, b = [self.loss_of(body, n) for n in node[2:]]
            return a + b if node[1] == "+" else a - b
        if node[0] == "binary":
            return OPERATORS[node[1]](*[
                single(number(n, body.env)) if is_number(n, body.env)
                else self.loss_of(body, n) for n in node[2:]])
        if node[0] != "call":
            raise Unsupported("a loss")
        chain, target = [n for key, n in node[2] if not key]
        more = {key: n for key, n in node[2] if key}
        x = self.value(body, chain, None)
        return getattr(self, "loss_" + node[1])(
            body, x, self.target(body, target), more)

    def target(self, body, node):
        if node[0] != "name":
            raise Unsupported("a target that is no name")
        thing = body.env.get(node[1])
        return thing if is_value(thing) else self.ports.get(node[1]) \
            if node[1] in self.ports else self.port(node[1])

    def loss_mse(self, body, x, t, more):
        return ((x - t) ** 2).mean()

    def loss_mae(self, body, x, t, more):
        return (x - t).abs().mean()

    def loss_bce(self, body, x, t, more):
        return functional.binary_cross_entropy_with_logits(x, t)

    def loss_cross_entropy(self, body, x, t, more):
        count = x.shape[-1]
        x, t = x.reshape(-1, count), t.reshape(-1).long()
        s = single(number(more["smoothing"], body.env)) \
            if "smoothing" in more else 0
        w = torch.tensor([single(float(n)) for n in number(more["weights"],
                                                   body.env)]) \
            if "weights" in more else torch.ones(count)
        r = self.target(body, more["weight"]).detach().reshape(-1) \
            if "weight" in more else torch.ones(len(t))
        if "ignore" in more:
            counts = t != number(more["ignore"], body.env)
            x, t, r = x[counts], t[counts], r[counts]
        q = torch.log_softmax(x, -1)
        each = (1 - s) * w[t] * -q[torch.arange(len(t)), t] \
            + s / count * (w * -q).sum(-1)
        whole = (r * w[t]).sum()
        return (r * each).sum() / whole if float(whole) else 0 * x.sum()


# ------------------------------------------------------------- streams

class Stream:
    """What carries values from block to block in a stream's group."""

    def __init__(self, network, body, given):
        self.network, self.body, self.given = network, body, given
        self.words = [n[1] for key, n in given if not key and n[0] == "name"
                      and n[1] not in body.env]
        plain = [n for key, n in given if not key and n[0] != "name"
                 or (not key and n[1] in body.env)]
        self.n = number(plain[0], body.env) if plain else None
        self.named = {key: number(n, body.env) for key, n in given if key}

    def run(self, group, x):
        self.enter(x)
        body = self.body.inner(stream=self)
        self.network.value(body, group, x)
        return self.leave()

    def through(self, body, items, h, x):
        """A block of the stream: its branch reads h, which is written back."""
        p = self.network.properties(items, body)
        if p.pop("shortcut", None) != ("name", "identity"):
            raise Unsupported("a shortcut in a stream")
        y, *_ = self.network.branch(body, p, items, h)
        y = self.network.finish(body, p, h, y, (("name", "none"), {}), None)
        self.write(y)
        return x

    def site(self):
        body = self.body
        return body.scope.next("stream")

    def param(self, path, leaf, *shape):
        return self.network.param(f"{path}.{leaf}", *shape)


class Attention(Stream):
    """`every` results are one sum."""

    def enter(self, x):
        self.values, self.sum, self.since = [x], None, 0
        self.every = self.named.get("every", 1)

    def mixed(self):
        values = self.values + ([self.sum] if self.sum is not None else [])
        path = self.site()
        if len(values) == 1:
            return values[0]
        w = self.param(path, "query", values[0].shape[-1])
        scores = torch.stack([
            (v / torch.sqrt((v * v).mean(-1, True) + single(1e-5)) * w).sum(-1)
            for v in values])
        a = torch.softmax(scores, 0)
        return sum(a[i][..., None] * v for i, v in enumerate(values))

    def read(self):
        return self.mixed()

    def write(self, y):
        self.sum = y if self.sum is None else self.sum + y
        self.since += 1
        if self.since == self.every:
            self.values.append(self.sum)
            self.sum, self.since = None, 0

    def leave(self):
        return self.mixed()


class Weighted(Stream):
    def run(self, group, x):
        network, body = self.network, self.body.inner(stream=None)
        seen, count = [x], 1
        if group[0] == "repeat":
            count = number(group[1], body.env)
        for i in range(count):
            inner = body.inner(env=dict(body.env), loops=body.loops)
            if group[0] == "repeat":
                inner.loops += 1
                if group[2]:
                    inner.env[group[2]] = i
            seen.append(network.value(inner, group[3] if group[0] == "repeat"
                                      else group, x))
            a = self.param(self.site(), "weight", i + 2)
            x = sum(a[j] * v for j, v in enumerate(seen))
        return x


class Hyper(Stream):
    def enter(self, x):
        self.h = torch.stack([x] * self.n, -2)      # (.., n, F)

    def matrices(self):
        path, n, f = self.site(), self.n, self.h.shape[-1]
        read = self.param(path, "read", n)
        carry = self.param(path, "carry", n, n)
        write = self.param(path, "write", n)
        if "dynamic" in self.words:
            h = self.h
            h = (h - h.mean(-1, True)) / torch.sqrt(
                h.var(-1, unbiased=False, keepdim=True) + single(1e-5))
            alpha = self.param(path, "alpha_scale", 1)
            beta = self.param(path, "beta_scale", 1)
            read = read + alpha * torch.tanh(
                h @ self.param(path, "read_weight", f))
            carry = carry + alpha * torch.tanh(
                h @ self.param(path, "carry_weight", n, f).T)
            write = write + beta * torch.tanh(
                h @ self.param(path, "write_weight", f))
        return read, carry.transpose(-1, -2), write

    def read(self):
        read, self.carry, self.into = self.matrices()
        return (read[..., None] * self.h).sum(-2)

    def write(self, y):
        self.h = self.carry @ self.h + self.into[..., None] * y[..., None, :]

    def leave(self):
        return self.h.sum(-2)


class Manifold(Hyper):
    def matrices(self):
        path, n = self.site(), self.n
        u = self.h.flatten(-2)
        f = u.shape[-1]
        u = u / torch.sqrt((u * u).mean(-1, True) + single(1e-5))

        def weigh(name, rows, shape):
            return self.param(path, name + "_scale", 1) * (
                u @ self.param(path, name + "_weight", rows, f).T) \
                .unflatten(-1, shape) + self.param(path, name, *shape)

        q = torch.exp(weigh("carry", n * n, (n, n)))
        for _ in range(self.named.get("iterations", 20)):
            q = q / q.sum(-2, True)
            q = q / q.sum(-1, True)
        return (torch.sigmoid(weigh("read", n, (n,))), q,
                2 * torch.sigmoid(weigh("write", n, (n,))))


class Reversible(Stream):
    def enter(self, x):
        self.one, self.two = x.chunk(2, -1)

    def read(self):
        return self.two

    def write(self, y):
        self.one, self.two = self.two, self.one + y

    def leave(self):
        return torch.cat([self.one, self.two], -1)


STREAMS = {"attention": Attention, "weighted": Weighted, "hyper": Hyper,
           "manifold": Manifold, "reversible": Reversible}


# ------------------------------------------------------------- comparing

def compare(network, theirs, what, least):
    """theirs: name -> the emitted code's; what: name -> ours."""
    for name, ours in what.items():
        if name not in theirs:
            raise Wrong(f"{name} is not there")
        other = theirs[name].reshape(ours.shape)
        most = max(float(ours.abs().max()), least)
        error = float((ours - other).abs().max())
        if not error <= TOLERANCE * most:
            raise Wrong(f"{name} differs by {error:.1e} of {most:.1e}")


def gradients(network):
    found = {}
    for kind, leaves in (("grad", network.leaves), ("input_grad",
                                                    network.ports)):
        for name, leaf in leaves.items():
            key = f"{kind}:{name}"
            if leaf.requires_grad and key in network.numbers:
                found[key] = leaf.grad if leaf.grad is not None \
                    else torch.zeros_like(leaf)
    return found


def check(folder, name):
    numbers = read_numbers(os.path.join(folder, name + ".numbers"))
    networks, blocks = read_program(os.path.join(folder, name + ".rnet"))
    title = next(iter(networks))
    for training in (False, True):
        network = Network(title, networks, blocks, numbers, training)
        network.run()
        word = "train" if training else "infer"
        compare(network, numbers, {f"{word}:{n}": y.detach() for n, y in
                                   network.outputs.items()}, 1e-3)
        names = {k[6:] for k in numbers if k.startswith("param:")}
        if names != set(network.leaves):
            raise Wrong("parameters " + ", ".join(
                sorted(names ^ set(network.leaves))))
    network.loss.backward()
    compare(network, numbers, {"loss": network.loss.detach().reshape(1)},
            1e-3)
    compare(network, numbers, {f"after:{n}": y for n, y in
                               network.moved.items()}, 1e-3)
    grads = gradients(network)
    largest = max((float(g.abs().max()) for g in grads.values()), default=0)
    compare(network, numbers, grads, FLOOR * largest)


def main():
    folder, names = sys.argv[1], sys.argv[2:]
    counts = {"ok": 0, "unsupported": 0, "FAILED": 0}
    for name in names:
        try:
            check(folder, name)
            word, why = "ok", ""
        except Unsupported as error:
            word, why = "unsupported", f": {error}"
        except Wrong as error:
            word, why = "FAILED", f": {error}"
        except Exception as error:  # of this program: as bad
            word, why = "FAILED", f": {type(error).__name__}: {error}"
            if os.environ.get("TRACE"):
                raise
        counts[word] += 1
        print(f"{name}: {word}{why}", flush=True)
    return counts["FAILED"] != 0


if __name__ == "__main__":
    sys.exit(main())
