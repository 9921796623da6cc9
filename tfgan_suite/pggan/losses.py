"""What the critic and the generator of PGGAN minimise (alenmora/ppgan, trainer.py)."""
from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from tfgan_suite import distributed, penalties
from tfgan_suite.penalties import Look, View

LOGGED = ("critLoss", "cRealLoss", "cFakeLoss", "extraLoss", "driftLoss")


class CriticLoss(NamedTuple):
    """The critic's loss, the five numbers of the original's log (in the order of LOGGED), and BEGAN's next
    k."""

    loss: tf.Tensor
    logged: tf.Tensor
    k: tf.Tensor


def interpolate(real: tf.Tensor, fake: tf.Tensor, weight: tf.Tensor) -> tf.Tensor:
    """weight * real + (1 - weight) * fake; images [n, h, w, c], weight [n, 1, 1, 1]."""
    return weight * real + (1.0 - weight) * fake


class Scores:
    """A critic with class logits as a function images -> scores [n], which remembers the class logits.

    Args:
        critic: images -> (scores [n], class logits [n, classes]).
    """

    def __init__(self, critic):
        self._critic, self._classes = critic, {}

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        scores, self._classes[images.ref()] = self._critic(images)
        return scores

    def cross_entropy(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Mean cross-entropy of the class logits of images that have been scored; labels int [n]."""
        logits = self._classes[images.ref()]
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))


def looked_at(score, real: tf.Tensor, fake: tf.Tensor, weight: tf.Tensor | None, scale=None) -> Look:
    """The passes over the critic in one step.

    Args:
        score: images -> scores [n].
        real, fake: images [n, h, w, c]; `fake` is a constant here.
        weight: U[0, 1) [n, 1, 1, 1], for the terms on interpolated images; None: there are none.
        scale: factor on the scores there, so that small gradients outlast half precision; None: 1.
    """
    look = Look(real, fake, score)
    if weight is not None:
        between = score if scale is None else lambda images: scale * score(images)
        look.between = View(between, interpolate(real, fake, weight))
    return look


def extra_terms(params, look: Look, scale=None) -> tuple:
    """(extra, drift) of `--extraLossTerm`; `scale` as in `looked_at`."""
    r, f = look.real.logits, look.fake.logits
    none = tf.zeros([], r.dtype)
    if params.extraLossTerm == "TVP":
        # A sum over the global batch: gradients are averaged over the replicas.
        return params.lamb * penalties.score_difference_penalty(r, f,
                                                                params.delta) * distributed.replicas(), none
    norms = penalties.norms_of(look.between.squares if scale is None else
                               penalties.square_norms(look.between.gradient / scale))
    if params.extraLossTerm == "0GP":
        return params.lamb * tf.reduce_mean(norms), none
    return params.lamb * penalties.norm_target_penalty(norms, params.obj), params.epsilon * tf.reduce_mean(
        tf.square(r)
    )


def critic_loss(params, look: Look, k: tf.Tensor, regularise: bool, scale=None) -> CriticLoss:
    """WGAN: mean C(fake) - mean C(real); BEGAN: mean C(real) - k mean C(fake); plus the extra terms.

    BEGAN's k moves by lambk * (gamma * mean C(real) - mean C(fake)), without bounds (`began_form=mended`:
    kept in [0, 1]).

    Args:
        look: see `looked_at`.
        k: BEGAN's weight before this step.
        regularise: False: no extra terms in this iteration.
        scale: as in `looked_at`.
    """
    r, f = look.real.logits, look.fake.logits
    mean_real, mean_fake = tf.reduce_mean(r), tf.reduce_mean(f)
    extra, drift = extra_terms(params, look, scale) if regularise else (tf.zeros([]), tf.zeros([]))
    if params.criticLossFunc == "WGAN":
        loss, next_k = mean_fake - mean_real, k
    else:
        next_k = tf.stop_gradient(k
                                  + params.lambk * distributed.all_mean(params.gamma * mean_real - mean_fake))
        if params.began_form == "mended":
            next_k = tf.clip_by_value(next_k, 0.0, 1.0)
        mean_real, mean_fake = -mean_real, -mean_fake
        loss = k * mean_fake - mean_real
    loss = loss + drift + extra
    return CriticLoss(loss, tf.stack([loss, mean_real, mean_fake, extra, drift]), next_k)


def generator_loss(params, score, fake: tf.Tensor, z: tf.Tensor, regularise: bool) -> tf.Tensor:
    """-mean C(fake), in BEGAN mode too (`began_form=mended`: +mean C(fake) there); plus the pull-away term.

    Args:
        score: images -> scores [n].
        fake: G(z), [n, h, w, c]; z: [n, latent].
    """
    loss = -tf.reduce_mean(score(fake))
    if params.criticLossFunc == "BEGAN" and params.began_form == "mended":
        loss = -loss
    if regularise and params.paterm is not None:
        loss = loss + params.lambg * penalties.pull_away(fake, z, params.paterm)
    return loss
