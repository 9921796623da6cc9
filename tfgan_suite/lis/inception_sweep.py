"""Inception scores of a G-LIS run's checkpoints, after each number of LIS modules, as the original's script
measures them.

Mended: mean and standard deviation are over the splits (there the deviation was always 0), all checkpoints
are measured and not only the last, G is in evaluation mode unless asked otherwise. Kept: images are
truncated to bytes, damaged on request, resized to 299x299 by Pillow; the logits have no bias.
"""
from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfgan_suite.data.prepare import resize
from tfgan_suite.errors import UserError, quoted
from tfgan_suite.files import archive
from tfgan_suite.lis import augmentation, plots, weights
from tfgan_suite.metrics.statistics import SplitScores
from tfgan_suite.pictures.bytes import unit_to_uint8
from tfgan_suite.random import generator

SIDE = 299
FEWEST = 100  # a last split of real images with fewer is left out


@dataclass(frozen=True)
class Judge:
    """How pictures are scored.

    Attributes:
        logits: uint8 [b, 299, 299, 3] -> [b, classes].
        splits: parts, each of `split_size` images.
        split_size: images of a part.
        batch: images judged at a time.
        augment: name of a set that damages them first.
        seed: of these damages.
    """

    logits: Callable[[np.ndarray], np.ndarray]
    splits: int
    split_size: int
    batch: int = 50
    augment: str = "none"
    seed: int = 0

    def score(self, pictures: Iterator[np.ndarray]) -> float:
        """exp(mean KL) of one part, given as uint8 batches [b, H, W, 3] of any size."""
        pending = np.concatenate(list(pictures))
        result = SplitScores(len(pending), 1)
        for first in range(0, len(pending), self.batch):
            part = pending[first:first + self.batch]
            generators = [generator(self.seed, "inception", self.augment, first + i)
                          for i in range(len(part))]
            damaged = augmentation.augment(part, augmentation.INCEPTION_SETS[self.augment], generators)
            result.add_logits(self.logits(np.stack([resize(x, SIDE, SIDE) for x in damaged])))
        return result.result()[0]


def fake_scores(judge: Judge, sampler) -> list[tuple[float, float]]:
    """(mean, standard deviation) over the splits of samples after 0, 1, ... all modules, with new noise for
    each."""
    scores = np.zeros((sampler.modules + 1, judge.splits))
    for split in range(judge.splits):
        for r in range(sampler.modules + 1):
            codes = sampler.codes(judge.split_size, judge.seed, "inception", split, r)
            batches = range(0, judge.split_size, sampler.batch)
            scores[r, split] = judge.score(unit_to_uint8(sampler.draw(codes[i:i + sampler.batch], r))
                                           for i in batches)
    return [(float(row.mean()), float(row.std())) for row in scores]


def real_scores(judge: Judge, source, most: int) -> tuple[float, float]:
    """The same of the training images, in their order; at most `most`.

    Raises:
        UserError: fewer than 100 images.
    """
    left, scores = min(most, len(source)), []
    for split in range(judge.splits):
        first = split * judge.split_size
        count = min(judge.split_size, left - first)
        if count < min(FEWEST, judge.split_size):
            break
        batches = range(first, first + count, judge.batch)
        scores.append(judge.score(source.images(np.arange(i, min(i + judge.batch, first + count)))
                                  for i in batches))
    if not scores:
        raise UserError(f"{source.name}: has {len(source)} training images, too few for a score; at least "
                        f"{FEWEST} are needed")
    return float(np.mean(scores)), float(np.std(scores))


def write_real(folder: Path, size: int, score: tuple[float, float]) -> None:
    """`inception-scores-real-data.csv`."""
    text = f"#image_size,mean,std\n{size},{score[0]:.10f},{score[1]:.10f}\n"
    archive.write_bytes(folder / "inception-scores-real-data.csv", text.encode())


def write_fake(folder: Path, rows: list[tuple[int, str, list]]) -> None:
    """`inception-scores.csv`, `inception-scores-best.txt`, `inception-history.json` and `inception.jpg`.

    Args:
        rows: (iteration, file, [(mean, std) after 0, 1, ... modules]) of each checkpoint.
    """
    counts = range(len(rows[0][2]))
    text = ["#nth_file,batch," + "".join(f"g{k}_mean,g{k}_std," for k in counts) + "g_fp"]
    for i, (iteration, path, scores) in enumerate(rows):
        text.append(f"{i},{iteration}," + "".join(f"{mean:.10f},{std:.10f}," for mean, std in scores)
                    + path)
    archive.write_bytes(folder / "inception-scores.csv", ("\n".join(text) + "\n").encode())
    best = [max(range(len(rows)), key=lambda i: rows[i][2][k][0]) for k in counts]
    text = [f"g{k}: {rows[i][2][k][0]:.10f} at file {i} / batch {rows[i][0]}" for k, i in zip(counts, best)]
    archive.write_bytes(folder / "inception-scores-best.txt", ("\n".join(text) + "\n").encode())
    history = {f"g{k}": [[iteration, scores[k][0], scores[k][1]] for iteration, _, scores in rows]
               for k in counts}
    archive.write_bytes(folder / "inception-history.json", json.dumps(history, indent=1).encode())
    iterations = np.array([row[0] for row in rows])
    lines = {f"after {k} LIS": (iterations, np.array([row[2][k][0] for row in rows])) for k in counts}
    plots.compare(lines, folder / "inception.jpg", "inception score")


def sweep(params, judge: Judge, folder: Path, every: int, train_mode: bool):
    """Scores every `every`-th checkpoint, one after the other; the files in `folder` are renewed after each.

    Returns:
        the system, with the weights of the last one.

    Raises:
        UserError: there is no checkpoint.
    """
    place, rows = weights.given_folder(params) or params.wts_dir, []
    numbers = weights.numbers(place)[::every]
    if not numbers:
        raise UserError(f"{place}: holds no checkpoint to score; make one with "
                        f"./train.py {quoted(params.name)}")
    for number in numbers:
        opened = weights.open_networks(params, iteration=number, train_mode=train_mode)
        scores = fake_scores(judge, opened.sampler)
        rows.append((number, str(weights.g_file(place, number)), scores))
        means = ", ".join(f"g{k} {mean:.4f}" for k, (mean, _) in enumerate(scores))
        print(f"iteration {number}: {means}", flush=True)
        write_fake(folder, rows)
    return opened.system
