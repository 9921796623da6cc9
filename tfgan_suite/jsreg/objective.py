"""What the programs `carpedm20_DCGAN` and `3DGAN` share: D's objective, and the tags under which it is
logged.

Their event files lie in `log_dir/summaries`, beside the run's own log, in a folder of their own as in the
original. They hold
what it logged at the same steps: D and G evaluated once more, on a batch that is not the training batch.
"""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite import options, penalties
from tfgan_suite.losses import LOSSES


def d_losses(params, look: penalties.Look, weights: dict) -> dict[str, tf.Tensor]:
    """D's objective `disc_loss`, the cross-entropy in it, `unreg_disc_loss`, and what the penalties show.

    Args:
        params: their `penalty` names the penalties.
        look: D's passes over the real batch, and then over the fakes.
        weights: of the penalties, as `penalties.parameters` gives them.
    """
    real = look.real.logits
    term, scalars = penalties.terms(options.active(params), look, weights)
    loss = LOSSES["logistic"].discriminator(real, look.fake.logits)
    return {"disc_loss": loss + term, "unreg_disc_loss": loss, **scalars}


def tagged(losses: dict, norms: dict, gamma, g_loss) -> dict[str, tf.Tensor]:
    """Tag of the original -> value.

    Args:
        losses: what `d_losses` returns.
        norms: of `penalties.js_probability_norms`; empty without the regulariser.
        gamma, g_loss: scalars.
    """
    tagged = {"gamma_1": gamma, "gen/gen/unreg_gen_loss": g_loss,
              "disc/disc/unreg_disc_loss": losses["unreg_disc_loss"]}
    statistics = {name: value for name, value in {**losses, **norms}.items()
                  if name not in ("disc_loss", "unreg_disc_loss", "gamma", "penalty")}
    if statistics:
        tagged["disc/disc/disc_loss"] = losses["disc_loss"]
        tagged.update({f"disc/disc_reg/disc/{name}": value for name, value in statistics.items()})
    return tagged


def probabilities(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """Tag -> values of a histogram: D of the real and of the generated batch."""
    return {"disc/disc/D1": tf.sigmoid(real_logits), "disc/disc/D2": tf.sigmoid(fake_logits)}
