"""PGGAN's layers, networks, losses, optimiser and trajectories against numbers recorded from alenmora/ppgan."""
import json
import re

import numpy as np
import tensorflow as tf
from golden_files import close, each, load, under
from pggan_support import fraction, make_params, nchw, networks_of, nhwc

from tfgan_suite import optimizers, penalties
from tfgan_suite.layers import equalized
from tfgan_suite.pggan import objective
from tfgan_suite.pggan.networks import channels, from_torch, to_torch
from tfgan_suite.pggan.system import PGGAN


def make_layer(name, weights, x, y):
    """(function, layer or None) of a case of layers.npz; sizes and options from its name and arrays."""
    kernel = weights.get("conv.weight", weights.get("linear.weight"))
    if name.startswith("conv"):
        gain = 1.0 if "gain1" in name else equalized.SQRT2
        padding = "SAME" if x.shape == y.shape[:1] + x.shape[1:2] + y.shape[2:] else "VALID"
        layer = equalized.EqualizedConv("x", kernel.shape[1], kernel.shape[0], kernel.shape[2], gain, padding)
        return layer, layer
    if name.startswith("linear"):
        layer = equalized.EqualizedDense("x", kernel.shape[1], kernel.shape[0])
        return layer, layer
    group = re.match(r"mbstd_g(\d+)_n", name)
    if group:
        return lambda h: equalized.minibatch_stddev(h, int(group[1])), None
    plain = {"pixelnorm": equalized.pixel_norm, "pixelnorm_small": equalized.pixel_norm, "lrelu": equalized.lrelu,
             "up_bilinear": equalized.upsample_bilinear, "up_nearest": equalized.upsample_nearest,
             "avgpool": equalized.downsample}
    return plain[name], None


@each("pggan", "layers*.npz")
def test_layers(path):
    """Outputs and gradients of every single layer."""
    arrays = load(path)
    for name in sorted({key.split("/")[0] for key in arrays if key.endswith("/y")}):
        case, weights = under(arrays, f"{name}/"), under(arrays, f"{name}/w/")
        function, layer = make_layer(name, weights, case["x"], case["y"])
        variables = {v.name.split(":")[0][2:]: v for v in layer.variables} if layer else {}
        for key, variable in variables.items():
            variable.assign(from_torch(weights[key]))
        x = tf.constant(nhwc(case["x"]))
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
            total = tf.reduce_sum(y * nhwc(case["gy"]))
        gx, gw = tape.gradient(total, [x, list(variables.values())])
        close(nchw(y), case["y"], 2e-5, f"{name} output")
        close(nchw(gx), case["gx"], 1e-5 + 1e-3 * np.abs(case["gx"]).max(), f"{name} input gradient")
        for key, gradient in zip(variables, gw):
            expected = case[f"gw/{key}"]
            close(to_torch(gradient.numpy()), expected, 1e-5 + 1e-4 * np.abs(expected).max(), f"{name} {key}")
        if layer:
            assert abs(layer.scale - float(case["wtScale"])) < 1e-7, name


@each("pggan", "layers*.npz")
def test_channels(path):
    """The table of channel counts."""
    for base, most, decay, stage, expected in load(path)["fmap_table"]:
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
    generator, _ = networks_of(json.loads(str(arrays["cfg"])))
    generator.assign(under(arrays, "gen/"))
    z = tf.constant(arrays["z"])
    for key, level, alpha in forward_cases(arrays):
        with tf.GradientTape() as tape:
            tape.watch(z)
            y = generator(z, level, fraction(alpha))
            total = tf.reduce_sum(y * nhwc(arrays.get(f"{key}gy", np.zeros(nchw(y).shape, np.float32))))
        close(nchw(y), arrays[f"{key}y"], 2e-5, key)
        if f"{key}gy" in arrays:
            gz, gw = tape.gradient(total, [z, generator.trainable_variables])
            close(gz, arrays[f"{key}gz"], 1e-5 + 1e-3 * np.abs(arrays[f"{key}gz"]).max(), f"{key} gz")
            if any(name.startswith(f"{key}gw/") for name in arrays):
                check_gradients(generator, gw, under(arrays, f"{key}gw/"), 1e-3, 1e-5, key)
    close(nchw(generator(z)), arrays["default_call/y"], 2e-5, "default call")


@each("pggan", "critic_forward*.npz")
def test_critic(path):
    """Scores, gradients, and the gradient that the penalties use, at every level and fade weight."""
    arrays = load(path)
    _, critic = networks_of(json.loads(str(arrays["cfg"])))
    critic.assign(under(arrays, "crit/"))
    for key, level, alpha in forward_cases(arrays):
        x = tf.constant(nhwc(arrays[f"L{level}/x"]))
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = critic(x, level, fraction(alpha))
            plain, total = tf.reduce_sum(y), tf.reduce_sum(y * arrays.get(f"{key}gy", 0.0))
        close(y, arrays[f"{key}y"], 2e-5, key)
        if f"{key}gp_grads" in arrays:
            gradient = nchw(tape.gradient(plain, x)).reshape(len(x), -1)
            close(gradient, arrays[f"{key}gp_grads"], 1e-5 + 1e-3 * np.abs(gradient).max(), f"{key} gp")
            norms = penalties.input_gradient_norms(lambda v, a=alpha, lv=level: critic(v, lv, fraction(a)), x)
            close(norms, np.linalg.norm(arrays[f"{key}gp_grads"], axis=1), 1e-4, f"{key} norms")
        if f"{key}gx" in arrays:
            gx, gw = tape.gradient(total, [x, critic.trainable_variables])
            close(nchw(gx), arrays[f"{key}gx"], 1e-5 + 1e-3 * np.abs(arrays[f"{key}gx"]).max(), f"{key} gx")
            if any(name.startswith(f"{key}gw/") for name in arrays):
                check_gradients(critic, gw, under(arrays, f"{key}gw/"), 1e-3, 1e-5, key)


@each("pggan", "critic_forward*.npz")
def test_critic_groups(path):
    """Other group sizes of the minibatch standard deviation; without it the modules are numbered differently."""
    arrays = load(path)
    flags = json.loads(str(arrays["cfg"]))
    for group in sorted({int(m[1]) for m in (re.match(r"crit_group(\d+)/", key) for key in arrays) if m}):
        _, critic = networks_of({**flags, "stdDevGroup": group})
        weights = under(arrays, f"crit_group{group}/")
        assert list(critic.shapes()) == list(weights)
        critic.assign(weights)
        for key, level, alpha in forward_cases(arrays, f"group{group}_"):
            y = critic(nhwc(arrays[f"group{group}_L{level}/x"]), level, fraction(alpha))
            close(y, arrays[f"{key}y"], 2e-5, key)


def loss_cases(arrays):
    """(name, case, parameters) of a file of losses."""
    meta = json.loads(str(arrays["meta"]))
    for name, case in meta["cases"].items():
        yield name, case, make_params(**{**meta["A"], **case["flags"]})


@each("pggan", "critic_losses*.npz")
def test_critic_losses(path):
    """The logged losses, the gradients and BEGAN's k of every critic loss and extra term."""
    arrays = load(path)
    generator, critic = networks_of(json.loads(str(arrays["meta"]))["A"])
    generator.assign(under(arrays, "gen/"))
    critic.assign(under(arrays, "crit/"))
    for name, case, params in loss_cases(arrays):
        data, level, alpha = under(arrays, f"{name}/"), case["level"], fraction(case["fadeWt"])
        fake = tf.stop_gradient(generator(data["z"], level, alpha))
        weight = tf.constant(data["alpha"]) if "alpha" in data else None
        regularise = case["imShown"] % (params.lazyRegularization or 1) == 0
        with tf.GradientTape() as tape:
            result = objective.critic_loss(params, lambda x, lv=level, a=alpha: critic(x, lv, a), nhwc(data["real"]), fake,
                                           weight, tf.constant(float(case["kt"])), regularise)
        gradients = tape.gradient(result.loss, critic.trainable_variables)
        close(result.logged, data["losses"], case["abs_tol_losses"], name)
        check_gradients(critic, gradients, under(data, "grad/"), case["rel_tol_grad"], case["abs_tol_grad"], name)
        if "kt_after" in data:
            close(result.k, data["kt_after"], 1e-5, f"{name} k")


@each("pggan", "gen_losses*.npz")
def test_generator_losses(path):
    """Loss and gradients of the generator, with every form of the pull-away term."""
    arrays = load(path)
    generator, critic = networks_of(json.loads(str(arrays["meta"]))["A"])
    generator.assign(under(arrays, "gen/"))
    critic.assign(under(arrays, "crit/"))
    for name, case, params in loss_cases(arrays):
        data, level, alpha = under(arrays, f"{name}/"), case["level"], fraction(case["fadeWt"])
        z = tf.constant(data["z"])
        with tf.GradientTape() as tape:
            fake = generator(z, level, alpha)
            loss = objective.generator_loss(params, lambda x, lv=level, a=alpha: critic(x, lv, a), fake, z, True)
        gradients = tape.gradient(loss, generator.trainable_variables)
        close(loss, data["loss"], case["abs_tol_losses"], name)
        check_gradients(generator, gradients, under(data, "grad/"), case["rel_tol_grad"], case["abs_tol_grad"], name)
        if "paterm" in data and params.paterm is not None:
            allowed = case["abs_tol_losses"] / min(1.0, params.lambg)  # the fixture's bound is on the weighted term
            close(penalties.pull_away(fake, z, params.paterm), data["paterm"], allowed, f"{name} term")


@each("pggan", "adam*.npz")
def test_adam(path):
    """Adam counts the steps of each parameter from its first gradient."""
    arrays = load(path)
    for name, hyper in json.loads(str(arrays["meta"])).items():
        data = under(arrays, f"{name}/")
        variables = [tf.Variable(data[f"p{i}_init"], name=f"p{i}") for i in (0, 1)]
        adam = optimizers.AdamTorch(hyper["lr"], *hyper["betas"], weight_decay=hyper.get("weight_decay", 0.0))
        adam.build(variables)
        for step in range(1 + max(int(key.split("_")[1]) for key in data if re.fullmatch(r"p0_\d+", key))):
            gradients = [data.get(f"g{i}_{step}") for i in (0, 1)]
            optimizers.apply(adam, [None if g is None else tf.constant(g) for g in gradients], variables)
            for i in (0, 1):
                close(variables[i], data[f"p{i}_{step}"], 1e-6, f"{name} p{i} step {step}")


def check_state(system, arrays, skip):
    """Adam's step counts and moments at the end."""
    for kind, key in (("g", "gOpt"), ("d", "cOpt")):
        optimizer, variables = system.optimizers[kind], system.networks[kind].trainable_variables
        for i, variable in enumerate(variables):
            saved = under(arrays, f"final/{key}/{i}/")
            assert float(optimizer.slot("step", variable)) == float(saved.get("step", 0)), variable.name
            for slot in ("exp_avg", "exp_avg_sq"):
                if slot in saved and variable.name.split(":")[0] not in skip:
                    value = to_torch(optimizer.slot(slot, variable).numpy())
                    close(value, saved[slot], 2e-3 * np.abs(saved[slot]).max() + 1e-7, f"{slot} of {variable.name}")


def check_weights(system, arrays, prefix, loose):
    """All weights after the first iteration or at the end; `loose`: name -> tolerance of noise tensors."""
    for kind, key in (("g", "gen"), ("d", "crit")):
        expected = under(arrays, f"{prefix}/{key}/")
        for name, value in system.networks[kind].arrays():
            if name in expected:
                close(value, expected[name], loose.get(name, 2e-5), f"{prefix} {name}")


@each("pggan", "traj_*.npz")
def test_trajectory(path):
    """Whole training runs across changes of resolution: schedule, losses, k, weights and Adam's state."""
    arrays = load(path)
    meta = json.loads(str(arrays["meta"]))
    table = ",".join(f"{r}:{b}" for r, b in meta["batch_table"].items() if int(r) <= meta["A"]["endRes"])
    params = make_params(**meta["A"], batch_table=table, unroll_form="original", lazy_count="images")
    system = PGGAN(params)
    system.networks["g"].assign(under(arrays, "init/gen/"))
    system.networks["d"].assign(under(arrays, "init/crit/"))
    noise = {name.split("/")[-1] for name in meta["noise_tensors"]}
    assert system.iterations == len(meta["iterations"])
    for i, now in enumerate(meta["iterations"]):
        moment, data = system.schedule.at(i), under(arrays, f"it{i}/")
        assert (moment.level, moment.resolution, moment.batch, moment.stage, moment.shown, moment.shown_here) == (
            now["level"], now["res"], now["batch"], now["stage"], now["imShown"], now["imShownInRes"])
        assert moment.alpha == now["fadeWt"]
        steps = range(system.critic_steps)
        draws = {"z/g": data["g/z"], **{f"z/{j}": data[f"c{j}/z"] for j in steps},
                 **{f"weight/{j}": data[f"c{j}/alpha"] for j in steps if f"c{j}/alpha" in data}}
        batch = {"reals": tf.stack([nhwc(data[f"c{j}/real"]) for j in steps], 1)}
        scalars = system.update(tf.constant(i, tf.int64), batch, {k: tf.constant(v) for k, v in draws.items()}, system.phase(i))
        rates = [float(system.optimizers[kind].learning_rate) for kind in ("d", "g")]
        close(rates, [now["c_lr"], now["g_lr"]], 1e-9, "rates")
        floor = 1e-3 if noise else 1e-4
        expected = np.mean([data[f"c{j}/losses"] for j in steps], 0)
        for name, value in zip(objective.LOGGED, expected):
            close(scalars[name], value, floor + 1e-3 * abs(value), f"iteration {i} {name}")
        close(scalars["genLoss"], data["g/loss"], floor + 1e-3 * abs(data["g/loss"]), f"iteration {i} genLoss")
        if "kt_after" in data and "k" in scalars:
            close(scalars["k"], data["kt_after"], 1e-5, f"iteration {i} k")
        loose = dict.fromkeys(noise, 2 * max(rates) * (i + 1) * system.critic_steps)
        check_weights(system, arrays, f"after_it{i}", loose)
        for kind, key in (("g", "gen_norms"), ("d", "crit_norms")):
            for (name, value), norm in zip(system.networks[kind].arrays(), data[key]):
                close(np.linalg.norm(value), norm, loose.get(name, 2e-5) * np.sqrt(value.size) + 1e-5 * norm, f"norm of {name}")
    check_weights(system, arrays, "final", loose)
    check_state(system, arrays, noise)
