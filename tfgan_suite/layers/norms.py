"""Normalisations: one layer under one rule, pixel norm, minibatch standard deviation."""
from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfgan_suite import distributed
from tfgan_suite.layers.conventions import Convention
from tfgan_suite.layers.linear import class_rows
from tfgan_suite.layers.passes import REST, Pass


@dataclass(frozen=True)
class Rule:
    """How a normalisation computes.

    Attributes:
        kind: 'batch' (statistics per channel, of the global batch) or 'layer' (of each sample).
        epsilon: added to the variance.
        moments: 'exact', or 'tf13': the mean inside the variance is a constant for the gradient, as in
            `tf.nn.moments`. First derivatives are right, second ones (of gradient penalties) are not; some
            originals had that.
        running: averages of the batch statistics: 'never' there; 'kept' for the files but not used; used 'at
            rest'.
        decay: of the averages.
        unbiased: the average of the variance takes the unbiased one.
        debias: the average of the mean is corrected for its start at zero.
        variance_start: first value of the average of the variance.
        scale: there is a learned scale beside the offset.
        folded: the scale multiplies the factor, not the standardised input: the same but for last bits, one
            pass less.
        operation: TensorFlow's fused operation may do it, where moments are exact and the batch is on one
            device. It adds up a channel's numbers one after the other in float32: at 128x128 pixels means
            are 5e-6 off, which the written form is not.
        synced: statistics of all replicas together.
    """

    kind: str = "batch"
    epsilon: float = 1e-5
    moments: str = "exact"
    running: str = "never"
    decay: float = 0.9
    unbiased: bool = True
    debias: bool = False
    variance_start: float = 1.0
    scale: bool = True
    folded: bool = True
    operation: bool = False
    synced: bool = True


RULES = {"none": None, "batch": Rule(running="at rest"), "layer": Rule("layer"),
         "conditional": Rule(running="at rest")}  # by name, for networks of choice


class Norm(tf.keras.layers.Layer):
    """Batch or layer normalisation with an offset and a scale per channel, or per class and channel; float32
    inside.

    V. Dumoulin, J. Shlens, M. Kudlur, "A Learned Representation for Artistic Style", ICLR 2017, for those of
    each class.

    Args:
        title: the layer's name, from which the convention makes the arrays' names.
        channels: of the input.
        rule: how it computes.
        convention: of the original.
        seed: of the first values.
        classes: of the tables of scale and offset; 0: one scale and offset for all.

    Attributes:
        fused: use TensorFlow's fused operation where the rule allows it; False is the plain twin.
    """

    def __init__(self, title: str, channels: int, rule: Rule, convention: Convention, seed: int = 0,
                 classes: int = 0):
        super().__init__(dtype="float32", autocast=False)
        self.title, self.rule, self.convention, self.seed, self.classes = (
            title,
            rule,
            convention,
            seed,
            classes,
        )
        self.fused, self.scale, self.averages = rule.operation, None, {}
        shape = (classes, channels) if classes else (channels,)
        for array in convention.table_order if classes else convention.norm_order:
            if array == "offset":
                self.offset = self.add_weight(self._full("offset"), shape, initializer="zeros")
            elif rule.scale:
                name = self._full("scale")
                self.scale = self.add_weight(name, shape, initializer=convention.norm_scale(seed, name))
        if rule.running != "never":
            self.averages = {"mean": self._average("mean", (channels,), 0.0),
                             "variance": self._average("variance", (channels,), rule.variance_start)}
        if rule.debias:
            self.averages.update(biased=self._average("biased", (channels,), 0.0),
                                 count=self._average("count", (), 0.0))

    def _full(self, array: str) -> str:
        kind = "conditional" if self.classes and array in ("scale", "offset") else self.rule.kind
        return self.convention.name(array, kind, self.title)

    def _average(self, array: str, shape: tuple, start: float) -> tf.Variable:
        return self.add_weight(self._full(array), shape, initializer=tf.constant_initializer(start),
                               trainable=False,
                               synchronization=tf.VariableSynchronization.ON_READ,
                               aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)

    def call(self, x: tf.Tensor, how: Pass = REST) -> tf.Tensor:
        """[n, ..., channels] -> the same shape and type.

        Args:
            how: `training`: where averages are used at rest, take the batch's statistics instead; `update`:
                move the averages; `labels` of the tables; `groups` of batch statistics.
        """
        groups = how.groups if self.rule.kind == "batch" else 1
        if self.rule.running == "at rest" and not how.training:
            wide = tf.cast(x, tf.float32)
            return self._apply(x, wide, self.averages["mean"], self.averages["variance"], how)
        if self.fused and self._fusible():
            return self._by_operation(x, how, groups)
        wide = tf.cast(x, tf.float32)
        if groups > 1:
            wide = tf.reshape(wide, [x.shape[0] // groups, groups, *x.shape[1:]])
        mean, variance = self._moments(wide, groups)
        if self.averages and how.update:
            self._move(mean, variance, x.shape, groups)
        return self._apply(x, wide, mean, variance, how)

    def _fusible(self) -> bool:
        alone = distributed.replicas() == 1 or not self.rule.synced
        return self.rule.kind == "batch" and self.rule.moments == "exact" and alone

    def _moments(self, wide: tf.Tensor, groups: int) -> tuple[tf.Tensor, tf.Tensor]:
        rank = wide.shape.rank
        if self.rule.kind == "layer":
            axes, average = tuple(range(1, rank)), tf.identity
        else:
            axes = tuple(axis for axis in range(rank - 1) if groups == 1 or axis != 1)
            average = distributed.all_mean if self.rule.synced else tf.identity
        mean = average(tf.reduce_mean(wide, axes, keepdims=True))
        centre = tf.stop_gradient(mean) if self.rule.moments == "tf13" else mean
        return mean, average(tf.reduce_mean(tf.square(wide - centre), axes, keepdims=True))

    def _apply(self, x, wide, mean, variance, how: Pass) -> tf.Tensor:
        factor = tf.math.rsqrt(variance + self.rule.epsilon)
        if self.rule.folded and not self.classes:
            y = (wide - mean) * (factor if self.scale is None else factor * self.scale) + self.offset
            return tf.cast(y if y.shape.rank == x.shape.rank else tf.reshape(y, x.shape), x.dtype)
        y = (wide - mean) * factor
        if y.shape.rank != x.shape.rank:
            y = tf.reshape(y, x.shape)
        return tf.cast(self._of_class(y, how) if self.classes else y * self.scale + self.offset, x.dtype)

    def _of_class(self, y: tf.Tensor, how: Pass) -> tf.Tensor:
        scale, offset = class_rows(self.scale, how.labels), class_rows(self.offset, how.labels)
        return y * scale[:, None, None, :] + offset[:, None, None, :]

    def _by_operation(self, x: tf.Tensor, how: Pass, groups: int) -> tf.Tensor:
        """The fused operation for each group: a reduction over some axes of a tensor of rank 5 would take
        several times as long."""
        parts = [x]
        if groups > 1:
            parts = tf.unstack(tf.reshape(x, [x.shape[0] // groups, groups, *x.shape[1:]]), axis=1)
        found = [self._operation(part) for part in parts]
        if self.averages and how.update:
            rows = parts[0].shape.num_elements() // x.shape[-1]
            biased = (rows - 1) / rows if rows > 1 else 1.0  # the operation gives the unbiased variance
            self._move(tf.stack([f.batch_mean for f in found]),
                       tf.stack([f.batch_variance * biased for f in found]), x.shape, groups)
        y = found[0].y if groups == 1 else tf.stack([f.y for f in found], 1)
        if y.shape.rank != x.shape.rank or groups > 1:
            y = tf.reshape(y, tf.shape(x) if None in tuple(x.shape) else x.shape)
        return tf.cast(self._of_class(tf.cast(y, tf.float32), how), x.dtype) if self.classes else y

    def _operation(self, x: tf.Tensor):
        """Of one group, [n, h, w, channels] or [n, channels]."""
        plain = self.scale is None or self.classes
        scale = tf.ones([x.shape[-1]]) if plain else tf.convert_to_tensor(self.scale)
        offset = tf.zeros([x.shape[-1]]) if self.classes else tf.convert_to_tensor(self.offset)
        images = x if x.shape.rank == 4 else x[:, None, None, :]
        return tf.raw_ops.FusedBatchNormV3(x=images, scale=scale, offset=offset, mean=[], variance=[],
                                           epsilon=self.rule.epsilon, is_training=True)

    def _move(self, mean: tf.Tensor, variance: tf.Tensor, shape, groups: int) -> None:
        """Moves the averages, once a group, the last group first (as two devices of an original did)."""
        channels, rule = shape[-1], self.rule
        rows = shape.num_elements() // channels // groups * (distributed.replicas() if rule.synced else 1)
        means, variances = (tf.reshape(tf.stop_gradient(m), [groups, channels]) for m in (mean, variance))
        for group in reversed(range(groups)):
            new = means[group]
            if rule.debias:
                count = self.averages["count"].assign_add(1.0)
                biased = self.averages["biased"].assign(self.averages["biased"] * rule.decay
                                                        + new * (1.0 - rule.decay))
                self.averages["mean"].assign(biased / (1.0 - tf.pow(rule.decay, count)))
            else:
                self.averages["mean"].assign(self.averages["mean"] * rule.decay + new * (1.0 - rule.decay))
            factor = rows / max(rows - 1, 1) if rule.unbiased else 1.0
            self.averages["variance"].assign(self.averages["variance"] * rule.decay
                                             + variances[group] * (factor * (1.0 - rule.decay)))


def pixel_norm(x: tf.Tensor) -> tf.Tensor:
    """x / sqrt(mean over channels of x^2 + 1e-8), in float32 inside (1e-8 is zero in half precision)."""
    wide = tf.cast(x, tf.float32)
    return tf.cast(wide * tf.math.rsqrt(tf.reduce_mean(tf.square(wide), -1, keepdims=True) + 1e-8), x.dtype)


def minibatch_stddev(x: tf.Tensor, group: int, centre: bool = True) -> tf.Tensor:
    """Appends a channel that tells how much the samples of a group differ (Karras et al., ICLR 2018, section
    3).

    Sample n belongs to set n % (N / group). The new channel is, for each set, the mean over pixels and
    channels of the standard deviation over its `group` samples. Sets are those of the global batch, whatever
    the number of replicas.

    Args:
        x: [N, H, W, C], this replica's rows; `group` divides the global batch.
        centre: the activations that go on are the ones with the set's mean removed: alenmora/ppgan writes
            them in place, and its snapshots depend on it. False: they go on untouched, as in the paper.

    Returns:
        [N, H, W, C + 1].
    """
    everything = distributed.gather(tf.cast(x, tf.float32))
    n, h, w, c = everything.shape
    wide = tf.reshape(everything, [group, n // group, h, w, c])
    centred = wide - tf.reduce_mean(wide, 0, keepdims=True)
    deviation = tf.sqrt(tf.reduce_mean(tf.square(centred), 0) + 1e-8)
    value = tf.tile(tf.reduce_mean(deviation, [1, 2, 3]), [group])
    plane = tf.broadcast_to(tf.reshape(value, [n, 1, 1, 1]), [n, h, w, 1])
    kept = tf.cast(distributed.local(tf.reshape(centred, [n, h, w, c])), x.dtype) if centre else x
    return tf.concat([kept, tf.cast(distributed.local(plane), x.dtype)], -1)
