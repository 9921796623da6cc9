"""The three LIS programs' own training loops, replayed from recorded images, noise, masks and decisions."""
import re

import numpy as np
import tensorflow as tf
from golden_files import close, each, load, under
from lis_helpers import nhwc, numbered, parameters, to_file, without_gradient

from tfgan_suite.files import archive
from tfgan_suite.layers import learned_input
from tfgan_suite.lis import reports
from tfgan_suite.lis.system import SYSTEMS, first_round

NAMES = {"gen": "g", "dis": "d", "r": "r"}


def iterations(arrays):
    """The recorded iterations, each as a dictionary."""
    count = 0
    while any(name.startswith(f"it{count + 1}/") for name in arrays):
        count += 1
        yield count, under(arrays, f"it{count}/")


def set_initial(system, arrays):
    """The networks' first weights."""
    for theirs, ours in NAMES.items():
        if under(arrays, f"init/{theirs}/") and ours in system.networks:
            system.networks[ours].assign(under(arrays, f"init/{theirs}/"))


def noisy(system, ours="r"):
    """A bias that feeds a batch norm moves by the sign of rounding noise, lr a step. Batch norm removes that,
    unless dropout
    of channels lies between the two: then R's numbers are not reproducible to the last digits after its first
        step."""
    p = system.params
    return ours == "r" and "r" in system.optimizers and p.norm == "batch" and p.spatial_dropout_r > 0


def reached(system, ours):
    """In R-iterative R's noise reaches the other networks through its codes: their numbers hold three digits,
    not four.
    """
    return ours != "r" and "g" in system.optimizers and noisy(system)


def dead_biases(arrays, theirs):
    """Names without a true gradient (a bias before a batch norm)."""
    return without_gradient(under(arrays, f"init/{theirs}/"))


class Steps:
    """Wraps `system.descend` to see the gradients of each optimiser step, in the order of steps of each
    network.
    """

    def __init__(self, system, arrays, lr):
        self.system, self.arrays, self.lr, self.counts = system, arrays, lr, {}
        self.theirs = {ours: theirs for theirs, ours in NAMES.items()}
        self.descend, system.descend = system.descend, self

    def __call__(self, name, tape, loss, upstream=None):
        theirs = self.theirs[name]
        k = self.counts[name] = self.counts.get(name, 0) + 1
        network, dead = self.system.networks[name], dead_biases(self.arrays, self.theirs[name])
        seen = {}
        original = self.system.optimizers[name].apply_gradients

        def spy(pairs):
            seen.update({v.name.split(":")[0]: g for g, v in pairs})
            return original(pairs)

        self.system.optimizers[name].apply_gradients = spy
        self.descend(name, tape, loss, upstream)
        self.system.optimizers[name].apply_gradients = original
        for key, expected in under(self.arrays, f"grad/{theirs}/{k}/").items():
            if key not in dead:
                actual = to_file(np.asarray(seen[key]))
                allowed = (1e-2 if noisy(self.system, name) and k > 1
                           else 1e-4) * np.abs(expected).max() + 1e-6
                close(actual.reshape(expected.shape), expected, allowed, f"{theirs} {k} {key}")
        keys = [n for n in under(self.arrays, f"init/{theirs}/") if "running_" not in n]
        if f"gradnorm/{theirs}/{k}" in self.arrays:
            norms, weights = self.arrays[f"gradnorm/{theirs}/{k}"], self.arrays[f"weightnorm/{theirs}/{k}"]
            named = network.named()
            for i, key in enumerate(keys):
                if key not in dead:
                    actual = float(np.linalg.norm(np.asarray(seen[key], np.float64)))
                    share = 1e-2 if reached(self.system, name) else 2e-3
                    share = 5e-2 if noisy(self.system, name) else share
                    allowed = share * norms[i] + 1e-5
                    assert abs(actual - norms[i]) <= allowed, f"{theirs} {k} {key}: {actual} {norms[i]}"
                    assert abs(float(tf.norm(named[key]))
                               - weights[i]) <= 1e-4 * weights[i] + self.lr * k, (theirs, k, key)


def check_final(system, arrays, lr):
    """Weights, running statistics and mean squares after the last iteration."""
    for theirs, ours in NAMES.items():
        final = under(arrays, f"final/{theirs}/")
        if not final or ours not in system.networks:
            continue
        dead, values = dead_biases(arrays, theirs), dict(system.networks[ours].arrays())
        for key, expected in final.items():
            moved = key.endswith("running_mean") or noisy(system, ours)  # by the dead biases
            if key not in dead:
                steady = (0.25 if reached(system, ours) else 0.05) * lr + 1e-6
                close(values[key], expected, 3.2 * lr if moved else steady, f"final {theirs} {key}")
        slots = system.square_averages(ours)
        for key, expected in under(arrays, f"final/{theirs}_opt/").items():
            if key not in dead and key in slots and not noisy(system, ours):
                actual = to_file(slots[key].numpy()).reshape(expected.shape)
                rtol = 2e-2 if reached(system, ours) else 2e-3
                np.testing.assert_allclose(actual, expected, rtol=rtol,
                                           atol=1e-3 * np.abs(expected).max() + 1e-12,
                                           err_msg=f"{theirs} {key}")


def check_record(system, it, done):
    """The newest row of `loss_record`, as `log/loss_N` gets it."""
    interval = system.params.test_interval
    table = reports.training_loss(system.record, done, interval, system.recorded)
    close(table[(done - 1) % interval], it["loss_record"], 1e-3 if noisy(system) else 1e-5,
          f"loss_record {done}")


def check_reconstruction(system, arrays):
    """The script's reconstruction test after the last iteration."""
    if "recon/target" not in arrays:
        return
    codes, _, loss = reports.search(system)(nhwc(arrays["recon/target"]))
    batch = system.params.norm == "batch"  # its running means hold the dead biases' rounding noise
    close(codes, arrays["recon/best_code"], 1e-2 if batch else 1e-4, "codes")
    close(loss, arrays["recon/loss"], 1e-4 if batch else 1e-5, "reconstruction loss")


def check_losses(system, scalars, it, names):
    """`loss_values_*` of an iteration. `names`: fixture's name -> our names of its entries."""
    for name, ours in names.items():
        for value, label in zip(it[f"loss_values_{name}"], ours):
            close(float(scalars[label]), value, 1e-3 if noisy(system) else 1e-5, label)


def executed_from_uniforms(uniforms, modules, always):
    """How many modules the two passes of an iteration executed, from the draws in their order."""
    counts, place = [], 0
    chances = learned_input.stop_chances(modules, True, "all" if always else None)
    for _ in range(2):
        count = 0
        while count < modules:
            place += 1
            if uniforms[place - 1] < chances[count]:
                break
            count += 1
        counts.append(count)
    return counts


@each("lis", "traj_glis*.npz")
def test_glis(path):
    arrays = load(path)
    system = SYSTEMS["glis"](parameters("glis", str(arrays["args"]), load_path=None))
    p = system.params
    set_initial(system, arrays)
    Steps(system, arrays, p.lr)
    done = 0
    for done, it in iterations(arrays):
        d_fake, g = it["loss_values_d_fake"], it["loss_values_g"]
        counts = [int(np.argmax(d_fake != -1)), int(np.argmax(g != -1))]
        assert counts == executed_from_uniforms(it.get("uniforms", ()), p.r_iterations, p.always_train_all)
        draws = {"noise_d": tf.constant(it["noise0"]), "noise_g": tf.constant(it["noise1"]),
                 "executed_d": tf.constant(counts[0]), "executed_g": tf.constant(counts[1])}
        masks = {f"mask{i}": name for i, name in enumerate(("mask_real", "mask_fake", "mask_g"))}
        draws.update({name: tf.constant(nhwc(it[mask])) for mask, name in masks.items() if mask in it})
        scalars = system.update(tf.constant(done - 1, tf.int64), {"images": tf.constant(nhwc(it["real"]))},
                                draws, None)
        n = p.r_iterations
        check_losses(system, scalars, it, {"d_real": ["d-real"],
                                           "d_fake": [f"d-fake{k}" for k in range(n + 1)],
                                   "g": [f"g{k}" for k in range(n + 1)], "r": [f"r{k}" for k in range(n)]})
        check_console(system, done, scalars, arrays["console"])
        check_record(system, it, done)
    check_final(system, arrays, p.lr * max(done, 1))
    check_reconstruction(system, arrays)


def check_console(system, done, scalars, console):
    """The same text, numbers to the last digit or one off in it."""
    actual = system.console(done - 1, scalars)[0]
    expected = next(line for line in map(str, console) if line.startswith(f"{done} |"))
    pattern = r"-?\d+(?:\.\d+)?(?:e-?\d+)?(?= |$)"
    assert re.sub(pattern, "#", actual) == re.sub(pattern, "#", expected)
    for a, b in zip(re.findall(pattern, actual), re.findall(pattern, expected)):
        assert abs(float(a) - float(b)) < (1.1e-3 if noisy(system) else 1.5e-4), (actual, expected)


@each("lis", "traj_riter*.npz")
def test_iterative(path):
    arrays = load(path)
    system = SYSTEMS["lis_iterative"](parameters("lis_iterative", str(arrays["args"]), load_path=None))
    p = system.params
    set_initial(system, arrays)
    Steps(system, arrays, p.lr)
    done = 0
    for done, it in iterations(arrays):
        first = int(np.argmax(it["loss_values_g"] != -1))
        uniforms = it.get("uniforms", np.zeros(0))
        if len(uniforms) == system.rounds:
            assert first == int(first_round(uniforms, p.always_train_all))
        real = nhwc(it["real"]).reshape(system.rounds - first, p.batch_size, *system.sizes.image,
                                        3).swapaxes(0, 1)
        levels = system.size.levels - 1
        masks = [{}] * p.r_iterations
        if p.spatial_dropout_r > 0:
            masks = [{f"level.{i + 1}": tf.constant(nhwc(it[f"mask{r * levels + i}"]))
                      for i in range(levels)}
                     for r in range(p.r_iterations)]
        draws = {"noise": tf.constant(it["noise0"]), "masks": masks}
        scalars = system.update(tf.constant(done - 1, tf.int64), {"images": tf.constant(real)}, draws,
                                first)
        n = p.r_iterations
        check_losses(system, scalars, it, {"d_real": [f"d-real{k}" for k in range(n + 1)],
                                           "g": [f"g{k}" for k in range(n + 1)],
                                   "d_fake": [f"d-fake{k}" for k in range(n + 1)],
                                           "r": [f"r{k}" for k in range(n)]})
        check_console(system, done, scalars, arrays["console"])
        check_record(system, it, done)
    check_final(system, arrays, p.lr * max(done, 1) * (p.r_iterations + 1))
    check_reconstruction(system, arrays)


@each("lis", "traj_rsep*.npz")
def test_separate(path, tmp_path):
    arrays = load(path)
    for theirs, ours in (("gen", "g"), ("dis", "d")):
        archive.write(tmp_path / f"iter_7.{ours}model.npz", under(arrays, f"init/{theirs}/").items())
    given = {"load_path": str(tmp_path), "net": "last", "load_path_r": None}
    system = SYSTEMS["lis_separate"](parameters("lis_separate", str(arrays["args"]), **given))
    p = system.params
    set_initial(system, arrays)
    Steps(system, arrays, p.lr)
    done = 0
    for done, it in iterations(arrays):
        masks = {f"level.{i + 1}": tf.constant(nhwc(mask)) for i, mask in enumerate(numbered(it, "mask"))}
        draws = {"noise": tf.constant(it["noise0"]), "masks": masks}
        scalars = system.update(tf.constant(done - 1, tf.int64), {}, draws, None)
        close([float(scalars[n]) for n in system.recorded], it["loss_record"], 1e-5, "losses")
        check_console(system, done, scalars, arrays["console"])
        check_record(system, it, done)
    check_final(system, arrays, p.lr * max(done, 1))


def test_first_round_always_ends_with_the_last():
    assert first_round(np.ones((3, 4))).tolist() == [3, 3, 3]
    assert first_round(np.array([[0.9, 0.4, 0.0], [0.3, 1.0, 1.0]])).tolist() == [1, 0]
    assert first_round(np.ones((2, 4)), train_all=True).tolist() == [0, 0]


