"""One pass of the samples and one of the real images through each feature network, whose results all metrics
on it share."""
from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tfgan_suite.errors import UserError
from tfgan_suite.metrics import effnet, features, graph_file
from tfgan_suite.metrics.effnet import EfficientNetLite0
from tfgan_suite.metrics.features import FeatureFile, RealStatistics, real_features
from tfgan_suite.metrics.inception import SIDE, Inception
from tfgan_suite.metrics.registry import Evaluation
from tfgan_suite.metrics.samples import Sizes, SourceSamples
from tfgan_suite.metrics.statistics import Moments, SplitScores, check_splits

INCEPTION, EFFNET = "inception", "effnet"
# metrics that need each image's features, not their moments alone
WITH_FEATURES = {INCEPTION: {"kid", "pr", "dc"}, EFFNET: {"pr_effnet", "dc_effnet"}}


@dataclass
class Judged:
    """What one pass of the samples through a network leaves.

    Attributes:
        scores: of the Inception graph; None for another network.
        by_class: moments of each class, where statistics are to be saved and the samples have labels.
    """

    scores: SplitScores | None
    moments: Moments
    features: FeatureFile | None
    sizes: Sizes
    by_class: dict[int, Moments] = field(default_factory=dict)

    def add(self, pictures: np.ndarray, vectors: np.ndarray, logits: np.ndarray) -> None:
        """A batch and what the network says of it."""
        if self.scores is not None:
            self.scores.add_logits(logits)
        self.moments.add(vectors)
        self.sizes.add(pictures)
        if self.features is not None:
            self.features.add(vectors)

    def add_classes(self, vectors: np.ndarray, labels: np.ndarray) -> None:
        """The same batch, class by class.

        Raises:
            UserError: the classes' moments would be too large to hold.
        """
        for label in np.unique(labels):
            self.by_class.setdefault(int(label), Moments()).add(vectors[labels == label])
        size = len(self.by_class) * vectors.shape[1] ** 2 * 8
        if size > features.MOST:
            raise UserError(f"--save_stats: statistics of {len(self.by_class)} classes are more than "
                            f"{features.MOST >> 30} GiB; save them class by class (--label=K)")


def inception(evaluation: Evaluation) -> Inception:
    """The graph, found and loaded once.

    Raises:
        UserError: it is not there, or is another file.
    """
    if INCEPTION not in evaluation.shared:
        get = evaluation.options.get
        file = graph_file.find(get("graph", ""), get("graph_sha256", ""), get("download", False))
        evaluation.shared[INCEPTION] = Inception(file)
    graph = evaluation.shared[INCEPTION]
    evaluation.protocol.update(graph=graph.file.path.name, graph_sha256=graph.file.sha256,
                               resize=f"TF1 bilinear to {SIDE} from the own size")
    return graph


def efficientnet(evaluation: Evaluation) -> EfficientNetLite0:
    """EfficientNet-Lite0, found and loaded once.

    Raises:
        UserError: its package is not there, or its file is another one.
    """
    if EFFNET not in evaluation.shared:
        evaluation.shared[EFFNET] = EfficientNetLite0(effnet.find(evaluation.options.get("effnet", "")))
    evaluation.protocol.update(effnet_sha256=evaluation.shared[EFFNET].file.sha256,
                               effnet_resize=f"antialiased bilinear to {effnet.SIDE} from the own size")
    return evaluation.shared[EFFNET]


def network(evaluation: Evaluation, name: str) -> Inception | EfficientNetLite0:
    """The feature network of that name."""
    return efficientnet(evaluation) if name == EFFNET else inception(evaluation)


def judged(evaluation: Evaluation, of: str = INCEPTION, keep: bool = False) -> Judged:
    """Moments of all samples' features, from one pass, and with the Inception graph their scores.

    Args:
        of: the network.
        keep: whether the features are wanted, on disk; they also are if a metric that needs them is asked
        for.
    """
    keep = keep or bool(WITH_FEATURES[of] & set(evaluation.names))
    done = evaluation.shared.get(f"judged {of}")
    if done is None or (keep and done.features is None):
        samples, net = evaluation.samples, network(evaluation, of)
        if "is" in evaluation.names:
            check_splits(len(samples), evaluation.splits)
        scores = SplitScores(len(samples), min(evaluation.splits, len(samples))) if of == INCEPTION else None
        done = Judged(scores, Moments(), FeatureFile() if keep else None, Sizes())
        for pictures, labels in evaluation.watched(samples, "samples"):
            vectors, logits = net.judge(pictures)
            done.add(pictures, vectors, logits)
            if labels is not None and evaluation.options.get("save_stats"):
                done.add_classes(vectors, labels)
        evaluation.shared[f"judged {of}"] = done
    evaluation.protocol["size"] = str(done.sizes)
    return done


def real_statistics(evaluation: Evaluation, of: str = INCEPTION, keep: bool = False) -> RealStatistics:
    """Moments of all real images, and their features if `keep`. Like the samples, they go from their own size
    to that of the network, as in pytorch-fid, torch-fidelity and clean-fid: a generator of small images pays
    for what they lack."""
    found, reals, net = evaluation.shared.get(f"reals {of}"), evaluation.reals(), network(evaluation, of)
    if isinstance(reals, RealStatistics):
        found = reals
        if keep:
            raise UserError(f"{reals.name}: holds a mean and a covariance; this metric needs the images, or "
                            f"their folder")
        reals.check(net.file.sha256, len(judged(evaluation, of).moments.mean))
    elif found is None or (keep and found.features is None):
        keep = keep or bool(WITH_FEATURES[of] & set(evaluation.names))
        found = real_features(net, SourceSamples(reals), evaluation.say, keep)
    evaluation.shared[f"reals {of}"] = found
    evaluation.protocol.update(reals=found.name, real_images=found.n, real_size=found.sizes
                               and str(found.sizes))
    return found
