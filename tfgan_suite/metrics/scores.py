"""`is`, `is_new`, `fid`, `kid` on the 2015 Inception graph, and `swd` on pixels.

The protocol is in the names: `is_50k`, `fid_50k_train` (50,000 samples against all real images that the experiment trains
on). One pass over the samples serves `is`, `fid` and `kid`.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfgan_suite.errors import UserError
from tfgan_suite.metrics import graph_file, tfgan
from tfgan_suite.metrics.features import FeatureFile, real_features
from tfgan_suite.metrics.inception import SIDE, Inception
from tfgan_suite.metrics.registry import Evaluation, metric
from tfgan_suite.metrics.samples import Sizes, SourceSamples
from tfgan_suite.metrics.statistics import Moments, SplitScores, check_splits

SWD_IMAGES = 2048  # its patches are held in memory


def count_name(n: int) -> str:
    """50000 -> '50k', 1797 -> '1797'."""
    return f"{n // 1000}k" if n % 1000 == 0 else str(n)


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
    keep_features = keep_features or "kid" in evaluation.names
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


def real_statistics(evaluation: Evaluation) -> tuple[Moments, FeatureFile]:
    """Moments and features of all real images. Like the samples, they go from their own size to that of the graph, as in
    pytorch-fid, torch-fidelity and clean-fid: a generator of small images pays for what they lack."""
    if "reals" not in evaluation.shared:
        reals = SourceSamples(evaluation.reals())
        evaluation.shared["reals"] = (reals.source.name, *real_features(inception(evaluation), reals, evaluation.say))
    name, moments, features, sizes = evaluation.shared["reals"]
    evaluation.protocol.update(reals=name, real_images=moments.n, real_size=str(sizes))
    return moments, features


@metric("is", "graph", "splits")
def inception_score(evaluation: Evaluation) -> dict[str, float]:
    """The Inception Score of Salimans et al. 2016 (the 'old' one of SNGAN's original): mean and deviation over the splits."""
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
    """Frechet distance between the pool_3 features of the samples and of all real images (Heusel et al. 2017)."""
    mine = judged(evaluation)
    real, _ = real_statistics(evaluation)
    return {f"fid_{count_name(len(evaluation.samples))}_train": tfgan.frechet(real, mine.moments)}


@metric("kid", "graph", "reals")
def kernel_inception_distance(evaluation: Evaluation) -> dict[str, float]:
    """Kernel distance between the same features (Binkowski et al. 2018), with its standard error over blocks."""
    mine = judged(evaluation, keep_features=True)
    _, real = real_statistics(evaluation)
    mean, error = tfgan.kernel(real, mine.features)
    name = f"kid_{count_name(len(evaluation.samples))}_train"
    return {name: mean, f"{name}_std": error}


@metric("swd", "reals")
def sliced_wasserstein_distance(evaluation: Evaluation) -> dict[str, float]:
    """Sliced Wasserstein distances per level of the Laplacian pyramid and their mean, over at most 2048 images of each kind.

    `_real` is the distance of the real images from themselves (other patches and the same images): the floor.
    """
    source, count = evaluation.reals(), min(len(evaluation.samples), SWD_IMAGES)
    count = min(count, len(source))
    fake, real = _first(evaluation.samples, count), _first(SourceSamples(source, n=count), count)
    if real.shape != fake.shape:
        raise UserError(f"swd: compares pixels, so it needs images of one size; {source.name} has {_size(real)}, the samples "
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
            raise UserError(f"swd: compares pixels, so it needs images of one size; there are {_size(parts[0])} and "
                            f"{_size(pictures)}; resize them first (tools/resize_images.py)")
        parts.append(pictures[:count - held])
        held += len(parts[-1])
        if held == count:
            break
    return np.concatenate(parts)
