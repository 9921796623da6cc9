"""The linear maps: dense layer, convolution, transposed convolution, embedding. y = after(map(x, before(w)))
+ b.

Weights, statistics and losses are float32; the maps compute in the run's type (`--precision`).
"""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite.layers.conventions import Convention, Spec
from tfgan_suite.layers.passes import REST, Pass
from tfgan_suite.layers.weights import Plain, constant


def compute_dtype() -> str:
    """The run's compute type."""
    return tf.keras.mixed_precision.global_policy().compute_dtype


class Linear(tf.keras.layers.Layer):
    """Base of the linear maps.

    Args:
        title: the layer's name, from which the convention makes the arrays' names.
        spec: sizes, and how the first values are drawn.
        convention: of the original.
        weight: the parametrisation.
        seed: of the first values.
        bias: whether there is one.
        fixed: values of the kernel, which is then not trained.
    """

    def __init__(self, title: str, spec: Spec, convention: Convention, weight: Plain, seed: int = 0,
                 bias: bool = True,
                 fixed=None):
        super().__init__(dtype="float32", autocast=False)
        self.title, self.spec, self.convention, self.weight, self.seed = title, spec, convention, weight, seed
        self.compute, self.bias, self.extra = compute_dtype(), None, {}
        for array in convention.order:
            if array == "kernel":
                name = self.array_name("kernel")
                start = convention.kernel(seed, name, spec) if fixed is None else constant(fixed)
                self.kernel = self.add_weight(name, convention.shape(spec), initializer=start,
                                              trainable=fixed is None)
            elif array == "weight":
                self.extra = weight.variables(self)
            elif bias:
                name = self.array_name("bias")
                self.bias = self.add_weight(name, convention.vector(spec),
                                            initializer=convention.bias(seed, name, spec))

    # -- what a parametrisation asks -------------------------------------------------------------------------
    def array_name(self, array: str) -> str:
        """Full name of one of this layer's arrays."""
        return self.convention.name(array, self.spec.kind, self.title)

    @property
    def output_axis(self) -> int:
        """The axis of the kernel that numbers the outputs."""
        return len(self.kernel.shape) - 1

    @property
    def input_axes(self) -> tuple:
        """The other axes."""
        return tuple(axis for axis in range(len(self.kernel.shape)) if axis != self.output_axis)

    @property
    def spectral_outputs(self) -> int:
        """Length of the power iteration's u."""
        return self.spec.outputs

    def outputs_last(self, kernel: tf.Tensor) -> tf.Tensor:
        """The kernel with its outputs on the last axis, as spectral norm reads it."""
        return kernel

    def outputs_back(self, kernel: tf.Tensor) -> tf.Tensor:
        """The inverse of `outputs_last`."""
        return kernel

    # -- the map ---------------------------------------------------------------------------------------------
    def map(self, x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        """The bias-free map, in the compute type."""
        raise NotImplementedError

    def applied(self, update: bool) -> tf.Tensor:
        """The kernel that is applied, float32."""
        return self.weight.before(self, self.kernel, update)

    def call(self, x: tf.Tensor, how: Pass = REST) -> tf.Tensor:
        """[n, ..., inputs] -> [n, ..., outputs] in the compute type; `how.update` may move the weight's
        state."""
        y = self.map(tf.cast(x, self.compute), tf.cast(self.applied(how.update), self.compute))
        y = self.weight.after(self, y)
        return y if self.bias is None else y + tf.cast(tf.reshape(self.bias, [-1]), y.dtype)


class Dense(Linear):
    """[n, inputs] -> [n, outputs].

    Args:
        compute: type that it computes in; None: the run's.
    """

    def __init__(self, title, spec, convention, weight, seed=0, bias=True, compute=None):
        super().__init__(title, spec, convention, weight, seed, bias)
        self.compute = compute or self.compute

    def map(self, x, kernel):
        if kernel.shape.rank > 2:  # kept as a 1x1 convolution
            kernel = tf.reshape(kernel, [self.spec.inputs, self.spec.outputs])
        return tf.matmul(x, kernel)


class Conv(Linear):
    """Convolution of NHWC images.

    Args:
        padding: 'SAME', 'VALID', or zeros on each side (vertical, horizontal).
    """

    def __init__(self, title, spec, convention, weight, seed=0, bias=True, padding="SAME"):
        super().__init__(title, spec, convention, weight, seed, bias)
        self.padding = padding

    def map(self, x, kernel):
        return convolve(x, kernel, self.spec.stride, self.padding)


class Deconv(Linear):
    """Transposed convolution: the gradient of `Conv`; kernel [h, w, out, in].

    Args:
        padding: 'SAME' (n -> n * stride), or zeros on each side of the forward convolution (vertical,
            horizontal).
        sides: (height, width) of the output where 'SAME' leaves it open.
    """

    def __init__(self, title, spec, convention, weight, seed=0, bias=True, padding="SAME", sides=None):
        super().__init__(title, spec, convention, weight, seed, bias)
        self.padding, self.sides = padding, sides

    @property
    def output_axis(self):
        return 2

    def outputs_last(self, kernel):
        return tf.transpose(kernel, [0, 1, 3, 2])

    def outputs_back(self, kernel):
        return tf.transpose(kernel, [0, 1, 3, 2])

    def map(self, x, kernel):
        return deconvolve(x, kernel, self.spec.stride, self.padding, self.sides)


class Embedding(Linear):
    """A row of a table [classes, width] for each label, without a bias; spectral norm has one entry of u a
    class."""

    @property
    def spectral_outputs(self):
        return self.spec.inputs

    def outputs_last(self, kernel):
        return tf.transpose(kernel)

    def outputs_back(self, kernel):
        return tf.transpose(kernel)

    def call(self, labels: tf.Tensor, how: Pass = REST) -> tf.Tensor:
        """Labels as in `class_rows` -> float32 [n, width]."""
        return class_rows(self.applied(how.update), labels)


def class_rows(table: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Rows of `table` [classes, C] for `labels`: int [n], or float [n, classes] with the weight of each
    class.

    A matrix product instead of a look-up: its gradient is dense, which is what the originals' optimisers
    amount to.
    """
    if not labels.dtype.is_floating:
        labels = tf.one_hot(labels, table.shape[0])
    return tf.matmul(labels, table)


def _is_same(sides, kernel, stride: int, padding: tuple) -> bool:
    """Whether zeros on each side are what SAME does."""
    return all(pad and side % stride == 0 and k - stride == 2 * pad for side, k,
               pad in zip(sides, kernel, padding))


def _explicit(padding: tuple) -> list:
    return [[0, 0], [padding[0]] * 2, [padding[1]] * 2, [0, 0]]


def convolve(x: tf.Tensor, kernel: tf.Tensor, stride: int, padding) -> tf.Tensor:
    """Convolution of [n, h, w, in] with HWIO.

    Where explicit zeros are what SAME does, SAME it is: with explicit padding, TensorFlow's gradient is
        several times slower
    on a CPU.

    Args:
        padding: 'SAME', 'VALID', or zeros on each side (vertical, horizontal).
    """
    if isinstance(padding, tuple):
        same = _is_same(x.shape[1:3], kernel.shape[:2], stride, padding)
        padding = "SAME" if same else "VALID" if not any(padding) else _explicit(padding)
    return tf.nn.conv2d(x, kernel, stride, padding)


def deconvolve(x: tf.Tensor, kernel: tf.Tensor, stride: int, padding, sides=None) -> tf.Tensor:
    """Transposed convolution of [n, h, w, in] with a kernel [h, w, out, in].

    Args:
        padding: 'SAME', or zeros on each side of the forward convolution (vertical, horizontal).
        sides: (height, width) of the output; by default n * stride with 'SAME', (n - 1) * stride + k - 2 *
            pad with zeros.
    """
    if isinstance(padding, tuple):
        ends = zip(x.shape[1:3], kernel.shape[:2], padding)
        sides = [(n - 1) * stride + k - 2 * pad for n, k, pad in ends]
        padding = "SAME" if _is_same(sides, kernel.shape[:2], stride, padding) else _explicit(padding)
    sides = sides or [n * stride for n in x.shape[1:3]]
    return tf.nn.conv2d_transpose(x, kernel, [tf.shape(x)[0], *sides, kernel.shape[2]], stride, padding)
