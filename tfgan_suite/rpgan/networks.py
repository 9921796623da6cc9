"""Networks of RP-GAN (arXiv 1705.07831, section 4; ayanc/rpgan `rpglib/{gen,genx,disc,disc0}.py`).

All tensors are NHWC, float32. The generator is DCGAN's with a bias instead of batch norm's shift; each of the K discriminators
sees one fixed random projection of the image.
"""
from __future__ import annotations

import math
import zlib

import numpy as np
import tensorflow as tf

from tfgan_suite import distributed
from tfgan_suite.errors import UserError
from tfgan_suite.layers import Network
from tfgan_suite.rpgan.filters import Filters

BN_EPSILON = 1e-3


def uniform(shape, fan: int, seed: int, name: str) -> tf.Tensor:
    """U(-q, q) with q = sqrt(3 / fan), so that the variance is 1 / fan; a function of (seed, name)."""
    q = math.sqrt(3.0 / fan)
    return tf.random.stateless_uniform(shape, (seed, zlib.crc32(name.encode())), -q, q)


class Generator(Network):
    """Latents [B, zlen] in [-1, 1) -> images [B, imsz, imsz, 3] in [-1, 1].

    | block | operation | output |
    |---|---|---|
    | c1 | dense, batch norm, + bias, ReLU | sz0 x sz0 x f1 |
    | c2.. | transposed convolution (stride 2), batch norm, + bias, ReLU | twice the side, half the channels |
    | last | transposed convolution, + bias, tanh | imsz x imsz x 3 |

    Args:
        frozen: hold population statistics `bnm_c{l}_w`, `bnv_c{l}_w` and normalise with them instead of the batch's.

    Raises:
        UserError: imsz is not (ksz - ksz%2) times a power of two, from 2 up.
    """

    def __init__(self, ksz: int, zlen: int, f1: int, imsz: int, seed: int = 0, frozen: bool = False):
        super().__init__()
        self.ksz, self.side, self.f1, self.frozen = ksz, ksz - ksz % 2, f1, frozen
        ratio = imsz // self.side
        if imsz != self.side * ratio or ratio < 2 or ratio & (ratio - 1):
            raise UserError(f"imsz={imsz}: with ksz={ksz} the side must be {self.side} times a power of two, "
                            f"for example {self.side * 2**max(1, round(math.log2(max(ratio, 2))))}")
        self.kernels, self.biases, self.statistics = [], [], []
        self._block(1, (1, 1, zlen, f1 * self.side**2), zlen, f1, seed)
        channels = f1
        for level in range(2, 2 + int(math.log2(ratio))):
            out = 3 if self.side * 2**(level - 1) == imsz else channels // 2
            self._block(level, (ksz, ksz, out, channels), ksz * ksz * channels, out, seed)
            channels = out
        for level, bias in enumerate(self.biases[:-1] if frozen else [], 1):
            self.statistics.append([self.add_weight(f"{kind}_c{level}_w", bias.shape, initializer="zeros", trainable=False)
                                    for kind in ("bnm", "bnv")])

    def _block(self, level: int, shape, fan: int, channels: int, seed: int) -> None:
        name = f"c{level}_w"
        self.kernels.append(self.add_weight(name, shape, initializer=lambda s, dtype=None: uniform(s, fan, seed, name)))
        self.biases.append(self.add_weight(f"c{level}_b", (channels,), initializer="zeros"))

    def call(self, z: tf.Tensor) -> tf.Tensor:
        """Images of latents [B, zlen]; without `frozen`, image n depends on the whole batch."""
        h = z
        for level in range(1, len(self.kernels)):
            h = self.preactivation(h, level)
            h = tf.nn.relu(self._normalise(h, level))
        return tf.tanh(tf.cast(self.preactivation(h, len(self.kernels)) + self.biases[-1], tf.float32))

    def preactivation(self, h: tf.Tensor, level: int) -> tf.Tensor:
        """The linear map of block `level`, before normalisation and bias."""
        kernel = tf.cast(self.kernels[level - 1], self.compute_dtype)
        h = tf.cast(h, self.compute_dtype)
        if level == 1:
            h = tf.matmul(h, tf.reshape(kernel, [kernel.shape[2], -1]))
            return tf.reshape(h, [-1, self.side, self.side, self.f1])
        batch, side = tf.shape(h)[0], 2 * h.shape[1]
        return tf.nn.conv2d_transpose(h, kernel, [batch, side, side, kernel.shape[2]], 2, "SAME")

    def _normalise(self, h: tf.Tensor, level: int) -> tf.Tensor:
        bias = tf.cast(tf.convert_to_tensor(self.biases[level - 1]), tf.float32)
        if self.frozen:
            mean, variance = self.statistics[level - 1]
        elif distributed.replicas() == 1:
            return tf.raw_ops.FusedBatchNormV3(x=h, scale=tf.ones_like(bias), offset=bias, mean=[], variance=[],
                                               epsilon=BN_EPSILON, is_training=True)[0]
        else:
            mean, variance = distributed.moments(tf.cast(h, tf.float32), (0, 1, 2))
        factor = tf.math.rsqrt(tf.cast(variance, tf.float32) + BN_EPSILON)
        return tf.cast((tf.cast(h, tf.float32) - mean) * factor + bias, h.dtype)

    def population(self, z: np.ndarray, chunk: int = 256) -> dict[str, np.ndarray]:
        """Mean and biased variance of every batch norm in one pass over all of z [n, zlen], every layer normalised with
        the statistics of all n; computed layer by layer in chunks, so that memory does not grow with n.

        Returns:
            `bnm_c{l}_w` and `bnv_c{l}_w` [channels], float32, for every block but the last.
        """
        statistics: list = []
        chunks = np.array_split(z, max(1, len(z) // chunk))
        for level in range(1, len(self.kernels)):
            total, squares, count = 0.0, 0.0, 0
            for shift in (None, "mean"):
                for part in chunks:
                    h = self._upto(part, level, statistics).numpy().astype(np.float64)
                    if shift is None:
                        total, count = total + h.sum((0, 1, 2)), count + h[..., 0].size
                    else:
                        squares = squares + np.square(h - total / count).sum((0, 1, 2))
            statistics.append((np.float32(total / count), np.float32(squares / count)))
        return {f"{kind}_c{level}_w": values[i] for level, values in enumerate(statistics, 1)
                for i, kind in enumerate(("bnm", "bnv"))}

    def _upto(self, z, level: int, statistics: list) -> tf.Tensor:
        h = tf.constant(z)
        for i, (mean, variance) in enumerate(statistics, 1):
            h = self.preactivation(h, i)
            h = tf.nn.relu((h - mean) * tf.math.rsqrt(variance + BN_EPSILON) + self.biases[i - 1])
        return self.preactivation(h, level)


class Discriminators(Network):
    """K discriminators of one shape, as stacked weights [K, ...].

    Layer j < L-1: 4x4 convolution, stride 2, zeros 1 on each side, + bias, LeakyReLU 0.2; the last: 2x2, to one logit. There
    are L = log2 of the projected side layers. Where that side is no power of two, the output is a map of logits and the
    losses average over it.

    Args:
        side: of the input in pixels, as the original computes it (image side / stride).
        channels: of the input.
        df: channels after the first layer.
        projection: the fixed filters, or None to look at the image itself (the baseline, K = 1).
        chunk: how many are computed side by side; 0 chooses by size. 1 is the plain form: convolutions, one at a time.

    Raises:
        UserError: the input is too small for its layers.
    """

    def __init__(self, imsz: int, df: int, projection: Filters | None = None, seed: int = 0, chunk: int = 0):
        super().__init__()
        self.projection = projection
        self.count = 1 if projection is None else len(projection.values)
        channels = 3 if projection is None else projection.values.shape[4]
        side = imsz if projection is None else imsz // projection.stride
        self.layers_count = int(math.log2(side)) if side >= 2 else 0
        self._check(imsz)
        self.kernels, self.biases = [], []
        for j in range(self.layers_count):
            last = j == self.layers_count - 1
            k, out = (2, 1) if last else (4, df * 2**j)
            name, shape, fan = f"c{j}_w", (self.count, k, k, channels, out), k * k * channels

            def draw(shape, dtype=None, fan=fan, name=name):
                return uniform(shape, fan, seed, "d/" + name)

            self.kernels.append(self.add_weight(name, shape, initializer=draw))
            self.biases.append(self.add_weight(f"c{j}_b", (self.count, out), initializer="zeros"))
            channels = out
        if chunk and self.count % chunk:
            raise UserError(f"chunk={chunk}: must divide the number of discriminators ({self.count}); 0 chooses it")
        # On small inputs all at once, else one at a time: then the arithmetic rules, and activations for one are enough.
        self.chunk = chunk or (self.count if side <= 8 else 1)

    def _check(self, imsz: int) -> None:
        side = imsz
        if self.projection is not None:
            k, s = self.projection.values.shape[1], self.projection.stride
            if k < s:
                raise UserError(f"filts.npz: the kernel ({k}) is smaller than the stride ({s}); use filts/rproj.py")
            side = (imsz + 2 * self.projection.padding - k) // s + 1
        for _ in range(self.layers_count - 1):
            side = (side - 2) // 2 + 1
        if side < 2 or self.layers_count < 1:
            raise UserError(f"imsz={imsz}: too small for the discriminators with these projections; use larger images "
                            f"or filters with an even difference of kernel and stride")

    # -- forward -------------------------------------------------------------------------------------------------------
    def project(self, images: tf.Tensor) -> tf.Tensor:
        """Images [B, H, W, 3] -> the inputs of all discriminators [K, B, h, w, channels]."""
        if self.projection is None:
            return images[None]
        filters, pad = self.projection.values, self.projection.padding
        k, channels = filters.shape[1], filters.shape[4]
        kernel = np.moveaxis(filters, 0, 3).reshape(k, k, 3, self.count * channels)
        images = tf.cast(images, self.compute_dtype)
        out = convolve(images, tf.cast(kernel, images.dtype), self.projection.stride, pad)
        out = tf.reshape(out, [-1, *out.shape[1:3], self.count, channels])
        return tf.transpose(out, [3, 0, 1, 2, 4])

    def logits(self, projected: tf.Tensor, weights: list, activations: list | None = None) -> tf.Tensor:
        """Logits [c, B, h, w, 1] of c discriminators.

        Args:
            projected: their inputs [c, B, h, w, channels].
            weights: (kernel [c, k, k, in, out], bias [c, out]) of every layer.
            activations: receives the output of every hidden layer.
        """
        h = projected
        convolve_all = _convolve_one if projected.shape[0] == 1 else _convolve_all
        for j, (kernel, bias) in enumerate(weights):
            last = j == len(weights) - 1
            h = convolve_all(h, tf.cast(kernel, h.dtype), tf.cast(bias, h.dtype), 1 if last else 2, 0 if last else 1)
            if not last:
                h = tf.nn.leaky_relu(h, 0.2)
                if activations is not None:
                    activations.append(h)
        return tf.cast(h, tf.float32)

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Logits of all discriminators, [K, B, h, w, 1]."""
        return self.logits(self.project(images), list(zip(self.kernels, self.biases)))

    def over(self, body, inputs: list[tf.Tensor], results: list[tf.TensorSpec]) -> list[tf.Tensor]:
        """Runs `body(inputs of a chunk, weights of that chunk)` for all discriminators, a chunk at a time: one loop in the
        graph, whose size does not depend on K, and whose activations live for one chunk only.

        Args:
            body: gets the slices [c, ...] of `inputs` and the chunk's (kernel, bias) pairs; returns tensors [c, ...].
            results: shapes and types of what it returns, for one discriminator.

        Returns:
            The bodies' results, put together to [K, ...].
        """
        c = self.chunk
        variables = [*self.kernels, *self.biases]

        def one(i):
            def part(tensor):
                return tf.ensure_shape(tf.convert_to_tensor(tensor[i * c:(i + 1) * c]), [c, *tensor.shape[1:]])

            pieces = [part(v) for v in variables]
            half = len(self.kernels)
            return body([part(t) for t in inputs], list(zip(pieces[:half], pieces[half:])))

        if c == self.count:
            return one(0)
        signature = [tf.TensorSpec([c, *s.shape], s.dtype) for s in results]
        stacked = tf.map_fn(one, tf.range(self.count // c), fn_output_signature=signature, parallel_iterations=1)
        return [tf.reshape(r, [self.count, *s.shape]) for r, s in zip(stacked, results)]

    def generator_losses(self, fake: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """What every discriminator says to the generator (section 5.4 of the original's iteration).

        Args:
            fake: images [B, H, W, 3].

        Returns:
            mean softplus(-D_i(fake)) [K], and the gradient of their mean with respect to `fake`.
        """
        def body(inputs, weights):
            with tf.GradientTape() as tape:
                tape.watch(inputs[0])
                losses = tf.reduce_mean(tf.nn.softplus(-self.logits(inputs[0], weights)), (1, 2, 3, 4))
            return [losses, tape.gradient(losses, inputs[0])]

        with tf.GradientTape() as tape:
            tape.watch(fake)
            projected = self.project(fake)
        specs = [tf.TensorSpec((), tf.float32), tf.TensorSpec(projected.shape[1:], projected.dtype)]
        losses, gradient = self.over(body, [projected], specs)
        return losses, tape.gradient(projected, fake, gradient / self.count)

    def losses(self, real: tf.Tensor, fake: tf.Tensor, penalty=None, statistics: int = 0):
        """Each discriminator's own loss, (mean softplus(-D(real)) + mean softplus(D(fake))) / 2, and its gradients.

        Args:
            real, fake: images [B, H, W, 3], constants.
            penalty: images -> logits [B] of one discriminator, real, fake -> (a scalar that this discriminator minimises as
                well, numbers for the logs [statistics]); it needs a chunk of 1.
            statistics: how many numbers for the logs there are.

        Returns:
            Losses [K] without the penalty, gradients in the order of `trainable_variables`, statistics [K, statistics].
        """
        def body(inputs, weights):
            flat = [w for pair in weights for w in pair]
            with tf.GradientTape() as tape:
                tape.watch(flat)
                total = losses = self._loss(inputs[0], weights)
                shown = tf.zeros([losses.shape[0], statistics])
                if penalty is not None:
                    extra, values = penalty(self._alone(inputs[1:], weights), real, fake)
                    total, shown = losses + extra, values[None]
            return [losses, shown, *tape.gradient(total, flat)]

        projected = self.project(tf.concat([real, fake], 0))
        inputs = [projected] if penalty is None or self.projection is None else [projected, tf.constant(self.projection.values)]
        variables = [v for pair in zip(self.kernels, self.biases) for v in pair]
        specs = [tf.TensorSpec((), tf.float32), tf.TensorSpec((statistics,), tf.float32),
                 *(tf.TensorSpec(v.shape[1:], v.dtype) for v in variables)]
        losses, shown, *gradients = self.over(body, inputs, specs)
        return losses, [gradients[i] for i in _order(variables, self.trainable_variables)], shown

    def _alone(self, filters: list, weights: list):
        """Images -> logits [B] of one discriminator, averaged over a map of logits."""
        def logits(images):
            x = convolve(images, filters[0][0], self.projection.stride, self.projection.padding) if filters else images
            return tf.reduce_mean(self.logits(tf.cast(x, self.compute_dtype)[None], weights)[0], (1, 2, 3))
        return logits

    def _loss(self, projected: tf.Tensor, weights: list) -> tf.Tensor:
        real, fake = tf.split(self.logits(projected, weights), 2, axis=1)
        axes = (1, 2, 3, 4)
        return (tf.reduce_mean(tf.nn.softplus(-real), axes) + tf.reduce_mean(tf.nn.softplus(fake), axes)) / 2

    # -- files: one array per discriminator ------------------------------------------------------------------------------
    def _array_name(self, i: int, name: str) -> str:
        layer, kind = name[1:].split("_")
        return name if self.projection is None else f"c{i}_{layer}_{kind}"

    def shapes(self):
        """Array name of the original -> shape, discriminator by discriminator."""
        return {self._array_name(i, name): tuple(v.shape[1:]) for i in range(self.count) for name, v in self.named().items()}

    def arrays(self):
        """(name, array) of each discriminator's arrays."""
        for i in range(self.count):
            for name, variable in self.named().items():
                yield self._array_name(i, name), variable[i].numpy()

    def assign_array(self, name, value):
        """Sets one discriminator's slice of a stacked variable."""
        words = name[1:].split("_")
        i, layer, kind = (0, *words) if self.projection is None else (int(words[0]), *words[1:])
        self.named()[f"c{layer}_{kind}"][i].assign(value)


def _order(variables: list, wanted: list) -> list[int]:
    places = {v.ref(): i for i, v in enumerate(variables)}
    return [places[v.ref()] for v in wanted]


def convolve(x: tf.Tensor, kernel: tf.Tensor, stride: int, pad: int) -> tf.Tensor:
    """Convolution with `pad` zeros on each side.

    Where that is what SAME does, SAME it is: with explicit padding, TensorFlow's gradient is several times slower on a CPU.
    """
    k = kernel.shape[0]
    if pad and all(side % stride == 0 for side in x.shape[1:3]) and k - stride == 2 * pad:
        return tf.nn.conv2d(x, kernel, stride, "SAME")
    return tf.nn.conv2d(tf.pad(x, [[0, 0], [pad, pad], [pad, pad], [0, 0]]) if pad else x, kernel, stride, "VALID")


def _convolve_one(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, stride: int, pad: int) -> tf.Tensor:
    """One discriminator's layer: x [1, B, h, w, in], kernel [1, k, k, in, out], bias [1, out] -> [1, B, h', w', out]."""
    return (convolve(x[0], kernel[0], stride, pad) + bias[0])[None]


def _convolve_all(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, stride: int, pad: int) -> tf.Tensor:
    """The same for c discriminators in one batched matrix product: x [c, B, h, w, in] -> [c, B, h', w', out].

    Every convolution is written out as the matrix from all input pixels to all output pixels. On sides of 8 pixels and less
    that wastes little arithmetic, and it replaces the many small operations whose overhead is what such layers cost.
    """
    c, _, h, w, channels = x.shape
    k, out = kernel.shape[1], kernel.shape[-1]
    taps = _placement(h, w, k, stride, pad)
    oh, ow = taps.shape[2:4]
    matrix = tf.matmul(taps.reshape(-1, k * k).astype(x.dtype.as_numpy_dtype), tf.reshape(kernel, [c, k * k, channels * out]))
    matrix = tf.reshape(matrix, [c, h * w, oh * ow, channels, out])
    matrix = tf.reshape(tf.transpose(matrix, [0, 1, 3, 2, 4]), [c, h * w * channels, oh * ow * out])
    y = tf.matmul(tf.reshape(x, [c, -1, h * w * channels]), matrix) + tf.tile(bias, [1, oh * ow])[:, None]
    return tf.reshape(y, [c, -1, oh, ow, out])


def _placement(h: int, w: int, k: int, stride: int, pad: int) -> np.ndarray:
    """float32 [h, w, h', w', k, k]: one where an input pixel meets a tap of the kernel at an output pixel."""
    sides = []
    for side in (h, w):
        out = (side + 2 * pad - k) // stride + 1
        i, o, t = np.ogrid[:side, :out, :k]
        sides.append((i == o * stride - pad + t).astype(np.float32))
    return np.einsum("yos,xpt->yxopst", *sides)
