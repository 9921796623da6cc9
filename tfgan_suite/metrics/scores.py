"""`is`, `is_new`, `fid`, `kid`, `pr`, `dc`, `intra_fid` on the 2015 Inception graph, the distances of
EfficientNet-Lite0's features under names of their own, and `swd` on pixels.

The protocol is in the names: `is_50k`, `fid_50k_train` (50,000 samples against all real images that the
experiment trains on).
"""
from __future__ import annotations

import numpy as np

from tfgan_suite.data.source import Subset
from tfgan_suite.errors import UserError
from tfgan_suite.metrics import distances, features, neighbours, tfgan
from tfgan_suite.metrics.features import RealStatistics, real_features
from tfgan_suite.metrics.passes import EFFNET, inception, judged, real_statistics
from tfgan_suite.metrics.registry import Evaluation, metric
from tfgan_suite.metrics.samples import SourceSamples, SystemSamples
from tfgan_suite.metrics.statistics import Moments, SplitScores, check_splits

SWD_IMAGES = 2048  # its patches are held in memory


def count_name(n: int) -> str:
    """50000 -> '50k', 1797 -> '1797'."""
    return f"{n // 1000}k" if n % 1000 == 0 else str(n)


def compared(metric: str, evaluation: Evaluation) -> str:
    """'fid_50k_train' where samples are compared with the experiment's training data, else 'fid_50k'."""
    name = f"{metric}_{count_name(len(evaluation.samples))}"
    return f"{name}_train" if evaluation.against_training else name


@metric("is", "graph", "splits")
def inception_score(evaluation: Evaluation) -> dict[str, float]:
    """The Inception Score of Salimans et al. 2016 (the 'old' one of SNGAN's original): mean and deviation
    over the splits."""
    check_splits(len(evaluation.samples), evaluation.splits)
    mean, deviation = judged(evaluation).scores.result()
    name = f"is_{count_name(len(evaluation.samples))}"
    return {name: mean, f"{name}_std": deviation}


@metric("is_new", "graph", "splits")
def inception_score_new(evaluation: Evaluation) -> dict[str, float]:
    """tf.contrib.gan's variant: other scaling and resize, softmax with bias over the first 1000 logits."""
    samples, graph = evaluation.samples, inception(evaluation)
    scores = SplitScores(len(samples), evaluation.splits)
    for pictures, _ in evaluation.watched(samples, "samples, is_new"):
        scores.add_logits(graph.new_logits(pictures))
    mean, deviation = scores.result()
    name = f"is_new_{count_name(len(samples))}"
    return {name: mean, f"{name}_std": deviation}


@metric("fid", "graph", "reals")
def frechet_inception_distance(evaluation: Evaluation) -> dict[str, float]:
    """Frechet distance between the pool_3 features of the samples and of all real images (Heusel et al.
    2017)."""
    mine = judged(evaluation)
    real = real_statistics(evaluation).moments
    return {compared("fid", evaluation): distances.frechet(real, mine.moments)}


@metric("kid", "graph", "reals")
def kernel_inception_distance(evaluation: Evaluation) -> dict[str, float]:
    """Kernel distance between the same features (Binkowski et al. 2018), with its standard error over blocks
    where there are several (a block has at most 1024 images)."""
    mine = judged(evaluation, keep=True)
    real = real_statistics(evaluation, keep=True).features
    mean, error = tfgan.kernel(real, mine.features)
    name = compared("kid", evaluation)
    return {name: mean, **({} if np.isnan(error) else {f"{name}_std": error})}


@metric("intra_fid", "graph", "reals", "system")
def intra_class_distance(evaluation: Evaluation) -> dict[str, float]:
    """The mean over classes of the FID between a class's samples (as many as --n) and its real images (Miyato
    and Koyama, ICLR 2018, section 4.1); each image is judged once."""
    system, graph = evaluation.system, inception(evaluation)
    if not system.classes:
        raise UserError("intra_fid: needs a conditional system")
    reals = _class_moments(evaluation)
    found = []
    for label in range(system.classes):
        theirs, mine = reals(label), Moments()
        for pictures, _ in evaluation.watched(_of_class(evaluation, label), f"samples of class {label}"):
            mine.add(graph.judge(pictures)[0])
        found.append(distances.frechet(theirs, mine))
    return {compared("intra_fid", evaluation): float(np.mean(found))}


def _of_class(evaluation: Evaluation, label: int) -> SystemSamples:
    samples = evaluation.samples
    return SystemSamples(evaluation.system, samples.n, samples.seed, samples.batch, samples.to_uint8, label)


def _class_moments(evaluation: Evaluation):
    """A function from a class to the moments of its real images: from a file that has them, else from the
    images, of which no class is decoded before all are known to be there.

    Raises:
        UserError: the real images have no labels, or some class has fewer than two.
    """
    reals, graph = evaluation.reals(), inception(evaluation)
    evaluation.protocol["reals"] = reals.name
    if isinstance(reals, RealStatistics):
        return lambda label: features.of_file(reals.name, label, graph.file.sha256).moments
    if reals.labels is None:
        raise UserError(f"intra_fid: {reals.name} has no labels; it needs real images with labels, or "
                        f"statistics per class")
    counts = np.bincount(reals.labels, minlength=evaluation.system.classes)[:evaluation.system.classes]
    if counts.min() < 2:
        raise UserError(f"intra_fid: {reals.name} has {counts.min()} images of class {counts.argmin()}; it "
                        f"needs two or more of each")
    evaluation.protocol["real_images"] = int(counts.sum())
    stamp = reals.stamp()  # of all images, once

    def moments(label: int):
        chosen = SourceSamples(Subset(reals, np.flatnonzero(reals.labels == label)))
        return real_features(graph, chosen, evaluation.say, keep=False, stamp=f"{stamp} {label}").moments
    return moments


def _neighbours(evaluation: Evaluation, function, names: tuple, of: str = "inception") -> dict[str, float]:
    """The two results of a function of the real and the generated images' features."""
    mine, real = judged(evaluation, of, keep=True), real_statistics(evaluation, of, keep=True)
    found = function(real.features, mine.features)
    return {compared(name, evaluation): value for name, value in zip(names, found)}


@metric("pr", "graph", "reals")
def precision_and_recall(evaluation: Evaluation) -> dict[str, float]:
    """Improved precision and recall on the pool_3 features, k = 3 (Kynkaanniemi et al. 2019; there on
    VGG-16's)."""
    return _neighbours(evaluation, neighbours.precision_recall, ("precision", "recall"))


@metric("dc", "graph", "reals")
def density_and_coverage(evaluation: Evaluation) -> dict[str, float]:
    """Density and coverage on the pool_3 features, k = 5 (Naeem et al. 2020)."""
    return _neighbours(evaluation, neighbours.density_coverage, ("density", "coverage"))


@metric("fd_effnet", EFFNET, "reals")
def frechet_effnet_distance(evaluation: Evaluation) -> dict[str, float]:
    """Frechet distance on the 1280 features of EfficientNet-Lite0. It is no FID, and no number of another
    network can be compared with it."""
    mine, real = judged(evaluation, EFFNET), real_statistics(evaluation, EFFNET)
    return {compared("fd_effnet", evaluation): distances.frechet(real.moments, mine.moments)}


@metric("pr_effnet", EFFNET, "reals")
def effnet_precision_and_recall(evaluation: Evaluation) -> dict[str, float]:
    """`pr` on EfficientNet-Lite0's features."""
    return _neighbours(evaluation, neighbours.precision_recall, ("precision_effnet", "recall_effnet"), EFFNET)


@metric("dc_effnet", EFFNET, "reals")
def effnet_density_and_coverage(evaluation: Evaluation) -> dict[str, float]:
    """`dc` on EfficientNet-Lite0's features."""
    return _neighbours(evaluation, neighbours.density_coverage, ("density_effnet", "coverage_effnet"), EFFNET)


@metric("swd", "reals")
def sliced_wasserstein_distance(evaluation: Evaluation) -> dict[str, float]:
    """Sliced Wasserstein distances per level of the Laplacian pyramid and their mean, over at most 2048
    images of each kind. As tensorflow-gan gives them: the tables of Karras et al. 2018 have 1000 times these
    numbers.

    `_real` is the distance of the real images from themselves (other patches and the same images): the floor.
    """
    source, count = evaluation.reals(), min(len(evaluation.samples), SWD_IMAGES)
    if isinstance(source, RealStatistics):
        raise UserError(f"swd: {source.name} holds a mean and a covariance; it needs images, or their folder")
    count = min(count, len(source))
    fake, real = _first(evaluation.samples, count), _first(SourceSamples(source, n=count), count)
    if real.shape != fake.shape:
        raise UserError(f"swd: compares pixels, so it needs images of one size; {source.name} has "
                        f"{_size(real)}, the samples {_size(fake)}; resize one of them first "
                        "(tools/resize_images.py)")
    evaluation.protocol["swd_images"] = count
    result = {}
    for side, among_reals, distance in tfgan.sliced_wasserstein(real, fake, evaluation.seed):
        result.update({f"swd_{side}": distance, f"swd_{side}_real": among_reals})
    sides = [v for k, v in result.items() if not k.endswith("_real")]
    return {**result, "swd": float(np.mean(sides))}


def _size(pictures: np.ndarray) -> str:
    return f"{pictures.shape[2]}x{pictures.shape[1]}"


def _first(samples, count: int) -> np.ndarray:
    """The first `count` images, which must have one size."""
    parts, held = [], 0
    for pictures, _ in samples.batches():
        if parts and parts[0].shape[1:] != pictures.shape[1:]:
            raise UserError("swd: compares pixels, so it needs images of one size; there are "
                            f"{_size(parts[0])} and {_size(pictures)}; resize them first "
                            "(tools/resize_images.py)")
        parts.append(pictures[:count - held])
        held += len(parts[-1])
        if held == count:
            break
    return np.concatenate(parts)
