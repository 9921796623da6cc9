"""The neutral system: every pair of choices trains; combinations without meaning say why."""
import itertools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfgan_suite import options
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameters, declared
from tfgan_suite.gan.system import Gan
from tfgan_suite.layers.norms import RULES
from tfgan_suite.layers.weights import WEIGHTS
from tfgan_suite.losses import LOSSES
from tfgan_suite.random import Draws

# Of two ReLU features all can be at rest for every fake, so that nothing moves G: four.
TINY = {"imsz": 16, "width_g": 4, "width_d": 4, "zlen": 4, "bsz": 4, "MAXITER": 4, "minibatch_stddev": 0}
CHOICES = {
    "architecture": list(options.ARCHITECTURES),
    "weight_g": list(options.PARAMETRISATIONS),
    "weight_d": list(options.PARAMETRISATIONS),
    "norm_g": list(options.NORMS),
    "norm_d": ["none", "batch", "layer"],
    "loss": list(options.LOSSES),
    "penalty": ["none", *options.PENALTIES],
    "projections": ["", "4,2,3,2"],
    "lis_modules": [0, 2],
    "unroll": [0, 1],
    "label_in_d": ["none", "concat", "projection", "acgan"],
    "extras": ["", "pixel_norm", "minibatch_stddev", "pull_away", "ema"],
    "n_critic": [1, 2],
}
EXTRAS = {"": {}, "pixel_norm": {"pixel_norm": True}, "minibatch_stddev": {"minibatch_stddev": 2},
          "pull_away": {"pull_away": 0.1}, "ema": {"ema": 0.9}}


def make(**values) -> Gan:
    """A tiny system, its values converted as the command line converts them."""
    known = declared("gan")
    given = {**TINY, **values}
    chosen = {n: known[n].convert(given[n], "test") if n in given else p.default for n, p in known.items()}
    return Gan(Parameters("tiny", {**chosen, "system": "gan"}, {}, known))


def without_meaning(c: dict) -> bool:
    """What `check` refuses."""
    return (c["projections"] and c["label_in_d"] == "acgan") or (c["architecture"] == "mlp"
                                                                 and c["extras"] == "pixel_norm")


def covering(choices: dict) -> list[dict]:
    """Combinations, drawn greedily, that hold every pair of values of two choices that means something."""
    draw = np.random.default_rng(0)
    todo = {(a, x, b, y) for a, b in itertools.combinations(choices, 2) for x in choices[a]
            for y in choices[b]}
    todo -= {("architecture", "mlp", "extras", "pixel_norm"),
             ("projections", "4,2,3,2", "label_in_d", "acgan")}
    found = []
    while todo:
        tries = ({name: values[draw.integers(len(values))] for name, values in choices.items()}
                 for _ in range(200))
        best = max((c for c in tries if not without_meaning(c)),
                   key=lambda c: sum(c[a] == x and c[b] == y for a, x, b, y in todo))
        todo = {t for t in todo if not (best[t[0]] == t[1] and best[t[2]] == t[3])}
        found.append(best)
    return found


def one_iteration(system: Gan) -> dict:
    """An untraced iteration on random images."""
    p = system.params
    draw = np.random.default_rng(0)
    batch = {"images": draw.integers(0, 256, (p.bsz, p.n_critic, 16, 16, 3), np.uint8),
             "labels": draw.integers(0, max(p.classes, 1), (p.bsz, p.n_critic)).astype(np.int32)}
    return system.iteration(tf.constant(0, tf.int64), {n: tf.constant(a) for n, a in batch.items()},
                            system.phase(0))


@pytest.mark.parametrize("part", range(4))
def test_every_pair_of_choices_trains(part):
    """All scalars are finite, every weight of D and G moves or is told not to by the combination."""
    for c in covering(CHOICES)[part::4]:
        extras = EXTRAS[c["extras"]]
        system = make(classes=3, **{n: v for n, v in c.items() if n != "extras"}, **extras)
        before = {kind: [v.numpy() for v in system.networks[kind].trainable_variables] for kind in ("g", "d")}
        scalars = one_iteration(system)
        assert all(np.all(np.isfinite(v)) for v in scalars.values()), (c, scalars)
        for kind, values in before.items():
            moved = [not np.array_equal(a, v.numpy()) for a,
                     v in zip(values, system.networks[kind].trainable_variables)]
            # Labels that are not drawn leave rows of tables alone; a wasserstein loss leaves
            # D's last bias alone.
            undone = kind == "d" and c["unroll"]  # D's steps of the iteration itself stay
            assert sum(moved) >= 0.6 * len(moved), (kind, c, undone)


def test_names_of_choices_are_the_registered_ones():
    assert set(options.LOSSES) <= set(LOSSES)
    assert set(options.PARAMETRISATIONS) == set(WEIGHTS) and set(options.NORMS) == set(RULES)


@pytest.mark.parametrize("values, words", [
    ({"norm_d": "conditional"}, "label_in_d"), ({"norm_g": "conditional"}, "needs classes"),
    ({"projections": "4,2,3,2", "label_in_d": "acgan", "classes": 3}, "acgan"),
    ({"projections": "4,4,3,2"}, "stride"), ({"minibatch_stddev": 3}, "does not divide"),
    ({"architecture": "mlp", "pixel_norm": True}, "no pixels"), ({"penalty_every": 2}, "does nothing"),
])
def test_combinations_without_meaning_say_why(values, words):
    with pytest.raises(UserError, match=words):
        make(**values)


def test_a_folder_of_colour_pictures(tmp_path):
    """In any depth, of any size, transparent parts white; with classes a folder for each."""
    for k, name in enumerate(("a/1.png", "a/2.jpg", "b/3.png")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGBA" if k == 2 else "RGB", (40, 30), (200, 100 * (k % 2), 10, 0)[:3 + (k == 2)]).save(
            tmp_path / name)
    source = make(data=str(tmp_path)).source()
    assert source.labels is None and source.image(0).shape == (16, 16, 3) and len(source) == 3
    np.testing.assert_array_equal(source.image(2), 255)
    np.testing.assert_array_equal(source.image(0)[0, 0], (200, 0, 10))
    with_classes = make(data=str(tmp_path), classes=2)
    source = with_classes.source()
    np.testing.assert_array_equal(source.labels, [0, 0, 1])
    np.testing.assert_array_equal(source.image(2), 255)
    batch = with_classes.batch(0, source)
    assert batch["images"].shape == (4, 1, 16, 16, 3) and set(np.ravel(batch["labels"])) == {0, 1}


@pytest.mark.parametrize("name, said", [("nowhere", "no such folder"), ("emoji", "tools/datasets.py emoji")])
def test_a_folder_that_is_not_there(tmp_path, name, said):
    with pytest.raises(UserError, match=said):
        make(data=str(tmp_path / name)).source()


def test_lis_modules_rest_at_random_as_in_the_paper():
    """Each number of modules is drawn; those that rest get no gradient and no similarity loss."""
    system = make(lis_modules=2)
    found = [int(system.draws(Draws(0, step), system.phase(step))["g/executed"]) for step in range(40)]
    assert set(found) == {0, 1, 2}
    z, labels = tf.random.stateless_normal((4, 4), (0, 1)), tf.zeros(4, tf.int32)
    real, modules = tf.zeros((4, 16, 16, 3)), system.networks["g"].modules
    for executed, moving in ((1, [True, False]), (0, [False, False])):
        before = [module.trainable_variables[0].numpy() for module in modules]
        fresh = make(lis_modules=2)
        scalars = fresh.g_step(real, labels, z, labels, tf.constant(executed))
        after = [module.trainable_variables[0].numpy() for module in fresh.networks["g"].modules]
        assert [not np.array_equal(a, b) for a, b in zip(before, after)] == moving
        assert (float(scalars["moved"]) > 0) == (executed > 0)
