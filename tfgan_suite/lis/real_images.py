"""Real images in G's latent space: their codes, their neighbours and the ways between them."""
from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgan_suite.data.folder import FolderSource
from tfgan_suite.data.prepare import resize
from tfgan_suite.lis import drawing
from tfgan_suite.lis.samples import Folders, Sampler
from tfgan_suite.lis.transforms import to_float
from tfgan_suite.random import generator

STEPS, LEARNING_RATE, REPORT = 100_000, 1e-4, 100
NEIGHBOURS, NEIGHBOUR_SEED = 49, 42


def read(folder, height: int, width: int) -> np.ndarray:
    """The JPEG files of a folder, resized, float32 [n, height, width, 3] in [0, 1].

    Raises:
        UserError: no folder, or no such file in it.
    """
    source = FolderSource(folder, per_class=False, pattern="*.jpg", missing="put the real images (*.jpg) there")
    return to_float(np.stack([resize(source.image(i), height, width) for i in range(len(source))]))


def embed(g, r, pictures: np.ndarray, steps: int = STEPS, report=print) -> np.ndarray:
    """Codes whose images come near to the given ones: R's guess, then Adam on the mean squared error, all modules executed.

    Args:
        g: G-LIS.
        r: the reverser.
        pictures: float32 [n, h, w, 3] in [0, 1]. Each has a loss of its own, so that they do not influence each other.
        report: called with a line every 100 steps.

    Returns:
        float32 [n, code].
    """
    codes = tf.Variable(r(tf.constant(pictures)))
    optimizer = tf.keras.optimizers.Adam(LEARNING_RATE, epsilon=1e-8)
    optimizer.build([codes])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            error = tf.reduce_mean((g(codes)[0] - pictures) ** 2, axis=[1, 2, 3])
            loss = tf.reduce_sum(error)
        optimizer.apply_gradients([(tape.gradient(loss, codes), codes)])
        return tf.reduce_mean(error)

    for i in range(steps):
        error = step()
        if i % REPORT == 0:
            report(f"step {i} of {steps}: mean squared error {float(error):.6f}")
    return codes.numpy()


def pictures_of(codes: np.ndarray, sampler: Sampler, folders: Folders) -> None:
    """Neighbours of each code, and the way from each code to each other one, across and downwards."""
    for i, code in enumerate(codes):
        noise = generator(NEIGHBOUR_SEED, "neighbours").standard_normal((NEIGHBOURS, len(code)))
        cells = drawing.to_bytes(sampler.draw(drawing.perturb(code, noise), sampler.modules))
        folders.save("sampled_images_real_images_perturbations", f"pert_real_{i:04d}", drawing.draw_grid(cells))
    for i, a in enumerate(codes):
        for j, b in enumerate(codes):
            if i != j:
                frames = drawing.to_bytes(sampler.draw(drawing.interpolate(a, b), sampler.modules))
                name = f"interp_{i:04d}_to_{j:04d}"
                folders.save("sampled_images_real_images_interpolations", f"{name}_horizontal", drawing.strip(frames))
                folders.save("sampled_images_real_images_interpolations", f"{name}_vertical", np.concatenate(list(frames)))
