"""The picture files of the original's sampling scripts: sheets, chains, interpolations, perturbations, real
images in G's latent space; and the worst samples."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite.data.folder import FolderSource
from tfgan_suite.data.prepare import resize
from tfgan_suite.files import archive
from tfgan_suite.lis.data import to_float
from tfgan_suite.pictures import saving, sheets, walks
from tfgan_suite.pictures.bytes import unit_to_uint8
from tfgan_suite.random import generator

SHEETS = 20  # of each kind
PER_SHEET, PER_SMALL_SHEET = 256, 64
PER_CHAIN_SHEET, PER_SMALL_CHAIN_SHEET, CHAINS_IN_A_ROW = 64, 16, 4
NEIGHBOURS, FEW_NEIGHBOURS = 64, 16  # of one code
STEPS, LEARNING_RATE, REPORT = 100_000, 1e-4, 100
REAL_NEIGHBOURS, NEIGHBOUR_SEED = 49, 42


class Sampler:
    """G-LIS, and R if there is one, on any number of codes.

    Args:
        g: G-LIS.
        r: a reverser, or None.
        modules: how many LIS modules G has.
        code_size: numbers in a code.
        batch: codes computed at a time.
        train_mode: whether G's batch norm uses the statistics of each batch.
    """

    def __init__(self, g, r, modules: int, code_size: int, batch: int, train_mode: bool = False):
        self.modules, self.code_size, self.batch, self.has_r = modules, code_size, batch, r is not None
        codes = tf.TensorSpec((None, code_size), tf.float32)
        count = tf.TensorSpec((), tf.int32)
        self._move = tf.function(g.move, input_signature=[codes])
        self._draw = tf.function(lambda x, k: g(x, training=train_mode, executed=k),
                                 input_signature=[codes, count])
        self._repair = tf.function(lambda x, k: g(r(g(x, executed=k)), executed=k),
                                   input_signature=[codes, count])

    def _in_batches(self, function, codes: np.ndarray, executed: int) -> np.ndarray:
        parts = [function(tf.constant(codes[i:i + self.batch], tf.float32), executed).numpy()
                 for i in range(0, len(codes), self.batch)]
        return np.concatenate(parts)

    def draw(self, codes: np.ndarray, executed: int) -> np.ndarray:
        """Images in [0, 1], float32 [n, h, w, 3], after `executed` modules."""
        return self._in_batches(self._draw, codes, executed)

    def repair(self, codes: np.ndarray, executed: int) -> np.ndarray:
        """G(R(G(codes))): images of the codes that R finds for the images of `codes`."""
        return self._in_batches(self._repair, codes, executed)

    def vectors(self, codes: np.ndarray) -> list[np.ndarray]:
        """The codes after 0, 1, ... all modules, each float32 [n, code_size]."""
        parts = [self._move(tf.constant(codes[i:i + self.batch], tf.float32))
                 for i in range(0, len(codes), self.batch)]
        return [codes, *(np.concatenate([v.numpy() for v in moved]) for moved in zip(*parts))]

    def codes(self, n: int, seed: int, *name) -> np.ndarray:
        """N(0, 1), float32 [n, code_size]."""
        return generator(seed, *name).standard_normal((n, self.code_size)).astype(np.float32)


class Folders:
    """The sub-folders of --save_path, made when something is written into them.

    Raises:
        UserError: a folder or file cannot be written.
    """

    def __init__(self, root):
        self.root = Path(root)

    def save(self, folder: str, name: str, picture: np.ndarray) -> None:
        """Writes uint8 [H, W, 3] as `<root>/<folder>/<name>.jpg`."""
        saving.save(self.path(folder) / f"{name}.jpg", picture)

    def path(self, folder: str) -> Path:
        """A sub-folder, which is made if it is missing."""
        return archive.make_folder(self.root / folder)


def save_sheets(folders: Folders, folder: str, prefix: str, number: int, cells: np.ndarray,
                ending: str = "") -> None:
    """The full sheet of 256 and the small one of the first 64."""
    folders.save(folder, f"{prefix}_full_{number:04d}{ending}", sheets.draw_grid(cells))
    folders.save(folder, f"{prefix}_small_{number:04d}{ending}", sheets.draw_grid(cells[:PER_SMALL_SHEET]))


def save_chains(folders: Folders, stages: list[np.ndarray], number: int) -> None:
    """Every stage of a code side by side: 64 codes, and the first 16 of them."""
    chains = sheets.side_by_side(*stages)
    for size, count in (("full", PER_CHAIN_SHEET), ("small", PER_SMALL_CHAIN_SHEET)):
        sheet = sheets.draw_grid(chains[:count], cols=CHAINS_IN_A_ROW)
        folders.save("sampled_images_chains", f"chain_{size}_{number:04d}", sheet)


def sample_sheets(sampler: Sampler, folders: Folders, seed: int, count: int = SHEETS,
                  output_scale: bool = False) -> None:
    """Samples after each number of modules; with R also those that it has repaired; chains."""
    for i in range(count):
        codes = sampler.codes(PER_SHEET, seed, "sheet", i)
        stages = []
        for r in range(sampler.modules + 1):
            stages.append(unit_to_uint8(sampler.draw(codes, r), output_scale))
            save_sheets(folders, f"sampled_images_r{r}", f"r{r}", i, stages[-1])
            if sampler.has_r:
                after = unit_to_uint8(sampler.repair(codes, r), output_scale)
                both = sheets.side_by_side(stages[-1], after)
                save_sheets(folders, f"sampled_images_rsep_r{r}_after", f"rsep_r{r}", i, after)
                save_sheets(folders, f"sampled_images_rsep_r{r}_both", f"rsep_r{r}_chain", i, both)
        save_chains(folders, stages, i)


def round_sheets(system, folders: Folders, seed: int, count: int = SHEETS,
                 output_scale: bool = False) -> None:
    """R-iterative's samples after each round, and chains."""
    for i in range(count):
        codes = system.latents(PER_SHEET, int(generator(seed, "sheet", i).integers(2**31)))
        stages = [unit_to_uint8(x, output_scale) for x in system.all_stages(codes)]
        for r, cells in enumerate(stages):
            save_sheets(folders, f"sampled_images_r{r}", f"r{r}", i, cells)
        save_chains(folders, stages, i)


def interpolations(sampler: Sampler, folders: Folders, seed: int, count: int = SHEETS) -> None:
    """From one code to another, a row of images; the rows after each number of modules also below each
    other."""
    for i in range(count):
        codes = walks.even_steps(*sampler.codes(2, seed, "interpolation", i))
        rows = [sheets.strip(unit_to_uint8(sampler.draw(codes, r))) for r in range(sampler.modules + 1)]
        for r, row in enumerate(rows):
            folders.save(f"sampled_images_interpolations_r{r}", f"interp_r{r}_{i:04d}", row)
        folders.save("sampled_images_interpolations_all", f"interp_all_{i:04d}", np.concatenate(rows))


def perturbations(sampler: Sampler, folders: Folders, seed: int, count: int = SHEETS) -> None:
    """A code and its neighbours, after each number of modules."""
    for i in range(count):
        code, *noise = sampler.codes(1 + NEIGHBOURS, seed, "perturbation", i)
        codes, columns = walks.neighbours(code, np.stack(noise)), []
        for r in range(sampler.modules + 1):
            cells = unit_to_uint8(sampler.draw(codes, r))
            folders.save(f"sampled_images_perturbations_r{r}", f"pert_r{r}_{i:04d}",
                         sheets.draw_grid(cells))
            columns.append(np.concatenate(list(cells[:FEW_NEIGHBOURS])))
        folders.save("sampled_images_perturbations_all", f"pert_all_{i:04d}",
                     np.concatenate(columns, axis=1))


# -- real images: their codes, their neighbours and the ways between them --------------------------------
def read_real_images(folder, height: int, width: int) -> np.ndarray:
    """The JPEG files of a folder, resized, float32 [n, height, width, 3] in [0, 1].

    Raises:
        UserError: no folder, or no such file in it.
    """
    source = FolderSource(folder, per_class=False, pattern="*.jpg",
                          missing="put the real images (*.jpg) there")
    return to_float(np.stack([resize(source.image(i), height, width) for i in range(len(source))]))


def embed(g, r, pictures: np.ndarray, steps: int = STEPS, report=print) -> np.ndarray:
    """Codes whose images come near to the given ones: R's guess, then Adam on the mean squared error, all
    modules executed.

    Args:
        g: G-LIS.
        r: the reverser.
        pictures: float32 [n, h, w, 3] in [0, 1]. Each has a loss of its own, so that they do not influence
            each other.
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
            error = tf.reduce_mean((g(codes) - pictures) ** 2, axis=[1, 2, 3])
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
        noise = generator(NEIGHBOUR_SEED, "neighbours").standard_normal((REAL_NEIGHBOURS, len(code)))
        cells = unit_to_uint8(sampler.draw(walks.neighbours(code, noise), sampler.modules))
        folders.save("sampled_images_real_images_perturbations", f"pert_real_{i:04d}",
                     sheets.draw_grid(cells))
    for i, a in enumerate(codes):
        for j, b in enumerate(codes):
            if i != j:
                frames = unit_to_uint8(sampler.draw(walks.even_steps(a, b), sampler.modules))
                name = f"interp_{i:04d}_to_{j:04d}"
                folders.save("sampled_images_real_images_interpolations", f"{name}_horizontal",
                             sheets.strip(frames))
                folders.save("sampled_images_real_images_interpolations", f"{name}_vertical",
                             np.concatenate(list(frames)))


def worst(stages: list[np.ndarray], confidence: np.ndarray, count: int = 64, cols: int = 8) -> np.ndarray:
    """The samples with the least confidence at the first stage, all stages side by side, uint8 [H, W,
    3]."""
    chosen = np.argsort(confidence[0], kind="stable")[:count]
    return sheets.draw_grid(sheets.side_by_side(*(unit_to_uint8(images[chosen]) for images in stages)),
                            cols=cols)
