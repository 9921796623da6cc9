"""What the `carpedm20_DCGAN` program writes beyond checkpoints and grids (main.py, model.py)."""
from __future__ import annotations

import math
from functools import partial

import numpy as np
import tensorflow as tf

from tfgan_suite import penalties
from tfgan_suite.events import Event
from tfgan_suite.files import tf1_events
from tfgan_suite.jsreg import objective
from tfgan_suite.jsreg.dcgan import data
from tfgan_suite.pictures import saving, sheets

TEST_GRIDS = 10


def events(system) -> list[Event]:
    """The summary of the held-out batch with each checkpoint; at the end of training the ten test grids and
    the samples."""
    recorders = []

    def log_summary(done, host):
        if not recorders:
            recorders.append(
                tf1_events.EventFile(host.log_dir / "summaries").recorder(partial(evaluated, system))
            )
        return recorders[0](done, system.fixed(host.source), tf.constant(done - 1, tf.int64))

    def finish(done, host):
        test_grids(system, host.log_dir / "samples")
        many_samples(system, host.log_dir / "samps_10k", system.params.final_samples)
        return {}

    def note(done, host):
        host.line(data.remark(system.params))
        return {}

    notes = [Event("note", 1, note, due=lambda done: done == 1)] if data.remark(system.params) else []
    return [*notes, Event("summary", 1, log_summary, due=system.save_due),
            Event("last samples", system.iterations, finish)]


def evaluated(system, batch: dict, step: tf.Tensor) -> tuple[dict, dict]:
    """The original's scalars and histograms by tag, with moving statistics.

    Args:
        batch: images, z and, for the conditional networks, one-hot y.
        step: the iteration whose gamma counts, from 0.
    """
    g, d, y = system.networks["g"], system.networks["d"], batch.get("y")
    made = g.activations(batch["z"], y, training=False)
    fake = tf.cast(list(made.values())[-1], tf.float32)
    weights = penalties.parameters(system.params, step, system.iterations)
    losses, norms = system.d_losses(batch["images"], fake, y, weights, training=False), {}
    if "disc_regularizer" in losses:
        norms = penalties.js_probability_norms(lambda x: d(x, y, training=False), batch["images"], fake)
    scalars = objective.tagged(losses, norms, weights["gamma"], system.g_loss(batch["z"], y, training=False))
    histograms = {**tagged("gen/generator/gen", made), **shown_weights("generator", g)}
    logits = []
    for scope, seen in (("discriminator", batch["images"]), ("discriminator_1", fake)):
        *hidden, (name, last) = d.activations(seen, y, training=False).items()
        shown = {**dict(hidden), name.replace("_lin", "_sigm"): tf.sigmoid(last)}
        histograms.update({**tagged(f"disc/{scope}/disc", shown), **shown_weights(scope, d)})
        logits.append(last)
    return scalars, {**objective.probabilities(*logits), **histograms}


def tagged(scope: str, values: dict) -> dict:
    """The same values, with `scope/` before their names."""
    return {f"{scope}/{name}": value for name, value in values.items()}


def shown_weights(scope: str, network) -> dict[str, tf.Variable]:
    """Tag -> filters, weights and biases of the layers (those of batch norm are not shown)."""
    found = {}
    for name, variable in network.named().items():
        layer, kind = name.split("/")[1:]
        if kind in ("filters", "weights", "biases"):
            found[f"net_vars/{scope}/{layer}/net_vars/{layer}_{kind}"] = variable
    return found


def test_grids(system, folder) -> None:
    """`test_0.png` to `test_9.png`: a batch of fresh z each, in ceil(sqrt(B)) rows and columns."""
    folder.mkdir(parents=True, exist_ok=True)
    side = math.isqrt(system.batch_size - 1) + 1
    for i in range(TEST_GRIDS):
        sheet = system.to_uint8(system.generate(*system.fresh(system.batch_size, "test grid", i)))
        saving.save(folder / f"test_{i}.png", sheets.grid(sheet, side, side))


def many_samples(system, folder, count: int) -> None:
    """`image_0.png`, ... of at least `count` samples in whole batches; `labels.npy` with the one-hot labels
    of MNIST."""
    if not count:
        return
    folder.mkdir(parents=True, exist_ok=True)
    labels = []
    for i in range(-(-count // system.batch_size)):
        z, classes = system.fresh(system.batch_size, "samples", i)
        for j, picture in enumerate(system.to_uint8(system.generate(z, classes))):
            shown = picture[..., 0] if picture.shape[-1] == 1 else picture
            saving.save(folder / f"image_{i * system.batch_size + j}.png", shown)
        labels.append(classes)
    if system.classes:
        np.save(folder / "labels.npy", np.eye(system.classes)[np.concatenate(labels)])
