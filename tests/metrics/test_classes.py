"""Class by class: the mean over classes of the FID, statistics per class in files, one class against its real
images."""
import numpy as np
import pytest
import scipy.linalg
import tiny_graph
from PIL import Image
from toys import ToySystem, pictures

from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError
from tfgan_suite.metrics import evaluating, features, passes, samples, scores
from tfgan_suite.metrics.inception import Inception
from tfgan_suite.metrics.registry import Evaluation
from tfgan_suite.metrics.samples import SystemSamples

CLASSES, N = 3, 40


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tiny_graph.write(tmp_path / "tiny.pb")
    return {"graph": str(file.path), "graph_sha256": file.sha256}


def real_images():
    """30 images of each of three classes, in mixed order, each class of another brightness."""
    labels = np.random.default_rng(5).permutation(np.repeat(np.arange(CLASSES), 30))
    images = pictures(90, 16, 6, 0, 150) + (labels * 40).astype(np.uint8)[:, None, None, None]
    return ArraySource(images, labels)


def evaluated(options, reals, **more) -> Evaluation:
    system = ToySystem(16, CLASSES)
    return Evaluation(SystemSamples(system, N, batch=16), 4, reals=lambda: reals, system=system,
                      options=options, **more)


def vectors(images) -> np.ndarray:
    return tiny_graph.expected(images, tiny_graph.weights())[0].astype(np.float64)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Heusel et al. 2017, with SciPy's root of the product."""
    first, second = (np.cov(x, rowvar=False) for x in (a, b))
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(
        first + second - 2 * scipy.linalg.sqrtm(first @ second).real)


def of_class(label: int) -> np.ndarray:
    """The samples of a class, generated here."""
    system = ToySystem(16, CLASSES)
    images = system.generate(system.latents(samples.CHUNK, 0)[:N], np.full(N, label))
    return system.to_uint8(images)


def test_intra_fid_is_the_mean_of_the_formula(options, monkeypatch):
    reals = real_images()
    wanted = np.mean([distance(vectors(reals.array[reals.labels == k]), vectors(of_class(k)))
                      for k in range(CLASSES)])
    fed, judge, stamps, stamp = [], Inception.judge, [], ArraySource.stamp
    monkeypatch.setattr(Inception, "judge", lambda self, x: fed.append(len(x)) or judge(self, x))
    monkeypatch.setattr(ArraySource, "stamp", lambda self: stamps.append(1) or stamp(self))
    made = evaluated(options, reals)
    found = scores.intra_class_distance(made)
    assert made.protocol["reals"] == "array" and made.protocol["real_images"] == 90
    np.testing.assert_allclose(found[f"intra_fid_{N}_train"], wanted, rtol=2e-3)
    assert sum(fed) == CLASSES * N + 90 and len(stamps) == 1  # each image once, one look at the files
    fed.clear()
    assert scores.intra_class_distance(evaluated(options, reals)) == found
    assert sum(fed) == CLASSES * N  # the real images' moments are cached


def test_intra_fid_from_a_file_of_statistics(options, tmp_path):
    """--save_stats of a folder of folders, then --reals=F.npz: the same number as from the images."""
    reals = real_images()
    for i, image in enumerate(reals.array):
        folder = tmp_path / "set" / "abc"[reals.labels[i]]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{i}.png")
    target = str(tmp_path / "F.npz")
    stream = samples.folder(tmp_path / "set", labelled=True)
    made = Evaluation(stream, 4, names=("is",), options={**options, "save_stats": target})
    assert evaluating.save_statistics(made, target) == f"Wrote {target}, with the statistics of 3 classes"
    with np.load(target) as stored:
        assert int(stored["n"]) == 90 and int(stored["n_2"]) == 30
        for k in range(CLASSES):
            mine = vectors(reals.array[reals.labels == k])
            np.testing.assert_allclose(stored[f"mu_{k}"], mine.mean(0), rtol=1e-4)
            np.testing.assert_allclose(stored[f"sigma_{k}"], np.cov(mine, rowvar=False), rtol=1e-2, atol=1e-6)
    from_images = scores.intra_class_distance(evaluated(options, reals))
    given = evaluating.reals_of(target, None)()
    from_file = scores.intra_class_distance(evaluated(options, given))
    np.testing.assert_allclose(list(from_file.values()), list(from_images.values()), rtol=1e-4)
    assert evaluating.reals_of(target, None, 1)().n == 30 and given.n == 90  # --label=1, and none


def test_samples_with_labels_are_saved_by_class(options, tmp_path):
    made = evaluated({**options, "save_stats": "F"}, real_images())
    found = passes.judged(made)
    labels = np.concatenate([own for _, own in made.samples.batches()])
    images = np.concatenate([own for own, _ in made.samples.batches()])
    assert sorted(found.by_class) == [0, 1, 2]
    for k, moments in found.by_class.items():
        assert moments.n == np.sum(labels == k)
        np.testing.assert_allclose(moments.mean, vectors(images[labels == k]).mean(0), rtol=1e-4)


def test_what_cannot_be_is_one_line(options, tmp_path, monkeypatch):
    for reals, message in ((ArraySource(pictures(30)), "has no labels"),
                           (ArraySource(pictures(5), [0, 0, 1, 2, 2]), "has 1 images of class 1")):
        with pytest.raises(UserError, match=f"intra_fid: .*{message}"):
            scores.intra_class_distance(evaluated(options, reals))
    target = tmp_path / "F.npz"
    np.savez(target, mu=np.zeros(6), sigma=np.eye(6))
    with pytest.raises(UserError, match="holds no statistics of class 0; it must have 'mu_0' and 'sigma_0'"):
        scores.intra_class_distance(evaluated(options, evaluating.reals_of(str(target), None)()))
    np.savez(target, mu=np.zeros(6), sigma=np.eye(6), network="another")
    with pytest.raises(UserError, match="made with the network of SHA-256 another"):
        scores.frechet_inception_distance(evaluated(options, evaluating.reals_of(str(target), None)()))
    monkeypatch.setattr(features, "MOST", 2 * 8 * 36)
    with pytest.raises(UserError, match="3 classes are more than .* save them class by class"):
        passes.judged(evaluated({**options, "save_stats": "F"}, real_images()))
