"""The event files of `carpedm20_DCGAN` and `3DGAN`: scalars and histograms under the original's tags, in `log_dir/summaries`.

They lie beside the run's own log, in a folder of their own as in the original, and hold what it logged at the same steps: D
and G evaluated once more, on a batch that is not the training batch (spec jsreg_dcgan, section 7; jsreg_3dgan, section 7).
"""
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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


class EventFile:
    """One event file, with TensorFlow 1's records, which TensorBoard reads too; a resumed run begins another one.

    `tf.summary.histogram` writes the newer records, but takes a second to be traced, each.

    Args:
        folder: made if it is missing.
    """

    def __init__(self, folder: Path):
        self._writer = tf.raw_ops.SummaryWriter(shared_name=f"{folder} {id(self)}", container="")
        tf.raw_ops.CreateSummaryFileWriter(writer=self._writer, logdir=str(folder), max_queue=1000, flush_millis=60000,
                                           filename_suffix=".v1")

    def recorder(self, compute: Callable) -> Callable:
        """A function `(step, *tensors) -> scalars` that evaluates and writes in one graph, without Python at each call.

        Args:
            compute: called with the tensors; returns (tag -> scalar, tag -> values of a histogram).
        """
        @tf.function
        def record(step, *tensors):
            scalars, histograms = compute(*tensors)
            at = {"writer": self._writer, "step": step}
            for tag, value in scalars.items():
                tf.raw_ops.WriteScalarSummary(**at, tag=tag, value=value)
            for tag, values in histograms.items():
                tf.raw_ops.WriteHistogramSummary(**at, tag=tag, values=tf.cast(values, tf.float32))
            return scalars

        def write(step: int, *tensors):
            found = record(tf.constant(step, tf.int64), *tensors)
            tf.raw_ops.FlushSummaryWriter(writer=self._writer)
            return found

        return write
