"""Gradient penalties and regularisers: plain functions of tensors, and those that any system can add to its D
loss by name.

A registered penalty is a function of a `Look` (the passes over D in one step) and of parameters that it asks
for by name. It returns the term that D minimises besides its loss, and scalars for the logs.
"""
from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import tensorflow as tf

from tfgan_suite import distributed, options

JS_SCALARS = ("gamma", "disc_regularizer", "D1_regularizer", "D2_regularizer", "grad_D1_logits_norm",
              "grad_D2_logits_norm",
              "grad_D_logits_norm")  # what `js` logs


# -- Jensen-Shannon regulariser (Roth et al., NIPS 2017, arXiv 1705.09367, equation 21;
# rothk/Stabilizing_GANs)
@dataclass(frozen=True)
class JSRegularizer:
    """The regulariser of one batch; every tensor is differentiable, but for the norms.

    Attributes:
        value: scalar, `real + fake`; D minimises its loss + gamma/2 * value.
        real, fake: scalars, the halves mean[(1 - D(x))^2 |grad logit(x)|^2] and mean[D(G(z))^2 |grad
            logit(G(z))|^2].
        real_norm, fake_norm: scalars, means of |grad logit| over the batch, for the logs.
    """

    value: tf.Tensor
    real: tf.Tensor
    fake: tf.Tensor
    real_norm: tf.Tensor
    fake_norm: tf.Tensor

    def scalars(self) -> dict[str, tf.Tensor]:
        """What the original logs in every summary, by its names."""
        return {"disc_regularizer": self.value, "D1_regularizer": self.real, "D2_regularizer": self.fake,
                "grad_D1_logits_norm": self.real_norm, "grad_D2_logits_norm": self.fake_norm,
                "grad_D_logits_norm": self.real_norm + self.fake_norm}


def square_norms(gradient: tf.Tensor) -> tf.Tensor:
    """[n]: squared norm per sample, in float32. No root is taken, so that a zero gradient has a zero
    derivative, not NaN."""
    return tf.reduce_sum(tf.square(tf.cast(gradient, tf.float32)), axis=list(range(1, gradient.shape.rank)))


def _mean_norm(squares: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.sqrt(tf.stop_gradient(squares)))


def js_of(look: Look) -> JSRegularizer:
    """The Jensen-Shannon regulariser of the two passes; nothing in it is stopped, D's parameters get its
    exact second-order gradient. D is called on real images first, then on fakes."""
    squares = look.real.squares, look.fake.squares
    d_real, d_fake = (tf.sigmoid(tf.reshape(tf.cast(x, tf.float32), [-1]))
                      for x in (look.real.logits, look.fake.logits))
    halves = (
        tf.reduce_mean(tf.square(1.0 - d_real) * squares[0]),
        tf.reduce_mean(tf.square(d_fake) * squares[1]),
    )
    return JSRegularizer(halves[0] + halves[1], *halves, *map(_mean_norm, squares))


def js_regularizer(discriminator, real: tf.Tensor, fake: tf.Tensor, on_fake=None) -> JSRegularizer:
    """The Jensen-Shannon regulariser for a GAN of one's own: add gamma/2 * its `value` to D's loss, inside
    the tape.

    Args:
        discriminator: images -> logits [B] or [B, 1]. It is called once on `real`, then once on `fake`.
        real, fake: float32 [B, ...].
        on_fake: called on `fake` instead of `discriminator`, where the labels of the two differ.
    """
    return js_of(Look(real, fake, discriminator, on_fake))


def js_probability_norms(
    discriminator, real: tf.Tensor, fake: tf.Tensor, on_fake=None
) -> dict[str, tf.Tensor]:
    """Means of |grad D| where D = sigmoid(logit): two more of the original's statistics, not used by the
    regulariser."""
    look = Look(real, fake, lambda x: tf.sigmoid(discriminator(x)), on_fake
                and (lambda x: tf.sigmoid(on_fake(x))))
    norms = _mean_norm(look.real.squares), _mean_norm(look.fake.squares)
    return {"grad_D1_norm": norms[0], "grad_D2_norm": norms[1], "grad_D_norm": norms[0] + norms[1]}


def annealed(gamma: float, decay_factor: float, fraction: tf.Tensor) -> tf.Tensor:
    """float32 gamma * decay_factor^fraction, where `fraction` goes from 0 to 1 in a run."""
    return tf.cast(gamma * tf.pow(tf.constant(decay_factor, tf.float64), tf.cast(fraction, tf.float64)),
                   tf.float32)


def js_gamma(params, step: tf.Tensor, iterations: int, from_one: bool = False) -> tf.Tensor:
    """Gamma of iteration `step` (from 0): constant, or with `--annealing` on its way to decay_factor * gamma.

    Args:
        params: has `gamma`, `annealing`, `decay_factor`.
        iterations: T, of the whole run.
        from_one: False: exponent step / (T-1), so that the first iteration has exactly gamma (the original's
            image programs); True: (step+1) / T (its 3-D program). The last one has exactly decay_factor *
            gamma in both.
    """
    if not params.annealing:
        return tf.constant(params.gamma, tf.float32)
    step = tf.cast(step, tf.float64)
    return annealed(params.gamma, params.decay_factor, (step + 1.0) / iterations
                    if from_one else step / max(iterations - 1, 1))


# -- what any system can add to its D loss -------------------------------------------------------------------
class View:
    """One pass of D over a batch, made on first use, and its gradient with respect to the images.

    These are no `cached_property`: up to Python 3.11 that holds one lock for all instances while it computes,
    and the replicas' threads wait for each other inside D (its batch norm), so that two devices would wait
    for ever.

    Args:
        score: images -> logits [n] or [n, 1].
        images: float32 [n, ...].
    """

    def __init__(self, score: Callable, images: tf.Tensor):
        self._score, self.images = score, images
        self._passed = self._gradient = self._squares = None

    def _pass(self) -> tuple:
        if self._passed is None:
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(self.images)
                logits = self._score(self.images)
                total = tf.reduce_sum(logits)
            self._passed = tape, logits, total
        return self._passed

    @property
    def logits(self) -> tf.Tensor:
        """What D gave, as it gave it."""
        return self._pass()[1]

    @property
    def gradient(self) -> tf.Tensor:
        """The gradient of the *sum* of the logits with respect to the images. With a batch norm in D each
        image's gradient so holds what it does to the logits of the others."""
        if self._gradient is None:
            tape, _, total = self._pass()
            self._gradient = tape.gradient(total, self.images)
        return self._gradient

    @property
    def squares(self) -> tf.Tensor:
        """[n] squared gradient norms, float32."""
        if self._squares is None:
            self._squares = square_norms(self.gradient)
        return self._squares


class Look:
    """The passes over D in one step: each is made once, on first use, and serves the loss and all penalties.

    Args:
        real, fake: images, float32 [n, ...].
        on_real: images -> logits, as D sees real images.
        on_fake: the same for fakes, where their labels are others.
        between: images [n, ...] somewhere between real and fake, for the penalties that look there.
    """

    def __init__(self, real: tf.Tensor, fake: tf.Tensor, on_real: Callable, on_fake: Callable | None = None,
                 between: tf.Tensor | None = None):
        self.real, self.fake = View(on_real, real), View(on_fake or on_real, fake)
        self.between = None if between is None else View(on_real, between)


@dataclass(frozen=True)
class Penalty:
    """A registered penalty: its function, and the names of the parameters that it asks for."""

    function: Callable
    asks: tuple[str, ...]


PENALTIES: dict[str, Penalty] = {}


def penalty(name: str):
    """Registers a penalty, a function (look, parameters by name) -> (term, scalars for the logs); see
    `options.PENALTIES`."""
    def register(function):
        PENALTIES[name] = Penalty(function, tuple(inspect.signature(function).parameters)[1:])
        return function
    return register


def terms(names: tuple[str, ...], look: Look, values: Mapping) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """The sum of the named penalties, and their scalars, with the sum itself as `penalty`: the loss that a
    system logs and `penalty` are the two curves of what D minimises. A penalty whose weight is the Python
    number 0 is left out, and D is not even called for it.

    Args:
        names: of `PENALTIES`.
        values: parameter name -> value.
    """
    total, scalars = tf.zeros(()), {}
    for name in names:
        chosen = PENALTIES[name]
        arguments = {asked: values[asked] for asked in chosen.asks}
        weight = arguments[chosen.asks[0]]  # the first that it asks for is its weight
        if isinstance(weight, (int, float)) and weight == 0:
            continue
        term, shown = chosen.function(look, **arguments)
        total = total + term
        scalars = {**scalars, **shown, "penalty": total}
    return total, scalars


def weights(params) -> dict:
    """The values that penalties ask for, as they were given: `options.penalty`'s parameters."""
    names = {"gamma", *(name for rows in options.PENALTY_WEIGHTS.values() for name, *_ in rows)}
    return {name: value for name, value in params.values.items() if name in names}


def parameters(params, step: tf.Tensor, iterations: int) -> dict:
    """`weights` at iteration `step` (from 0) of a run: gamma annealed."""
    return {**weights(params), "gamma": js_gamma(params, step, iterations) if params.gamma else 0.0}


def of_params(params, look: Look, step: tf.Tensor, iterations: int) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """`terms` of what `--penalty` names, at iteration `step` of a run of so many iterations."""
    return terms(options.active(params), look, parameters(params, step, iterations))


@penalty("js")
def js(look: Look, gamma):
    """gamma/2 * the Jensen-Shannon regulariser, and the original's statistics."""
    found = js_of(look)
    return gamma / 2.0 * found.value, {"gamma": tf.convert_to_tensor(gamma, tf.float32), **found.scalars()}


@penalty("r1")
def r1(look: Look, r1_weight):
    """r1_weight/2 * mean |grad D(x)|^2 at real images (Mescheder et al., ICML 2018, equation 9)."""
    value = tf.reduce_mean(look.real.squares)
    return r1_weight / 2.0 * value, {"r1": value}


@penalty("r2")
def r2(look: Look, r2_weight):
    """r2_weight/2 * mean |grad D(x)|^2 at generated images (Mescheder et al., ICML 2018, equation 10)."""
    value = tf.reduce_mean(look.fake.squares)
    return r2_weight / 2.0 * value, {"r2": value}


@penalty("wgan_gp")
def wgan_gp(look: Look, gp_weight):
    """gp_weight * mean (|grad D(x)| - 1)^2 between real and generated images (Gulrajani et al., NIPS 2017,
    equation 3)."""
    value = unit_norm_penalty(norms_of(look.between.squares), gp_weight)
    return value, {"gradient_penalty": value}


@penalty("0gp")
def zero_gp(look: Look, zero_gp_weight):
    """zero_gp_weight * mean |grad D(x)| between real and generated images: alenmora/ppgan's 0GP."""
    value = zero_gp_weight * tf.reduce_mean(norms_of(look.between.squares))
    return value, {"zero_gradient_penalty": value}


@penalty("drift")
def drift(look: Look, drift_weight):
    """drift_weight * mean D(x)^2 of real images (Karras et al., ICLR 2018, appendix A.1)."""
    value = drift_weight * tf.reduce_mean(tf.square(look.real.logits))
    return value, {"drift": value}


@penalty("tv")
def tv(look: Look, tv_weight, tv_delta):
    """tv_weight * mean |D(x) - D(G(z)) - tv_delta| of pairs: alenmora/ppgan's total-variation term as a
    mean."""
    value = tv_weight * tf.reduce_mean(tf.abs(look.real.logits - look.fake.logits - tv_delta))
    return value, {"tv": value}


# -- gradient norms ------------------------------------------------------------------------------------------
def norms_of(squares: tf.Tensor) -> tf.Tensor:
    """Roots of squared norms [n]; the gradient of a zero norm is zero, as in torch."""
    positive = squares > 0
    return tf.where(positive, tf.sqrt(tf.where(positive, squares, tf.ones_like(squares))),
                    tf.zeros_like(squares))


def between(real: tf.Tensor, fake: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """real + alpha (fake - real): images [n, h, w, c] between real and fake ones.

    Args:
        alpha: [n] or [n, 1], in [0, 1).
    """
    return real + tf.reshape(alpha, [-1] + [1] * (real.shape.rank - 1)) * (fake - real)


def norm_target_penalty(norms: tf.Tensor, target: float) -> tf.Tensor:
    """mean (norm - target)^2 / (target + 1e-8)^2 (Karras et al., ICLR 2018, appendix A.1; alenmora/ppgan)."""
    return tf.reduce_mean(tf.square(norms - target)) / (target + 1e-8) ** 2


def score_difference_penalty(real: tf.Tensor, fake: tf.Tensor, offset: float) -> tf.Tensor:
    """sum |real - fake - offset| over the batch: the total-variation term of alenmora/ppgan (a sum, not a
    mean)."""
    return tf.reduce_sum(tf.abs(real - fake - offset))


def _pair_cosines(x: tf.Tensor) -> tf.Tensor:
    """Cosines of all pairs of rows of [n, d], float64 [n, n] (they are divided by small numbers); norms are
    at least 1e-8."""
    x = tf.cast(tf.reshape(x, [x.shape[0], -1]), tf.float64)
    squares = tf.reduce_sum(tf.square(x), 1, keepdims=True)
    norms = tf.sqrt(tf.maximum(squares, 1e-16))
    return tf.matmul(x, x, transpose_b=True) / (norms * tf.transpose(norms))


def pull_away(images: tf.Tensor, latents: tf.Tensor, form: int) -> tf.Tensor:
    """Pull-away term of alenmora/ppgan: how alike the samples of a batch are, summed over pairs i < j, over
    N(N-1).

    The pairs are those of the global batch, whatever the number of replicas.

    Args:
        images: [n, ...]; latents: [n, d], this replica's rows. Their pairwise cosines are c and z.
        form: 0: c^2; 1: (z - c)^2 / (z^2 + 1e-8); 2: (z^2 - c^2)^2 / (z^4 + 1e-8); others: zero.

    Returns:
        A scalar; zero for fewer than two images.
    """
    if images.shape[0] * distributed.replicas() < 2 or form not in (0, 1, 2):
        return tf.zeros([], images.dtype)
    images, latents = distributed.gather(images), distributed.gather(latents)
    n = images.shape[0]
    c, z = _pair_cosines(images), _pair_cosines(latents)
    terms = {0: lambda: tf.square(c), 1: lambda: tf.square(z - c) / (tf.square(z) + 1e-8),
             2: lambda: tf.square(tf.square(z) - tf.square(c)) / (tf.square(tf.square(z)) + 1e-8)}[form]()
    above = tf.linalg.band_part(tf.ones_like(terms), 0, -1) - tf.eye(n, dtype=terms.dtype)
    return tf.cast(tf.reduce_sum(terms * above) / (n * (n - 1)), images.dtype)


def unit_norm_penalty(norms: tf.Tensor, coefficient: float = 10.0) -> tf.Tensor:
    """coefficient * mean (norm - 1)^2, of gradient norms [n] at points between real and fake images: WGAN-GP.

    I. Gulrajani et al., "Improved Training of Wasserstein GANs", NIPS 2017, equation 3.
    """
    return coefficient * tf.reduce_mean(tf.square(norms - 1.0))
