"""What the event files of `carpedm20_DCGAN` and `3DGAN` hold: scalars and histograms
under the original's tags, in `log_dir/summaries`.

They lie beside the run's own log, in a folder of their own as in the original, and hold what it logged at the same steps: D
and G evaluated once more, on a batch that is not the training batch (spec jsreg_dcgan, section 7; jsreg_3dgan, section 7).
"""
from __future__ import annotations

import tensorflow as tf


def scalars(losses: dict, norms: dict, gamma, g_loss) -> dict[str, tf.Tensor]:
    """Tag -> value.

    Args:
        losses: what a system's `d_losses` returns.
        norms: of `penalties.js_probability_norms`; not used without the regulariser.
        gamma, g_loss: scalars.
    """
    tagged = {"gamma_1": gamma, "gen/gen/unreg_gen_loss": g_loss, "disc/disc/unreg_disc_loss": losses["unreg_disc_loss"]}
    if "disc_regularizer" in losses:
        tagged["disc/disc/disc_loss"] = losses["disc_loss"]
        tagged.update({f"disc/disc_reg/disc/{name}": value for name, value in {**losses, **norms}.items()
                       if name not in ("disc_loss", "unreg_disc_loss")})
    return tagged


def probabilities(real_logits: tf.Tensor, fake_logits: tf.Tensor) -> dict[str, tf.Tensor]:
    """Tag -> values of a histogram: D of the real and of the generated batch."""
    return {"disc/disc/D1": tf.sigmoid(real_logits), "disc/disc/D2": tf.sigmoid(fake_logits)}
