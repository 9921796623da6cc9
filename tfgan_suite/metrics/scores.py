"""`is`, `is_new`, `fid`, `kid` on the 2015 Inception graph, and `swd` on pixels.

The protocol is in the names: `is_50k`, `fid_50k_train` (50,000 samples against all real images that the
    experiment trains
on). One pass over the samples serves `is`, `fid` and `kid`.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfgan_suite.data.source import Subset
from tfgan_suite.errors import UserError
from tfgan_suite.metrics import graph_file, neighbours, tfgan
from tfgan_suite.metrics.features import FeatureFile, RealStatistics, real_features
from tfgan_suite.metrics.inception import SIDE, Inception
from tfgan_suite.metrics.registry import Evaluation, metric
from tfgan_suite.metrics.samples import Sizes, SourceSamples, SystemSamples
from tfgan_suite.metrics.statistics import Moments, SplitScores, check_splits

WITH_FEATURES = {"kid", "pr", "dc"}  # metrics that need each image's features, not their moments alone
SWD_IMAGES = 2048  # its patches are held in memory


def count_name(n: int) -> str:
    """50000 -> '50k', 1797 -> '1797'."""
    return f"{n // 1000}k" if n % 1000 == 0 else str(n)


def compared(metric: str, evaluation: Evaluation) -> str:
    """'fid_50k_train' where samples are compared with the experiment's training data, else 'fid_50k'."""
    name = f"{metric}_{count_name(len(evaluation.samples))}"
    return f"{name}_train" if evaluation.against_training else name


@dataclass
class Judged:
    """What one pass of the samples through the graph leaves."""

    scores: SplitScores
    moments: Moments
    features: FeatureFile | None
    sizes: Sizes


def inception(evaluation: Evaluation) -> Inception:
    """The graph, found and loaded once.

    Raises:
        UserError: it is not there, or is another file.
    """
    if "inception" not in evaluation.shared:
        get = evaluation.options.get
        file = graph_file.find(get("graph", ""), get("graph_sha256", ""), get("download", False))
        evaluation.shared["inception"] = Inception(file)
    graph = evaluation.shared["inception"]
    evaluation.protocol.update(graph=graph.file.path.name, graph_sha256=graph.file.sha256,
                               resize=f"TF1 bilinear to {SIDE} from the own size")
    return graph


def judged(evaluation: Evaluation, keep_features: bool = False) -> Judged:
    """Scores and moments of all samples, from one pass; with their features on disk if `kid` is asked for."""
    keep_features = keep_features or bool(WITH_FEATURES & set(evaluation.names))
    done = evaluation.shared.get("judged")
    if done is None or (keep_features and done.features is None):
        samples, graph = evaluation.samples, inception(evaluation)
        if "is" in evaluation.names:
            check_splits(len(samples), evaluation.splits)
        scores, moments = SplitScores(len(samples), min(evaluation.splits, len(samples))), Moments()
        features, sizes = FeatureFile() if keep_features else None, Sizes()
        for pictures, _ in evaluation.watched(samples, "samples"):
            pool, logits = graph.old(pictures)
            scores.add_logits(logits)
            moments.add(pool)
            sizes.add(pictures)
            if features is not None:
                features.add(pool)
        done = evaluation.shared["judged"] = Judged(scores, moments, features, sizes)
    evaluation.protocol["size"] = str(done.sizes)
    return done


def real_statistics(evaluation: Evaluation, keep: bool = False) -> RealStatistics:
    """Moments of all real images, and their features if `keep`. Like the samples, they go from their own size
    to that of the graph, as in pytorch-fid, torch-fidelity and clean-fid: a generator of small images pays
    for what they lack."""
    found, reals = evaluation.shared.get("reals"), evaluation.reals()
    if isinstance(reals, RealStatistics):
        found = reals
        if keep:
            raise UserError(f"{reals.name}: holds a mean and a covariance; this metric needs the images, or "
                            f"their folder")
        width = len(judged(evaluation).moments.mean)
        if len(found.moments.mean) != width:
            raise UserError(f"{reals.name}: is of {len(found.moments.mean)} features, the graph gives "
                            f"{width}")
    elif found is None or (keep and found.features is None):
        keep = keep or bool(WITH_FEATURES & set(evaluation.names))
        found = real_features(inception(evaluation), SourceSamples(reals), evaluation.say, keep)
    evaluation.shared["reals"] = found
    evaluation.protocol.update(reals=found.name, real_images=found.n, real_size=found.sizes
                               and str(found.sizes))
    return found


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
    return {compared("fid", evaluation): tfgan.frechet(real, mine.moments)}


@metric("kid", "graph", "reals")
def kernel_inception_distance(evaluation: Evaluation) -> dict[str, float]:
    """Kernel distance between the same features (Binkowski et al. 2018), with its standard error over blocks
    where there are several (a block has at most 1024 images)."""
    mine = judged(evaluation, keep_features=True)
    real = real_statistics(evaluation, keep=True).features
    mean, error = tfgan.kernel(real, mine.features)
    name = compared("kid", evaluation)
    return {name: mean, **({} if np.isnan(error) else {f"{name}_std": error})}


@metric("intra_fid", "graph", "reals", "system")
def intra_class_distance(evaluation: Evaluation) -> dict[str, float]:
    """The mean over classes of the FID between a class's samples (as many as --n) and its real images (Miyato
    and Koyama, ICLR 2018, section 4.1)."""
    system, samples, reals, graph = (
        evaluation.system,
        evaluation.samples,
        evaluation.reals(),
        inception(evaluation),
    )
    if not system.classes or isinstance(reals, RealStatistics) or reals.labels is None:
        raise UserError("intra_fid: needs a conditional system, and real images with labels")
    distances = []
    for label in range(system.classes):
        mine, theirs = Moments(), Subset(reals, np.flatnonzero(reals.labels == label))
        if len(theirs) < 2:
            raise UserError(f"intra_fid: {reals.name} has {len(theirs)} images of class {label}; it needs "
                            f"two or more of each")
        stream = SystemSamples(system, samples.n, samples.seed, samples.batch, samples.to_uint8, label)
        for pictures, _ in evaluation.watched(stream, f"samples of class {label}"):
            mine.add(graph.old(pictures)[0])
        real = real_features(graph, SourceSamples(theirs), evaluation.say, keep=False)
        distances.append(tfgan.frechet(real.moments, mine))
    return {compared("intra_fid", evaluation): float(np.mean(distances))}


@metric("pr", "graph", "reals")
def precision_and_recall(evaluation: Evaluation) -> dict[str, float]:
    """Improved precision and recall on the pool_3 features, k = 3 (Kynkaanniemi et al. 2019; there on
    VGG-16's)."""
    mine, real = judged(evaluation, keep_features=True), real_statistics(evaluation, keep=True)
    found = neighbours.precision_recall(real.features, mine.features)
    return dict(zip((compared("precision", evaluation), compared("recall", evaluation)), found))


@metric("dc", "graph", "reals")
def density_and_coverage(evaluation: Evaluation) -> dict[str, float]:
    """Density and coverage on the pool_3 features, k = 5 (Naeem et al. 2020)."""
    mine, real = judged(evaluation, keep_features=True), real_statistics(evaluation, keep=True)
    found = neighbours.density_coverage(real.features, mine.features)
    return dict(zip((compared("density", evaluation), compared("coverage", evaluation)), found))


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
                        f"{_size(real)}, the samples "
                        f"{_size(fake)}; resize one of them first (tools/resize_images.py)")
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
            raise UserError(f"swd: compares pixels, so it needs images of one size; there are "
                            f"{_size(parts[0])} and "
                            f"{_size(pictures)}; resize them first (tools/resize_images.py)")
        parts.append(pictures[:count - held])
        held += len(parts[-1])
        if held == count:
            break
    return np.concatenate(parts)
