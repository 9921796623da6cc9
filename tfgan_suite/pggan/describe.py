"""architecture.txt: the hyperparameter lines and the two networks in torch's notation."""
from __future__ import annotations

import numpy as np

from tfgan_suite.layers.network import Network
from tfgan_suite.options import penalty_names
from tfgan_suite.pggan.networks import Sizes

LRELU = "LeakyReLU(negative_slope=0.2)"
RESHAPE = "ReshapeLayer()"
NORM = "PixelNormalization(eps = 1e-08)"


def hyperparameters(params) -> str:
    """The original's HYPERPARAMETERS line, with BEGAN's part that the original builds and loses."""
    p = params
    extra = {"PGGAN": f"Using uncentered GP with: lambda = {p.lamb} and obj = {p.obj}|epsilon = {p.epsilon}",
             "0GP": f"Using 0-centered GP with: lambda = {p.lamb}|epsilon = {p.epsilon}",
             "TVP": f"Using TV regularization with: lambda = {p.lamb}|delta = {p.delta}"}[p.extraLossTerm]
    began = f"|** lambda_k = {p.lambk}| gamma = {p.gamma}" if p.criticLossFunc == "BEGAN" else ""
    js = f"|Jensen-Shannon regulariser: gamma = {p.gamma}" if "js" in penalty_names(p.penalty) else ""
    return (f"HYPERPARAMETERS - cLR = {p.cLR}|gLR = {p.gLR}|{extra}|fadeSteps = {p.samplesWhileFade}"
            f"|stableSteps = {p.samplesWhileStable}{began}{js}")


def _conv(outputs: int, inputs: int, size: int) -> str:
    return f"WSConv2d(inp = Conv2d[{outputs}, {inputs}, {size}, {size}])"


def _dense(outputs: int, inputs: int) -> str:
    return f"equalizedLinear(inp = Lineartorch.Size([{outputs}, {inputs}]))"


def _listing(title: str, items, depth: int) -> list[str]:
    """A module with numbered parts; an item is a line or a list of lines (a Sequential)."""
    pad = "  " * depth
    lines = [f"{pad}({title}): ModuleList("]
    for i, parts in enumerate(items):
        lines.append(f"{pad}  ({i}): Sequential(")
        lines += [f"{pad}    ({j}): {part}" for j, part in enumerate(parts)]
        lines.append(f"{pad}  )")
    return [*lines, f"{pad})"]


def critic(sizes: Sizes) -> str:
    """The critic as torch prints it."""
    nf, c = sizes.widths, sizes.image_channels
    heads = [[_conv(nf[i + 1], c, 1), LRELU] for i in range(sizes.levels)]
    group = [f"BatchStdConcat(Group Size = {sizes.group})"] if sizes.group > 1 else []
    chain = [[*group, _conv(nf[0], nf[1] + len(group), 3), LRELU, _conv(nf[0], nf[0], 4), LRELU, RESHAPE,
              _dense(1, nf[0])]]
    chain += [[_conv(nf[i + 1], nf[i + 1], 3), LRELU, _conv(nf[i], nf[i + 1], 3), LRELU,
               "AvgPool2d(kernel_size=2, stride=2, padding=0)"] for i in range(1, sizes.levels)]
    return "\n".join(["Critic(", "  (net): ProcessCriticLevel(", *_listing("fromRGBs", heads, 2),
                      *_listing("chain", chain, 2),
                      "  )", ")"])


def generator(sizes: Sizes) -> str:
    """The generator as torch prints it."""
    nf, z = sizes.widths, sizes.latent
    chain = [[_dense(16 * z, z), LRELU, RESHAPE, _conv(nf[1], z, 3), LRELU, NORM]]
    chain += [["Upsample(scale_factor=2.0, mode='bilinear')", _conv(nf[i + 1], nf[i], 3), LRELU, NORM,
               _conv(nf[i + 1], nf[i + 1], 3), LRELU, NORM] for i in range(1, sizes.levels)]
    heads = [[_conv(sizes.image_channels, nf[i + 1], 1)] for i in range(sizes.levels)]
    return "\n".join(["Generator(", "  (net): ProcessGenLevel(", *_listing("chain", chain, 2),
                      *_listing("toRGBs", heads, 2),
                      "  )", ")"])


def text(params, sizes: Sizes) -> str:
    """The whole file."""
    return (f"Cost function model: {params.criticLossFunc}\n{hyperparameters(params)}\n\n"
            f"{critic(sizes)}\n\n{generator(sizes)}\n\n\n")


def table(network: Network) -> str:
    """A network as in table 2: a row a layer with the shape of its weight, and the number of its parameters;
    the sum below."""
    rows = {}
    for name, shape in network.shapes().items():
        if "/" in name:
            layer, _, array = name.rpartition("/")
            shown, count = rows.get(layer, ("", 0))
            rows[layer] = ("x".join(map(str, shape)) if array == "weight" else shown,
                           count + int(np.prod(shape, dtype=np.int64)))
    lines = [f"{layer:18s} {shape:>16s} {count:>12,d}" for layer, (shape, count) in rows.items()]
    return "\n".join([f"{type(network).__name__}", *lines, f"{'Total trainable parameters':35s} "
                                                          f"{network.parameter_count():>12,d}"])


def of(system) -> str:
    """The file of a run: torch's notation for the original's networks, table 2 for the paper's."""
    if system.params.networks == "original":
        return text(system.params, system.sizes)
    tables = "\n\n".join(table(system.networks[kind]) for kind in ("d", "g"))
    p = system.params
    return f"Cost function model: {p.criticLossFunc}\n{hyperparameters(p)}\n\n{tables}\n"
