"""D, R, G and G-LIS of aleju/gan-error-avoidance (common/model.py), NHWC, images in [0, 1].

| norm | conv, linear | after conv | activation |
|---|---|---|---|
| none | plain | - | PReLU |
| batch | plain | batch norm | PReLU |
| weight | weight-normalised | - | TPReLU |
| weight-affine | weight-normalised, scale, bias | - | PReLU |

The last convolution of every network has scale and bias wherever it is weight-normalised. Whatever is
random comes in as
data: dropout masks (0 or 1/(1-p)) and the number of LIS modules to execute.
"""
from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.files.archive import Archive
from tfgan_suite.layers.activations import PReLU, TPReLU, sigmoid
from tfgan_suite.layers.blocks import Chain, Maker, Masked
from tfgan_suite.layers.conventions import TORCH_2017
from tfgan_suite.layers.learned_input import SMALL_START, LearnedInput, LisModule
from tfgan_suite.layers.network import Body
from tfgan_suite.layers.norms import Rule
from tfgan_suite.layers.resample import bilinear_aligned, flatten, maps, nearest
from tfgan_suite.layers.weights import OutputNorm, Plain

BATCH_NORM = Rule(epsilon=1e-5, running="at rest", decay=0.9)  # PyTorch's of 2017
NORMALISED, WITH_SCALE = OutputNorm(), OutputNorm(scale=True)
UPSAMPLE = {"fractional": None, "nearest": nearest, "bilinear": bilinear_aligned}
FINAL = "final"  # D's dropout mask


@dataclass(frozen=True)
class Style:
    """A row of the table above: the weights of inner layers, of the last convolution and of those after an
    upsampling."""

    weight: Plain = Plain()
    last: Plain = Plain()
    upscaled: Plain = NORMALISED  # whatever the norm
    rule: Rule | None = None
    activation: type = PReLU


STYLES = {"none": Style(), "batch": Style(rule=BATCH_NORM),
          "weight": Style(NORMALISED, WITH_SCALE, activation=TPReLU),
          "weight-affine": Style(WITH_SCALE, WITH_SCALE, WITH_SCALE)}


# -- sizes -----------------------------------------------------------------------------------------------
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

    def zeros(self, level: int) -> tuple[int, int]:
        """Zeros on each side in a 4x4 convolution of stride 2."""
        return 1 + self.pads[level][0], 1 + self.pads[level][1]


def pyramid(width: int, height: int, levels: int) -> Pyramid:
    """Halves an image `levels` times; a side that is 2 modulo 4 is padded by one, except in the last
    halving.

    Raises:
        UserError: an odd side, or no level at all.
    """
    if width % 2 or height % 2:
        raise UserError(f"image_size, width, height: {width}x{height} has an odd side; give even sizes")
    if levels < 1:
        raise UserError(f"nlayer: {levels} levels for a {width}x{height} image; use a larger image or "
                        "give nlayer")
    pads, size = [], (height, width)
    for i in range(levels):
        if any(n % 2 for n in size):
            raise UserError(f"nlayer: {width}x{height} cannot be halved {levels} times; give at most "
                            f"nlayer = {i}")
        pad = tuple(int(i < levels - 1 and n % 4 == 2) for n in size)
        size = tuple((n + 2 * p) // 2 for n, p in zip(size, pad))
        pads.append(pad)
    return Pyramid(tuple(pads), size)


def automatic_levels(width: int, height: int) -> int:
    """Halvings until the longer side is less than 8."""
    side, levels = max(width, height), 0
    while side >= 8:
        side, levels = (side + 1) // 2, levels + 1
    return levels


# -- layers as --norm wants them -------------------------------------------------------------------------
class LisMaker:
    """Makes the layers of one row of the table; first values are a function of the seed and of the layer's
    name.

    Args:
        norm: a key of `STYLES`.
    """

    def __init__(self, norm: str, seed: int = 0):
        self.style = STYLES[norm]
        self.make = Maker("", TORCH_2017, seed, self.style.weight, self.style.rule)
        self.bias = self.style.weight != NORMALISED  # of inner layers

    def dense(self, title: str, inputs: int, outputs: int):
        """A linear layer that starts small where it is weight-normalised."""
        return self.make.dense(title, inputs, outputs, self.bias, gain=SMALL_START)

    def down(self, title: str, inputs: int, outputs: int, zeros: tuple):
        """Half the side."""
        return self.make.conv(title, inputs, outputs, 4, 2, zeros, self.bias)

    def up(self, title: str, inputs: int, outputs: int, crop: tuple):
        """Twice the side."""
        return self.make.deconv(title, inputs, outputs, 4, 2, crop, self.bias)

    def smooth(self, title: str, inputs: int, outputs: int, zeros: tuple):
        """A 3x3 convolution after an upsampling."""
        make = self.make.but(weight=self.style.upscaled)
        return make.conv(title, inputs, outputs, 3, 1, zeros, self.style.upscaled != NORMALISED)

    def last(self, title: str, inputs: int, outputs: int, size: tuple):
        """The convolution over all that is left of an image."""
        return self.make.but(weight=self.style.last).conv(title, inputs, outputs, size, 1, "VALID")

    def last_up(self, title: str, inputs: int, outputs: int, crop: tuple):
        """The transposed convolution that gives the image."""
        return self.make.but(weight=self.style.last).deconv(title, inputs, outputs, 4, 2, crop)

    def norm(self, title: str, channels: int):
        """Batch norm, or the identity."""
        return self.make.norm(title, channels)

    def act(self, title: str, channels: int):
        """TPReLU for `weight`, else PReLU."""
        return self.style.activation(title, channels, TORCH_2017)

    @property
    def act_word(self) -> str:
        """The activation's part of a name."""
        return self.style.activation.__name__.lower()

    def modules(self, code: int, count: int) -> list[LisModule]:
        """The modules of a learned input space; there is no batch norm in them."""
        return [LisModule(self.make, f"lis_layers.{i}.lis.{i}", code, self.bias, self.style.activation)
                for i in range(count)]


# -- D and R ---------------------------------------------------------------------------------------------
def halvings(size: Pyramid, f: int, m: LisMaker) -> list:
    """The body that D and R share; channels double at each level. `level.{i}` are the masks of R's spatial
    dropout."""
    steps, inputs = [], 3
    for i in range(size.levels):
        level, outputs = f"level.{i}", f * 2 ** i
        steps += [m.down(f"{level}.conv", inputs, outputs, size.zeros(i)), Masked(level),
                  m.norm(f"{level}.batchnorm", outputs) if i else tf.identity,
                  m.act(f"{level}.{m.act_word}", outputs)]
        inputs = outputs
    return steps


def _logits(x: tf.Tensor) -> tf.Tensor:
    return tf.reshape(x, [-1])


def discriminator(size: Pyramid, f: int, m: LisMaker) -> Body:
    """D: images [n, h, w, 3] in [0, 1] -> logits [n]. The mask `final` is [n, *top, channels], before the
    last convolution."""
    last = m.last("final.conv", f * 2 ** (size.levels - 1), 1, size.top)
    return Body(Chain(*halvings(size, f, m), Masked(FINAL), last, _logits), TORCH_2017)


def reverser(size: Pyramid, f: int, code: int, m: LisMaker) -> Body:
    """R: images [n, h, w, 3] in [0, 1] -> the codes that they may come from [n, code]. Masks `level.{i}`, i
    >= 1, are [n, 1, 1, channels]."""
    last = m.last("final.conv", f * 2 ** (size.levels - 1), code, size.top)
    return Body(Chain(*halvings(size, f, m), last, flatten), TORCH_2017)


# -- G ---------------------------------------------------------------------------------------------------
def by_role():
    """Names of G's modules in R-iterative: `initial.linear`, `level.3.conv`, ..."""
    return lambda level, role: f"{level}.{role}"


def by_number():
    """Names of G's modules in G-LIS: numbers in two lists. Modules without weights take a number too, so
    each asks in order."""
    counts = {"initial_linear": 0, "conv_layers": 0}

    def name(level: str, role: str) -> str:
        group = "initial_linear" if level == "initial" else "conv_layers"
        counts[group] += 1
        return f"{group}.{counts[group] - 1}"

    return name


def generator(size: Pyramid, f: int, code: int, m: LisMaker, upscaling: str = "fractional",
              name=None) -> Body:
    """G: codes [n, code] -> images [n, h, w, 3] in [0, 1].

    Args:
        f: channels before the last convolution; they double at each level inwards.
        upscaling: 'fractional' (transposed convolutions), 'nearest' or 'bilinear' (upsampling, then a 3x3
            convolution).
        name: a function (level, role) -> name of a module; default `by_role()`.
    """
    name, n = name or by_role(), f * 2 ** (size.levels - 1)
    steps = [m.dense(name("initial", "linear"), code, n * size.top[0] * size.top[1]), _view(name, size.top),
             *_after("initial", n, m, name)]
    for level in reversed(range(1, size.levels)):
        steps += [*_doubling(f"level.{level}", n, size.pads[level], m, upscaling, name),
                  *_after(f"level.{level}", n // 2, m, name)]
        n //= 2
    return Body(Chain(*steps, m.last_up(name("level.0", "conv"), n, 3, size.zeros(0)), _picture),
                TORCH_2017)


def _view(name, top: tuple):
    name("initial", "view")
    return maps(top)


def _picture(x: tf.Tensor) -> tf.Tensor:
    return sigmoid(tf.cast(x, tf.float32))


def _after(level: str, n: int, m: LisMaker, name) -> tuple:
    norm = (m.norm(name(level, "batchnorm"), n),) if m.style.rule else ()
    return (*norm, m.act(name(level, m.act_word), n))


def _doubling(level: str, n: int, pad: tuple, m: LisMaker, upscaling: str, name) -> tuple:
    """Twice the side, half the channels. The original pads the 3x3 convolution by 1 + pad, which gives
    images of another size than D takes."""
    upsample = UPSAMPLE[upscaling]
    if upsample is None:
        return (m.up(name(level, "conv"), n, n // 2, (1 + pad[0], 1 + pad[1])),)
    name(level, "upsample")
    return upsample, m.smooth(name(level, "conv"), n, n // 2, (1 - pad[0], 1 - pad[1]))


class GeneratorLIS(LearnedInput):
    """G-LIS: some LIS modules move the noise to a better place, then G draws it.

    Args:
        modules: how many LIS modules there are; the others as for `generator`.
    """

    def __init__(self, size: Pyramid, f: int, code: int, m: LisMaker, modules: int,
                 upscaling: str = "fractional"):
        lis = m.modules(code, modules)
        super().__init__(generator(size, f, code, m, upscaling, by_number()), lis)

    def assign(self, arrays):
        """Sets all weights.

        Raises:
            UserError: the arrays are of another number of LIS modules, or do not fit.
        """
        held = {name.split(".")[1] for name in arrays if name.startswith("lis_layers.")}
        if arrays and len(held) != len(self.modules):
            where = arrays.path if isinstance(arrays, Archive) else "weights"
            raise UserError(f"{where}: holds {len(held)} LIS modules, this experiment has "
                            f"{len(self.modules)}; give --r_iterations={len(held)}")
        super().assign(arrays)
