"""Many samples as single pictures in a folder, for programs elsewhere that judge pictures."""
from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tfgan_suite.errors import UserError, reading
from tfgan_suite.files import archive
from tfgan_suite.metrics.samples import SystemSamples
from tfgan_suite.pictures import saving

ABOUT, LABELS = "samples.json", "labels.npy"


def path(folder: Path, number: int) -> Path:
    """Picture `number`, from 0: the names of rothk/Stabilizing_GANs."""
    return folder / f"image_{number}.png"


def write(system, folder, samples: SystemSamples, iteration: int) -> int:
    """Writes `image_0.png`, ... and, of a conditional system, `labels.npy` (int32 [n]); goes on where it was
    stopped.

    They are the samples that `tools/evaluate.py` judges with the same number, seed and batch. `samples.json`
    tells which they are, so that those of another model are not mixed with them.

    Args:
        samples: what is drawn from the system.
        iteration: of its weights.

    Returns:
        How many pictures were there already.

    Raises:
        UserError: the folder holds other samples, or cannot be written.
    """
    folder = archive.make_folder(folder)
    params = system.params
    about = {"experiment": params.name, "weights": params.wts_dir, "iteration": int(iteration),
             **samples.protocol}
    _claim(folder, about)
    whole = next(i for i in range(len(samples) + 1) if not path(folder, i).is_file())
    start = min(whole // samples.batch * samples.batch, len(samples))
    if system.classes:
        labels = np.concatenate([labels for _, labels in samples.requests()])[:len(samples)]
        buffer = io.BytesIO()
        np.save(buffer, labels.astype(np.int32))
        archive.write_bytes(folder / LABELS, buffer.getvalue())
    with tqdm(total=len(samples), initial=start, unit="img", dynamic_ncols=True,
              disable=not sys.stderr.isatty()) as bar:
        number = start
        for pictures, _ in samples.batches(start):
            for picture in pictures:
                saving.save(path(folder, number), picture)
                number += 1
            bar.update(len(pictures))
    return whole


def _claim(folder: Path, about: dict) -> None:
    """Writes `samples.json`. More samples of the same kind may follow the ones that are there."""
    place = folder / ABOUT
    if place.is_file():
        with reading(place, "cannot be read", "empty the folder, or give another one"):
            there = {**json.loads(place.read_text()), "samples": about["samples"]}
        if there != about:
            differs = ", ".join(f"{name}={there.get(name)}" for name in about
                                if there.get(name) != about[name])
            raise UserError(f"{folder}: holds samples with {differs}; give another folder, or empty this one")
    elif path(folder, 0).is_file():
        raise UserError(f"{folder}: holds other pictures ({path(folder, 0).name}); give another folder, or "
                        f"empty this one")
    archive.write_bytes(place, json.dumps(about, indent=1).encode())
