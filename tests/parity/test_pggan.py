"""PGGAN's layers, networks, losses, optimiser and trajectories against numbers recorded from
alenmora/ppgan."""
import json
import re

import numpy as np
import tensorflow as tf
from golden_files import close, each, load, under
from pggan_support import (
    either_side,
    fraction,
    from_torch,
    known,
    make_params,
    nchw,
    networks_of,
    nhwc,
    to_torch,
)

from tfgan_suite import optimizers, penalties
from tfgan_suite.layers import activations, norms, resample
from tfgan_suite.pggan import losses
from tfgan_suite.pggan.networks import SQRT2, Equal, channels
from tfgan_suite.pggan.system import PGGAN

PLAIN = {"pixelnorm": norms.pixel_norm, "lrelu": activations.lrelu, "up_bilinear": resample.bilinear,
         "up_nearest": resample.nearest, "avgpool": resample.mean_pool}


def near(expected):
    """2e-5, as the fixtures' README says; of large outputs float32 keeps no more than a share."""
    return max(2e-5, 4e-6 * float(np.abs(expected).max()))


def make_layer(name, case, weights):
    """(function, layer or None) of a case of layers.npz; sizes and options from its arrays, the kind from its
    name."""
    kernel = weights.get("conv.weight", weights.get("linear.weight"))
    if name.startswith("conv"):
        x, y, inputs = case["x"].shape, case["y"].shape, np.prod(kernel.shape[1:])
        gain = min((1.0, SQRT2), key=lambda g: abs(g / np.sqrt(inputs) - float(case["wtScale"])))
        layer = Equal(0).conv("x", kernel.shape[1], kernel.shape[0], kernel.shape[2], gain,
                              "SAME" if x[2:] == y[2:] else "VALID")
        return layer, layer
    if name.startswith("linear"):
        layer = Equal(0).dense("x", kernel.shape[1], kernel.shape[0])
        return layer, layer
    group = re.match(r"mbstd_g(\d+)", name)
    if group:
        return lambda h: norms.minibatch_stddev(h, int(group[1])), None
    return next(function for kind, function in PLAIN.items() if name.startswith(kind)), None


@each("pggan", "layers*.npz")
def test_layers(path):
    """Outputs and gradients of every single layer."""
    arrays = load(path)
    for name in sorted({key.split("/")[0] for key in arrays if key.endswith("/y")}):
        case, weights = under(arrays, f"{name}/"), under(arrays, f"{name}/w/")
        function, layer = make_layer(name, case, weights)
        variables = {v.name.split(":")[0][len("net.x."):]: v for v in layer.variables} if layer else {}
        for key, variable in variables.items():
            variable.assign(from_torch(weights[key]))
        x = tf.constant(nhwc(case["x"]))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
            total = tf.reduce_sum(y * nhwc(case["gy"]))
        gx, gw = tape.gradient(total, [x, list(variables.values())])
        close(nchw(y), case["y"], near(case["y"]), f"{name} output")
        close(nchw(gx), case["gx"], 1e-5 + 1e-3 * np.abs(case["gx"]).max(), f"{name} input gradient")
        for key, gradient in zip(variables, gw):
            expected = case[f"gw/{key}"]
            close(to_torch(gradient.numpy()), expected, 1e-5 + 1e-4 * np.abs(expected).max(), f"{name} {key}")
        if layer:
            assert abs(layer.weight.constant - float(case["wtScale"])) < 1e-7, name


@each("pggan", "layers*.npz")
def test_channels(path):
    """The table of channel counts."""
    for base, most, decay, stage, expected in load(path).get("fmap_table", ()):
        assert channels(int(stage), float(base), int(most), float(decay)) == int(expected)


def check_gradients(network, gradients, expected, rtol, atol, where):
    """Every parameter's gradient; one that is missing in the fixture is absent or zero."""
    for variable, gradient in zip(network.trainable_variables, gradients):
        name = variable.name.split(":")[0]
        value = np.zeros(variable.shape) if gradient is None else tf.convert_to_tensor(gradient).numpy()
        wanted = expected.get(name, np.zeros(to_torch(value).shape))
        close(to_torch(value), wanted, atol + rtol * np.abs(wanted).max(), f"{where} {name}")


def forward_cases(arrays, prefix=""):
    """(key, level, alpha) of the recorded calls."""
    for key in arrays:
        found = re.fullmatch(re.escape(prefix) + r"L(\d+)_a([\d.]+)/y", key)
        if found:
            yield key[:-1], int(found[1]), float(found[2])


@each("pggan", "gen_forward*.npz")
def test_generator(path):
    """Images and gradients of the generator at every level and fade weight."""
    arrays = load(path)
    generator, _ = networks_of(known(json.loads(str(arrays["cfg"]))))
    generator.assign(under(arrays, "gen/"))
    z = tf.constant(arrays["z"])

    def check(key, level, alpha):
        with tf.GradientTape() as tape:
            tape.watch(z)
            y = generator.at(level, fraction(alpha))(z)
            total = tf.reduce_sum(y * nhwc(arrays.get(f"{key}gy", np.zeros(nchw(y).shape, np.float32))))
        close(nchw(y), arrays[f"{key}y"], near(arrays[f"{key}y"]), key)
        if f"{key}gy" in arrays:
            gz, gw = tape.gradient(total, [z, generator.trainable_variables])
            close(gz, arrays[f"{key}gz"], 1e-5 + 1e-3 * np.abs(arrays[f"{key}gz"]).max(), f"{key} gz")
            if under(arrays, f"{key}gw/"):
                check_gradients(generator, gw, under(arrays, f"{key}gw/"), 1e-3, 1e-5, key)

    for case in forward_cases(arrays):
        either_side(lambda case=case: check(*case))
    if "default_call/y" in arrays:
        close(nchw(generator(z)), arrays["default_call/y"], near(arrays["default_call/y"]), "default call")


@each("pggan", "critic_forward*.npz")
def test_critic(path):
    """Scores, gradients, and the gradient that the penalties use, at every level and fade weight."""
    arrays = load(path)
    _, critic = networks_of(known(json.loads(str(arrays["cfg"]))))
    critic.assign(under(arrays, "crit/"))

    def check(key, level, alpha):
        x = tf.constant(nhwc(arrays[f"L{level}/x"]))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = critic.at(level, fraction(alpha))(x)
            plain, total = tf.reduce_sum(y), tf.reduce_sum(y * np.ravel(arrays.get(f"{key}gy", 0.0)))
        close(y, np.ravel(arrays[f"{key}y"]), near(arrays[f"{key}y"]), key)
        if f"{key}gp_grads" in arrays:
            gradient, expected = nchw(tape.gradient(plain, x)).reshape(len(x), -1), arrays[f"{key}gp_grads"]
            close(gradient, expected, 1e-5 + 1e-3 * np.abs(expected).max(), f"{key} gp")
            view = penalties.View(critic.at(level, fraction(alpha)), x)
            found, wanted = penalties.norms_of(view.squares), np.linalg.norm(expected, axis=1)
            close(found, wanted, 1e-4 * max(1.0, wanted.max()), f"{key} norms")
        if f"{key}gx" in arrays:
            gx, gw = tape.gradient(total, [x, critic.trainable_variables])
            close(nchw(gx), arrays[f"{key}gx"], 1e-5 + 1e-3 * np.abs(arrays[f"{key}gx"]).max(), f"{key} gx")
            if under(arrays, f"{key}gw/"):
                check_gradients(critic, gw, under(arrays, f"{key}gw/"), 1e-3, 1e-5, key)

    for case in forward_cases(arrays):
        either_side(lambda case=case: check(*case))


@each("pggan", "critic_forward*.npz")
def test_critic_groups(path):
    """Other group sizes of the minibatch standard deviation; without it the modules are numbered
    differently."""
    arrays = load(path)
    flags = known(json.loads(str(arrays["cfg"])))
    for group in sorted({int(m[1]) for m in (re.match(r"crit_group(\d+)/", key) for key in arrays) if m}):
        _, critic = networks_of({**flags, "stdDevGroup": group})
        weights = under(arrays, f"crit_group{group}/")
        assert list(critic.shapes()) == list(weights)
        critic.assign(weights)
        for key, level, alpha in forward_cases(arrays, f"group{group}_"):
            y = critic.at(level, fraction(alpha))(nhwc(arrays[f"group{group}_L{level}/x"]))
            close(y, np.ravel(arrays[f"{key}y"]), near(arrays[f"{key}y"]), key)


def loss_cases(arrays):
    """(name, case, its arrays, parameters) of a file of losses; what a case does not say has the README's
    value."""
    meta = json.loads(str(arrays["meta"]))
    usual = {"fadeWt": 1.0, "kt": 0, "imShown": 0, "rel_tol_grad": 1e-3, "abs_tol_grad": 1e-5,
             "abs_tol_losses": 2e-5}
    for name, case in meta["cases"].items():
        yield name, {**usual, **case}, under(arrays,
                                             f"{name}/"), make_params(**known({**meta["A"],
                                                                               **case.get("flags", {})}))


def loss_networks(arrays):
    """Generator and critic of a file of losses, with its weights."""
    generator, critic = networks_of(known(json.loads(str(arrays["meta"]))["A"]))
    generator.assign(under(arrays, "gen/"))
    critic.assign(under(arrays, "crit/"))
    return generator, critic


def regularised(case, params):
    """Whether the extra terms are on; the original counts images."""
    return case["imShown"] % (params.lazyRegularization or 1) == 0


@each("pggan", "critic_losses*.npz")
def test_critic_losses(path):
    """The logged losses, the gradients and BEGAN's k of every critic loss and extra term."""
    arrays = load(path)
    generator, critic = loss_networks(arrays)

    def check(name, case, data, params):
        level, alpha = case["level"], fraction(case["fadeWt"])
        fake = tf.stop_gradient(generator.at(level, alpha)(data["z"]))
        weight = tf.constant(data["alpha"]) if "alpha" in data else None
        k = tf.constant(float(data.get("kt_before", case["kt"])))
        with tf.GradientTape() as tape:
            look = losses.looked_at(critic.at(level, alpha), tf.constant(nhwc(data["real"])), fake, weight)
            result = losses.critic_loss(params, look, k, regularised(case, params))
        gradients = tape.gradient(result.loss, critic.trainable_variables)
        close(result.logged, data["losses"], case["abs_tol_losses"], name)
        check_gradients(critic, gradients, under(data, "grad/"), case["rel_tol_grad"], case["abs_tol_grad"],
                        name)
        if "kt_after" in data:
            close(result.k, np.reshape(data["kt_after"], ()), 1e-5 + params.lambk * case["abs_tol_losses"],
                  f"{name} k")

    for case in loss_cases(arrays):
        either_side(lambda case=case: check(*case))


@each("pggan", "gen_losses*.npz")
def test_generator_losses(path):
    """Loss and gradients of the generator, with every form of the pull-away term."""
    arrays = load(path)
    generator, critic = loss_networks(arrays)

    def check(name, case, data, params):
        level, alpha, z = case["level"], fraction(case["fadeWt"]), tf.constant(data["z"])
        with tf.GradientTape() as tape:
            fake = generator.at(level, alpha)(z)
            loss = losses.generator_loss(params, critic.at(level, alpha), fake, z,
                                            regularised(case, params))
        gradients = tape.gradient(loss, generator.trainable_variables)
        close(loss, data["loss"], case["abs_tol_losses"], name)
        check_gradients(generator, gradients, under(data, "grad/"), case["rel_tol_grad"],
                        case["abs_tol_grad"], name)
        if "paterm" in data and params.paterm is not None:
            allowed = case["abs_tol_losses"] / min(1.0, params.lambg
                                                   or 1.0)  # the fixture's bound is on the weighted term
            close(penalties.pull_away(fake, z, params.paterm), data["paterm"], allowed, f"{name} term")

    for case in loss_cases(arrays):
        either_side(lambda case=case: check(*case))


@each("pggan", "adam*.npz")
def test_adam(path):
    """Adam counts the steps of each parameter from its first gradient."""
    arrays = load(path)
    for name, hyper in json.loads(str(arrays["meta"])).items():
        data = under(arrays, f"{name}/")
        numbers = sorted(int(key[1:-5]) for key in data if re.fullmatch(r"p\d+_init", key))
        variables = [tf.Variable(data[f"p{i}_init"], name=f"p{i}") for i in numbers]
        adam = optimizers.AdamTorch(hyper["lr"], *hyper["betas"], hyper.get("eps", 1e-8),
                                    hyper.get("weight_decay", 0.0))
        adam.build(variables)
        for step in sorted({int(key.split("_")[1]) for key in data if re.fullmatch(r"p\d+_\d+", key)}):
            gradients = [data.get(f"g{i}_{step}") for i in numbers]
            optimizers.apply(adam, [None if g is None else tf.constant(g) for g in gradients], variables)
            for i, variable in zip(numbers, variables):
                close(variable, data[f"p{i}_{step}"], 1e-6, f"{name} p{i} step {step}")


class Trajectory:
    """A recorded training run, and the system that follows it."""

    def __init__(self, path):
        self.arrays = load(path)
        self.meta = meta = json.loads(str(self.arrays["meta"]))
        self.moments, last = meta["iterations"], meta["A"].get("endRes", 64)
        table = ",".join(f"{r}:{b}" for r, b in meta["batch_table"].items() if int(r) <= last)
        self.system = PGGAN(make_params(**known(meta["A"]), batch_table=table, unroll_form="original",
                                        lazy_count="images"))
        for kind, key in (("g", "gen"), ("d", "crit")):
            self.system.networks[kind].assign(under(self.arrays, f"init/{key}/"))
        self.variables = [*(v for net in self.system.networks.values() for v in net.variables),
                          *self.system.state().values()]
        # Tensors whose gradient is zero but for rounding: Adam makes steps of the rate of it.
        self.noise = {tuple(name.split("/")[-2:]) for name in meta.get("noise_tensors", ())}
        # The README's 2e-5; no tighter than what rounding did to the recorded run itself.
        rounding = 0.0 if self.noise else meta.get("f32_vs_f64", {}).get("weight_max", 0.0)
        self.allowed, self.budget = max(2e-5, 4 * rounding), [40]

    def follow(self, i=0):
        """Iteration i and all after it."""
        if i == len(self.moments):
            self.check_weights("final", i - 1)
            self.check_state()
            return
        before = [v.numpy() for v in self.variables]

        def attempt():
            for variable, value in zip(self.variables, before):
                variable.assign(value)
            self.step(i)
            self.follow(i + 1)

        either_side(attempt, self.budget)

    def step(self, i):
        """One iteration with the recorded draws: rates, losses, k, weights."""
        system, data, now = self.system, under(self.arrays, f"it{i}/"), self.moments[i]
        steps = range(system.critic_steps)
        draws = {"z/g": data["g/z"], **{f"z/{j}": data[f"c{j}/z"] for j in steps},
                 **{f"weight/{j}": data[f"c{j}/alpha"] for j in steps if f"c{j}/alpha" in data}}
        batch = {"reals": tf.stack([nhwc(data[f"c{j}/real"]) for j in steps], 1)}
        scalars = system.update(tf.constant(i, tf.int64), batch,
                                {k: tf.constant(v) for k, v in draws.items()}, system.phase(i))
        for kind, key in (("d", "c_lr"), ("g", "g_lr")):
            close(system.optimizers[kind].learning_rate, now[key], 1e-7 * now[key], key)
        floor = 1e-3 if self.noise else 1e-4
        expected = dict(zip(losses.LOGGED, np.mean([data[f"c{j}/losses"] for j in steps], 0)),
                        genLoss=data["g/loss"])
        for name, value in expected.items():
            close(scalars[name], value, floor + 1e-3 * abs(value), f"iteration {i} {name}")
        if "kt_after" in data and "k" in scalars:
            close(scalars["k"], np.reshape(data["kt_after"], ()), 1e-5, f"iteration {i} k")
        self.check_weights(f"after_it{i}", i)
        for kind, key in (("g", "gen"), ("d", "crit")):
            for (name, value), norm in zip(system.networks[kind].arrays(), data.get(f"{key}_norms", ())):
                allowed = self.tolerance(key, name, i) * np.sqrt(value.size) + 1e-5 * norm
                close(np.linalg.norm(value), norm, allowed, f"iteration {i}, norm of {key} {name}")

    def tolerance(self, key, name, i):
        """Of one tensor after iteration i."""
        rate = max(self.moments[i]["c_lr"], self.moments[i]["g_lr"])
        return 2 * rate * (i + 1) * self.system.critic_steps if (key, name) in self.noise else self.allowed

    def check_weights(self, prefix, i):
        """All weights after the first iteration or at the end."""
        for kind, key in (("g", "gen"), ("d", "crit")):
            expected = under(self.arrays, f"{prefix}/{key}/")
            for name, value in self.system.networks[kind].arrays():
                if name in expected:
                    close(value, expected[name], self.tolerance(key, name, i), f"{prefix} {key} {name}")

    def check_state(self):
        """Adam's step counts and moments at the end."""
        for kind, name, key in (("g", "gen", "gOpt"), ("d", "crit", "cOpt")):
            if not under(self.arrays, f"final/{key}/"):
                continue
            for i, variable in enumerate(self.system.networks[kind].trainable_variables):
                saved, slot_of = under(self.arrays, f"final/{key}/{i}/"), self.system.optimizers[kind].slot
                assert float(slot_of("step", variable)) == float(saved.get("step", 0)), variable.name
                for slot in ("exp_avg", "exp_avg_sq"):
                    if slot in saved and (name, variable.name.split(":")[0]) not in self.noise:
                        value = to_torch(slot_of(slot, variable).numpy())
                        close(value, saved[slot], 2e-3 * np.abs(saved[slot]).max() + 1e-7,
                              f"{slot} of {variable.name}")


@each("pggan", "traj_*.npz")
def test_trajectory(path):
    """Whole training runs across changes of resolution: schedule, losses, k, weights and Adam's state."""
    run = Trajectory(path)
    assert run.system.iterations == len(run.moments)
    for i, now in enumerate(run.moments):
        moment = run.system.schedule.at(i)
        assert (moment.level, moment.resolution, moment.batch, moment.stage, moment.shown,
                moment.shown_here) == (
            now["level"], now["res"], now["batch"], now["stage"], now["imShown"], now["imShownInRes"])
        assert moment.alpha == now["fadeWt"]
    run.follow()
