"""What the `carpedm20_DCGAN` program writes beyond checkpoints and grids (spec jsreg_dcgan, sections 6, 7)."""
from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from tfgan_suite import images, penalties
from tfgan_suite.system import Event

TEST_GRIDS = 10


def events(system) -> list[Event]:
    """The summary of the held-out batch with each checkpoint; at the end of training the ten test grids and the samples."""
    @tf.function
    def summary(batch, step):
        return summaries(system, batch, penalties.js_gamma(system.params, step, system.iterations))

    def log_summary(done, host):
        return summary(system.fixed(host.source), tf.constant(done - 1, tf.int64))

    def finish(done, host):
        test_grids(system, host.log_dir / "samples")
        many_samples(system, host.log_dir / "samps_10k", system.params.final_samples)
        return {}

    return [Event("summary", 1, log_summary, due=system.save_due), Event("last samples", system.iterations, finish)]


def summaries(system, batch: dict, gamma: tf.Tensor) -> dict[str, tf.Tensor]:
    """The original's scalars under its tags, with moving statistics.

    Args:
        batch: images, z and, for the conditional networks, one-hot y.
    """
    y = batch.get("y")
    fake = system.networks["g"](batch["z"], y, training=False)
    losses = system.d_losses(batch["images"], fake, y, gamma, training=False)
    out = {"gamma_1": gamma, "gen/gen/unreg_gen_loss": system.g_loss(batch["z"], y, training=False),
           "disc/disc/unreg_disc_loss": losses.pop("unreg_disc_loss")}
    if "disc_regularizer" not in losses:
        return out
    out["disc/disc/disc_loss"] = losses.pop("disc_loss")
    more = penalties.js_probability_norms(lambda x: system.networks["d"](x, y, training=False), batch["images"], fake)
    return {**out, **{f"disc/disc_reg/disc/{name}": value for name, value in {**losses, **more}.items()}}


def test_grids(system, folder) -> None:
    """`test_0.png` to `test_9.png`: a batch of fresh z each, in ceil(sqrt(B)) rows and columns."""
    folder.mkdir(parents=True, exist_ok=True)
    side = math.isqrt(system.batch_size - 1) + 1
    for i in range(TEST_GRIDS):
        sheet = system.to_uint8(system.generate(*system.fresh(system.batch_size, "test grid", i)))
        images.save(folder / f"test_{i}.png", images.grid(sheet, side, side))


def many_samples(system, folder, count: int) -> None:
    """`image_0.png`, ... of at least `count` samples in whole batches; `labels.npy` with the one-hot labels of MNIST."""
    if not count:
        return
    folder.mkdir(parents=True, exist_ok=True)
    labels = []
    for i in range(-(-count // system.batch_size)):
        z, classes = system.fresh(system.batch_size, "samples", i)
        for j, picture in enumerate(system.to_uint8(system.generate(z, classes))):
            shown = picture[..., 0] if picture.shape[-1] == 1 else picture
            images.save(folder / f"image_{i * system.batch_size + j}.png", shown)
        labels.append(classes)
    if system.classes:
        np.save(folder / "labels.npy", np.eye(system.classes)[np.concatenate(labels)])
