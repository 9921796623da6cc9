"""is, is_new, fid, kid and swd as a user gets them: names, protocol, caches, one pass, any batch, memory that
does not grow."""
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_graph
from PIL import Image
from toys import ToySystem, evaluation, pictures

from tfgan_suite import experiment
from tfgan_suite.data.folder import FolderSource
from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError
from tfgan_suite.metrics import distances, evaluating, events, features, progress, registry, scores
from tfgan_suite.metrics.inception import Inception
from tfgan_suite.metrics.registry import Evaluation
from tfgan_suite.metrics.samples import SourceSamples, SystemSamples
from tfgan_suite.metrics.statistics import Moments
from tfgan_suite.registry import system_class

ALL = ("is", "is_new", "fid", "kid", "swd")


@pytest.fixture
def options(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tiny_graph.write(tmp_path / "tiny.pb")
    return {"graph": str(file.path), "graph_sha256": file.sha256}


def run(names, **more):
    made = evaluation(pictures(103, 16, 1, 40), pictures(120, 16, 2), names=tuple(names), **more)
    results = {}
    for function in registry.find(names).values():
        results.update(function(made))
    return results, made.protocol


def test_names_carry_the_protocol(options):
    results, protocol = run(ALL, options=options)
    assert set(results) == {"is_103", "is_103_std", "is_new_103", "is_new_103_std", "fid_103_train",
                            "kid_103_train",
                            "swd_16", "swd_16_real", "swd"}
    assert protocol["graph_sha256"] == options["graph_sha256"] and protocol["real_images"] == 120
    assert all(np.isfinite(list(results.values())))
    assert [scores.count_name(n) for n in (50000, 5000, 1797, 100)] == ["50k", "5k", "1797", "100"]


def test_results_do_not_depend_on_the_batch(options):
    reference, _ = run(ALL, options=options, batch=103)
    for batch in (1, 10):
        found, _ = run(ALL, options=options, batch=batch)
        for name, value in reference.items():
            np.testing.assert_allclose(found[name], value, rtol=2e-4, atol=1e-6,
                                       err_msg=f"{name}, batch {batch}")


def test_values_are_those_of_the_formulas(options):
    w = tiny_graph.weights()
    fake, logits = tiny_graph.expected(pictures(103, 16, 1, 40), w)
    real, _ = tiny_graph.expected(pictures(120, 16, 2), w)
    moments = Moments(), Moments()
    moments[0].add(real)
    moments[1].add(fake)
    results, _ = run(("is", "fid"), options=options, splits=1)
    np.testing.assert_allclose(results["fid_103_train"], distances.frechet(*moments), rtol=1e-3)
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    score = np.exp(np.mean(np.sum(p * (np.log(p + 1e-30) - np.log(p.mean(0))), axis=1)))
    np.testing.assert_allclose(results["is_103"], score, rtol=1e-4)


def test_one_pass_serves_is_fid_and_kid_and_the_reals_are_cached(options, monkeypatch):
    images_fed = []
    old = Inception.judge
    monkeypatch.setattr(Inception, "judge", lambda self, x: images_fed.append(len(x)) or old(self, x))
    run(("is", "fid", "kid"), options=options)
    assert sum(images_fed) == 103 + 120
    images_fed.clear()
    first, _ = run(("kid",), options=options)
    assert sum(images_fed) == 103  # the reals came from the cache
    cached = sorted((Path(options["graph"]).parent / "cache").rglob("*.f32"))
    assert len(cached) == 1
    cached[0].write_bytes(cached[0].read_bytes()[:-4])  # damaged: made again
    second, _ = run(("kid",), options=options)
    assert first == second


def feed(monkeypatch) -> list:
    """Counts of the images that go through the graph from now on."""
    fed, old = [], Inception.judge
    monkeypatch.setattr(Inception, "judge", lambda self, x: fed.append(len(x)) or old(self, x))
    return fed


def real_folder(path, count=30, side=16):
    path.mkdir()
    for i, picture in enumerate(pictures(count, side, 8)):
        Image.fromarray(picture).save(path / f"{i:02d}.png")
    return FolderSource(path)


def test_a_cached_folder_is_not_decoded(options, tmp_path, monkeypatch):
    source, fed = real_folder(tmp_path / "real"), feed(monkeypatch)

    def found(name="fid"):
        made = evaluation(pictures(40), options=options, names=(name,))
        made.reals = lambda: source
        return list(registry.find([name])[name](made).values())[0]

    first = found()
    assert sum(fed) == 70 and not list((tmp_path / "cache").rglob("*.f32"))  # fid wants no features
    monkeypatch.setattr(FolderSource, "image", lambda self, index: pytest.fail("an image was decoded"))
    assert found() == first and sum(fed) == 110
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kid = found("kid")
    assert len(list((tmp_path / "cache").rglob("*.f32"))) == 1 and found("kid") == kid
    Image.fromarray(pictures(1, 16, 77)[0]).save(tmp_path / "real/03.png")  # another content, size and time
    assert found() != first


def test_a_cache_that_cannot_be_written(options, tmp_path, monkeypatch):
    first, _ = run(("fid", "kid"), options=options)
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    second, _ = run(("fid", "kid"), options=options)
    assert first == second
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    monkeypatch.setattr(features, "MOST", 100)
    third, _ = run(("fid", "kid"), options=options)
    assert first == third and not list((tmp_path / "other").rglob("*.f32"))


def test_statistics_in_the_forms_of_others(options, tmp_path):
    """pytorch-fid's and TTUR's mu and sigma, Chainer's mean and cov."""
    reals = pictures(60, 24, 2)
    mine, _ = tiny_graph.expected(reals, tiny_graph.weights())
    stored = mine.mean(0, dtype=np.float64), np.cov(mine.astype(np.float64), rowvar=False)
    with_images = evaluation(pictures(40), reals, options=options, names=("fid",))
    wanted = scores.frechet_inception_distance(with_images)["fid_40_train"]
    for names in (("mu", "sigma"), ("mean", "cov")):
        np.savez(tmp_path / "F.npz", **dict(zip(names, stored)))
        made = evaluation(pictures(40), options=options, names=("fid", "kid", "swd"))
        made.reals = evaluating.reals_of(str(tmp_path / "F.npz"), None)
        found = dict(evaluating.each(made))
        np.testing.assert_allclose(found["fid"]["fid_40_train"], wanted, rtol=1e-3)
        assert "F.npz: holds a mean and a covariance" in str(found["kid"]) and "needs images" in str(
            found["swd"]
        )
    for arrays, message in (({"mu": np.ones(6)}, "must have 'mu' and 'sigma'"),
                            ({"mu": np.ones(6), "sigma": np.ones(6)}, "shape"),
                            ({"mu": np.ones(3), "sigma": np.eye(3)}, "3 features, the network gives 6")):
        np.savez(tmp_path / "F.npz", **arrays)
        with pytest.raises(UserError, match=message):
            made = evaluation(pictures(40), options=options, names=("fid",))
            made.reals = evaluating.reals_of(str(tmp_path / "F.npz"), None)
            evaluating.compute(made)


def test_each_side_goes_to_the_graph_from_its_own_size(options):
    """Half-size copies of the real images lack their detail, and must not score as if they were the images
    themselves."""
    reals = pictures(60, 32, 1)
    small = reals[:, ::2, ::2]
    made = evaluation(small, reals, options=options, names=("fid",))
    found = scores.frechet_inception_distance(made)["fid_60_train"]
    w, moments = tiny_graph.weights(), (Moments(), Moments())
    for side, images in zip(moments, (reals, small)):
        side.add(tiny_graph.expected(images, w)[0])
    np.testing.assert_allclose(found, distances.frechet(*moments), rtol=1e-3)
    assert found > 1e-3 and made.protocol["size"] == "16x16" and made.protocol["real_size"] == "32x32"
    assert scores.frechet_inception_distance(evaluation(reals, reals, options=options))["fid_60_train"] < 1e-5
    with pytest.raises(UserError, match="swd: compares pixels.*has 32x32, the samples 16x16"):
        scores.sliced_wasserstein_distance(evaluation(small, reals))


def test_images_of_mixed_sizes(options, tmp_path):
    """Whatever the batch, each image counts once and goes to the graph from its own size."""
    mixed = [pictures(1, side, seed)[0] for seed, side in enumerate([16, 24, 16, 9] * 10)]
    for i, picture in enumerate(mixed):
        Image.fromarray(picture).save(tmp_path / f"{i:02d}.png")
    moments = Moments(), Moments()
    for picture in mixed:
        moments[0].add(tiny_graph.expected(picture[None], tiny_graph.weights())[0])
    moments[1].add(tiny_graph.expected(pictures(50, 16, 99), tiny_graph.weights())[0])
    for batch in (1, 7, 40):
        made = evaluation(pictures(50, 16, 99), options=options, names=("fid", "kid"))
        made.samples, made.reals = SourceSamples(FolderSource(tmp_path),
                                                 batch=batch), lambda: ArraySource(pictures(50, 16, 99))
        found = scores.frechet_inception_distance(made)["fid_40_train"]
        np.testing.assert_allclose(found, distances.frechet(*moments), rtol=1e-3)
        assert made.protocol["size"] == "9x9 to 24x24 (3 sizes)"
        assert scores.judged(made, keep=True).features.n == 40
    with pytest.raises(UserError, match="swd: .*one size; there are"):
        scores.sliced_wasserstein_distance(made)


def test_a_perfect_pggan_is_at_the_floor(options, tmp_path):
    """Its reals are squeezed to a square by its filter, in grey where it is grey: a generator that gives
    exactly those scores 0."""
    for i, picture in enumerate(pictures(40, 24, 5)):
        Image.fromarray(picture[:16]).save(tmp_path / f"{i}.png")
    known = experiment.declared("pggan")
    given = {"data_path": str(tmp_path), "endRes": 8, "startRes": 4, "nChannels": 1, "inputFilter": "BICUBIC",
             "batch_table": "4:4,8:4", "stdDevGroup": 2,
             "fmapBase": 16, "fmapMax": 4, "latentSize": 4}
    values = {n: p.convert(str(given[n]), "test") if n in given else p.default for n, p in known.items()}
    system = system_class("pggan")(experiment.Parameters("t", {**values, "system": "pggan"}, {}, known),
                                   training=False)
    perfect = np.stack(
        [
            np.asarray(
                Image.fromarray(FolderSource(tmp_path).image(i)).convert("L").resize((8, 8), Image.BICUBIC)
            )
            for i in range(40)
        ]
    )
    samples = SourceSamples(ArraySource(np.repeat(perfect[..., None], 3, -1)))
    made = Evaluation(samples, 4, reals=evaluating.reals_of("", system), system=system, options=options,
                      names=("fid",))
    assert scores.frechet_inception_distance(made)["fid_40_train"] < 1e-5


@pytest.mark.parametrize("names", [("is",), ("is_new",)])
def test_fewer_samples_than_splits_is_one_line(options, names):
    with pytest.raises(UserError, match="splits"):
        run(names, options=options, splits=104)


def test_splits_do_not_matter_to_fid(options):
    results, _ = run(("fid",), options=options, splits=104)
    assert np.isfinite(results["fid_103_train"])


def test_a_system_can_bring_its_own_metric():
    class WithMetric(ToySystem):
        def metrics(self):
            return {"own": lambda evaluation: {"own_mean": float(len(evaluation.samples))}}

    system = WithMetric()
    found = registry.find(["own"], system)
    assert found["own"](Evaluation(SystemSamples(system, 5), system=system)) == {"own_mean": 5.0}
    with pytest.raises(UserError, match="unknown metric 'own'.*digits, fd_effnet, fid.*is, is_new, kid"):
        registry.find(["own"], ToySystem())


# -- during training -----------------------------------------------------------------------------------------
class Host:
    """What the trainer's host offers to an event."""

    def __init__(self):
        self.lines = []
        self.line = self.lines.append


@pytest.mark.parametrize("new", [False, True])
def test_event_gives_the_originals_names_every_so_often(options, monkeypatch, new):
    monkeypatch.setenv("TFGAN_SUITE_INCEPTION_SHA256", options["graph_sha256"])
    event = events.inception_event(ToySystem(classes=10), 1000, n=1000, graph=options["graph"], new=new)
    assert [done for done in range(1, 3001) if event.is_due(done)] == [1000, 2000, 3000]
    first, second = event.run(1000, Host()), event.run(2000, Host())
    assert set(first) == {"inception_1k", "inception_1k_std"}
    assert first != second and np.isfinite(list(first.values())).all()
    assert first == events.inception_event(ToySystem(classes=10), 1000, 1000, graph=options["graph"],
                                           new=new).run(1000, Host())


def test_event_without_the_graph_says_so_once_and_lets_training_go_on(options):
    event, host = events.inception_event(ToySystem(), 10, n=50), Host()
    assert event.run(10, host) == {} and event.run(20, host) == {}
    assert len(host.lines) == 1 and "the 2015 Inception graph is missing" in host.lines[0]


def test_event_in_training_has_a_count_and_tells_how_far_it_is(options, monkeypatch):
    monkeypatch.setenv("TFGAN_SUITE_INCEPTION_SHA256", options["graph_sha256"])
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    host = Host()
    assert set(events.inception_event(ToySystem(), 10, n=500, graph=options["graph"]).run(10, host)) == {
        "inception_500",
        "inception_500_std",
    }
    assert len(host.lines) == 4 and "samples: 300 of 500 images," in host.lines[2] and "left" in host.lines[2]


def test_absence_of_the_graph_is_known_before_training(options, monkeypatch):
    event, host = events.inception_check(1000), Host()
    assert event.first and not event.is_due(1000)
    assert (
        event.run(0, host) == {}
        and len(host.lines) == 1
        and "the 2015 Inception graph is missing" in host.lines[0]
    )
    monkeypatch.setenv("TFGAN_SUITE_INCEPTION", options["graph"])
    monkeypatch.setenv("TFGAN_SUITE_INCEPTION_SHA256", options["graph_sha256"])
    event.run(0, host)
    assert len(host.lines) == 1


def test_one_metric_that_fails_leaves_the_others(options, monkeypatch):
    made = evaluation(pictures(40), pictures(30, 32), options=options, names=("swd", "fid", "is"))
    found = dict(evaluating.each(made))
    assert isinstance(found["swd"],
                      UserError) and np.isfinite(found["fid"]["fid_40_train"]) and len(found["is"]) == 2
    with pytest.raises(UserError, match="one size"):
        evaluating.compute(made)


@pytest.mark.parametrize("names, message",
                         [(("is", "fid"), "graph is missing"), (("swd", "is"), "graph is missing"),
                                            (("swd", "reconstruction"), "needs an experiment"),
                                            (("swd", "xyz"), "unknown")])
def test_what_a_metric_needs_is_looked_for_first(names, message, tmp_path, monkeypatch):
    """Nothing is generated before it is clear that all can be computed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = evaluation(pictures(40), pictures(30), names=names)
    made.samples.batches = lambda: pytest.fail("samples were made")
    with pytest.raises(UserError, match=message):
        next(evaluating.each(made))


# -- memory --------------------------------------------------------------------------------------------------
PEAK = """
import resource, sys
sys.path[:0] = [{tests!r}, {root!r}]
import numpy as np
from toys import ToySystem, pictures
from tfgan_suite.data.source import ArraySource
from tfgan_suite.metrics import registry
from tfgan_suite.metrics.registry import Evaluation
from tfgan_suite.metrics.samples import SourceSamples, SystemSamples
names = ("is", "fid", "kid")
made = Evaluation(SystemSamples(ToySystem(16), int(sys.argv[1])), reals=lambda: ArraySource(pictures(2100)),
                  names=names, options=dict(graph={graph!r}, graph_sha256={sha!r}))
for function in registry.find(names).values():
    function(made)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_memory(n: int, options: dict) -> int:
    """MiB that a process of its own needs at most for all scores of n samples."""
    tests = Path(__file__).resolve().parent
    text = PEAK.format(tests=str(tests), root=str(tests.parent.parent), graph=options["graph"],
                       sha=options["graph_sha256"])
    out = subprocess.run([sys.executable, "-c", text, str(n)], capture_output=True, text=True, check=True)
    return int(out.stdout.split()[-1])


def test_peak_memory_does_not_grow_with_the_samples(options):
    few, many = peak_memory(2000, options), peak_memory(20000, options)
    print(f"peak memory: {few} MiB for 2000 samples, {many} MiB for 20000")
    assert many < few + 30  # as floats, the logits alone would be 77 MiB and the samples 59 MiB


def test_a_source_is_not_held_in_memory_for_its_features(options):
    """`SourceSamples` reads batch by batch, so a source that decodes on demand never is in memory as a
    whole."""
    class Counting(ArraySource):
        held = 0

        def image(self, index):
            Counting.held += 1
            return super().image(index)

    made = evaluation(pictures(20), options=options)
    made.reals = lambda: Counting(pictures(50, seed=3))
    scores.frechet_inception_distance(made)
    assert Counting.held >= 50
