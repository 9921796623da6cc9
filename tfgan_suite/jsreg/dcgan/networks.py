"""G and D of the `carpedm20_DCGAN` program (spec jsreg_dcgan, section 2): unconditional, and conditional for MNIST.

All of them are called as `network(x, labels, training)`; the unconditional ones ignore the labels. G's last hidden layer has
`gf` filters (64 in the original), D's first one `df`.
"""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite.jsreg.dcgan.layers import BatchNorm, Conv, Deconv, Linear, lrelu, with_label_maps
from tfgan_suite.layers import Network


def halves(size: tuple, times: int) -> tuple:
    """(height, width) after so many halvings, each rounded up."""
    for _ in range(times):
        size = (-(-size[0] // 2), -(-size[1] // 2))
    return size


class Generator(Network):
    """z [B, z] -> images [B, H, W, channels] in (-1, 1)."""

    def __init__(self, size: tuple, channels: int, z: int, gf: int, bn_mode: str, seed: int):
        super().__init__()
        self.first = (*halves(size, 4), 8 * gf)
        height, width, filters = self.first
        self.h0 = Linear("generator/g_h0_lin", z, height * width * filters, seed)
        self.h1 = Deconv("generator/g_h1", 8 * gf, 4 * gf, halves(size, 3), seed)
        self.h2 = Deconv("generator/g_h2", 4 * gf, 2 * gf, halves(size, 2), seed)
        self.h3 = Deconv("generator/g_h3", 2 * gf, gf, halves(size, 1), seed)
        self.h4 = Deconv("generator/g_h4", gf, channels, size, seed)
        self.norms = [BatchNorm(f"generator/g_bn{i}", n * gf, bn_mode) for i, n in enumerate((8, 4, 2, 1))]

    def activations(self, z, labels, training) -> dict[str, tf.Tensor]:
        """Name in the original -> output of each layer; the last one is the images."""
        found = {"g_h0_lin": tf.nn.relu(self.norms[0](tf.reshape(self.h0(z), [-1, *self.first]), training))}
        h = found["g_h0_lin"]
        for i, (deconv, norm) in enumerate(zip((self.h1, self.h2, self.h3), self.norms[1:]), 1):
            h = found[f"g_h{i}"] = tf.nn.relu(norm(deconv(h), training))
        return {**found, "g_h4_tanh": tf.cast(tf.tanh(self.h4(h)), tf.float32)}

    def call(self, z, labels=None, training=False):
        """Images; in training batch norm uses and moves batch statistics."""
        return self.activations(z, labels, training)["g_h4_tanh"]


class Discriminator(Network):
    """Images [B, H, W, channels] -> logits [B, 1]."""

    def __init__(self, size: tuple, channels: int, df: int, bn_mode: str, seed: int):
        super().__init__()
        self.h0 = Conv("discriminator/d_h0_conv", channels, df, seed)
        self.h1 = Conv("discriminator/d_h1_conv", df, 2 * df, seed)
        self.h2 = Conv("discriminator/d_h2_conv", 2 * df, 4 * df, seed)
        self.h3 = Conv("discriminator/d_h3_conv", 4 * df, 8 * df, seed)
        height, width = halves(size, 4)
        self.h4 = Linear("discriminator/d_h4_lin", height * width * 8 * df, 1, seed)
        self.norms = [BatchNorm(f"discriminator/d_bn{i}", n * df, bn_mode) for i, n in ((1, 2), (2, 4), (3, 8))]

    def activations(self, images, labels, training) -> dict[str, tf.Tensor]:
        """Name in the original -> output of each layer; the last one is the logits."""
        found = {"d_h0_conv": lrelu(self.h0(images))}
        h = found["d_h0_conv"]
        for i, (conv, norm) in enumerate(zip((self.h1, self.h2, self.h3), self.norms), 1):
            h = found[f"d_h{i}_conv"] = lrelu(norm(conv(h), training))
        return {**found, "d_h4_lin": tf.cast(self.h4(tf.reshape(h, [tf.shape(h)[0], -1])), tf.float32)}

    def call(self, images, labels=None, training=False):
        """Logits; in training batch norm uses and moves batch statistics."""
        return self.activations(images, labels, training)["d_h4_lin"]


class ConditionalGenerator(Network):
    """z [B, z], labels [B, y] one-hot -> images [B, H, W, channels] in (0, 1); H and W are multiples of four."""

    def __init__(self, size: tuple, channels: int, z: int, y: int, gf: int, gfc: int, bn_mode: str, seed: int):
        super().__init__()
        self.second = (size[0] // 4, size[1] // 4, 2 * gf)
        flat = size[0] // 4 * (size[1] // 4) * 2 * gf
        self.h0 = Linear("generator/g_h0_lin", z + y, gfc, seed)
        self.h1 = Linear("generator/g_h1_lin", gfc + y, flat, seed)
        self.h2 = Deconv("generator/g_h2", 2 * gf + y, 2 * gf, (size[0] // 2, size[1] // 2), seed)
        self.h3 = Deconv("generator/g_h3", 2 * gf + y, channels, size, seed)
        self.norms = [BatchNorm(f"generator/g_bn{i}", n, bn_mode) for i, n in enumerate((gfc, flat, 2 * gf))]

    def activations(self, z, labels, training) -> dict[str, tf.Tensor]:
        """Name in the original -> output of each layer; the last one is the images."""
        labels = tf.cast(labels, z.dtype)
        h0 = tf.nn.relu(self.norms[0](self.h0(tf.concat([z, labels], 1)), training))
        h1 = tf.nn.relu(self.norms[1](self.h1(tf.concat([h0, tf.cast(labels, h0.dtype)], 1)), training))
        maps = with_label_maps(tf.reshape(h1, [-1, *self.second]), labels)
        h2 = tf.nn.relu(self.norms[2](self.h2(maps), training))
        images = tf.cast(tf.sigmoid(self.h3(with_label_maps(h2, labels))), tf.float32)
        return {"g_h0_lin": h0, "g_h1_lin": h1, "g_h2": h2, "g_h3_sigm": images}

    def call(self, z, labels, training=False):
        """Images; in training batch norm uses and moves batch statistics."""
        return self.activations(z, labels, training)["g_h3_sigm"]


class ConditionalDiscriminator(Network):
    """Images [B, H, W, channels], labels [B, y] one-hot -> logits [B, 1]."""

    def __init__(self, size: tuple, channels: int, y: int, df: int, dfc: int, bn_mode: str, seed: int):
        super().__init__()
        height, width = halves(size, 2)
        self.h0 = Conv("discriminator/d_h0_conv", channels + y, channels + y, seed)
        self.h1 = Conv("discriminator/d_h1_conv", channels + 2 * y, df + y, seed)
        self.h2 = Linear("discriminator/d_h2_lin", height * width * (df + y) + y, dfc, seed)
        self.h3 = Linear("discriminator/d_h3_lin", dfc + y, 1, seed)
        self.norms = [BatchNorm(f"discriminator/d_bn{i}", n, bn_mode) for i, n in ((1, df + y), (2, dfc))]

    def activations(self, images, labels, training) -> dict[str, tf.Tensor]:
        """Name in the original -> output of each layer; the last one is the logits."""
        h0 = lrelu(self.h0(with_label_maps(images, labels)))
        h1 = lrelu(self.norms[0](self.h1(with_label_maps(h0, labels)), training))
        flat = tf.reshape(h1, [tf.shape(h1)[0], -1])
        h2 = lrelu(self.norms[1](self.h2(tf.concat([flat, tf.cast(labels, flat.dtype)], 1)), training))
        logits = tf.cast(self.h3(tf.concat([h2, tf.cast(labels, h2.dtype)], 1)), tf.float32)
        return {"d_h0_conv": h0, "d_h1_conv": h1, "d_h2_lin": h2, "d_h3_lin": logits}

    def call(self, images, labels, training=False):
        """Logits; in training batch norm uses and moves batch statistics."""
        return self.activations(images, labels, training)["d_h3_lin"]
