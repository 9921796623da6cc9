"""PGGAN's iteration: exact resume, options beyond the original, and its bugs, each mended."""
import numpy as np
import pytest
import tensorflow as tf
from pggan_support import SMALL, make, make_params, run, values

from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.layers.linear import Dense
from tfgan_suite.layers.norms import minibatch_stddev
from tfgan_suite.pggan.system import PGGAN


@pytest.fixture(scope="module")
def source():
    """Random pictures of 16x16."""
    return ArraySource(np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8))


def assert_equal(a, b):
    """Equal to the bit."""
    a, b = values(a), values(b)
    assert set(a) == set(b)
    for name in a:
        assert np.array_equal(a[name], b[name]), name


@pytest.mark.parametrize("flags",
                         [{}, {"ema": True, "criticLossFunc": "BEGAN", "nCritPerGen": 2,
                               "lazyRegularization": 2}],
                         ids=["plain", "all state"])
def test_resume_mid_fade_is_exact(source, tmp_path, flags):
    """4 iterations + files + 4 in new objects = 8 at a stretch, and iteration 4 is in the middle of a
    fade."""
    whole = make(**flags)
    assert 0 < whole.schedule.at(4).alpha < 1
    run(whole, source, 0, 8)
    first = make(**flags)
    run(first, source, 0, 4)
    files = Checkpoints(tmp_path, tuple(first.networks))
    files.save(4, first.networks, first.state(), {"fixed": {}})
    second = make(**flags)
    for kind in second.networks:
        second.load_original(kind, Archive(files.path(kind, 4)))
    files.load_state(4, second.state())
    run(second, source, 4, 8)
    assert_equal(whole, second)


def test_one_function_per_stage():
    """As many phases as there are resolutions and stages; lazy regularisation doubles them at most."""
    system = make()
    phases = [system.phase(step) for step in range(system.iterations)]
    assert len(set(phases)) == 5
    lazy = make(lazyRegularization=3)
    assert {lazy.phase(step).regularise for step in range(6)} == {True, False}


def test_lazy_counts_iterations(source):
    """The original compares the number of images, so that n = 2 with an even batch does nothing."""
    system = make(lazyRegularization=2)
    assert [system.phase(step).regularise for step in range(4)] == [True, False, True, False]
    assert run(system, source, 0, 1)["extraLoss"] > 0
    assert run(system, source, 1, 2)["extraLoss"] == 0
    assert [make(lazyRegularization=2, lazy_count="images").phase(s).regularise
            for s in range(4)] == [True] * 4


def test_fade_begins_as_the_smaller_network():
    """At weight 0 the new level gets gradients of exactly zero: it counts a step and does not move."""
    system = make()
    first = system.schedule.first_iteration(1)
    before = values(system)
    source = ArraySource(np.zeros((8, 16, 16, 3), np.uint8))
    run(system, source, first, first + 1)
    after, optimizer = values(system), system.optimizers["g"]
    for variable in system.networks["g"].trainable_variables:
        level = int(variable.name.split(".")[2])
        assert float(optimizer.slot("step", variable)) == (1.0 if level <= 1 else 0.0)
        if level >= 1:
            name = f"g/{variable.name.split(':')[0]}"
            assert np.array_equal(before[name], after[name])


def test_variables_belong_to_one_network():
    """G and the critic share nothing."""
    system = make(ema=True)
    owners = [id(v) for net in system.networks.values() for v in net.trainable_variables]
    assert len(owners) == len(set(owners))


def test_average_never_touches_g(source):
    """The averaged copy follows G by (1 - smoothing), starts equal to it, and G is as without it."""
    plain, averaged = make(), make(ema=True, smoothing=0.75)
    start = {n: v for n, v in averaged.networks["g"].arrays() if n != "progress"}
    for system in (plain, averaged):
        run(system, source, 0, 1)
    for (name, g), (_, a), (_,
                            p) in zip(*(net.arrays() for net in (averaged.networks["g"],
                                                                 averaged.networks["a"],
                                                                   plain.networks["g"]))):
        assert np.array_equal(g, p), name
        if name != "progress":
            np.testing.assert_allclose(a, 0.75 * start[name] + 0.25 * g, atol=1e-6, err_msg=name)
    assert averaged.sampling == ("a",)


def test_rates():
    """The original's factor applies once and for ever; the real decay is an option."""
    def rates(**flags):
        system = make(gLR_decay=0.5, gLR=0.01, **flags)
        found = []
        for level in range(3):
            system._set_rates(level)
            found.append(round(float(system.optimizers["g"].learning_rate), 6))
        return found

    assert rates() == [0.005, 0.005, 0.005]
    assert rates(lr_decay="resolution") == [0.01, 0.005, 0.0025]


def test_scalars_say_where_the_run_is(source):
    """Resolution, weight, images and rates of an iteration are the schedule's."""
    system = make(gLR=0.01, gLR_decay=0.5, cLR=0.02, cLR_decay=0.25)
    for step in (0, 4):
        found, moment = run(system, source, step, step + 1), system.schedule.at(step)
        assert (found["resolution"], found["images"]) == (moment.resolution, moment.shown)
        assert [found[name] for name in ("alpha", "gRate", "cRate")] == pytest.approx(
            [moment.alpha, 0.005, 0.005]
        )


def test_default_flags_run(source):
    """The original stops at int(None) unless --paterm is given; modes 0 to 3 run, 2 included."""
    for form in (None, 0, 1, 2, 3):
        assert np.isfinite(run(make(paterm=form), source, 0, 1)["genLoss"])


def test_unrolling_puts_the_critic_back(source):
    """After the generator step the critic, its Adam state and k are those of the ordinary steps; the original
    crashes."""
    plain, unrolled = make(criticLossFunc="BEGAN"), make(criticLossFunc="BEGAN", unrollCritic=2)
    batch = unrolled.batch(0, source)
    assert batch["reals"].shape[1] == 3
    for system, reals in ((plain, batch["reals"][:, :1]), (unrolled, batch["reals"])):
        system.iteration(tf.constant(0, tf.int64), {"reals": tf.constant(reals)}, system.phase(0))
    a, b = values(plain), values(unrolled)
    for name in a:
        if name.startswith("d/") or name == "extra/k":
            np.testing.assert_allclose(a[name], b[name], atol=1e-6, err_msg=name)
    assert any(not np.array_equal(a[name], b[name]) for name in a if name.startswith("g/net"))


def test_began_mended(source):
    """As written, G and critic pull the scores of fakes in one direction, and k is unbounded."""
    from tfgan_suite.pggan import losses

    fake, z = tf.ones([4, 4, 4, 3]), tf.ones([4, 5])
    score = lambda x: tf.reduce_mean(x, [1, 2, 3])  # noqa: E731
    for form, sign in (("original", -1.0), ("mended", 1.0)):
        params = make_params(**{**SMALL, "criticLossFunc": "BEGAN", "began_form": form, "lambk": 5.0})
        assert float(losses.generator_loss(params, score, fake, z, True)) == sign
        look = losses.looked_at(score, 3 * fake, fake, None)
        k = losses.critic_loss(params, look, tf.constant(0.5), False).k
        assert float(k) == (1.0 if form == "mended" else pytest.approx(0.5 + 5 * (0.8 * 3 - 1)))


def test_grey_images_and_late_start(source):
    """nChannels 1 and startRes 8 crash in the original."""
    system = make(nChannels=1, startRes=8, samplesWhileFade=0)
    assert system.batch(0, source)["reals"].shape == (4, 1, 8, 8, 1)
    run(system, source, 0, 4)
    assert system.generate(system.latents(3, 0)).shape == (3, 16, 16, 1)
    assert system.pictures(0)["samples"].shape[-1] == 3


def test_paper_options(source):
    """The paper's constants and its minibatch standard deviation give another network of the same
    parameters."""
    system = make(weight_scale="paper", stddev_form="paper")
    dense = [next(layer for layer in system.networks[kind].blocks[0].steps if isinstance(layer, Dense))
             for kind in "gd"]
    assert dense[0].weight.constant == pytest.approx(2**0.5 / 4 / 5**0.5)
    assert dense[1].weight.constant == pytest.approx(1 / 6**0.5)
    assert np.isfinite(run(system, source, 0, 1)["critLoss"])
    x = tf.constant(np.random.default_rng(0).standard_normal((4, 2, 2, 3)), tf.float32)
    forms = {centre: minibatch_stddev(x, 2, centre) for centre in (False, True)}
    assert np.array_equal(forms[False][..., :3], x) and np.array_equal(forms[False][..., 3],
                                                                       forms[True][..., 3])
    # the original writes the centred activations in place
    pairs = tf.reshape(forms[True][..., :3], [2, 2, 2, 2, 3])
    np.testing.assert_allclose(tf.reduce_sum(pairs, 0), np.zeros([2, 2, 2, 3]), atol=1e-6)


def test_bfloat16(source):
    """Losses stay near float32's through a fade."""
    from tfgan_suite.training import runs

    exact = run(make(), source, 0, 4)
    params = make_params(**SMALL, precision="bfloat16")
    try:
        runs.set_precision(params)
        rough = run(PGGAN(params), source, 0, 4)
    finally:
        tf.keras.mixed_precision.set_global_policy("float32")
    assert abs(exact["critLoss"] - rough["critLoss"]) < 0.1 * abs(exact["critLoss"]) + 0.1


def test_generate_follows_the_growth(source):
    """Samples have the size that the generator has grown to, and a file alone says so."""
    system = make()
    for done, side in ((1, 4), (4, 8), (system.iterations, 16)):
        run(system, source, done - 1, done)
        assert system.generate(system.latents(2, 0)).shape == (2, side, side, 3)
    sampler = PGGAN(make_params(**SMALL), training=False)
    sampler.load_original("g", dict(system.networks["g"].arrays()))
    assert np.array_equal(sampler.generate(sampler.latents(2, 0)), system.generate(system.latents(2, 0)))


def test_too_few_images(tmp_path):
    """A folder with fewer images than a batch, one without images, images below endRes."""
    from PIL import Image

    folder = tmp_path / "set" / "class"
    folder.mkdir(parents=True)
    with pytest.raises(UserError, match="no images"):
        make(data_path=str(folder.parent)).source()
    for i in range(3):
        Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(folder / f"{i}.png")
    with pytest.raises(UserError, match="fewer than a batch"):
        make(data_path=str(folder.parent)).source()
    with pytest.raises(UserError, match="above the images"):
        make(data_path=str(folder.parent), endRes=32, batch_table="4:4,8:4,16:4,32:4").source()
    with pytest.raises(UserError, match="no such folder"):
        make(data_path=str(tmp_path / "nowhere")).source()
