"""D, R, G and G-LIS (spec: section 4 of aleju/gan-error-avoidance), NHWC, images in [0, 1].

| norm | conv, linear | after conv | activation |
|---|---|---|---|
| none | plain | - | PReLU |
| batch | plain | batch norm | PReLU |
| weight | weight-normalised | - | TPReLU |
| weight-affine | weight-normalised, scale, bias | - | PReLU |

The last convolution of every network has scale and bias wherever it is weight-normalised. Whatever is random comes in as
data: dropout masks (0 or 1/(1-p)) and the number of LIS modules to execute.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.layers.network import Network
from tfgan_suite.lis.layers import PLAIN, WEIGHT, WEIGHT_AFFINE, BatchNorm, Conv, Linear, PReLU, TPReLU, TransposedConv, sigmoid

TO_FILE = {2: (1, 0), 4: (3, 2, 0, 1)}
FROM_FILE = {2: (1, 0), 4: (2, 3, 1, 0)}
SMALL_START = 0.01  # init factor of G's first linear layer and of all LIS layers
KERNEL = (4, 4)


@dataclass(frozen=True)
class Pyramid:
    """The sizes of a network with `levels` halvings.

    Attributes:
        pads: (vertical, horizontal) extra padding of each halving, from the image inwards.
        top: (h, w) after all of them.
    """

    pads: tuple
    top: tuple

    @property
    def levels(self) -> int:
        """How many halvings."""
        return len(self.pads)


def pyramid(width: int, height: int, levels: int) -> Pyramid:
    """Halves an image `levels` times; a side that is 2 modulo 4 is padded by one, except in the last halving.

    Raises:
        UserError: an odd side, or no level at all.
    """
    if width % 2 or height % 2:
        raise UserError(f"image_size, width, height: {width}x{height} has an odd side; give even sizes")
    if levels < 1:
        raise UserError(f"nlayer: {levels} levels for a {width}x{height} image; use a larger image or give nlayer")
    pads, size = [], (height, width)
    for i in range(levels):
        if any(n % 2 for n in size):
            raise UserError(f"nlayer: {width}x{height} cannot be halved {levels} times; give at most nlayer = {i}")
        pad = tuple(int(i < levels - 1 and n % 4 == 2) for n in size)
        size = tuple((n + 2 * p) // 2 for n, p in zip(size, pad))
        pads.append(pad)
    return Pyramid(tuple(pads), size)


@dataclass(frozen=True)
class Maker:
    """Makes the layers that `norm` asks for, with weights that are a function of the seed and of the layer's name."""

    norm: str
    seed: int = 0

    @property
    def style(self):
        """Of inner convolutions and linear layers."""
        return {"weight": WEIGHT, "weight-affine": WEIGHT_AFFINE}.get(self.norm, PLAIN)

    @property
    def last_style(self):
        """Of the last convolution of each network."""
        return WEIGHT_AFFINE if self.style.normalise else PLAIN

    @property
    def upscaled_style(self):
        """Of the 3x3 convolution after an upsampling: weight-normalised whatever the norm."""
        return WEIGHT_AFFINE if self.norm == "weight-affine" else WEIGHT

    @property
    def activation_name(self) -> str:
        """The activation's part of a state key."""
        return "tprelu" if self.norm == "weight" else "prelu"

    def activation(self, name: str, channels: int):
        """TPReLU for `weight`, else PReLU."""
        return (TPReLU if self.norm == "weight" else PReLU)(name, channels)

    def linear(self, name: str, inputs: int, outputs: int):
        """A linear layer that starts small where it is weight-normalised."""
        return Linear(name, inputs, outputs, self.style, SMALL_START, self.seed)

    def batch_norm(self, name: str, channels: int, wanted: bool = True):
        """Batch norm, or None."""
        return BatchNorm(name, channels, self.seed) if self.norm == "batch" and wanted else None


class LisNetwork(Network):
    """A network whose files have the original's layouts: OIHW, (in, out, kh, kw), (out, in)."""

    def shapes(self):
        """Array name -> shape in the file."""
        shapes = super().shapes()
        return {name: tuple(s[a] for a in TO_FILE.get(len(s), range(len(s)))) for name, s in shapes.items()}

    def arrays(self):
        """(name, array) in the file's layout."""
        for name, value in super().arrays():
            yield name, np.ascontiguousarray(to_file(value))

    def assign_array(self, name, value):
        """Sets a variable from an array in the file's layout."""
        super().assign_array(name, from_file(value))


def to_file(value: np.ndarray) -> np.ndarray:
    """Our layout -> the original's."""
    return np.transpose(value, TO_FILE[value.ndim]) if value.ndim in TO_FILE else value


def from_file(value: np.ndarray) -> np.ndarray:
    """The original's layout -> ours."""
    return np.transpose(value, FROM_FILE[value.ndim]) if value.ndim in FROM_FILE else value


class Level(tf.keras.layers.Layer):
    """Convolution, dropout of whole channels, batch norm, activation; each but the first may be missing."""

    def __init__(self, conv, norm, activation, upsample=None):
        super().__init__()
        self.upsample, self.conv, self.norm, self.activation = upsample, conv, norm, activation

    def call(self, x, training=False, dropout=None):
        """[N, h, w, c] -> [N, h', w', c']; `dropout` is a mask [N, 1, 1, c']."""
        x = self.conv(x if self.upsample is None else self.upsample(x))
        if dropout is not None:
            x = x * tf.cast(dropout, x.dtype)
        if self.norm is not None:
            x = self.norm(x, training=training)
        return self.activation(x)


class Down(LisNetwork):
    """The body that D and R share: halvings, then one convolution over all that is left.

    Args:
        size: of the images.
        features: channels of the first level; they double at each level.
        outputs: channels of the last convolution.
        make: what `norm` asks for.
    """

    def __init__(self, size: Pyramid, features: int, outputs: int, make: Maker):
        super().__init__()
        self.features, self.levels, channels = features, [], 3
        for i, pad in enumerate(size.pads):
            level, n = f"level.{i}", features * 2 ** i
            conv = Conv(f"{level}.conv", channels, n, KERNEL, 2, (1 + pad[0], 1 + pad[1]), make.style, make.seed)
            norm = make.batch_norm(f"{level}.batchnorm", n, wanted=i > 0)
            self.levels.append(Level(conv, norm, make.activation(f"{level}.{make.activation_name}", n)))
            channels = n
        self.top = (*size.top, channels)
        self.final = Conv("final.conv", channels, outputs, size.top, 1, (0, 0), make.last_style, make.seed)

    def flat(self, x) -> tf.Tensor:
        """The last convolution's only pixel, float32 [N, outputs]."""
        return tf.cast(tf.reshape(self.final(x), [-1, self.final.w.shape[-1]]), tf.float32)


class Discriminator(Down):
    """D: images [N, h, w, 3] in [0, 1] -> how real they are, sigmoid [N, 1]."""

    def __init__(self, size: Pyramid, features: int, make: Maker):
        super().__init__(size, features, 1, make)

    def call(self, x, training=False, dropout=None):
        """`dropout` is an element-wise mask [N, *self.top] before the last convolution."""
        return sigmoid(self.logits(x, training, dropout))

    def logits(self, x, training=False, dropout=None):
        """What the sigmoid is taken of, [N, 1]; arguments as of a call."""
        for level in self.levels:
            x = level(x, training=training)
        if dropout is not None:
            x = x * tf.cast(dropout, x.dtype)
        return self.flat(x)


class Reverser(Down):
    """R: images [N, h, w, 3] in [0, 1] -> the code that they may come from [N, code]."""

    def __init__(self, size: Pyramid, features: int, code: int, make: Maker):
        super().__init__(size, features, code, make)

    def call(self, x, training=False, dropout=()):
        """`dropout`: a mask [N, 1, 1, channels] for each level but the first, or nothing."""
        for i, level in enumerate(self.levels):
            x = level(x, training=training, dropout=dropout[i - 1] if dropout and i else None)
        return self.flat(x)


class _Names:
    """State keys of G's modules: by their role in a flat Sequential, or numbered in G-LIS' two module lists.

    Modules without weights take a number too, so every module of the original asks for its name, in order.
    """

    def __init__(self, numbered: bool):
        self.numbered, self.counts = numbered, {"initial_linear": 0, "conv_layers": 0}

    def __call__(self, level: str, role: str) -> str:
        if not self.numbered:
            return f"{level}.{role}"
        group = "initial_linear" if level == "initial" else "conv_layers"
        self.counts[group] += 1
        return f"{group}.{self.counts[group] - 1}"


def nearest(x):
    """[N, h, w, c] -> [N, 2h, 2w, c] by repetition."""
    return tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)


def bilinear(x):
    """[N, h, w, c] -> [N, 2h, 2w, c] with aligned corners."""
    return tf.compat.v1.image.resize_bilinear(x, [2 * x.shape[1], 2 * x.shape[2]], align_corners=True)


UPSAMPLE = {"fractional": None, "nearest": nearest, "bilinear": bilinear}


class Generator(LisNetwork):
    """G of R-iterative: codes [N, code] -> images [N, h, w, 3] in [0, 1].

    Args:
        size: of the images.
        features: channels before the last convolution; they double at each level inwards.
        code: size of the latent.
        make: what `norm` asks for.
        upscaling: 'fractional' (transposed convolutions), 'nearest' or 'bilinear' (upsampling, then a 3x3 convolution).
        numbered: use G-LIS' state keys.
    """

    def __init__(self, size: Pyramid, features: int, code: int, make: Maker, upscaling: str = "fractional",
                 numbered: bool = False):
        super().__init__()
        names, n = _Names(numbered), features * 2 ** (size.levels - 1)
        self.view = (n, *size.top)
        self.linear = make.linear(names("initial", "linear"), code, n * size.top[0] * size.top[1])
        names("initial", "view")
        self.norm = make.batch_norm(names("initial", "batchnorm"), n) if make.norm == "batch" else None
        self.activation = make.activation(names("initial", make.activation_name), n)
        self.levels = []
        for level in reversed(range(1, size.levels)):
            self.levels.append(self._level(f"level.{level}", n, size.pads[level], make, upscaling, names))
            n //= 2
        pad = size.pads[0]
        self.final = TransposedConv(names("level.0", "conv"), n, 3, KERNEL, 2, (1 + pad[0], 1 + pad[1]), make.last_style,
                                    make.seed)

    @staticmethod
    def _level(level, n, pad, make, upscaling, names) -> Level:
        upsample = UPSAMPLE[upscaling]
        if upsample is None:
            crop = (1 + pad[0], 1 + pad[1])
            conv = TransposedConv(names(level, "conv"), n, n // 2, KERNEL, 2, crop, make.style, make.seed)
        else:
            names(level, "upsample")
            # the original pads by 1 + pad, which gives images of another size than D takes
            keep = (1 - pad[0], 1 - pad[1])
            conv = Conv(names(level, "conv"), n, n // 2, (3, 3), 1, keep, make.upscaled_style, make.seed)
        norm = make.batch_norm(names(level, "batchnorm"), n // 2) if make.norm == "batch" else None
        return Level(conv, norm, make.activation(names(level, make.activation_name), n // 2), upsample)

    def call(self, x, training=False):
        """[N, code] -> [N, h, w, 3]."""
        x = tf.reshape(self.linear(x), [-1, *self.view])  # the linear layer's outputs are numbered c, h, w
        x = tf.transpose(x, [0, 2, 3, 1])
        if self.norm is not None:
            x = self.norm(x, training=training)
        x = self.activation(x)
        for level in self.levels:
            x = level(x, training=training)
        return sigmoid(tf.cast(self.final(x), tf.float32))


class LisModule(tf.keras.layers.Layer):
    """Module `i` of the learned input space: linear, activation, linear."""

    def __init__(self, i: int, code: int, make: Maker):
        super().__init__()
        key = f"lis_layers.{i}.lis.{i}"
        self.first = make.linear(f"{key}-1.linear", code, code)
        self.activation = make.activation(f"{key}-1.act", code)
        self.second = make.linear(f"{key}-2.linear", code, code)

    def call(self, x):
        """[N, code] -> what is added to it."""
        return self.second(self.activation(self.first(x)))


class GeneratorLIS(LisNetwork):
    """G-LIS: some LIS modules move the noise to a better place, x_{i+1} = x_i + LIS_i(x_i), then G draws it.

    Args:
        modules: how many LIS modules there are; the others as for `Generator`.
    """

    def __init__(self, size: Pyramid, features: int, code: int, make: Maker, modules: int, upscaling: str = "fractional"):
        super().__init__()
        self.modules_lis = [LisModule(i, code, make) for i in range(modules)]
        self.body = Generator(size, features, code, make, upscaling, numbered=True)

    def assign(self, arrays):
        """Sets all weights.

        Raises:
            UserError: the arrays are of another number of LIS modules, or do not fit.
        """
        held = {name.split(".")[1] for name in arrays if name.startswith("lis_layers.")}
        if arrays and len(held) != len(self.modules_lis):
            where = getattr(arrays, "path", "weights")
            raise UserError(f"{where}: holds {len(held)} LIS modules, this experiment has {len(self.modules_lis)}; "
                            f"give --r_iterations={len(held)}")
        super().assign(arrays)

    def move(self, x, executed=None) -> list[tf.Tensor]:
        """The vectors x_1 ... x_n after each module, each [N, code].

        Args:
            executed: how many modules to execute (an int or an int tensor; None: all). The gates of the others are zero: their
                vectors repeat the last one and their weights get zero gradients, as in the original. One graph serves
                every count.
        """
        vectors, x = [], tf.cast(x, tf.float32)
        for i, module in enumerate(self.modules_lis):
            step = tf.cast(module(x), tf.float32)
            gate = 1.0 if executed is None else tf.cast(tf.convert_to_tensor(executed) > i, tf.float32)
            x = x + gate * step
            vectors.append(x)
        return vectors

    def call(self, x, training=False, executed=None):
        """[N, code] -> (images [N, h, w, 3], vectors after each module; those of modules not executed repeat the last)."""
        vectors = self.move(x, executed)
        return self.body(vectors[-1] if vectors else x, training=training), vectors


def stop_chances(modules: int, training: bool, executed=None) -> list[float]:
    """The chance that a forward pass stops before each module, once it gets there.

    Args:
        training: then 0.5^(n-i) before module i of n; else 0.
        executed: a count that overrides it, or 'all'.
    """
    if executed == "all" or (executed is None and not training):
        return [0.0] * modules
    if executed is None:
        return [0.5 ** (modules - i) for i in range(modules)]
    return [0.0 if i + 1 <= executed else 1.0 for i in range(modules)]


def count_executed(uniforms, chances) -> tf.Tensor:
    """How many modules run: the pass stops before the first one whose uniform is below its chance. int32 scalar.

    Args:
        uniforms: [modules], one draw per module (those after the stop are not looked at).
        chances: what `stop_chances` returned.
    """
    going = tf.cast(tf.convert_to_tensor(uniforms) >= tf.constant(chances, tf.convert_to_tensor(uniforms).dtype), tf.int32)
    return tf.reduce_sum(tf.math.cumprod(going))
