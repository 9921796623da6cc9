"""The originals' optimisers on Keras' optimiser base class: where epsilon sits and how a slot starts decide
the numbers.

| function or class | rule |
|---|---|
| `adam` | TF1 Adam: w -= lr*sqrt(1-b2^t)/(1-b1^t) * m / (sqrt(v) + eps), eps = 1e-8 added to the root |
| `RMSPropTF1` | TF1 RMSProp: mean square starts at one, w -= lr*g / sqrt(ms + eps), eps = 1e-10 |
| `RMSpropTorch` | torch RMSprop: mean square starts at zero, w -= lr*g / (sqrt(ms) + eps) |
| `AdamTorch` | torch Adam: w -= lr/(1-b1^t) * m / (sqrt(v)/sqrt(1-b2^t) + eps), t per variable |

Each makes a variable's step with one operation of TensorFlow, in one pass over the memory and without
temporaries; with `fused = False` it is written out, which is the plain twin.
"""
from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgan_suite import distributed

NOTHING = np.zeros(0, np.float32)


def adam(learning_rate: float, beta_1: float, beta_2: float,
         epsilon: float = 1e-8) -> tf.keras.optimizers.Optimizer:
    """TF1's Adam, which is Keras' with another default epsilon."""
    return _Adam(learning_rate, beta_1, beta_2, epsilon)


def _apply_adam(variable, m, v, gradient, powers: tuple, rate, betas: tuple, epsilon) -> None:
    """TF1's one operation: moments and weights move in one pass.

    Args:
        powers: beta_1^t and beta_2^t of this step.
        betas: beta_1 and beta_2.
        epsilon: added to the root of v, after the correction of its start went into the rate.
    """
    tf.raw_ops.ResourceApplyAdam(var=variable.handle, m=m.handle, v=v.handle, beta1_power=powers[0],
                                 beta2_power=powers[1], lr=rate, beta1=betas[0], beta2=betas[1],
                                 epsilon=epsilon, grad=gradient)


class _Adam(tf.keras.optimizers.Adam):
    """Keras' Adam whose learning rate can be assigned inside `strategy.run` (see `set_rate`).

    Attributes:
        fused: see the module; False is Keras' own step.
    """

    fused = True

    def __init__(self, learning_rate: float, beta_1: float, beta_2: float, epsilon: float):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, jit_compile=False)
        self._working: dict[str, list] = {}
        self._now: dict[str, tuple] = {}

    def _build_learning_rate(self, learning_rate):
        with tf.init_scope():
            return tf.Variable(learning_rate, name="learning_rate", dtype=tf.float32, trainable=False,
                               aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA)

    def _powers(self) -> tuple:
        """beta_1^t and beta_2^t of the next step, float32."""
        step = tf.cast(self.iterations + 1, tf.float32)
        return tuple(tf.pow(tf.cast(beta, tf.float32), step) for beta in (self.beta_1, self.beta_2))

    def _moments(self, variable) -> tuple[tf.Variable, tf.Variable]:
        index = self._index_dict[self._var_key(variable)]
        return self._momentums[index], self._velocities[index]

    def apply_gradients(self, grads_and_vars, name=None):
        """As Keras'; what all variables of the step share is computed once on each device."""
        self._now.clear()
        return super().apply_gradients(grads_and_vars, name)

    def update_step(self, gradient, variable):
        """One variable's step."""
        if not self.fused:
            super().update_step(gradient, variable)
            return
        if variable.device not in self._now:
            self._now[variable.device] = (self._powers(), tf.convert_to_tensor(self.learning_rate),
                                          *map(tf.constant, (self.beta_1, self.beta_2, self.epsilon)))
        powers, rate, beta_1, beta_2, epsilon = self._now[variable.device]
        _apply_adam(variable, *self._moments(variable), tf.convert_to_tensor(gradient), powers, rate,
                    (beta_1, beta_2), epsilon)

    def row_step(self, device: str = ""):
        """What makes the step of some rows of stacked variables inside a loop; `iterations` stays, so that
        all rows have the same number of steps behind them. Nothing as large as a variable is made.

        Args:
            device: where the variables lie; "" is where TensorFlow puts them.

        Returns:
            (variables, rows: int [c], what they hold: [c, ...] each, gradients: [c, ...] each) -> None.
        """
        powers, rate = self._powers(), tf.convert_to_tensor(self.learning_rate)
        working = self._working_variables(device) if self.fused else ()

        def descend(variables: list, rows: tf.Tensor, values: list, gradients: list) -> None:
            before = gradients
            for variable, value, gradient in zip(variables, values, gradients):
                wholes = *self._moments(variable), variable
                with tf.control_dependencies(before):  # one after the other: rows are large
                    parts = [tf.gather(wholes[0], rows), tf.gather(wholes[1], rows), value]
                if self.fused:
                    parts = self._moved(working, parts, gradient, powers, rate)
                else:
                    parts = self._moved_plainly(parts, gradient, powers, rate)
                before = [whole.scatter_update(tf.IndexedSlices(part, rows)).op
                          for whole, part in zip(wholes, parts)]
                for held in working:
                    held.assign(NOTHING)

        return descend

    def whole_step(self, device: str = ""):
        """The same for stacks whose rows all move together: arguments and results as of `row_step`."""
        powers, rate = self._powers(), tf.convert_to_tensor(self.learning_rate)

        def descend(variables: list, rows: tf.Tensor, values: list, gradients: list) -> None:
            for variable, gradient in zip(variables, gradients):
                if self.fused:
                    _apply_adam(variable, *self._moments(variable), gradient, powers, rate,
                                (self.beta_1, self.beta_2), self.epsilon)
                else:
                    self.update_step(gradient, variable)

        return descend

    def _working_variables(self, device: str) -> list[tf.Variable]:
        """Three variables of any shape, for a row of m, v and w while it moves."""
        if device not in self._working:
            with tf.init_scope(), tf.device(device):
                self._working[device] = [tf.Variable(NOTHING, trainable=False, shape=tf.TensorShape(None))
                                         for _ in range(3)]
        return self._working[device]

    def _moved(self, working: list, parts: list, gradient, powers: tuple, rate) -> list:
        """[m, v, w] after the step; the parts themselves are moved, since no other has them."""
        for held, part in zip(working, parts):
            held.assign(part)
        m, v, w = working
        _apply_adam(w, m, v, gradient, powers, rate, (self.beta_1, self.beta_2), self.epsilon)
        return [tf.ensure_shape(held, part.shape) for held, part in zip(working, parts)]

    def _moved_plainly(self, parts: list, gradient, powers: tuple, rate) -> list:
        """The plain twin of `_moved`."""
        m, v, w = parts
        m += (gradient - m) * (1 - self.beta_1)
        v += (tf.square(gradient) - v) * (1 - self.beta_2)
        return [m, v, w - m * (rate * tf.sqrt(1 - powers[1]) / (1 - powers[0])) / (tf.sqrt(v) + self.epsilon)]


def set_rate(optimizer: tf.keras.optimizers.Optimizer, rate: tf.Tensor) -> None:
    """Sets the learning rate for the next step: a scalar tensor, such as a schedule's value at this
    iteration."""
    optimizer.learning_rate.assign(rate)


def scratch(optimizer: tf.keras.optimizers.Optimizer) -> list[tf.Variable]:
    """What an optimiser holds beside its state: variables that are in no file."""
    return optimizer.scratch if isinstance(optimizer, RMSPropTF1) else []


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
    fused = True

    def __init__(self, learning_rate: float, name: str):
        # Keras' default decay of zero would still go over all weights
        super().__init__(name=name, weight_decay=None, jit_compile=False)
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
    """TF1's RMSProp without momentum (`tf.train.RMSPropOptimizer`).

    As in TF1 its one operation has a slot for momentum, which is zero times what it was: it is in no file.
    """

    slots = {"rms": 1.0}

    def __init__(self, learning_rate: float, decay: float = 0.9, epsilon: float = 1e-10):
        super().__init__(learning_rate, "RMSPropTF1")
        self.decay, self.epsilon, self.scratch = decay, epsilon, []

    def build(self, var_list):
        """Makes the slots of all variables."""
        fresh = not self._slots
        super().build(var_list)
        if fresh:
            self.scratch = [tf.Variable(tf.zeros(v.shape), trainable=False) for v in var_list]

    def update_step(self, gradient, variable):
        """One variable's step."""
        mean_square, rate = self.slot("rms", variable), tf.convert_to_tensor(self.learning_rate)
        if self.fused:
            momentum = self.scratch[self._index_dict[self._var_key(variable)]]
            tf.raw_ops.ResourceApplyRMSProp(var=variable.handle, ms=mean_square.handle, mom=momentum.handle,
                                            lr=rate, rho=self.decay, momentum=0.0, epsilon=self.epsilon,
                                            grad=tf.convert_to_tensor(gradient))
            return
        mean_square.assign_add((tf.square(gradient) - mean_square) * (1.0 - self.decay))
        variable.assign_sub(rate * gradient * tf.math.rsqrt(mean_square + self.epsilon))


class RMSpropTorch(_SlotOptimizer):
    """torch's RMSprop without momentum; a zero gradient decays the mean square and moves nothing.

    The mean square moves first; Adagrad's operation, told to leave it, makes the step.
    """

    slots = {"square_avg": 0.0}

    def __init__(self, learning_rate: float, alpha: float = 0.9, epsilon: float = 1e-6):
        super().__init__(learning_rate, "RMSpropTorch")
        self.alpha, self.epsilon = alpha, epsilon

    def update_step(self, gradient, variable):
        """One variable's step."""
        mean_square, rate = self.slot("square_avg", variable), tf.convert_to_tensor(self.learning_rate)
        mean_square.assign(self.alpha * mean_square + (1.0 - self.alpha) * tf.square(gradient))
        if self.fused:
            tf.raw_ops.ResourceApplyAdagradV2(var=variable.handle, accum=mean_square.handle, lr=rate,
                                              epsilon=self.epsilon, grad=tf.convert_to_tensor(gradient),
                                              update_slots=False)
            return
        variable.assign_sub(rate * gradient / (tf.sqrt(mean_square) + self.epsilon))


class AdamTorch(_SlotOptimizer):
    """torch's Adam: every variable counts its own steps, and weight decay is added to the gradient.

    With epsilon * sqrt(1-b2^t) in place of epsilon, TF1's rule is torch's.
    """

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
        count, m, v = (self.slot(s, variable) for s in ("step", "exp_avg", "exp_avg_sq"))
        if self.decay:
            gradient = gradient + self.decay * variable
        count.assign_add(1.0)
        powers = tf.pow(self.beta_1, count), tf.pow(self.beta_2, count)
        rate, root = tf.convert_to_tensor(self.learning_rate), tf.sqrt(1.0 - powers[1])
        if self.fused:
            _apply_adam(variable, m, v, tf.convert_to_tensor(gradient), powers, rate,
                        (self.beta_1, self.beta_2), self.epsilon * root)
            return
        m.assign(self.beta_1 * m + (1.0 - self.beta_1) * gradient)
        v.assign(self.beta_2 * v + (1.0 - self.beta_2) * tf.square(gradient))
        variable.assign_sub(rate / (1.0 - powers[0]) * m / (tf.sqrt(v) / root + self.epsilon))
