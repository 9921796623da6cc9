"""How an original program names its arrays, lays them out in files and draws their first values.

The layers in this package are the same for all papers; what differs between the programs stands here, one
small object each. First values are a function of the seed and of the array's full name, so that they do not
depend on the order of creation.
"""
from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from tfgan_suite import random
from tfgan_suite.layers import seeded


@dataclass(frozen=True)
class Spec:
    """What a convention may look at when it draws the first values of a linear map.

    Attributes:
        kind: 'dense', 'conv', 'deconv' or 'embedding'.
        inputs, outputs: channels; of an embedding: classes and width.
        size: (height, width) of the kernel.
        stride: of a convolution.
        he: He's rule instead of Glorot's where the original has the choice; None: its default.
        gain: factor on the deviation.
        deviation: standard deviation that replaces the rule's.
        divided: the output will be divided by the weight's norm (LIS).
    """

    kind: str
    inputs: int
    outputs: int
    size: tuple = (1, 1)
    stride: int = 1
    he: bool | None = None
    gain: float = 1.0
    deviation: float | None = None
    divided: bool = False

    @property
    def receptive(self) -> int:
        """Pixels under the kernel."""
        return self.size[0] * self.size[1]


Initializer = Callable  # (shape, dtype) -> tensor, as Keras calls it


def zeros(seed: int, name: str, spec: Spec) -> str:
    """Biases of most programs."""
    return "zeros"


def plain_shape(spec: Spec) -> tuple:
    """[outputs]."""
    return (spec.outputs,)


def kernel_shape(spec: Spec) -> tuple:
    """TensorFlow's: dense and embedding [in, out], convolution HWIO, transposed convolution [h, w, out,
    in]."""
    if spec.kind == "deconv":
        return (*spec.size, spec.outputs, spec.inputs)
    return (*(spec.size if spec.kind == "conv" else ()), spec.inputs, spec.outputs)


def same_axes(name: str, rank: int) -> tuple:
    """Files hold TensorFlow's layouts."""
    return tuple(range(rank))


@dataclass(frozen=True)
class Convention:
    """Names, order, layouts and first values of one original program's arrays.

    Attributes:
        names: array, or (array, kind of layer) -> format of its full name around the layer's title, `{}` or
            `{scope}/{last}`. Arrays of linear maps are kernel, bias, u, g, scale; of norms scale, offset,
            mean, variance (and biased, count where they are kept).
        kernel: (seed, full name, spec) -> initializer.
        bias: the same for biases.
        vector: spec -> shape of bias and scale.
        shape: spec -> shape of the kernel.
        order: in which a linear map makes its arrays; 'weight' stands for those of its weight's
            parametrisation.
        norm_order, table_order: the same for a norm, and for one with a scale and an offset of each class.
        norm_scale: (seed, full name) -> initializer of a norm's scale.
        axes: (full name, rank) -> permutation from our layout to that of the files.
    """

    names: dict
    kernel: Callable[[int, str, Spec], Initializer]
    bias: Callable = zeros
    vector: Callable[[Spec], tuple] = plain_shape
    shape: Callable[[Spec], tuple] = kernel_shape
    order: tuple = ("kernel", "weight", "bias")
    norm_order: tuple = ("offset", "scale")
    table_order: tuple = ("offset", "scale")
    norm_scale: Callable = field(default=lambda seed, name: "ones")
    axes: Callable[[str, int], tuple] = same_axes

    def name(self, array: str, kind: str, title: str) -> str:
        """Full name of an array of a layer."""
        scope, _, last = title.rpartition("/")
        return self.names.get((array, kind), self.names.get(array)).format(title, scope=scope, last=last)


# -- the plain one: networks that follow no original ---------------------------------------------------------
def _glorot(seed: int, name: str, spec: Spec):
    """U(-q, q) of standard deviation gain * sqrt(2 / (fan in + fan out)); He's rule doubles the variance."""
    variance = (4.0 if spec.he else 2.0) / (spec.receptive * (spec.inputs + spec.outputs))
    deviation = math.sqrt(variance) if spec.deviation is None else spec.deviation
    return seeded.uniform(spec.gain * deviation * math.sqrt(3.0), seed, name)


PLAIN = Convention({"kernel": "{}/kernel", "bias": "{}/bias", "u": "{}/u", "g": "{}/g", "scale": "{}/scale",
                    "offset": "{}/offset", "mean": "{}/mean", "variance": "{}/variance",
                    "biased": "{}/biased",
                    "count": "{}/count"}, _glorot)


# -- watsonyanghx/GAN_Lib_Tensorflow (common/ops) ------------------------------------------------------------
def _gan_lib(seed: int, name: str, spec: Spec):
    """Uniform; convolutions by He's rule of fan in and fan out unless told otherwise, dense layers by
    Glorot's."""
    if spec.kind == "embedding":
        return seeded.uniform(0.08, seed, name)
    if spec.kind == "dense":
        return seeded.uniform(float(np.sqrt(3.0 * (2.0 / (spec.inputs + spec.outputs)))) * spec.gain, seed,
                              name)
    fan_in, fan_out = spec.inputs * spec.size[0]**2, spec.outputs * spec.size[0]**2 / spec.stride**2
    he = spec.he is None or spec.he
    return seeded.uniform(np.sqrt(3.0 * (4.0 if he else 2.0) / (fan_in + fan_out)) * spec.gain, seed, name)


GAN_LIB = Convention(
    {("kernel", "conv"): "{}/Filters", ("kernel", "dense"): "{}/W",
     ("kernel", "embedding"): "{}/embedding_map",
     ("bias", "conv"): "{}/Biases", ("bias", "dense"): "{}/b",
     ("u", "conv"): "{}/filters/spectral_norm/u", ("u", "dense"): "{}/spectral_norm/u", "g": "{}/g",
     ("offset", "batch"): "{}/BatchNorm/beta", ("scale", "batch"): "{}/BatchNorm/gamma",
     ("mean", "batch"): "{}/BatchNorm/moving_mean", ("variance", "batch"): "{}/BatchNorm/moving_variance",
     ("biased", "batch"): "{0}/BatchNorm/{0}/BatchNorm/moving_mean/biased",
     ("count", "batch"): "{0}/BatchNorm/{0}/BatchNorm/moving_mean/local_step",
     ("offset", "conditional"): "{}/CondBatchNorm/offset", ("scale", "conditional"): "{}/CondBatchNorm/scale",
     ("offset", "layer"): "{}/{last}/beta", ("scale", "layer"): "{}/{last}/gamma"}, _gan_lib)


# -- pfnet-research/sngan_projection (Chainer) ---------------------------------------------------------------
def _chainer(seed: int, name: str, spec: Spec):
    """Chainer's GlorotUniform(gain)."""
    return seeded.uniform(spec.gain * float(np.sqrt(6.0 / (spec.receptive * (spec.inputs + spec.outputs)))),
                          seed, name)


def _chainer_axes(name: str, rank: int) -> tuple:
    """Convolutions are OIHW, dense layers (l1/W, l2/W, ...) (out, in); tables stay."""
    if rank == 4:
        return (3, 2, 0, 1)
    return (1, 0) if rank == 2 and re.fullmatch(r"l\d+/W", name) else tuple(range(rank))


CHAINER = Convention({"kernel": "{}/W", "bias": "{}/b", "u": "{}/u", "mean": "{}/avg_mean",
                      "variance": "{}/avg_var",
                      ("offset", "batch"): "{}/beta", ("scale", "batch"): "{}/gamma",
                      ("offset", "conditional"): "{}/betas/W", ("scale", "conditional"): "{}/gammas/W"},
                     _chainer, norm_order=("scale", "offset"), axes=_chainer_axes)


# -- igul222/improved_wgan_training's tflib, in rothk/Stabilizing_GANs' gan_64x64.py -------------------------
def _tflib(seed: int, name: str, spec: Spec):
    """Uniform from NumPy; convolutions by He's rule unless told otherwise, dense layers by Glorot's, or He's
    of the fan in."""
    k = spec.size[0]**2
    if spec.kind == "dense":
        deviation = math.sqrt(2.0 / spec.inputs if spec.he else 2.0 / (spec.inputs + spec.outputs))
    else:
        up, down = (4, 1) if spec.kind == "deconv" else (1, spec.stride**2)
        fans = spec.inputs * k // up + spec.outputs * k // down
        deviation = math.sqrt((4.0 if spec.he is None or spec.he else 2.0) / fans)
    bound = (deviation if spec.deviation is None else spec.deviation) * math.sqrt(3.0)
    key = name.rsplit(".", 1)[0]

    def start(shape, dtype=None):
        return tf.constant(random.generator(seed, key).uniform(-bound, bound, shape).astype(np.float32),
                           dtype)

    return start


TFLIB = Convention({("kernel", "dense"): "{}.W", "kernel": "{}.Filters", ("bias", "dense"): "{}.b",
                    "bias": "{}.Biases",
                    "g": "{}.g", "offset": "{}.offset", "scale": "{}.scale"}, _tflib)


# -- carpedm20's DCGAN, in rothk/Stabilizing_GANs ------------------------------------------------------------
def _carpedm20(seed: int, name: str, spec: Spec):
    """N(0, 0.02^2); convolutions cut at two deviations."""
    return (seeded.truncated_normal if spec.kind == "conv" else seeded.normal)(seed, name, 0.02)


CARPEDM20 = Convention({("kernel", "dense"): "{}/weights", "kernel": "{}/filters", "bias": "{}/biases",
                        "offset": "{}/beta",
                        "scale": "{}/gamma", "mean": "{}/moving_mean", "variance": "{}/moving_variance"},
                       _carpedm20)


# -- aleju/gan-error-avoidance: PyTorch of May 2017 ----------------------------------------------------------
def _torch_uniform(seed: int, name: str, bound: float, low: float | None = None):
    key = zlib.crc32(f"{seed}/{name}".encode())
    return tf.keras.initializers.RandomUniform(-bound if low is None else low, bound, seed=key)


def _torch_bound(spec: Spec) -> float:
    """1 / sqrt(fan in), the fan in of a transposed convolution taken from its input channels; `gain` times it
    where a dense layer's output is divided by the weight's norm."""
    gain = spec.gain if spec.divided and spec.kind == "dense" else 1.0
    return gain / math.sqrt(spec.inputs * (spec.receptive if spec.kind != "dense" else 1))


def _torch_bias(seed: int, name: str, spec: Spec):
    if spec.divided and spec.kind != "dense":
        return "zeros"
    return _torch_uniform(seed, name, _torch_bound(spec))


def _torch_vector(spec: Spec) -> tuple:
    """The original's (1, out, 1, 1) and (1, out), turned as its files are, where the output is divided by the
    weight's norm."""
    if not spec.divided:
        return (spec.outputs,)
    return (spec.outputs, 1) if spec.kind == "dense" else (1, 1, spec.outputs, 1)


def _torch_axes(name: str, rank: int) -> tuple:
    """OIHW ((in, out, h, w) of transposed convolutions), (out, in)."""
    return {2: (1, 0), 4: (3, 2, 0, 1)}.get(rank, tuple(range(rank)))


TORCH_2017 = Convention({"kernel": "{}.weight", "bias": "{}.bias", "scale": "{}.scale",
                         ("scale", "batch"): "{}.weight", ("offset", "batch"): "{}.bias",
                         "mean": "{}.running_mean", "variance": "{}.running_var"},
                        lambda seed, name, spec: _torch_uniform(seed, name, _torch_bound(spec)), _torch_bias,
                        _torch_vector,
                        order=("kernel", "bias", "weight"), norm_order=("scale", "offset"),
                        norm_scale=lambda seed, name: _torch_uniform(seed, name, 1.0, 0.0), axes=_torch_axes)


# -- alenmora/ppgan ------------------------------------------------------------------------------------------
PPGAN = Convention({("kernel", "dense"): "{}.linear.weight", "kernel": "{}.conv.weight", "bias": "{}.bias"},
                   lambda seed, name, spec: seeded.normal(seed, name), order=("bias", "kernel", "weight"),
                   axes=_torch_axes)


# -- the networks of the paper that alenmora/ppgan follows (Karras et al., ICLR 2018, appendix A.1) ----------
PROGRESSIVE = Convention({"kernel": "{}/weight", "bias": "{}/bias"},
                         lambda seed, name, spec: seeded.normal(seed, name))


# -- ayanc/rpgan ---------------------------------------------------------------------------------------------
def uniform_by_fan(shape, fan: int, seed: int, name: str) -> tf.Tensor:
    """U(-q, q) with q = sqrt(3 / fan), so that the variance is 1 / fan."""
    q = math.sqrt(3.0 / fan)
    return tf.random.stateless_uniform(shape, (seed, zlib.crc32(name.encode())), -q, q)


def _rpgan(seed: int, name: str, spec: Spec):
    fan = spec.inputs * spec.receptive
    return lambda shape, dtype=None: uniform_by_fan(shape, fan, seed, name)


def _rpgan_shape(spec: Spec) -> tuple:
    """Dense layers are kept as 1x1 convolutions."""
    return (1, 1, spec.inputs, spec.outputs) if spec.kind == "dense" else kernel_shape(spec)


RPGAN = Convention({"kernel": "{}_w", "bias": "{}_b", "offset": "{}_b", "mean": "bnm_{}_w",
                    "variance": "bnv_{}_w"}, _rpgan,
                   shape=_rpgan_shape)


# -- rothk/Stabilizing_GANs' 3DGAN.py ------------------------------------------------------------------------
def truncated_by_run(name: str, shape, seed: int, run, deviation: float = 0.1) -> tf.Tensor:
    """First values of a weight in one of several runs, a function of (seed, run, name): N(0, deviation^2)
    within two deviations.

    Args:
        run: int or int64 scalar tensor.
    """
    key = tf.stack([tf.constant((seed << 32) + zlib.crc32(name.encode()), tf.int64), tf.cast(run, tf.int64)])
    return deviation * tf.random.stateless_truncated_normal(shape, key)


TF_3DGAN = Convention({"kernel": "{scope}/W{last}", "bias": "{scope}/b{last}"},
                      lambda seed, name, spec: lambda shape,
                      dtype=None: truncated_by_run(name, shape, seed, 0))
