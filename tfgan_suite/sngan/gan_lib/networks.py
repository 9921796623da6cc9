"""The networks of watsonyanghx/GAN_Lib_Tensorflow's SNGAN, from one table per data set: sections A6 and A7.

g = DIM_G, d = DIM_D. All images are NHWC float32 in [-1, 1].
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.layers import Network
from tfgan_suite.sngan.gan_lib.blocks import DiscriminatorBlock, FirstBlock, GeneratorBlock
from tfgan_suite.sngan.gan_lib.norms import GeneratorNorm
from tfgan_suite.sngan.gan_lib.ops import Conv2D, LabelEmbedding, Linear, Style, compute_dtype


@dataclass(frozen=True)
class Table:
    """Widths, as multiples of g and d.

    Attributes:
        size: side of the images.
        start: width of G's 4x4 input.
        up: widths of G's blocks, each of which doubles the size.
        first: width of D's first block.
        before, after: (width, resample) of D's blocks before and after the label is concatenated.
    """

    size: int
    start: float
    up: tuple
    first: float
    before: tuple
    after: tuple


TABLES = {
    "cifar": Table(32, start=8, up=(2, 2, 2), first=1, before=(), after=((1, "down"), (1, ""), (1, ""))),
    "imagenet": Table(128, start=8, up=(8, 4, 2, 1, 0.5), first=0.5, before=((1, "down"), (2, "down")),
                      after=((4, "down"), (8, "down"), (8, ""))),
    # Not in the original: the networks above without their largest stage.
    "imagenet64": Table(64, start=8, up=(8, 4, 2, 1), first=1, before=((2, "down"),),
                        after=((4, "down"), (8, "down"), (8, ""))),
    "digits": Table(16, start=8, up=(2, 2), first=1, before=(), after=((1, "down"), (1, ""), (1, ""))),
}


@dataclass(frozen=True)
class Labels:
    """How labels enter a network.

    Attributes:
        classes: how many there are.
        dim: width of the embedding.
        width: width of the vector that is concatenated (DIM_D in both networks).
        concat: whether it is concatenated at all: to z in G, to the features in D.
        table: a fixed embedding [classes, dim] instead of a trained one, or None.
    """

    classes: int
    dim: int = 300
    width: int = 128
    concat: bool = False
    table: np.ndarray | None = None


class ClassNetwork(Network):
    """A network that knows how many classes its tables have."""

    classes = 0
    class_tables = ("/offset", "/scale", "/embedding_map", "/D.ACGANOutput/b")

    def assign(self, arrays) -> None:
        """As `Network.assign`.

        Raises:
            UserError: also where the weights are of another number of classes.
        """
        shapes = self.shapes()
        for name in arrays:
            if name.endswith(self.class_tables) and name in shapes and len(arrays[name]) != self.classes:
                raise UserError(f"{getattr(arrays, 'path', 'weights')}: is of a model with {len(arrays[name])} classes, this "
                                f"experiment has {self.classes}; set its number of classes to {len(arrays[name])}")
        super().assign(arrays)


class Generator(ClassNetwork):
    """z -> linear to 4x4 -> residual blocks, each doubling the size -> norm, ReLU, 3x3, tanh.

    Args:
        table: widths.
        width: g.
        dim_z: length of a latent.
        norm: 'conditional', 'plain' or 'none' (see `GeneratorNorm`).
        labels: `concat` appends a label vector to z.
    """

    def __init__(self, table: Table, width: int, dim_z: int, norm: str, labels: Labels, style: Style):
        super().__init__(dtype="float32", autocast=False)
        self.classes, self.start, self.embedding = labels.classes, int(table.start * width), None
        if labels.concat:
            self.embedding = LabelEmbedding("Generator/", labels.classes, labels.dim, style, labels.table)
            self.embedding_y = Linear("Generator/G.Embedding_y", labels.dim, labels.width, style)
        inputs = dim_z + (labels.width if labels.concat else 0)
        self.input_layer = Linear("Generator/G.Input", inputs, 16 * self.start, style)
        widths = [self.start, *(int(m * width) for m in table.up)]
        self.blocks = [GeneratorBlock(f"Generator/G.Block.{i}", widths[i - 1], widths[i], style, norm, labels.classes)
                       for i in range(1, len(widths))]
        self.output_norm = GeneratorNorm("Generator/G.OutputNorm", widths[-1], norm, labels.classes)
        self.output_layer = Conv2D("Generator/G.Output", widths[-1], 3, style, he_init=False)

    def call(self, z: tf.Tensor, labels=None, groups: int = 1, update: bool = True) -> tf.Tensor:
        """Images of latents [n, dim_z].

        Args:
            labels: int [n], or weights of classes [n, classes]; None for a generator without labels.
            groups: the batch norms' statistics are those of n / groups samples (see `standardise`).
            update: move the averages of plain batch norms.

        Returns:
            float32 [n, size, size, 3] in (-1, 1).
        """
        if self.embedding is not None:
            z = tf.concat([z, tf.cast(self.embedding_y(self.embedding(labels)), z.dtype)], 1)
        x = tf.reshape(self.input_layer(z), [z.shape[0], 4, 4, self.start])
        for block in self.blocks:
            x = block(x, labels, groups=groups, update=update)
        x = tf.nn.relu(self.output_norm(x, labels, groups=groups, update=update))
        return tf.tanh(tf.cast(self.output_layer(x), tf.float32))


class Discriminator(ClassNetwork):
    """First block, blocks, label vector concatenated to the features, blocks, ReLU, mean over the image, linear to a logit.

    Args:
        table: widths.
        width: d.
        labels: `concat` is the label branch; without it D is unconditional.
        norm: layer norms in the blocks.
        acgan: adds a linear layer to class logits.
    """

    def __init__(self, table: Table, width: int, labels: Labels, norm: bool, acgan: bool, style: Style):
        super().__init__(dtype="float32", autocast=False)
        self.classes, self.embedding, self.compute = labels.classes, None, compute_dtype()
        inputs = int(table.first * width)
        self.first = FirstBlock("Discriminator/D.Block.1", inputs, style)
        self.before, inputs = self._blocks(table.before, 2, inputs, width, norm, style)
        if labels.concat:
            self.embedding = LabelEmbedding("Discriminator/", labels.classes, labels.dim, style, labels.table)
            self.embedding_y = Linear("Discriminator/D.Embedding_y", labels.dim, labels.width, style)
            inputs += labels.width
        self.after, inputs = self._blocks(table.after, 2 + len(table.before), inputs, width, norm, style)
        self.output_layer = Linear("Discriminator/D.Output", inputs, 1, style)
        self.class_layer = Linear("Discriminator/D.ACGANOutput", inputs, labels.classes, style) if acgan else None

    @staticmethod
    def _blocks(rows, number: int, inputs: int, width: int, norm: bool, style: Style) -> tuple[list, int]:
        blocks = []
        for multiple, resample in rows:
            outputs = int(multiple * width)
            blocks.append(DiscriminatorBlock(f"Discriminator/D.Block.{number + len(blocks)}", inputs, outputs, style,
                                             resample, norm))
            inputs = outputs
        return blocks, inputs

    def call(self, images: tf.Tensor, labels=None, update: bool = False):
        """Logits of images [n, size, size, 3] with labels [n].

        Args:
            update: advance spectral normalisation (once); else u stays.

        Returns:
            (float32 [n], class logits float32 [n, classes] or None).
        """
        x = self.first(tf.cast(images, self.compute), update=update)
        for block in self.before:
            x = block(x, update=update)
        if self.embedding is not None:
            y = self.embedding_y(self.embedding(labels), update=update)
            y = tf.broadcast_to(y[:, None, None, :], [*x.shape[:3], y.shape[-1]])
            x = tf.concat([x, y], 3)
        for block in self.after:
            x = block(x, update=update)
        features = tf.reduce_mean(tf.cast(tf.nn.relu(x), tf.float32), (1, 2))
        logits = tf.cast(self.output_layer(features, update=update), tf.float32)[:, 0]
        if self.class_layer is None:
            return logits, None
        return logits, tf.cast(self.class_layer(features, update=update), tf.float32)

    def assign(self, arrays) -> None:
        """As `ClassNetwork.assign`; takes also the older files in which a convolution's u is `<name>/spectral_norm/u`."""
        super().assign(CurrentNames(arrays, self.shapes()))

    def spectral_weights(self):
        """(name, matrix [rows, columns], u) of every normalised weight."""
        named = {name: v.numpy() for name, v in self.named().items()}
        for name in [n for n in named if n.endswith("/spectral_norm/u")]:
            layer = name[:-len("/spectral_norm/u")]
            kernel = named[f"{layer}/W"] if f"{layer}/W" in named else named[layer.replace("/filters", "/Filters")]
            yield layer, kernel.reshape(-1, kernel.shape[-1]), named[name]


class CurrentNames(dict):
    """The arrays of a file under the names that the network has today.

    Args:
        arrays: mapping name -> array.
        shapes: the network's names.
    """

    def __init__(self, arrays, shapes: dict):
        old, new = "/spectral_norm/u", "/filters/spectral_norm/u"

        def today(name: str) -> str:
            moved = name[:-len(old)] + new if name.endswith(old) else name
            return moved if name not in shapes and moved in shapes else name

        super().__init__({today(name): arrays[name] for name in arrays})
        self.path = getattr(arrays, "path", "weights")
