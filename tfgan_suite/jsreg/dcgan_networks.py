"""G and D of the `carpedm20_DCGAN` program (spec jsreg_dcgan, section 2): unconditional, and conditional for MNIST.

All of them are called as `network(x, labels, training)`; the unconditional ones ignore the labels. G's last hidden layer has
`gf` filters (64 in the original), D's first one `df`.
"""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite.jsreg.dcgan_layers import BatchNorm, Conv, Deconv, Linear, lrelu, with_label_maps
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

    def call(self, z, labels=None, training=False):
        """Images; in training batch norm uses and moves batch statistics."""
        h = tf.reshape(self.h0(z), [-1, *self.first])
        h = tf.nn.relu(self.norms[0](h, training))
        for deconv, norm in zip((self.h1, self.h2, self.h3), self.norms[1:]):
            h = tf.nn.relu(norm(deconv(h), training))
        return tf.cast(tf.tanh(self.h4(h)), tf.float32)


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

    def call(self, images, labels=None, training=False):
        """Logits; in training batch norm uses and moves batch statistics."""
        h = lrelu(self.h0(images))
        for conv, norm in zip((self.h1, self.h2, self.h3), self.norms):
            h = lrelu(norm(conv(h), training))
        return tf.cast(self.h4(tf.reshape(h, [tf.shape(h)[0], -1])), tf.float32)


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

    def call(self, z, labels, training=False):
        """Images; in training batch norm uses and moves batch statistics."""
        labels = tf.cast(labels, z.dtype)
        h = tf.nn.relu(self.norms[0](self.h0(tf.concat([z, labels], 1)), training))
        h = tf.concat([h, tf.cast(labels, h.dtype)], 1)
        h = tf.nn.relu(self.norms[1](self.h1(h), training))
        h = with_label_maps(tf.reshape(h, [-1, *self.second]), labels)
        h = tf.nn.relu(self.norms[2](self.h2(h), training))
        return tf.cast(tf.sigmoid(self.h3(with_label_maps(h, labels))), tf.float32)


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

    def call(self, images, labels, training=False):
        """Logits; in training batch norm uses and moves batch statistics."""
        h = lrelu(self.h0(with_label_maps(images, labels)))
        h = lrelu(self.norms[0](self.h1(with_label_maps(h, labels)), training))
        h = tf.reshape(h, [tf.shape(h)[0], -1])
        h = tf.concat([h, tf.cast(labels, h.dtype)], 1)
        h = lrelu(self.norms[1](self.h2(h), training))
        return tf.cast(self.h3(tf.concat([h, tf.cast(labels, h.dtype)], 1)), tf.float32)
