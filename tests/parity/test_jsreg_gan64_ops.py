"""Building blocks of the 64x64 family against `tflib`'s, recorded in golden/jsreg_gan64/ops*.npz."""
from __future__ import annotations

import re

import golden_files as golden
import numpy as np
import tensorflow as tf

from tfgan_suite.jsreg.gan64.networks import bottleneck, residual
from tfgan_suite.jsreg.gan64.system import NORMS
from tfgan_suite.layers.activations import gate, lrelu, relu
from tfgan_suite.layers.blocks import Chain, Maker
from tfgan_suite.layers.conventions import TFLIB
from tfgan_suite.layers.resample import mean_pool, nearest, shuffle
from tfgan_suite.layers.weights import Gain

MAKE = Maker("t.", TFLIB, rule=NORMS["fused"])
RESAMPLE = {"down": "down", "up": "up", "None": ""}


def blocks(case: str, make: Maker, inputs: dict):
    """(layer, input name) of one recorded case; every size comes from the recorded arrays."""
    maps, out = inputs["x4"].shape[1], inputs["outputs"]
    units, wide = inputs["x2"].shape[1], inputs["xe"].shape[1]
    normed = make.but(weight=Gain())
    if (found := re.fullmatch(r"conv_k(\d+)_s(\d+)", case)) is not None:
        size, stride = map(int, found.groups())
        return make.conv(case, maps, out, size, stride), "x4"
    if (found := re.fullmatch(r"deconv_k(\d+)", case)) is not None:
        return make.deconv(case, maps, out, int(found[1])), "x4"
    if (found := re.fullmatch(r"(residual|bottleneck)_(down|up|None)_(\d+)", case)) is not None:
        kind, resample, size = found.groups()
        function, short = (residual, "res") if kind == "residual" else (bottleneck, "bot")
        return function(make, f"{short}_{resample}_{size}", inputs["xr"].shape[1], int(size),
                        RESAMPLE[resample]), "xr"
    return {
        "linear": lambda: (make.dense("linear", units, out), "x2"),
        "linear_weightnorm": lambda: (normed.dense("linear_wn", units, out), "x2"),
        "linear_nobias": lambda: (make.dense("linear_nb", units, out, bias=False), "x2"),
        "conv_weightnorm": lambda: (normed.conv("conv_wn", maps, out, 3), "x4"),
        "conv_nobias": lambda: (make.conv("conv_nb", maps, out, 3, bias=False), "x4"),
        "deconv_weightnorm": lambda: (normed.deconv("deconv_wn", maps, out, 5), "x4"),
        "conv_mean_pool": lambda: (Chain(make.conv("cmp", maps, out, 3), mean_pool), "x4"),
        "mean_pool_conv": lambda: (Chain(mean_pool, make.conv("mpc", maps, out, 3)), "x4"),
        "upsample_conv": lambda: (Chain(nearest, make.conv("uc", maps, out, 3)), "x4"),
        "subpixel_conv": lambda: (Chain(make.conv("sp", maps, 4 * out, 3), shuffle), "x4"),
        "gate": lambda: (gate, "xe"),
        "leaky_relu": lambda: (lrelu, "x4"),
        "batchnorm_fused": lambda: (make.norm("bnf", wide), "xe"),
        "batchnorm_nonfused": lambda: (make.but(rule=NORMS["tf13"]).norm("bnn", wide), "xe"),
        "layernorm": lambda: (make.but(rule=NORMS["layer"]).norm("ln", wide), "xe"),
        "relu_layer": lambda: (Chain(make.dense("relu_layer.Linear", units, out, he=True), relu), "x2"),
        "lrelu_layer": lambda: (Chain(make.dense("lrelu_layer.Linear", units, out, he=True), lrelu), "x2"),
    }[case]()


def outer(x: np.ndarray) -> np.ndarray:
    """NCHW to NHWC."""
    return x.transpose(0, 2, 3, 1) if x.ndim == 4 else x


@golden.each("jsreg_gan64", "ops*.npz")
def test_building_blocks(path):
    fixture = golden.load(path)
    weights = golden.under(fixture, "w/")
    inputs = {name: fixture[name] for name in ("x4", "x2", "xe", "xr")}
    inputs["outputs"] = fixture["out/linear"].shape[1]
    for case, expected in golden.under(fixture, "out/").items():
        layer, x = blocks(case, MAKE, inputs)
        for variable in getattr(layer, "variables", ()):
            variable.assign(weights[variable.name.split(":")[0]])
        np.testing.assert_allclose(layer(tf.constant(outer(inputs[x]))), outer(expected), rtol=1e-5,
                                   atol=1e-5, err_msg=case)


def test_plain_and_fused_batch_norm_agree_to_the_second_derivative():
    x = tf.random.stateless_normal([6, 4, 4, 3], [1, 2])
    results = []
    for fused in (True, False):
        norm = MAKE.norm("n", 3)
        norm.scale.assign([0.5, 1.0, 2.0])
        assert norm.fused
        norm.fused = fused
        with tf.GradientTape() as second:
            second.watch(x)
            with tf.GradientTape() as first:
                first.watch(x)
                y = tf.reduce_sum(tf.sin(norm(x)) * x)
            gradient = first.gradient(y, x)
            size = tf.reduce_sum(tf.square(gradient))
        results.append((y, gradient, *second.gradient(size, [x, norm.scale])))
    for ours, twin in zip(*results):
        np.testing.assert_allclose(ours, twin, rtol=1e-4, atol=1e-4)
