"""What networks are put together with: chains, residual blocks, and the maker of a network's layers."""
from __future__ import annotations

from dataclasses import dataclass, replace

import tensorflow as tf

from tfgan_suite.layers.conventions import PLAIN, Convention, Spec
from tfgan_suite.layers.linear import Conv, Deconv, Dense, Embedding
from tfgan_suite.layers.norms import Norm, Rule
from tfgan_suite.layers.passes import REST, Pass
from tfgan_suite.layers.weights import Plain


def run(step, x: tf.Tensor, how: Pass) -> tf.Tensor:
    """One step of a chain: a layer, which is told how the pass is meant, or a plain function of a tensor."""
    return step(x, how) if isinstance(step, tf.keras.layers.Layer) else step(x)


class Chain(tf.keras.layers.Layer):
    """Layers and plain functions, one after the other."""

    def __init__(self, *steps):
        super().__init__(dtype="float32", autocast=False)
        self.steps = steps

    def call(self, x, how: Pass = REST):
        """The last step's output."""
        for step in self.steps:
            x = run(step, x, how)
        return x


class Masked(tf.keras.layers.Layer):
    """x times the pass's mask of this name; x where the pass brings none. Dropout whose randomness comes in
    as data.

    Args:
        name_of_mask: key of `Pass.masks`; a mask has 0 where numbers are dropped, else 1 / (1 - chance).
    """

    def __init__(self, name_of_mask: str):
        super().__init__(dtype="float32", autocast=False)
        self.mask = name_of_mask

    def call(self, x, how: Pass = REST):
        """The same shape and type; a mask's shape need only be one that spreads over x."""
        mask = (how.masks or {}).get(self.mask)
        return x if mask is None else x * tf.cast(mask, x.dtype)


class Residual(tf.keras.layers.Layer):
    """shortcut(x) + scale * branch(x).

    Args:
        order: layers of both in the order that their arrays have in the original's files, where that is
            another one.
    """

    def __init__(self, shortcut, branch, scale: float = 1.0, order: tuple = ()):
        super().__init__(dtype="float32", autocast=False)
        self.order = order
        self.shortcut, self.branch, self.scale = shortcut, branch, scale

    def call(self, x, how: Pass = REST):
        """In the shortcut's type."""
        shortcut, branch = run(self.shortcut, x, how), run(self.branch, x, how)
        branch = tf.cast(branch, shortcut.dtype)
        return shortcut + (branch if self.scale == 1.0 else self.scale * branch)


@dataclass(frozen=True)
class Maker:
    """Makes the layers of one network.

    Attributes:
        scope: in front of all titles, with its separator: 'Generator.', 'discriminator/', ''.
        convention: names and first values.
        seed: of the first values.
        weight: parametrisation of the linear maps.
        rule: of the norms; None: there are none.
        deviation: standard deviation of all first weights; None: each layer's own rule.
        classes: of conditional norms (see `norm`).
    """

    scope: str = ""
    convention: Convention = PLAIN
    seed: int = 0
    weight: Plain = Plain()
    rule: Rule | None = None
    deviation: float | None = None
    classes: int = 0

    def but(self, **changes) -> Maker:
        """A copy with other attributes."""
        return replace(self, **changes)

    def inside(self, scope: str) -> Maker:
        """A copy for titles below `scope`."""
        return replace(self, scope=self.scope + scope)

    def _spec(self, kind, inputs, outputs, size=1, stride=1, he=None, gain=1.0) -> Spec:
        size = size if isinstance(size, tuple) else (size, size)
        return Spec(kind, inputs, outputs, size, stride, he, gain, self.deviation, self.weight.divided)

    def dense(self, title: str, inputs: int, outputs: int, bias: bool = True, he: bool | None = None,
              gain: float = 1.0,
              compute: str | None = None) -> Dense:
        """[n, inputs] -> [n, outputs]; `compute`: the type that it computes in whatever the run's is."""
        spec = self._spec("dense", inputs, outputs, he=he, gain=gain)
        return Dense(self.scope + title, spec, self.convention, self.weight, self.seed, bias, compute)

    def conv(self, title: str, inputs: int, outputs: int, size=3, stride: int = 1, padding="SAME",
             bias: bool = True,
             he: bool | None = None, gain: float = 1.0) -> Conv:
        """A convolution with a kernel of side `size` (or (height, width))."""
        spec = self._spec("conv", inputs, outputs, size, stride, he, gain)
        return Conv(self.scope + title, spec, self.convention, self.weight, self.seed, bias, padding)

    def deconv(self, title: str, inputs: int, outputs: int, size=4, stride: int = 2, padding="SAME",
               bias: bool = True,
               sides: tuple | None = None, gain: float = 1.0) -> Deconv:
        """A transposed convolution; `sides`: (height, width) of its output where that is not `stride` times
        the input's."""
        spec = self._spec("deconv", inputs, outputs, size, stride, gain=gain)
        return Deconv(self.scope + title, spec, self.convention, self.weight, self.seed, bias, padding, sides)

    def embedding(self, title: str, classes: int, width: int, table=None) -> Embedding:
        """A row of width `width` for each class; `table`: fixed values instead of trained ones."""
        spec = self._spec("embedding", classes, width)
        return Embedding(self.scope + title, spec, self.convention, self.weight, self.seed, bias=False,
                         fixed=table)

    def norm(self, title: str, channels: int, rule: Rule | None = None, classes: int | None = None):
        """A normalisation by `rule` (default: the network's); the identity where there is none."""
        rule = rule or self.rule
        if rule is None:
            return tf.identity
        classes = self.classes if classes is None else classes
        return Norm(self.scope + title, channels, rule, self.convention, self.seed, classes)
