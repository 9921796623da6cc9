"""The originals' optimisers on Keras' optimiser base class: where epsilon sits and how a slot starts decide
the numbers.

| function or class | rule |
|---|---|
| `adam` | TF1 Adam: w -= lr*sqrt(1-b2^t)/(1-b1^t) * m / (sqrt(v) + eps), eps = 1e-8 added to the root |
| `RMSPropTF1` | TF1 RMSProp: mean square starts at one, w -= lr*g / sqrt(ms + eps), eps = 1e-10 |
| `RMSpropTorch` | torch RMSprop: mean square starts at zero, w -= lr*g / (sqrt(ms) + eps) |
| `AdamTorch` | torch Adam: w -= lr/(1-b1^t) * m / (sqrt(v)/sqrt(1-b2^t) + eps), t per variable |
"""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite import distributed


def adam(learning_rate: float, beta_1: float, beta_2: float,
         epsilon: float = 1e-8) -> tf.keras.optimizers.Optimizer:
    """TF1's Adam, which is Keras' with another default epsilon."""
    return _Adam(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon, jit_compile=False)


class _Adam(tf.keras.optimizers.Adam):
    """Keras' Adam whose learning rate can be assigned inside `strategy.run` (see `set_rate`)."""

    def _build_learning_rate(self, learning_rate):
        with tf.init_scope():
            return tf.Variable(learning_rate, name="learning_rate", dtype=tf.float32, trainable=False,
                               aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)

    def step_rows(self, variables: list, rows: tf.Tensor, values: list, gradients: list) -> None:
        """The step of some rows of stacked variables, on one device; `iterations` stays, so that all rows
        have the same number of steps behind them. Nothing as large as a variable is made.

        Args:
            rows: int [c], the rows.
            values: what they hold, [c, ...] each.
            gradients: for them, [c, ...] each.
        """
        step = tf.cast(self.iterations + 1, tf.float32)
        powers = tf.pow(tf.cast(self.beta_1, tf.float32), step), tf.pow(tf.cast(self.beta_2, tf.float32),
                                                                        step)
        rate = tf.cast(self.learning_rate, tf.float32) * tf.sqrt(1 - powers[1]) / (1 - powers[0])
        for variable, value, gradient in zip(variables, values, gradients):
            index = self._index_dict[self._var_key(variable)]
            m_all, v_all = self._momentums[index], self._velocities[index]
            m, v = tf.gather(m_all, rows), tf.gather(v_all, rows)
            m += (gradient - m) * (1 - self.beta_1)
            v += (tf.square(gradient) - v) * (1 - self.beta_2)
            value -= (m * rate) / (tf.sqrt(v) + self.epsilon)
            for whole, part in ((m_all, m), (v_all, v), (variable, value)):
                whole.scatter_update(tf.IndexedSlices(part, rows))


def set_rate(optimizer: tf.keras.optimizers.Optimizer, rate: tf.Tensor) -> None:
    """Sets the learning rate for the next step: a scalar tensor, such as a schedule's value at this
    iteration."""
    optimizer.learning_rate.assign(rate)


def apply(optimizer: tf.keras.optimizers.Optimizer, gradients, variables) -> None:
    """One step along gradients of losses that are means over each replica's batch: the global batch's step.

    A gradient may be None: that variable is left out.
    """
    scale = 1.0 / distributed.replicas()
    pairs = [(g if scale == 1.0 else g * scale, v) for g, v in zip(gradients, variables) if g is not None]
    optimizer.apply_gradients(pairs)


def scaled(optimizer: tf.keras.optimizers.Optimizer) -> tuple:
    """(Keras' dynamic loss scaling around an optimiser, its variables), for float16: a step whose gradients
    are not finite is left out, and the scale halved; after 2000 good steps it is doubled.

    The optimiser itself stays as it is, with its own variables.
    """
    made = []

    def note(create, **arguments):
        made.append(create(**arguments))
        return made[-1]

    with tf.variable_creator_scope(note):
        wrapped = tf.keras.mixed_precision.LossScaleOptimizer(optimizer)
    return wrapped, made


class _SlotOptimizer(tf.keras.optimizers.Optimizer):
    """Keras optimiser with named slots; a subclass gives `slots` and `update_step`."""

    slots: dict[str, float] = {}

    def __init__(self, learning_rate: float, name: str):
        super().__init__(name=name, jit_compile=False)
        self._learning_rate = self._build_learning_rate(learning_rate)
        self._slots: dict[str, list] = {}

    def build(self, var_list):
        """Makes the slots of all variables (Keras calls it once with the first `apply_gradients`)."""
        super().build(var_list)
        if self._slots:
            return
        for slot, start in self.slots.items():
            values = [tf.fill(v.shape, tf.cast(start, v.dtype)) for v in var_list]
            self._slots[slot] = [self.add_variable_from_reference(v, slot, initial_value=x) for v,
                                 x in zip(var_list, values)]
        self._built = True  # or a later step over a part of the variables would number the slots anew

    def slot(self, name: str, variable) -> tf.Variable:
        """The slot variable of a network's variable."""
        return self._slots[name][self._index_dict[self._var_key(variable)]]

    def reset(self) -> None:
        """Sets all slots to what they start with; also inside a step."""
        for name, variables in self._slots.items():
            for variable in variables:
                variable.assign(tf.fill(variable.shape, tf.cast(self.slots.get(name, 0.0), variable.dtype)))


class RMSPropTF1(_SlotOptimizer):
    """TF1's RMSProp without momentum (`tf.train.RMSPropOptimizer`)."""

    slots = {"rms": 1.0}

    def __init__(self, learning_rate: float, decay: float = 0.9, epsilon: float = 1e-10):
        super().__init__(learning_rate, "RMSPropTF1")
        self.decay, self.epsilon = decay, epsilon

    def update_step(self, gradient, variable):
        """One variable's step."""
        mean_square = self.slot("rms", variable)
        mean_square.assign_add((tf.square(gradient) - mean_square) * (1.0 - self.decay))
        rate = tf.cast(self.learning_rate, variable.dtype)
        variable.assign_sub(rate * gradient * tf.math.rsqrt(mean_square + self.epsilon))


class RMSpropTorch(_SlotOptimizer):
    """torch's RMSprop without momentum; a zero gradient decays the mean square and moves nothing."""

    slots = {"square_avg": 0.0}

    def __init__(self, learning_rate: float, alpha: float = 0.9, epsilon: float = 1e-6):
        super().__init__(learning_rate, "RMSpropTorch")
        self.alpha, self.epsilon = alpha, epsilon

    def update_step(self, gradient, variable):
        """One variable's step."""
        mean_square = self.slot("square_avg", variable)
        mean_square.assign(self.alpha * mean_square + (1.0 - self.alpha) * tf.square(gradient))
        rate = tf.cast(self.learning_rate, variable.dtype)
        variable.assign_sub(rate * gradient / (tf.sqrt(mean_square) + self.epsilon))


class AdamTorch(_SlotOptimizer):
    """torch's Adam: every variable counts its own steps, and weight decay is added to the gradient."""

    slots = {"exp_avg": 0.0, "exp_avg_sq": 0.0}

    def __init__(self, learning_rate: float, beta_1: float = 0.9, beta_2: float = 0.999,
                 epsilon: float = 1e-8,
                 weight_decay: float = 0.0):
        super().__init__(learning_rate, "AdamTorch")
        self.beta_1, self.beta_2, self.epsilon, self.decay = beta_1, beta_2, epsilon, weight_decay

    def build(self, var_list):
        """Makes the slots and the step counters of all variables."""
        fresh = not self._slots
        super().build(var_list)
        if fresh:
            self._slots["step"] = [self.add_variable((), dtype=tf.float32,
                                                     name=f"step/{v.name.split(':')[0]}")
                                   for v in var_list]

    def update_step(self, gradient, variable):
        """One variable's step."""
        step, m, v = (self.slot(s, variable) for s in ("step", "exp_avg", "exp_avg_sq"))
        if self.decay:
            gradient = gradient + self.decay * variable
        step.assign_add(1.0)
        m.assign(self.beta_1 * m + (1.0 - self.beta_1) * gradient)
        v.assign(self.beta_2 * v + (1.0 - self.beta_2) * tf.square(gradient))
        rate = tf.cast(self.learning_rate, variable.dtype) / (1.0 - tf.pow(self.beta_1, step))
        root = tf.sqrt(v) / tf.sqrt(1.0 - tf.pow(self.beta_2, step)) + self.epsilon
        variable.assign_sub(rate * m / root)
