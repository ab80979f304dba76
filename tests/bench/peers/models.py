"""The networks of workloads.tsv in PyTorch, their weights and their batches.

Each is written from its paper with torch.nn; named() says what rnetc calls the
layers, by which their weights are found.
"""
import json

import numpy
import torch
from torch import nn


class Layers(nn.Module):
    """What is fed in, what the labels are, and the loss."""
    kinds = None                # of integers; None: floats
    labels, label_kinds = (), 10

    def loss(self, y, label):
        return nn.functional.cross_entropy(y.flatten(0, -2), label.flatten())


# ------------------------------------------------------------ dense networks


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


class HighwayLayer(nn.Module):
    """T H + (1 - T) x, H = relu(W x + b), T = sigmoid(W' x + b'): Srivastava et
    al. 2015, equation 3"""

    def __init__(self, width):
        super().__init__()
        self.gate = nn.Linear(width, width)
        self.branch = nn.Linear(width, width)

    def forward(self, x):
        return torch.lerp(x, torch.relu(self.branch(x)),
                          torch.sigmoid(self.gate(x)))


class Highway(Layers):
    shape = (28, 28)

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(784, 50)
        self.layers = nn.Sequential(*[HighwayLayer(50) for _ in range(50)])
        self.last = nn.Linear(50, 10)

    def forward(self, x):
        return self.last(self.layers(self.first(x.flatten(1))))

    def named(self):
        yield "linear.0", self.first
        yield "linear.1", self.last
        for i, layer in enumerate(self.layers):
            yield f"highway_layer.{i}.gate.linear.0", layer.gate
            yield f"highway_layer.{i}.linear.0", layer.branch


class Tiny(Layers):
    """4 x [x + relu(W x + b)], and a last layer"""
    shape = (64,)

    def __init__(self):
        super().__init__()
        self.units = nn.ModuleList([nn.Linear(64, 64) for _ in range(4)])
        self.last = nn.Linear(64, 10)

    def forward(self, x):
        for unit in self.units:
            x = x + torch.relu(unit(x))
        return self.last(x)

    def named(self):
        yield "linear.0", self.last
        for i, unit in enumerate(self.units):
            yield f"unit.{i}.linear.0", unit


# ---------------------------------------------------- convolutional networks


class Branch(nn.Module):
    """relu(S x + F(x)), He et al. 2015: convolutions (channels, kernel, stride)
    with a batch norm each and relu between; S is the identity, option A (`pad`:
    every stride-th pixel, zeros for the new channels) or B (a 1x1 convolution
    with a batch norm)."""

    def __init__(self, channels, convolutions, pad=False):
        super().__init__()
        self.convs, self.norms = nn.ModuleList(), nn.ModuleList()
        out, self.stride = channels, 1
        for width, kernel, stride in convolutions:
            self.convs.append(nn.Conv2d(out, width, kernel, stride,
                                        kernel // 2, bias=False))
            self.norms.append(nn.BatchNorm2d(width))
            out, self.stride = width, self.stride * stride
        self.more = out - channels
        self.project = None
        if not pad and (self.more or self.stride > 1):
            self.project = nn.Sequential(
                nn.Conv2d(channels, out, 1, self.stride, bias=False),
                nn.BatchNorm2d(out))

    def shortcut(self, x):
        if self.project is not None:
            return self.project(x)
        if self.more or self.stride > 1:
            x = x[:, :, ::self.stride, ::self.stride]
            return nn.functional.pad(x, (0, 0, 0, 0, 0, self.more))
        return x

    def forward(self, x):
        y = x
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            y = norm(conv(torch.relu_(y) if i else y))
        return torch.relu_(y.add_(self.shortcut(x)))

    def named(self, path):
        for i, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            yield f"{path}.conv.{i}", conv
            yield f"{path}.batchnorm.{i}", norm
        if self.project is not None:
            yield f"{path}.shortcut.conv.0", self.project[0]
            yield f"{path}.shortcut.batchnorm.0", self.project[1]


def basic(channels, width, stride, pad=False):
    return Branch(channels, [(width, 3, stride), (width, 3, 1)], pad)


def bottleneck(channels, width, stride):
    """The stride in the 3x3 convolution."""
    return Branch(channels, [(width, 1, 1), (width, 3, stride),
                             (4 * width, 1, 1)])


class ResNet20(Layers):
    shape = (32, 32, 3)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        blocks, channels = [], 16
        for out in [16] * 3 + [32] * 3 + [64] * 3:
            blocks.append(basic(channels, out, 1 + (out != channels), True))
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
            yield from block.named(f"basic.{i}")


class ImageNetResNet(Layers):
    """He et al. 2015, table 1; unit(channels, width, stride)."""
    shape, label_kinds = (224, 224, 3), 1000

    def __init__(self, unit, expansion, counts):
        super().__init__()
        self.conv = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.norm = nn.BatchNorm2d(64)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.stages, channels = nn.Sequential(), 64
        for k, count in enumerate(counts):
            stage = nn.Sequential()
            for i in range(count):
                stage.append(unit(channels, 64 << k, 1 + (k > 0 and i == 0)))
                channels = (64 << k) * expansion
            self.stages.append(stage)
        self.last = nn.Linear(channels, 1000)
        self.unit = unit.__name__

    def forward(self, x):
        x = self.pool(torch.relu_(self.norm(self.conv(x))))
        return self.last(self.stages(x).mean((2, 3)))

    def named(self):
        yield "imagenet_stem.0.conv.0", self.conv
        yield "imagenet_stem.0.batchnorm.0", self.norm
        yield "classifier.0.linear.0", self.last
        for k, stage in enumerate(self.stages):
            for i, block in enumerate(stage):
                yield from block.named(
                    f"imagenet_stages.0.stage.{k}.{self.unit}.{i}")


class DenseLayer(nn.Module):
    """[x, W2 relu(BN W1 relu(BN x))]: Huang et al. 2017, DenseNet-B"""

    def __init__(self, channels, growth):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, 1, 1, bias=False)

    def forward(self, x):
        y = self.conv1(torch.relu_(self.norm1(x)))
        return torch.cat([x, self.conv2(torch.relu_(self.norm2(y)))], 1)

    def named(self, path):
        yield f"{path}.batchnorm.0", self.norm1
        yield f"{path}.conv.0", self.conv1
        yield f"{path}.batchnorm.1", self.norm2
        yield f"{path}.conv.1", self.conv2


class Transition(nn.Module):
    """Half of the channels, a quarter of the pixels."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, channels // 2, 1, bias=False)
        self.pool = nn.AvgPool2d(2)

    def forward(self, x):
        return self.pool(self.conv(torch.relu_(self.norm(x))))

    def named(self, path):
        yield f"{path}.batchnorm.0", self.norm
        yield f"{path}.conv.0", self.conv


class DenseNetBC(Layers):
    """Of three stages of 16 layers: 100 layers deep."""
    shape = (32, 32, 3)

    def __init__(self, growth=12):
        super().__init__()
        channels = 2 * growth
        self.conv = nn.Conv2d(3, channels, 3, 1, 1, bias=False)
        self.layers = nn.Sequential()
        for i in range(48):
            if i in (16, 32):
                self.layers.append(Transition(channels))
                channels //= 2
            self.layers.append(DenseLayer(channels, growth))
            channels += growth
        self.norm = nn.BatchNorm2d(channels)
        self.last = nn.Linear(channels, 10)

    def forward(self, x):
        x = torch.relu_(self.norm(self.layers(self.conv(x))))
        return self.last(x.mean((2, 3)))

    def named(self):
        yield "conv.0", self.conv
        yield "cifar_dense.0.batchnorm.0", self.norm
        yield "classifier.0.linear.0", self.last
        counts = {DenseLayer: 0, Transition: 0}
        names = {DenseLayer: "dense_bottleneck", Transition: "transition"}
        for layer in self.layers:
            kind = type(layer)
            yield from layer.named(
                f"cifar_dense.0.{names[kind]}.{counts[kind]}")
            counts[kind] += 1


# -------------------------------------------------------------- transformers


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
    """x + W attention LN x, then x + W2 gelu(W1 LN x); `gelu` is "none", the
    exact one, or "tanh".  named() gets the paths of the two branches' norms,
    of the attention and of the feed-forward layers."""

    def __init__(self, width, heads, gelu):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.heads, self.gelu = heads, gelu

    def forward(self, x):
        parts = self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, -1))
        q, k, v = parts.permute(2, 0, 3, 1, 4).unbind(0)
        y = attend(q, k, v)
        x = x + self.out(y.transpose(1, 2).flatten(-2))
        y = nn.functional.gelu(self.up(self.norm2(x)), approximate=self.gelu)
        return x + self.down(y)

    def named(self, attend_path, feed_path, inner=""):
        width = self.out.weight.shape[0]
        yield f"{attend_path}.layernorm.0", self.norm1
        for k, name in enumerate(("q", "k", "v")):
            yield (f"{attend_path}.attention.0.{name}_proj",
                   Rows(self.qkv, k * width, width))
        yield f"{attend_path}.attention.0.out_proj", self.out
        yield f"{feed_path}.layernorm.0", self.norm2
        yield f"{feed_path}.{inner}linear.0", self.up
        yield f"{feed_path}.{inner}linear.1", self.down


class LanguageModel(Layers):
    """The table is used twice; `places` positions have a vector."""

    def __init__(self, words, width, layers, heads, context, places, gelu):
        super().__init__()
        self.table = nn.Embedding(words, width)
        self.positions = nn.Embedding(places, width)
        self.layers = nn.Sequential(*[Layer(width, heads, gelu)
                                      for _ in range(layers)])
        self.norm = nn.LayerNorm(width)
        self.shape = self.labels = (context,)
        self.kinds = self.label_kinds = words

    def forward(self, x):
        x = self.table(x) + self.positions.weight[:x.shape[-1]]
        x = self.norm(self.layers(x))
        return nn.functional.linear(x, self.table.weight)


class Characters(LanguageModel):
    def __init__(self):
        super().__init__(256, 384, 6, 6, 256, 256, "none")

    def named(self):
        yield "table", self.table
        yield "positions.0", self.positions
        yield "layernorm.0", self.norm
        for i, layer in enumerate(self.layers):
            yield from layer.named(f"attend.{i}", f"feed.{i}")


class GPT2(LanguageModel):
    def __init__(self):
        super().__init__(50257, 768, 12, 12, 64, 1024, "tanh")

    def named(self):
        yield "gpt2.0.table", self.table
        yield "gpt2.0.positions.0", self.positions
        yield "gpt2.0.layernorm.0", self.norm
        for i, layer in enumerate(self.layers):
            path = f"gpt2.0.gpt2_layer.{i}.prenorm"
            yield from layer.named(f"{path}.0", f"{path}.1", "gpt2_feed.0.")


NETWORKS = {
    "m1": ResidualMLP,
    "m2": ResNet20,
    "resnet18": lambda: ImageNetResNet(basic, 1, (2, 2, 2, 2)),
    "resnet50": lambda: ImageNetResNet(bottleneck, 4, (3, 4, 6, 3)),
    "m4": DenseNetBC,
    "m5": Characters,
    "gpt2": GPT2,
    "m6": Highway,
    "m7": Tiny,
}


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
