"""RP-GAN against numbers recorded from ayanc/rpgan."""
import json

import numpy as np
import pytest
import tensorflow as tf
from golden_files import close, each, files, folder, gradient_close, load, under

from tfgan_suite import experiment, optimizers
from tfgan_suite.errors import UserError
from tfgan_suite.files import archive, checkpoints
from tfgan_suite.layers.projections import Filters
from tfgan_suite.pictures import sheets
from tfgan_suite.rpgan import filters
from tfgan_suite.rpgan.bank import Discriminators
from tfgan_suite.rpgan.networks import Generator
from tfgan_suite.rpgan.system import RPGAN, Baseline


def chunks(count):
    """The plain form, and every way of computing several discriminators side by side."""
    return [c for c in range(1, count + 1) if count % c == 0]


def generator(fixture, frozen=False):
    config = json.loads(str(fixture["config_json"]))
    net = Generator(config["ksz"], config["zlen"], config["f1"], config["imsz"], frozen=frozen)
    net.assign(under(fixture, "w/"))
    return net


def discriminators(fixture, tmp_path, chunk):
    config = json.loads(str(fixture["config_json"]))
    projection = None
    if "filts/nfilt" in fixture:
        archive.write(tmp_path / "filts.npz", under(fixture, "filts/").items())
        projection = filters.load(tmp_path / "filts.npz")
    net = Discriminators(config["imsz"], config["df"], projection, chunk=chunk)
    net.assign(under(fixture, "w/"))
    return net


def flat(z):
    return tf.constant(z.reshape(len(z), -1))


# -- generator -----------------------------------------------------------------------------------------------
@each("rpgan", "gen_*.npz")
def test_generator(path):
    fixture = load(path)
    config = json.loads(str(fixture["config_json"]))
    if path.stem.startswith("gen_q") and fixture["out"].shape[1] != config["imsz"]:
        with pytest.raises(UserError, match="imsz"):  # such a size cannot be trained; it is rejected
            generator(fixture)
        return
    net = generator(fixture)
    z = flat(fixture["z"])
    with tf.GradientTape() as tape:
        tape.watch(z)
        out = net(z)
        loss = tf.reduce_sum(fixture["R"] * out)
    close(out, fixture["out"], 1e-5, "out")
    named = net.named()
    gradients = tape.gradient(loss, [z, *named.values()])
    gradient_close(gradients[0], fixture["grad_z"].reshape(z.shape), name="z")
    for name, gradient in zip(named, gradients[1:]):
        gradient_close(gradient, fixture[f"grad/{name}"], name=name)


@each("rpgan", "gen_*.npz")
def test_generator_with_stored_statistics(path):
    fixture = load(path)
    config = json.loads(str(fixture["config_json"]))
    if fixture["out"].shape[1] != config["imsz"]:
        pytest.skip("a size that is rejected")
    expected = under(fixture, "stat/")
    found = generator(fixture).population(flat(fixture["z"]).numpy(), chunk=2)
    assert sorted(found) == sorted(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
    net = generator(fixture, frozen=True)
    net.assign(expected)
    z = flat(fixture["z_eval"])
    with tf.GradientTape() as tape:
        tape.watch(z)
        out = net(z)
        loss = tf.reduce_sum(fixture["R"] * out)
    close(out, fixture["out_eval"], 1e-5, "out_eval")
    named = {n: v for n, v in net.named().items() if v.trainable}
    gradients = tape.gradient(loss, [z, *named.values()])
    gradient_close(gradients[0], fixture["grad_eval_z"].reshape(z.shape), name="z")
    for name, gradient in zip(named, gradients[1:]):
        gradient_close(gradient, fixture[f"grad_eval/{name}"], name=name)


@each("rpgan", "gen_*.npz")
def test_generator_activations(path):
    fixture = load(path)
    expected = {int(k): v for k, v in under(fixture, "act/").items()}
    config = json.loads(str(fixture["config_json"]))
    if not expected or fixture["out"].shape[1] != config["imsz"]:
        pytest.skip("records no activations, or a size that is rejected")
    net = generator(fixture)
    h = flat(fixture["z"])
    for level, block in enumerate(net.blocks[:-1], 1):
        h = block(h)
        close(h, expected[level - 1], 1e-5, f"block {level}")


# -- discriminators ------------------------------------------------------------------------------------------
@each("rpgan", "disc_*.npz", "disc0_*.npz")
def test_discriminators(path, tmp_path):
    fixture = load(path)
    for chunk in chunks(int(fixture.get("filts/nfilt", 1))):
        net = discriminators(fixture, tmp_path, chunk)
        check_forward(net, fixture)
        check_gradients(net, fixture)


def prefix(net, i):
    return "" if net.single else f"d{i}/"


def check_forward(net, fixture):
    for kind in ("real", "fake"):
        logits = net(tf.constant(fixture[f"x_{kind}"]))
        for i in range(net.count):
            close(logits[i], fixture[f"{prefix(net, i)}logit_{kind}"], 1e-5, f"logit_{kind} {i}")
    stack, activations = net.stacks[0], []
    projected = stack.project(tf.constant(fixture["x_fake"]))
    stack.logits(projected, list(zip(stack.kernels, stack.biases)), activations)
    for i in range(net.count):
        if f"d{i}/proj_fake" in fixture:
            close(projected[i], fixture[f"d{i}/proj_fake"], 1e-5, f"projection {i}")
    for j, value in enumerate(activations):
        recorded = fixture.get(f"d0/act_fake/{j}", fixture.get(f"act_fake/{j}"))
        if recorded is not None:
            close(value[0], recorded, 1e-5, f"layer {j}")


def check_gradients(net, fixture):
    real, fake = tf.constant(fixture["x_real"]), tf.constant(fixture["x_fake"])
    g_losses, gradient = net.generator_losses(fake)
    d_losses, gradients, _ = net.losses(real, fake)
    for i in range(net.count):
        at = prefix(net, i)
        close(g_losses[i], fixture[at + "loss_f2r"], 1e-5, "gloss")
        close(g_losses[i] / net.count, fixture[at + "gloss"], 1e-5, "gloss / numd")
        close(d_losses[i], fixture[at + "dloss"], 1e-5, "dloss")
        close(d_losses[i], (fixture[at + "loss_r2r"] + fixture[at + "loss_f2f"]) / 2, 1e-5,
              "dloss from its halves")
    whole = "grad_gloss_total_xfake" if "grad_gloss_total_xfake" in fixture else "grad_gloss_xfake"
    gradient_close(gradient, fixture[whole], name="image gradient")
    by_variable = {v.ref(): g for v, g in zip(net.trainable_variables, gradients)}
    found = {name: by_variable[part.variable.ref()][row] for name, (part, row) in net.rows().items()}
    expected = {}
    for i in range(net.count):
        expected.update(under(fixture, f"{prefix(net, i)}grad_dloss/"))
    assert sorted(found) == sorted(expected)
    for name, value in expected.items():
        gradient_close(found[name], value, name=name)


@each("rpgan", "disc_*.npz")
def test_losses_are_stable_for_large_logits(path, tmp_path):
    fixture = load(path)
    if not under(fixture, "extp/"):
        pytest.skip("records no extreme logits")
    for sign in "pm":
        whole = discriminators(fixture, tmp_path, 1)
        stack = whole.stacks[0]
        alone = Discriminators(json.loads(str(fixture["config_json"]))["imsz"], stack.table[0].outputs,
                               [Filters(stack.filters.values[:1], stack.filters.stride)])
        alone.assign({n: v for n, v in whole.arrays() if n.startswith("c0_")})
        last = list(alone.shapes())[-1]
        alone.assign({last: fixture[f"ext{sign}/last_bias"]})
        real, fake = tf.constant(fixture["x_real"]), tf.constant(fixture["x_fake"])
        g_losses, gradient = alone.generator_losses(fake)
        d_losses, _, _ = alone.losses(real, fake)
        recorded = under(fixture, f"ext{sign}/")
        np.testing.assert_allclose(g_losses[0], recorded["loss_f2r"], rtol=1e-5, atol=1e-30)
        np.testing.assert_allclose(d_losses[0], (recorded["loss_r2r"] + recorded["loss_f2f"]) / 2, rtol=1e-5)
        gradient_close(gradient / whole.count, recorded["grad_gloss_xfake"], name="image gradient")


# -- optimiser, trajectories ---------------------------------------------------------------------------------
def test_adam():
    for path in files("rpgan", "adam.npz"):
        fixture = load(path)
        w = tf.Variable(fixture["w0"])
        adam = optimizers.adam(2e-4, 0.5, 0.999)
        adam.build([w])
        for t, gradient in enumerate(fixture["grads"]):
            optimizers.apply(adam, [tf.constant(gradient)], [w])
            close(w.numpy(), fixture["w"][t], 5e-8, f"w after step {t + 1}")


class Replay:
    """A system set up from a recorded run."""

    def __init__(self, fixture, system_class, tmp_path, **changes):
        config = json.loads(str(fixture["config_json"]))
        names = {p.name for p in experiment.declared("rpgan").values()}
        values = {n: p.default for n, p in experiment.declared("rpgan").items()}
        values.update({k: v for k, v in config.items() if k in names}, wts_dir=str(tmp_path), **changes)
        if "filts/nfilt" in fixture:
            archive.write(tmp_path / "filts.npz", under(fixture, "filts/").items())
        self.system = system_class(experiment.Parameters("replay", values))
        self.fixture = fixture

    def load(self, at):
        for kind, letter in (("g", "G"), ("d", "D")):
            self.system.networks[kind].assign(under(self.fixture, f"{at}{letter}/"))

    def step(self, t, at):
        f = self.fixture
        draws = {"z_g": flat(f[f"{at}z_g"]), "z_d": flat(f[f"{at}z_d"])}
        batch = {"real": tf.constant(f[f"{at}real"])}
        return self.system.update(tf.constant(t, tf.int64), batch, draws, None)

    def check(self, t, at, steps, scalars):
        f, net = self.fixture, self.system.networks
        for kind, letter in (("g", "G"), ("d", "D")):
            found = dict(net[kind].arrays())
            for name, value in under(f, f"{at}after/{letter}/").items():
                close(found[name], value, 5e-6 * steps, f"{letter} {name} after iteration {t}")
        gloss = [under(f, f"{at}gloss/")[k]
                 for k in sorted(under(f, f"{at}gloss/"), key=int)] or [f[f"{at}gloss"]]
        dloss = [under(f, f"{at}dloss/")[k]
                 for k in sorted(under(f, f"{at}dloss/"), key=int)] or [f[f"{at}dloss"]]
        close(scalars["G"], np.float32(np.sum(gloss)), 1e-5, "G")
        close(scalars["D"], np.float32(np.mean(dloss)), 1e-5, "D")


def iterations(fixture, at=""):
    return sorted({int(k[len(at) + 2:].split("/")[0]) for k in fixture if k.startswith(f"{at}it")})


@each("rpgan", "train_*.npz")
def test_trajectory(path, tmp_path):
    fixture = load(path)
    system_class = RPGAN if "filts/nfilt" in fixture else Baseline
    run = Replay(fixture, system_class, tmp_path)
    run.load("init/")
    for t in iterations(fixture):
        scalars = run.step(t, f"it{t}/")
        run.check(t, f"it{t}/", t + 1, scalars)
        lines = run.system.console(t, {k: np.asarray(v) for k, v in scalars.items()})
        check_console(lines, str(fixture["stdout"]))
    if any(k.startswith("resume/it") for k in fixture):
        again = Replay(fixture, system_class, tmp_path)
        for kind in "gd":
            again.system.networks[kind].assign(dict(run.system.networks[kind].arrays()))
        for count, t in enumerate(iterations(fixture, "resume/"), 1):
            again.check(t, f"resume/it{t}/", iterations(fixture)[-1] + 1 + count,
                        again.step(t, f"resume/it{t}/"))


def check_console(lines, recorded):
    """Each of our lines stands in the recorded output, but for the last digit of a number."""
    theirs = [line.replace("<TIME> ", "") for line in recorded.splitlines()]
    for line in lines:
        head, numbers = line.split(" ", 1)
        match = [t for t in theirs if t.split(" ", 1)[0] == head]
        assert match, f"the original prints no line like '{line}'"
        mine, other = split_numbers(numbers), split_numbers(match[0].split(" ", 1)[1])
        assert mine[0] == other[0], f"'{line}' has another form than '{match[0]}'"
        np.testing.assert_allclose(mine[1], other[1], atol=1.1e-3 if "L00" in line else 2e-6)


def split_numbers(text):
    import re

    pattern = r"-?\d+\.(\d+)"
    form = re.sub(pattern, lambda m: f"<{len(m[1])} digits>", text)
    return form, [float(m[0]) for m in re.finditer(pattern, text)]


@each("rpgan", "train_*.npz")
def test_gradients_of_the_first_step(path, tmp_path):
    fixture = load(path)
    run = Replay(fixture, RPGAN if "filts/nfilt" in fixture else Baseline, tmp_path)
    run.load("init/")
    g, d = run.system.networks["g"], run.system.networks["d"]
    with tf.GradientTape() as tape:
        fake = g(flat(fixture["it0/z_g"]))
    _, image_gradient = d.generator_losses(fake)
    if "it0/fake_g" in fixture:
        close(fake, fixture["it0/fake_g"], 1e-5, "fake_g")
    if "it0/GzGrad" in fixture:
        # the original adds up the gradients of losses that are already divided by the number of
        # discriminators
        gradient_close(image_gradient, fixture["it0/GzGrad"], name="GzGrad")
    named = g.named()
    for name, gradient in zip(named, tape.gradient(fake, list(named.values()), image_gradient)):
        gradient_close(gradient, fixture[f"it0/grad/G/{name}"], name=name)


@each("rpgan", "train_*.npz")
def test_chunks_give_the_same_iteration(path, tmp_path):
    fixture = load(path)
    if "filts/nfilt" not in fixture:
        pytest.skip("the baseline has one discriminator")
    results = []
    for chunk in chunks(int(fixture["filts/nfilt"])):
        run = Replay(fixture, RPGAN, tmp_path, chunk=chunk)
        run.load("init/")
        run.step(0, "it0/")
        results.append({**dict(run.system.networks["g"].arrays()), **dict(run.system.networks["d"].arrays())})
    for other in results[1:]:
        for name, value in results[0].items():
            close(other[name], value, 5e-6, name)


# -- checkpoints and files -----------------------------------------------------------------------------------
def test_cleaning_rule(tmp_path):
    for path in files("rpgan", "ckpt_clean.json"):
        for number, case in enumerate(json.loads(path.read_text())):
            store = checkpoints.Checkpoints(tmp_path / str(number))
            store.folder.mkdir()
            for n in case["iters"]:
                for kind in ("g", "d", "bg"):
                    store.path(kind, n).write_bytes(b"x")
            assert (store.newest("g") or 0) == case["iter_before"]
            every = case["every"]
            for n in checkpoints.superseded(store.numbers("g"), lambda n, every=every: every != 0
                                            and n % every == 0,
                                            case["last"]):
                store.path("g", n).unlink()
            assert sorted(p.name for p in store.folder.iterdir()) == sorted(case["left"]), case


def recorded_experiments():
    return [(path, name) for path in files("rpgan", "param_shapes.json")
            for name in json.loads(path.read_text())]


@pytest.mark.parametrize("path,name", recorded_experiments())
def test_parameters_shapes_and_initial_bounds(path, name):
    recorded = json.loads(path.read_text())[name]
    if name in experiment.names():
        params = experiment.load(name)
        assert {k: params.values[k] for k in recorded["params"]} == recorded["params"]
    p = recorded["params"]
    net = Generator(p["ksz"], p["zlen"], p["f1"], p["imsz"], frozen=True)
    assert {n: list(s) for n, s in net.shapes().items()} == {n: v["shape"] for n, v in recorded["G"].items()}
    assert net.parameter_count() == recorded["G_params"]
    within_bounds(net, recorded["G"])
    one = filters.make(["8,2,1,1"], 0)["p0"][None] if "numd" in recorded else None
    d = Discriminators(p["imsz"], p["df"], None if one is None else [Filters(one, 2)])
    expected = recorded.get("D_one_of_numd", recorded.get("D"))
    assert {n: list(s) for n, s in d.shapes().items()} == {n: v["shape"] for n, v in expected.items()}
    within_bounds(d, expected)
    if "numd" in recorded:
        assert recorded["D_total_arrays"] == len(expected) * recorded["numd"]


def within_bounds(net, recorded):
    for name, value in net.arrays():
        bound = recorded[name].get("bound", 0.0)
        assert 0.9 * bound <= np.abs(value).max() <= bound, name


# -- an experiment in the original's own files ---------------------------------------------------------------
@pytest.fixture(scope="module")
def tiny():
    where = folder("rpgan") / "files"
    if not (where / "tiny.json").is_file():
        pytest.skip(f"{where} has no experiment")
    about = json.loads((where / "tiny.json").read_text())
    params = experiment.load(str(where / "exp_tiny.py"), {"wts_dir": str(where / about["params"]["wts_dir"])})
    return where, params, load(where / "expected.npz")


def test_samples_of_the_originals_weights(tiny):
    from tfgan_suite.training import runs

    where, params, expected = tiny
    for key in [k for k in expected if k.endswith("/grid_row0")]:
        words = key.split("/")[0].replace("sample_seed", "").split("_iter")
        system, _ = runs.open_sampler(params, words[1] if len(words) > 1 else None)
        seed, (rows, cols) = int(words[0]), system.grid
        z = system.latents(rows * cols, seed)
        sheet = system.generate(z)
        grid = sheets.grid(system.to_uint8(sheet), rows, cols)
        same_bytes(grid[:params.imsz], expected[key])
        at = key.rsplit("/", 1)[0]
        if f"{at}/z" in expected:
            np.testing.assert_array_equal(z, expected[f"{at}/z"].reshape(z.shape))
            close(sheet[:8], expected[f"{at}/float_first8"], 1e-5, "images")


def same_bytes(found, expected):
    found, expected = found.astype(int).reshape(-1), np.asarray(expected).astype(int).reshape(-1)
    assert found.shape == expected.shape
    different = found != expected
    assert np.abs(found - expected).max() <= 1 and different.mean() <= 1e-3


def test_population_statistics_of_the_originals_weights(tiny):
    from tfgan_suite.training import runs

    _, params, expected = tiny
    system, number = runs.open_sampler(params)
    store = checkpoints.Checkpoints(params.wts_dir)
    recorded = archive.Archive(store.path("bg", number))
    z = expected["fixbn_z"].reshape(len(expected["fixbn_z"]), -1)
    found = {**dict(system.networks["g"].arrays()), **system.networks["g"].population(z)}
    assert sorted(found) == sorted(recorded)
    for name, value in found.items():
        np.testing.assert_allclose(value, recorded[name], rtol=2e-5, atol=1e-6, err_msg=name)


def test_interpolations_of_the_originals_weights(tiny):
    from tfgan_suite.pictures import walks
    from tfgan_suite.training import runs

    _, params, expected = tiny
    for key in [k for k in expected if k.startswith("interp_") and k.endswith("/args")]:
        at = key.rsplit("/", 1)[0]
        head, *words = map(str, expected[key])
        name_seed = head.split(",")
        seed = int(name_seed[1]) if len(name_seed) > 1 else 0
        system, _ = runs.open_interpolator(params, name_seed[2] if len(name_seed) > 2 else None)
        pairs = [tuple(map(int, w.split(","))) for w in words]
        table = system.latents(system.grid[0] * system.grid[1], seed)
        first = walks.linear(table[pairs[0][0] - 1], table[pairs[0][1] - 1], 11)
        close(system.generate(first), expected[f"{at}/float_row0"], 1e-5, "first row")
        strips = walks.strips(system, pairs, seed, 11)
        sheet = sheets.grid(strips.reshape(-1, *strips.shape[2:]), len(pairs), 11)
        png = folder("rpgan") / "files" / f"{at}.png"
        if png.is_file():
            from PIL import Image

            same_bytes(sheet, np.asarray(Image.open(png)))
