"""The paper's networks: table 2, values by hand, what is trained how."""
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from pggan_support import SMALL, fraction, make, make_params, run, values

from tfgan_suite import experiment
from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError
from tfgan_suite.pggan import describe, paper
from tfgan_suite.pggan.networks import Sizes
from tfgan_suite.pggan.schedule import schedule_of
from tfgan_suite.pggan.system import PGGAN
from tfgan_suite.training import runs

PAPER = {"networks": "paper", "fade_reals": True, "reset_optimizer": True}
# table 2: rows of 3x3 convolutions above 32x32, with the numbers of parameters as printed there
PRINTED = {"64x64": ("1.2M", "590k"), "128x128": ("295k", "148k"), "256x256": ("74k", "37k"),
           "512x512": ("18k", "9.2k"), "1024x1024": ("4.6k", "2.3k")}


@pytest.fixture(scope="module")
def source():
    """Random pictures of 16x16 with labels."""
    draw = np.random.default_rng(0)
    return ArraySource(draw.integers(0, 256, (20, 16, 16, 3), dtype=np.uint8), np.arange(20) % 3)


@pytest.fixture
def precision():
    """Sets the compute type; float32 again afterwards."""
    yield lambda name: runs.set_precision(make_params(precision=name))
    tf.keras.mixed_precision.set_global_policy("float32")


# -- table 2 -------------------------------------------------------------------------------------------------
def printed(count):
    """A number of parameters as table 2 prints it."""
    if count < 1000:
        return str(count)
    size, unit = (count / 1e6, "M") if count >= 1e6 else (count / 1e3, "k")
    return f"{size:.1f}{unit}" if size < 10 else f"{size:.0f}{unit}"


@pytest.fixture(scope="module")
def full():
    """(generator's, critic's) arrays by name with their shapes, of pggan_paper1024; nothing is allocated."""
    sizes = Sizes.of(experiment.load("pggan_paper1024"))
    found = []
    for make_network in (paper.Generator, paper.Critic):
        with tf.Graph().as_default():  # of its own, or the second one's names would be changed
            network = make_network(sizes)
            assert abs(network.parameter_count() / 1e6 - 23.1) < 0.05
            found.append((network.shapes(), network.parameter_count()))
    return found


def test_parameter_counts(full):
    """23.1 M each, and to the last parameter what the rows add up to."""
    widths = [512, 512, 512, 512, 512, 256, 128, 64, 32, 16]  # the channels at 4x4 and above, the last first
    pairs = list(zip(widths[1:], widths[2:]))  # into and out of each upsampled resolution
    generator = 16 * 512 * 512 + 512 + 9 * 512 * 512 + 512
    generator += sum(9 * a * b + b + 9 * b * b + b for a, b in pairs)
    generator += sum(3 * w + 3 for w in widths[1:])
    critic = sum(3 * w + w for w in widths[1:]) + sum(9 * b * b + b + 9 * b * a + a for a, b in pairs)
    critic += 9 * 513 * 512 + 512 + 16 * 512 * 512 + 512 + 512 + 1
    assert (full[0][1], full[1][1]) == (generator, critic) == (23079115, 23087249)


def test_rows_of_table_2(full):
    """Shapes of the layers, and the numbers that the paper prints beside them."""
    generator, critic = full[0][0], full[1][0]
    count = Counter()
    for name, shape in generator.items():
        count[name.rpartition("/")[0]] += int(np.prod(shape))
    assert generator["4x4/Conv0/weight"] == (4, 4, 512, 512) and printed(count["4x4/Conv0"]) == "4.2M"
    assert printed(count["4x4/Conv1"]) == "2.4M" and printed(count["1024x1024/ToRGB"]) == "51"
    for side in ("8x8", "16x16", "32x32"):
        assert {printed(count[f"{side}/Conv{i}"]) for i in (0, 1)} == {"2.4M"}
    for side, row in PRINTED.items():
        assert tuple(printed(count[f"{side}/Conv{i}"]) for i in (0, 1)) == row
    assert critic["1024x1024/FromRGB/weight"] == (1, 1, 3, 16)
    assert critic["1024x1024/Conv0/weight"] == (3, 3, 16, 16)
    assert critic["1024x1024/Conv1/weight"] == (3, 3, 16, 32)
    assert critic["4x4/Conv0/weight"] == (3, 3, 513, 512)  # the minibatch standard deviation is one channel
    assert critic["4x4/Conv1/weight"] == (4, 4, 512, 512)
    assert critic["4x4/Dense/weight"] == (512, 1)


def test_architecture_file_is_the_table():
    system = make(networks="paper")
    text = describe.of(system)
    assert "obj = 1.0" in text and f"{system.networks['g'].parameter_count():,}" in text
    assert "16x16/ToRGB" in text and "3x3x7x6" in text  # six channels and the standard deviation


# -- by hand -------------------------------------------------------------------------------------------------
def convolved(x, kernel, bias, gain=2.0):
    """Zero padding, sqrt(gain / fan in) on the result; float64, one pixel after the other."""
    n, h, w, c = x.shape
    k, padded = kernel.shape[0], np.pad(x, [(0, 0), *[(kernel.shape[0] // 2,) * 2] * 2, (0, 0)])
    y = np.zeros((n, h, w, kernel.shape[-1]))
    for i in range(h):
        for j in range(w):
            y[:, i, j] = padded[:, i:i + k, j:j + k].reshape(n, -1) @ kernel.reshape(k * k * c, -1)
    return y * np.sqrt(gain / (k * k * c)) + bias


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def normed(x):
    return x / np.sqrt(np.mean(x**2, -1, keepdims=True) + 1e-8)


def doubled(x):
    return x.repeat(2, 1).repeat(2, 2)


def halved(x):
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).mean((2, 4))


class ByHand:
    """A network's arrays, and table 2 in NumPy."""

    def __init__(self, network):
        self.arrays = {name: value.astype(np.float64) for name, value in network.arrays()}

    def layer(self, name, x, gain=2.0):
        return convolved(x, self.arrays[f"{name}/weight"], self.arrays[f"{name}/bias"], gain)

    def images(self, z, alpha):
        """4x4 images, and 8x8 images of a fade."""
        z, kernel = normed(z), self.arrays["4x4/Conv0/weight"]
        x = np.einsum("nz,hwoz->nhwo", z, kernel) * np.sqrt(2.0 / z.shape[1]) / 4
        x = normed(leaky(x + self.arrays["4x4/Conv0/bias"]))
        x = normed(leaky(self.layer("4x4/Conv1", x)))
        small = self.layer("4x4/ToRGB", x, 1.0)
        for conv in ("8x8/Conv0", "8x8/Conv1"):
            x = normed(leaky(self.layer(conv, doubled(x) if conv.endswith("0") else x)))
        return small, alpha * self.layer("8x8/ToRGB", x, 1.0) + (1 - alpha) * doubled(small)

    def last(self, x, group):
        """Features at 4x4 -> scores [n, 1 + classes]."""
        n = len(x)
        sets = x.reshape(group, n // group, *x.shape[1:])
        deviation = np.sqrt(((sets - sets.mean(0)) ** 2).mean(0) + 1e-8).mean((1, 2, 3))
        plane = np.tile(deviation, group)[:, None, None, None] * np.ones((n, 4, 4, 1))
        x = leaky(self.layer("4x4/Conv0", np.concatenate([x, plane], -1)))
        kernel = self.arrays["4x4/Conv1/weight"]
        x = leaky(np.einsum("nhwc,hwco->no", x, kernel) * np.sqrt(2.0 / kernel[..., 0].size)
                  + self.arrays["4x4/Conv1/bias"])
        return x @ self.arrays["4x4/Dense/weight"] / np.sqrt(x.shape[1]) + self.arrays["4x4/Dense/bias"]

    def scores(self, x, alpha, group):
        """Of 8x8 images in a fade: one mixture, right after the new block."""
        new = leaky(self.layer("8x8/FromRGB", x))
        new = halved(leaky(self.layer("8x8/Conv1", leaky(self.layer("8x8/Conv0", new)))))
        return self.last(alpha * new + (1 - alpha) * leaky(self.layer("4x4/FromRGB", halved(x))), group)


@pytest.mark.parametrize("classes", [0, 3])
def test_values_by_hand_at_4x4_and_8x8(classes):
    """Both networks against loops in NumPy, biases included; with classes beside latents and scores."""
    sizes = Sizes(4, 3, (6, 5, 4), group=2, classes=classes)
    draw, n, alpha = np.random.default_rng(3), 4, 0.25
    generator, critic = paper.Generator(sizes), paper.Critic(sizes)
    for variable in (*generator.trainable_variables, *critic.trainable_variables):
        variable.assign(draw.standard_normal(variable.shape))
    z, labels = draw.standard_normal((n, 4)), np.array([2, 0, 1, 1])[:n]
    beside = np.concatenate([z, np.eye(3)[labels]], 1) if classes else z
    small, large = ByHand(generator).images(beside, alpha)
    given = tf.constant(z, tf.float32), tf.constant(labels)
    np.testing.assert_allclose(generator.at(0)(*given), small, atol=2e-5)
    np.testing.assert_allclose(generator.at(1, fraction(alpha))(*given), large, atol=2e-5)
    hand = ByHand(critic)
    for found, expected in (
        (critic.at(0)(tf.constant(small, tf.float32)), hand.last(leaky(hand.layer("4x4/FromRGB", small)), 2)),
        (critic.at(1, fraction(alpha))(tf.constant(large, tf.float32)), hand.scores(large, alpha, 2)),
    ):
        scores = found[0] if classes else found
        np.testing.assert_allclose(scores, expected[:, 0], atol=5e-5)
        if classes:
            np.testing.assert_allclose(found[1], expected[:, 1:], atol=5e-5)


def test_groups_are_at_most_the_batch():
    """The paper's batches of 14, 6 and 3 are one group each; the original's networks refuse them."""
    assert schedule_of(experiment.load("pggan_paper1024")).batch(8) == 3
    for batch, fits in ((6, True), (24, False)):
        flags = {**SMALL, "networks": "paper", "stdDevGroup": 16, "batch_table": f"4:16,8:16,16:{batch}"}
        if fits:
            schedule_of(make_params(**flags))
            with pytest.raises(UserError, match="does not divide the batch 6"):
                schedule_of(make_params(**{**flags, "networks": "original"}))
        else:
            with pytest.raises(UserError, match="does not divide the batch 24"):
                schedule_of(make_params(**flags))
    critic = paper.Critic(Sizes(4, 3, (6, 5), group=16))
    assert critic.at(0)(tf.zeros([3, 4, 4, 3])).shape == (3,)


# -- training ------------------------------------------------------------------------------------------------
def test_reals_of_a_fade_are_mixed_with_coarser_ones(source):
    """alpha of the image, the rest of its copy at half the resolution."""
    images = source.images(range(4)).astype(np.float64).reshape(2, 2, 16, 16, 3)
    coarse = doubled(halved(images.reshape(4, 16, 16, 3))).reshape(images.shape)
    found = paper.fading(tf.constant(images, tf.float32), tf.constant(0.25, tf.float64))
    np.testing.assert_allclose(found, 0.25 * images + 0.75 * coarse, rtol=1e-5)


def test_fading_reals_reach_the_critic(source):
    """In a fade the critic's score of reals depends on it; in a stable stage it does not."""
    for step, same in ((0, True), (3, False)):
        a, b = (run(make(networks="paper", fade_reals=on), source, step, step + 1)["cRealLoss"]
                for on in (True, False))
        assert (a == b) == same


def test_losses_of_labels(source):
    """The critic minimises the cross-entropies of reals and fakes too, the generator that of its own."""
    system = make(**PAPER, classes=3, class_weight=0.5)
    found = run(system, source, 0, 1)
    rest = found["cFakeLoss"] - found["cRealLoss"] + found["extraLoss"] + found["driftLoss"]
    classes = found["realClasses"] + found["fakeClasses"]
    assert found["critLoss"] == pytest.approx(rest + 0.5 * classes, rel=1e-5)
    assert 0 < found["genClasses"] < 20
    batch = system.batch(0, source)
    assert batch["labels"].shape == (4, 1) and set(batch["labels"].ravel()) <= {0, 1, 2}
    reals = source.images(range(20)).astype(int)
    seen = np.rint((batch["reals"][:, 0] + 1) * 127.5).astype(int)
    small = [PGGAN(make_params(**SMALL)).reals_of_run.pyramid(source).images([i], 4)[0].astype(int)
             for i in range(len(reals))]
    for picture, label in zip(seen, batch["labels"][:, 0]):  # each label is that of its image
        mine = [i for i, other in enumerate(small)
                if np.array_equal(other, picture) or np.array_equal(other[:, ::-1], picture)]
        assert label in {source.labels[i] for i in mine}
    assert system.generate(system.latents(3, 0), system.labels(3, 0)).shape == (3, 4, 4, 3)


def test_labels_need_the_papers_networks():
    with pytest.raises(UserError, match="networks=paper"):
        make(classes=3)
    with pytest.raises(UserError, match="out of range; this experiment has classes 0 to 2"):
        make(networks="paper", classes=3).source()


def test_adam_starts_anew_with_every_stage(source):
    """Step counts and moments are of the present stage; without the option they go on."""
    for reset in (True, False):
        system = make(networks="paper", reset_optimizer=reset)
        stages = [i for i in range(1, system.iterations) if system.schedule.ends_stage(i - 1)]
        run(system, source, 0, stages[0] + 2)
        variable = next(v for v in system.networks["g"].variables if v.name.startswith("4x4/Conv0/weight"))
        count = float(system.optimizers["g"].slot("step", variable))
        assert count == (2 if reset else stages[0] + 2)
        assert [i for i in range(system.iterations) if system.phase(i).fresh] == (stages if reset else [])


def test_rates_of_a_table():
    """From a resolution on; the decay is a factor on it."""
    system = make(rate_table="8:0.0015,16:0.002", gLR=0.01, gLR_decay=1.0, cLR=0.02, cLR_decay=0.5)
    found = []
    for level in range(3):
        system._set_rates(level)
        found.append(tuple(round(float(system.optimizers[kind].learning_rate), 6) for kind in "gd"))
    assert found == [(0.01, 0.01), (0.0015, 0.00075), (0.002, 0.001)]
    for bad in ("8=1", "8:-1", "8:nan", "8"):
        with pytest.raises(UserError, match="rate_table"):
            make_params(rate_table=bad)


@pytest.mark.parametrize("name", ["float16", "bfloat16"])
def test_half_precision_stays_near(source, name, precision):
    """Losses of a fade; float16 with loss scaling."""
    exact = run(make(**PAPER, classes=3), source, 0, 4)
    precision(name)
    system = make(**PAPER, classes=3, precision=name)
    rough = run(system, source, 0, 4)
    assert abs(exact["critLoss"] - rough["critLoss"]) < 0.1 * abs(exact["critLoss"]) + 0.1
    assert bool(system.scalers) == (name == "float16")


def test_a_step_that_overflows_is_left_out(source, precision):
    """The weights and Adam's state stay, the scale is halved, and training goes on; the state holds the
    scale."""
    precision("float16")
    system = make(networks="paper", precision="float16")
    scales = [v for name, v in system.state().items() if "/scale/" in name and v.dtype == tf.float32]
    assert len(scales) == 2 and {float(v) for v in scales} == {2.0**15}
    scales[1].assign(2.0**60)
    before = values(system)
    run(system, source, 0, 1)
    after = values(system)
    assert float(scales[1]) == 2.0**59 and float(scales[0]) == 2.0**15
    moved = {name for name in after if not np.array_equal(before[name], after[name])}
    assert not any(name.startswith(("d/4x4", "d/step", "d/exp")) for name in moved)
    assert any(name.startswith("g/4x4") for name in moved)
    scales[1].assign(2.0**15)
    run(system, source, 1, 2)
    assert not np.array_equal(values(system)["d/4x4/Dense/weight"], after["d/4x4/Dense/weight"])
