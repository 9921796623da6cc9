"""The networks of watsonyanghx/GAN_Lib_Tensorflow's SNGAN (`gan_cifar_resnet.py`, `gan_imagNet_resnet.py`), a
table for each data set.

g = DIM_G, d = DIM_D. All images are NHWC float32 in [-1, 1].
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfgan_suite.layers import Network
from tfgan_suite.layers.activations import relu
from tfgan_suite.layers.blocks import Chain, Maker, Residual, run
from tfgan_suite.layers.conventions import GAN_LIB
from tfgan_suite.layers.linear import Embedding, compute_dtype
from tfgan_suite.layers.norms import Rule
from tfgan_suite.layers.passes import Pass
from tfgan_suite.layers.resample import maps, mean_pool, nearest, with_maps
from tfgan_suite.layers.weights import Plain, Spectral

CONDITIONAL = Rule()  # G's norm with a scale and an offset for each class; float32 sums of the fused one show
PLAIN = Rule(running="kept", debias=True, operation=True,
             folded=False)  # G's norm without classes; its averages are in the original's files
LAYER = Rule("layer", 1e-12, folded=False)  # D's


@dataclass(frozen=True)
class Table:
    """Widths, as multiples of g and d.

    Attributes:
        size: side of the images.
        start: width of G's 4x4 input.
        up: widths of G's blocks, each of which doubles the size.
        first: width of D's first block, which halves the size.
        before, after: (width, whether it halves the size) of D's blocks before and after the label is
            concatenated.
    """

    size: int
    start: float
    up: tuple
    first: float
    before: tuple
    after: tuple


TABLES = {
    "cifar": Table(32, start=8, up=(2, 2, 2), first=1, before=(), after=((1, True), (1, False), (1, False))),
    "imagenet": Table(128, start=8, up=(8, 4, 2, 1, 0.5), first=0.5, before=((1, True), (2, True)),
                      after=((4, True), (8, True), (8, False))),
    # Not in the original: the networks above without their largest stage.
    "imagenet64": Table(64, start=8, up=(8, 4, 2, 1), first=1, before=((2, True),),
                        after=((4, True), (8, True), (8, False))),
    "digits": Table(16, start=8, up=(2, 2), first=1, before=(), after=((1, True), (1, False), (1, False))),
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

    def embedding(self, make: Maker) -> Embedding | None:
        """The embedding, which is not normalised."""
        if not self.concat:
            return None
        return make.but(weight=Plain()).embedding("Embedding.Label", self.classes, self.dim, self.table)


def generator_maker(seed: int, rule: Rule | None, classes: int) -> Maker:
    """Of G's layers.

    Args:
        rule: CONDITIONAL, PLAIN or None.
        classes: of the tables of CONDITIONAL.
    """
    return Maker("Generator/", GAN_LIB, seed, rule=rule, classes=classes if rule is CONDITIONAL else 0)


def discriminator_maker(seed: int, norm: bool, stop_gradient: bool = False, iterations: int = 1) -> Maker:
    """Of D's layers; `norm`: there are layer norms; the others as in `Spectral`."""
    return Maker("Discriminator/", GAN_LIB, seed, Spectral(iterations, stop_gradient), LAYER
                 if norm else None)


# -- blocks: the names' order is that of the files: Shortcut, N1, Conv1, N2, Conv2 ---------------------------
def up_block(make: Maker, title: str, inputs: int, outputs: int) -> Residual:
    """norm, ReLU, upsample, 3x3, norm, ReLU, 3x3; plus upsample, 1x1. Doubles the size."""
    return Residual(Chain(nearest, make.conv(f"{title}.Shortcut", inputs, outputs, 1, he=False)),
                    Chain(make.norm(f"{title}.N1", inputs), relu, nearest,
                          make.conv(f"{title}.Conv1", inputs, outputs),
                          make.norm(f"{title}.N2", outputs), relu,
                          make.conv(f"{title}.Conv2", outputs, outputs)))


def down_block(make: Maker, title: str, inputs: int, outputs: int, down: bool = True) -> Residual:
    """(norm) ReLU, 3x3, (norm) ReLU, 3x3, (mean pool); plus the input, through 1x1 (and the pool) where its
    shape changes. Halves the size, or keeps it."""
    pool, hidden = (mean_pool, inputs) if down else (tf.identity, outputs)
    same = not down and inputs == outputs
    shortcut = tf.identity if same else Chain(make.conv(f"{title}.Shortcut", inputs, outputs, 1, he=False),
                                              pool)
    return Residual(shortcut,
                    Chain(make.norm(f"{title}.N1", inputs), relu, make.conv(f"{title}.Conv1", inputs, hidden),
                          make.norm(f"{title}.N2", hidden), relu,
                          make.conv(f"{title}.Conv2", hidden, outputs), pool))


def first_block(make: Maker, title: str, outputs: int) -> Residual:
    """3x3, ReLU, 3x3, mean pool; plus mean pool, 1x1 of the image. Halves the size."""
    return Residual(Chain(mean_pool, make.conv(f"{title}.Shortcut", 3, outputs, 1, he=False)),
                    Chain(make.conv(f"{title}.Conv1", 3, outputs), relu,
                          make.conv(f"{title}.Conv2", outputs, outputs),
                          mean_pool))


# -- networks ------------------------------------------------------------------------------------------------
class ClassNetwork(Network):
    """A network with the original's names and tables of classes."""

    convention = GAN_LIB
    class_tables = ("/offset", "/scale", "/embedding_map", "/D.ACGANOutput/b")


class Generator(ClassNetwork):
    """z -> linear to 4x4 -> residual blocks, each doubling the size -> norm, ReLU, 3x3, tanh.

    Args:
        table: widths.
        width: g.
        dim_z: length of a latent.
        labels: `concat` appends a label vector to z.
        make: see `generator_maker`.
    """

    def __init__(self, table: Table, width: int, dim_z: int, labels: Labels, make: Maker):
        super().__init__(dtype="float32", autocast=False)
        self.classes, start = labels.classes, int(table.start * width)
        self.embedding = labels.embedding(make)
        if labels.concat:
            self.embedding_y = make.dense("G.Embedding_y", labels.dim, labels.width)
        inputs = dim_z + (labels.width if labels.concat else 0)
        self.input_layer = make.dense("G.Input", inputs, 16 * start)
        widths = [start, *(int(m * width) for m in table.up)]
        self.blocks = Chain(maps(4, channel_major=False),
                            *(up_block(make, f"G.Block.{i}", widths[i - 1], widths[i])
                              for i in range(1, len(widths))))
        self.output_norm = make.norm("G.OutputNorm", widths[-1])
        self.output_layer = make.conv("G.Output", widths[-1], 3, he=False)

    def call(self, z: tf.Tensor, labels=None, training: bool = False, update: bool | None = None,
             groups: int = 1) -> tf.Tensor:
        """Images of latents [n, dim_z]. Batch norms use the batch's statistics, at rest too.

        Args:
            labels: int [n], or weights of classes [n, classes]; None for a generator without labels.
            training, update: the averages of plain batch norms move.
            groups: the batch norms' statistics are those of n / groups samples; row i belongs to part i %
                groups.

        Returns:
            float32 [n, size, size, 3] in (-1, 1).
        """
        how = Pass.of(labels, training, update, groups)
        if self.embedding is not None:
            z = tf.concat([z, tf.cast(self.embedding_y(self.embedding(labels, how), how), z.dtype)], 1)
        x = self.blocks(self.input_layer(z, how), how)
        x = relu(run(self.output_norm, x, how))
        return tf.tanh(tf.cast(self.output_layer(x, how), tf.float32))


class Discriminator(ClassNetwork):
    """First block, blocks, label vector concatenated to the features, blocks, ReLU, mean over the image,
    linear to a logit.

    Args:
        table: widths.
        width: d.
        labels: `concat` is the label branch; without it D is unconditional.
        make: see `discriminator_maker`.
        acgan: adds a linear layer to class logits.
    """

    def __init__(self, table: Table, width: int, labels: Labels, make: Maker, acgan: bool = False):
        super().__init__(dtype="float32", autocast=False)
        self.classes, self.compute = labels.classes, compute_dtype()
        inputs = int(table.first * width)
        self.first = first_block(make, "D.Block.1", inputs)
        self.before, inputs = self._blocks(make, table.before, 2, inputs, width)
        self.embedding = labels.embedding(make)
        if labels.concat:
            self.embedding_y = make.dense("D.Embedding_y", labels.dim, labels.width)
            inputs += labels.width
        self.after, inputs = self._blocks(make, table.after, 2 + len(table.before), inputs, width)
        self.output_layer = make.dense("D.Output", inputs, 1)
        self.class_layer = make.dense("D.ACGANOutput", inputs, labels.classes) if acgan else None

    @staticmethod
    def _blocks(make: Maker, rows: tuple, number: int, inputs: int, width: int) -> tuple[Chain, int]:
        blocks = []
        for multiple, down in rows:
            outputs = int(multiple * width)
            blocks.append(down_block(make, f"D.Block.{number + len(blocks)}", inputs, outputs, down))
            inputs = outputs
        return Chain(*blocks), inputs

    def call(self, images: tf.Tensor, labels=None, training: bool = False, update: bool | None = None):
        """Logits of images [n, size, size, 3] with labels [n].

        Args:
            training, update: advance spectral normalisation (once); else u stays.

        Returns:
            float32 [n]; with the classifier a pair of these and class logits float32 [n, classes].
        """
        how = Pass.of(labels, training, update)
        x = self.before(self.first(tf.cast(images, self.compute), how), how)
        if self.embedding is not None:
            x = with_maps(x, self.embedding_y(self.embedding(labels, how), how))
        features = tf.reduce_mean(tf.cast(relu(self.after(x, how)), tf.float32), (1, 2))
        logits = tf.cast(self.output_layer(features, how), tf.float32)[:, 0]
        if self.class_layer is None:
            return logits
        return logits, tf.cast(self.class_layer(features, how), tf.float32)

    def current_name(self, name):
        """Older files have a convolution's u at `<name>/spectral_norm/u`."""
        moved = f"{name.removesuffix('/spectral_norm/u')}/filters/spectral_norm/u"
        return moved if name.endswith("/spectral_norm/u") and moved in self.shapes() else name
