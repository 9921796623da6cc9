"""Discriminators of one shape in stacked weights [K, ...], computed on one device by loops that do not grow
with K."""
from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.layers.activations import lrelu
from tfgan_suite.layers.conventions import uniform_by_fan
from tfgan_suite.layers.linear import compute_dtype, convolve
from tfgan_suite.layers.projections import Filters
from tfgan_suite.losses import LOSSES
from tfgan_suite.penalties import Look
from tfgan_suite.rpgan.convolutions import convolve_all, convolve_one
from tfgan_suite.rpgan.networks import discriminator_table

LOGISTIC = LOSSES["logistic"]
# -> a scalar that a discriminator minimises as well, scalars for the logs by name
Penalty = Callable[[Look], tuple]


class Share(NamedTuple):
    """The part of a group of discriminators of one shape that lies on a device.

    Attributes:
        group: which one, from 0.
        part: which part of it, from 0.
        first, last: its rows of the group; `last` is the first that is not.
        device: where it lies; "" where TensorFlow puts it.
    """

    group: int
    part: int
    first: int
    last: int
    device: str = ""

    def name(self, array: str) -> str:
        """Of the variable that holds these rows; parts as TF1 named them."""
        return (f"s{self.group}/" if self.group else "") + array + (f"/part_{self.part}" if self.part else "")


def whole_name(name: str) -> str:
    """The name of the whole variable, from that of a part."""
    return re.sub(r"/part_\d+$", "", name)


class Stack(tf.keras.layers.Layer):
    """Discriminators of one shape on one device.

    Args:
        imsz: side of the images in pixels.
        df: channels after the first layer.
        filters: projections of their whole group, or None to look at the image itself (the baseline: one
            discriminator).
        share: which of the group these are.
        seed: of the first values, which do not depend on how the group is shared out.
        chunk: how many are computed side by side; 0 chooses by size. 1 is the plain form: convolutions, one
            at a time.

    Raises:
        UserError: the input is too small for its layers, or the chunk does not divide their number.
    """

    def __init__(self, imsz: int, df: int, filters: Filters | None, share: Share, seed: int = 0,
                 chunk: int = 0):
        super().__init__(dtype="float32", autocast=False)
        whole = 1 if filters is None else len(filters)
        self.share, self.compute, self.count = share, compute_dtype(), share.last - share.first
        self.filters = None if filters is None else filters.part(share.first, share.last)
        self.numbers = (0,) if self.filters is None else self.filters.numbers
        side = imsz if filters is None else imsz // filters.stride
        self.table = discriminator_table(side, 3 if filters is None else filters.channels, df)
        self._check(imsz)
        self.kernels = [self._kernel(f"c{j}_w", row, seed, whole) for j, row in enumerate(self.table)]
        self.biases = [self.add_weight(share.name(f"c{j}_b"), (self.count, row.outputs), initializer="zeros")
                       for j, row in enumerate(self.table)]
        if chunk and self.count % chunk:
            raise UserError(f"chunk={chunk}: must divide the number of discriminators on a device "
                            f"({self.count}); 0 chooses it")
        # On small inputs all at once, else one at a time: then the arithmetic rules, and
        # activations for one are enough.
        self.chunk = chunk or (self.count if side <= 8 else 1)

    @property
    def looped(self) -> bool:
        """Whether they are computed in chunks, one after the other."""
        return self.chunk < self.count

    def _kernel(self, array: str, row, seed: int, whole: int) -> tf.Variable:
        fan, group = row.size**2 * row.inputs, whole_name(self.share.name(array))

        def draw(shape, dtype=None):
            values = uniform_by_fan((whole, *shape[1:]), fan, seed, "d/" + group)
            return values[self.share.first:self.share.last]

        shape = (self.count, row.size, row.size, row.inputs, row.outputs)
        return self.add_weight(self.share.name(array), shape, initializer=draw)

    def _check(self, imsz: int) -> None:
        side = imsz
        if self.filters is not None:
            k, s = self.filters.values.shape[1], self.filters.stride
            if k < s:
                raise UserError(f"filts.npz: the kernel ({k}) is smaller than the stride ({s}); use "
                                f"filts/rproj.py")
            side = (imsz + 2 * self.filters.padding[0] - k) // s + 1
        for _ in self.table[:-1]:
            side = (side - 2) // 2 + 1
        if side < 2 or not self.table:
            raise UserError(f"imsz={imsz}: too small for the discriminators with these projections; use "
                            "larger images or filters with an even difference of kernel and stride")

    # -- forward ---------------------------------------------------------------------------------------------
    def project(self, images: tf.Tensor) -> tf.Tensor:
        """Images [n, H, W, 3] -> the inputs of all these discriminators [K, n, h, w, channels]."""
        return images[None] if self.filters is None else self.filters.project(tf.cast(images, self.compute))

    def logits(self, projected: tf.Tensor, weights: list, activations: list | None = None) -> tf.Tensor:
        """Logits [c, n, h, w, 1] of c discriminators, float32.

        Args:
            projected: their inputs [c, n, h, w, channels].
            weights: (kernel [c, k, k, in, out], bias [c, out]) of every layer.
            activations: receives the output of every hidden layer.
        """
        h, convolve_them = projected, convolve_one if projected.shape[0] == 1 else convolve_all
        for row, (kernel, bias) in zip(self.table, weights):
            h = convolve_them(h, tf.cast(kernel, h.dtype), tf.cast(bias, h.dtype), row.stride, row.pad)
            if row.pad:
                h = lrelu(h)
                if activations is not None:
                    activations.append(h)
        return tf.cast(h, tf.float32)

    def call(self, images: tf.Tensor) -> tf.Tensor:
        """Logits [K, n, h, w, 1] of these discriminators."""
        return self.logits(self.project(images), list(zip(self.kernels, self.biases)))

    # -- losses ----------------------------------------------------------------------------------------------
    @property
    def variables_by_layer(self) -> list[tf.Variable]:
        """Kernel and bias of the first layer, of the second, ..."""
        return [v for pair in zip(self.kernels, self.biases) for v in pair]

    def read(self) -> list[tf.Tensor]:
        """The weights in the order of `variables_by_layer` where all are computed at once, else nothing: a
        loop gathers its own. What is made of one reading (`convolutions.convolve_all`'s matrices) is made
        once, whichever steps use it."""
        return [] if self.looped else [tf.convert_to_tensor(v) for v in self.variables_by_layer]

    def over(self, body: Callable, inputs: list[tf.Tensor], results: list[tf.TensorSpec],
             weights: list[tf.Tensor]) -> list[tf.Tensor]:
        """Runs `body` for all discriminators, a chunk at a time: one loop in the graph, whose size does not
        depend on K, and whose activations live for one chunk only.

        Args:
            body: gets the slices [c, ...] of `inputs`, the chunk's weights in the order of
                `variables_by_layer`, and its rows, int [c]; returns tensors [c, ...].
            results: shapes and types of what it returns, for one discriminator.
            weights: as `read` gives them.

        Returns:
            The bodies' results, put together to [K, ...].
        """
        c = self.chunk

        def one(i):
            rows = i * c + tf.range(c)
            weights = [tf.ensure_shape(tf.gather(v, rows), [c, *v.shape[1:]])
                       for v in self.variables_by_layer]  # see `rows.Rows`
            return body([tf.ensure_shape(t[i * c:(i + 1) * c], [c, *t.shape[1:]]) for t in inputs], weights,
                        rows)

        if not self.looped:
            return body(inputs, weights, tf.range(c))
        signature = [tf.TensorSpec([c, *s.shape], s.dtype) for s in results]
        stacked = tf.map_fn(one, tf.range(self.count // c), fn_output_signature=signature,
                            parallel_iterations=1)
        return [tf.reshape(r, [self.count, *s.shape]) for r, s in zip(stacked, results)]

    def generator_losses(self, fake: tf.Tensor, among: int, read: list) -> tuple[tf.Tensor, tf.Tensor]:
        """What every discriminator says to the generator.

        Args:
            fake: images [n, H, W, 3].
            among: how many discriminators there are in all.
            read: what `read` gives.

        Returns:
            mean softplus(-D_i(fake)) [K], and the gradient of their sum / `among` with respect to `fake`.
        """
        def body(inputs, weights, _):
            with tf.GradientTape() as tape:
                tape.watch(inputs[0])
                losses = _each(LOGISTIC.generator, self.logits(inputs[0], _pairs(weights)))
            return [losses, tape.gradient(losses, inputs[0])]

        with tf.GradientTape() as tape:
            tape.watch(fake)
            projected = self.project(fake)
        specs = [tf.TensorSpec((), tf.float32), tf.TensorSpec(projected.shape[1:], projected.dtype)]
        losses, gradient = self.over(body, [projected], specs, read)
        return losses, tape.gradient(projected, fake, gradient / among)

    def losses(self, real: tf.Tensor, fake: tf.Tensor, read: list, penalty: Penalty | None = None,
               descend: Callable | None = None) -> tuple:
        """Each discriminator's own loss, (mean softplus(-D(real)) + mean softplus(D(fake))) / 2, and its
        gradients.

        Args:
            real, fake: images [n, H, W, 3], constants.
            read: what `read` gives.
            penalty: see `Discriminators.losses`; it needs a chunk of 1.
            descend: (variables, rows, their values, their gradients) -> None: makes a chunk's step inside the
                loop, so that no more than its gradients are ever there.

        Returns:
            Losses [K] without the penalty; gradients in the order of `variables_by_layer`, none with
            `descend`; scalars for the logs by name [K].
        """
        names, variables = [] if penalty is None else _scalars_of(penalty), self.variables_by_layer

        def body(inputs, weights, rows):
            with tf.GradientTape() as tape:
                tape.watch(weights)
                if penalty is None:
                    total = losses = self._loss(*tf.split(self.logits(inputs[0], _pairs(weights)), 2, axis=1))
                    shown = []
                else:
                    losses, term, scalars = self._penalised(penalty, real, fake, inputs, _pairs(weights))
                    total, shown = losses + term, [scalars[name][None] for name in names]
            gradients = tape.gradient(total, weights)
            if descend is None:
                return [losses, *shown, *gradients]
            descend(variables, rows, weights, gradients)
            return [losses, *shown]

        specs = [tf.TensorSpec((), tf.float32)] * (1 + len(names))
        if descend is None:
            specs += [tf.TensorSpec(v.shape[1:], v.dtype) for v in variables]
        if penalty is None:
            inputs = [self.project(tf.concat([real, fake], 0))]
        else:
            inputs = [] if self.filters is None else [tf.constant(self.filters.values)]
        losses, *rest = self.over(body, inputs, specs, read)
        return losses, rest[len(names):], dict(zip(names, rest))

    def _loss(self, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        """[c] of logits [c, n, h, w, 1]; the original halves."""
        return _each(LOGISTIC.discriminator, real, fake) / 2.0

    def _penalised(self, penalty: Penalty, real, fake, filters: list, weights: list) -> tuple:
        """(loss [1], the penalty's term, its scalars) of one discriminator, with one pass over each kind of
        images.

        Args:
            filters: [its filter [1, k, k, 3, channels]], or nothing where it looks at the image itself.
        """
        maps = []

        def score(images):
            x = images
            if filters:
                images, kernel = (tf.cast(part, self.compute) for part in (images, filters[0][0]))
                x = convolve(images, kernel, self.filters.stride, self.filters.padding)
            maps.append(self.logits(x[None], weights))
            return tf.reduce_mean(maps[-1][0], (1, 2, 3))

        look = Look(real, fake, score)
        # the loss averages over maps of logits, so it takes those of these passes
        _ = look.real.logits, look.fake.logits
        term, scalars = penalty(look)
        return self._loss(*maps), term, scalars


def _pairs(weights: list) -> list[tuple]:
    """(kernel, bias) of every layer, from kernel, bias, kernel, bias, ..."""
    return list(zip(weights[::2], weights[1::2]))


def _each(loss: Callable, *logits: tf.Tensor) -> tf.Tensor:
    """A loss of each discriminator [c], from logits [c, n, h, w, 1]."""
    if logits[0].shape[0] == 1:
        return loss(*(x[0] for x in logits))[None]
    return tf.vectorized_map(lambda parts: loss(*parts), logits)


def _scalars_of(penalty: Penalty) -> list[str]:
    """The names of a penalty's scalars, from a look at next to nothing; a loop must know them before its
    first pass."""
    nothing = tf.zeros([1, 1])
    return list(penalty(Look(nothing, nothing, lambda x: tf.reduce_sum(x, 1)))[1])
