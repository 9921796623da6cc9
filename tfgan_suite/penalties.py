"""Gradient penalties and regularisers, by name: plain functions of tensors."""
from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

JS_SCALARS = ("gamma", "disc_regularizer", "D1_regularizer", "D2_regularizer", "grad_D1_logits_norm", "grad_D2_logits_norm",
              "grad_D_logits_norm")  # what `js_penalty` logs


# -- Jensen-Shannon regulariser (Roth et al., NIPS 2017, arXiv 1705.09367, equation 21; rothk/Stabilizing_GANs) -----------
@dataclass(frozen=True)
class JSRegularizer:
    """The regulariser of one batch; every tensor is differentiable, but for the norms.

    Attributes:
        value: scalar, `real + fake`; D minimises its loss + gamma/2 * value.
        real, fake: scalars, the halves mean[(1 - D(x))^2 |grad logit(x)|^2] and mean[D(G(z))^2 |grad logit(G(z))|^2].
        real_norm, fake_norm: scalars, means of |grad logit| over the batch, for the logs.
        real_logits, fake_logits: what D gave, as it gave it, so that the loss needs no second pass.
    """

    value: tf.Tensor
    real: tf.Tensor
    fake: tf.Tensor
    real_norm: tf.Tensor
    fake_norm: tf.Tensor
    real_logits: tf.Tensor
    fake_logits: tf.Tensor

    def scalars(self) -> dict[str, tf.Tensor]:
        """What the original logs in every summary, by its names."""
        return {"disc_regularizer": self.value, "D1_regularizer": self.real, "D2_regularizer": self.fake,
                "grad_D1_logits_norm": self.real_norm, "grad_D2_logits_norm": self.fake_norm,
                "grad_D_logits_norm": self.real_norm + self.fake_norm}


def input_gradient(discriminator, images: tf.Tensor, of=tf.identity) -> tuple[tf.Tensor, tf.Tensor]:
    """Logits [B] or [B, 1], and the gradient of the *sum* of `of(logits)` over the batch with respect to `images`.

    With a batch norm in D each image's gradient so holds what it does to the logits of the others, as in the original.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits = discriminator(images)
        target = tf.reduce_sum(of(logits))
    return logits, tape.gradient(target, images)


def _square_norms(gradient: tf.Tensor) -> tf.Tensor:
    """[B]: squared norm per sample, in float32. No root is taken, so that a zero gradient has a zero derivative, not NaN."""
    return tf.reduce_sum(tf.square(tf.cast(gradient, tf.float32)), axis=list(range(1, gradient.shape.rank)))


def _mean_norm(squares: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.sqrt(tf.stop_gradient(squares)))


def js_regularizer(discriminator, real: tf.Tensor, fake: tf.Tensor, on_fake=None) -> JSRegularizer:
    """The Jensen-Shannon regulariser; nothing in it is stopped, D's parameters get its exact second-order gradient.

    Args:
        discriminator: images -> logits [B] or [B, 1]. It is called once on `real`, then once on `fake`.
        real, fake: float32 [B, ...].
        on_fake: called on `fake` instead of `discriminator`, where the labels of the two differ.
    """
    real_logits, real_gradient = input_gradient(discriminator, real)
    fake_logits, fake_gradient = input_gradient(on_fake or discriminator, fake)
    squares = _square_norms(real_gradient), _square_norms(fake_gradient)
    d_real, d_fake = (tf.sigmoid(tf.reshape(tf.cast(x, tf.float32), [-1])) for x in (real_logits, fake_logits))
    halves = tf.reduce_mean(tf.square(1.0 - d_real) * squares[0]), tf.reduce_mean(tf.square(d_fake) * squares[1])
    return JSRegularizer(halves[0] + halves[1], *halves, *map(_mean_norm, squares), real_logits, fake_logits)


def js_probability_norms(discriminator, real: tf.Tensor, fake: tf.Tensor, on_fake=None) -> dict[str, tf.Tensor]:
    """Means of |grad D| where D = sigmoid(logit): two more of the original's statistics, not used by the regulariser."""
    norms = [_mean_norm(_square_norms(input_gradient(d, x, tf.sigmoid)[1]))
             for d, x in ((discriminator, real), (on_fake or discriminator, fake))]
    return {"grad_D1_norm": norms[0], "grad_D2_norm": norms[1], "grad_D_norm": norms[0] + norms[1]}


def annealed(gamma: float, decay_factor: float, fraction: tf.Tensor) -> tf.Tensor:
    """float32 gamma * decay_factor^fraction, where `fraction` goes from 0 to 1 in a run."""
    return tf.cast(gamma * tf.pow(tf.constant(decay_factor, tf.float64), tf.cast(fraction, tf.float64)), tf.float32)


def js_gamma(params, step: tf.Tensor, iterations: int, from_one: bool = False) -> tf.Tensor:
    """Gamma of iteration `step` (from 0): constant, or with `--annealing` on its way to decay_factor * gamma.

    Args:
        params: has `gamma`, `annealing`, `decay_factor`.
        iterations: T, of the whole run.
        from_one: False: exponent step / (T-1), so that the first iteration has exactly gamma (the original's image
            programs); True: (step+1) / T (its 3-D program). The last one has exactly decay_factor * gamma in both.
    """
    if not params.annealing:
        return tf.constant(params.gamma, tf.float32)
    step = tf.cast(step, tf.float64)
    return annealed(params.gamma, params.decay_factor, (step + 1.0) / iterations if from_one else step / max(iterations - 1, 1))


def js_penalty(params, step: tf.Tensor, iterations: int, discriminator, real: tf.Tensor, fake: tf.Tensor,
               on_fake=None) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """What any system adds to its D loss, inside the tape of D's parameters, to offer `--penalty=js`.

    It runs D once more on `real` and `fake`, so that the system's own loss stays as it is.

    Args:
        params: has the parameters of `penalty_parameters.JS`.
        step: the iteration, from 0.
        iterations: of the whole run.
        discriminator, real, fake, on_fake: as for `js_regularizer`.

    Returns:
        (gamma/2 * regulariser, scalars for the logs); (0, {}) with `--penalty=none`.
    """
    if params.penalty != "js":
        return tf.zeros(()), {}
    gamma = js_gamma(params, step, iterations)
    regularizer = js_regularizer(discriminator, real, fake, on_fake)
    return gamma / 2.0 * regularizer.value, {"gamma": gamma, **regularizer.scalars()}


def input_gradient_norms(score, x: tf.Tensor) -> tf.Tensor:
    """Norms [n] of d(sum of score(x))/dx, one a sample, differentiable; the gradient of a zero norm is zero, as in torch.

    Args:
        score: images [n, ...] -> scores.
        x: [n, ...], treated as a constant.
    """
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(score(x))
    squares = tf.reduce_sum(tf.square(tape.gradient(total, x)), list(range(1, x.shape.rank)))
    positive = squares > 0
    return tf.where(positive, tf.sqrt(tf.where(positive, squares, tf.ones_like(squares))), tf.zeros_like(squares))


def norm_target_penalty(norms: tf.Tensor, target: float) -> tf.Tensor:
    """mean (norm - target)^2 / (target + 1e-8)^2 (Karras et al., ICLR 2018, appendix A.1; alenmora/ppgan)."""
    return tf.reduce_mean(tf.square(norms - target)) / (target + 1e-8) ** 2


def score_difference_penalty(real: tf.Tensor, fake: tf.Tensor, offset: float) -> tf.Tensor:
    """sum |real - fake - offset| over the batch: the total-variation term of alenmora/ppgan (a sum, not a mean)."""
    return tf.reduce_sum(tf.abs(real - fake - offset))


def _pair_cosines(x: tf.Tensor) -> tf.Tensor:
    """Cosines of all pairs of rows of [n, d], float64 [n, n] (they are divided by small numbers); norms are at least 1e-8."""
    x = tf.cast(tf.reshape(x, [x.shape[0], -1]), tf.float64)
    squares = tf.reduce_sum(tf.square(x), 1, keepdims=True)
    norms = tf.sqrt(tf.maximum(squares, 1e-16))
    return tf.matmul(x, x, transpose_b=True) / (norms * tf.transpose(norms))


def pull_away(images: tf.Tensor, latents: tf.Tensor, form: int) -> tf.Tensor:
    """Pull-away term of alenmora/ppgan: how alike the samples of a batch are, summed over pairs i < j, over N(N-1).

    Args:
        images: [n, ...]; latents: [n, d]. Their pairwise cosines are c and z.
        form: 0: c^2; 1: (z - c)^2 / (z^2 + 1e-8); 2: (z^2 - c^2)^2 / (z^4 + 1e-8); others: zero.

    Returns:
        A scalar; zero for fewer than two images.
    """
    n = images.shape[0]
    if n < 2 or form not in (0, 1, 2):
        return tf.zeros([], images.dtype)
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
