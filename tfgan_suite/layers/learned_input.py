"""A learned input space in front of any generator: modules that move a latent to a better place before it
is drawn.

"Learning to Avoid Errors in GANs by Manipulating Input Spaces" (arXiv 1707.00768;
aleju/gan-error-avoidance, common/model.py): x_{i+1} = x_i + LIS_i(x_i), and the generator draws the last x.
"""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite.layers.activations import PReLU
from tfgan_suite.layers.blocks import Chain, Maker
from tfgan_suite.layers.network import Network
from tfgan_suite.layers.passes import REST, Pass

SMALL_START = 0.01  # factor on the first weights of a module, where its output is divided by their norm


class LisModule(tf.keras.layers.Layer):
    """What one module adds to its input: dense, activation, dense.

    Args:
        make: of the network, with its parametrisation of the weights.
        title: of the module; its layers are `{title}-1.linear`, `{title}-1.act` and `{title}-2.linear`.
        code: size of the latent.
        bias: whether the dense layers have one.
        activation: a layer class with weights per channel, as in `activations`.
    """

    def __init__(self, make: Maker, title: str, code: int, bias: bool = True, activation: type = PReLU):
        super().__init__(dtype="float32", autocast=False)
        self.chain = Chain(make.dense(f"{title}-1.linear", code, code, bias, gain=SMALL_START),
                           activation(f"{make.scope}{title}-1.act", code, make.convention),
                           make.dense(f"{title}-2.linear", code, code, bias, gain=SMALL_START))

    def call(self, x: tf.Tensor, how: Pass = REST) -> tf.Tensor:
        """[n, code] -> float32 [n, code]."""
        return tf.cast(self.chain(x, how), tf.float32)


class LearnedInput(Network):
    """A generator behind modules.

    Args:
        g: any generator that is called as `g(z, labels, training, update)`.
        modules: layers [n, code] -> [n, code], such as `LisModule`s.
    """

    def __init__(self, g: Network, modules):
        super().__init__(dtype="float32", autocast=False)
        self.modules, self.g = list(modules), g
        self.convention, self.classes, self.class_tables = g.convention, g.classes, g.class_tables

    def move(self, z: tf.Tensor, executed=None, how: Pass = REST) -> list[tf.Tensor]:
        """The vectors x_1 ... x_m after each module, each float32 [n, code].

        Args:
            executed: how many modules to execute (an int or an int tensor; None: all). The gates of the
                others are zero: their vectors repeat the last one and their weights get zero gradients, as
                    in the original. One graph serves
                every count.
        """
        vectors, x = [], tf.cast(z, tf.float32)
        for i, module in enumerate(self.modules):
            gate = 1.0 if executed is None else tf.cast(tf.convert_to_tensor(executed) > i, tf.float32)
            x = x + gate * module(x, how)
            vectors.append(x)
        return vectors

    def images_and_vectors(self, z, labels=None, training: bool = False, update: bool | None = None,
                           executed=None):
        """What a call gives, and what `move` gives, from one pass."""
        vectors = self.move(z, executed, Pass.of(labels, training, update))
        return self.g(vectors[-1] if vectors else z, labels, training=training, update=update), vectors

    def call(self, z, labels=None, training: bool = False, update: bool | None = None, executed=None):
        """Images of the moved latents; arguments as in the calling contract of networks, `executed` as in
        `move`."""
        return self.images_and_vectors(z, labels, training, update, executed)[0]


# -- how many modules run ----------------------------------------------------------------------------------
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
    """How many modules run: the pass stops before the first one whose uniform is below its chance. int32
    scalar.

    Args:
        uniforms: [modules], one draw per module (those after the stop are not looked at).
        chances: what `stop_chances` returned.
    """
    uniforms = tf.convert_to_tensor(uniforms)
    going = tf.cast(uniforms >= tf.constant(chances, uniforms.dtype), tf.int32)
    return tf.reduce_sum(tf.math.cumprod(going))
