"""The DCGAN port against numbers recorded from the original `carpedm20_DCGAN` program
(golden/jsreg_dcgan/README.md)."""
import re

import golden_files as golden
import numpy as np
import pytest
import tensorflow as tf
from jsreg_helpers import each_with, global_norm, parameters, weights

from tfgan_suite import penalties
from tfgan_suite.jsreg.dcgan.system import JSRegDCGAN

SYSTEM = "jsreg_dcgan"
TRAINING = each_with(SYSTEM, "in/images")
RATE = 2e-4
FORWARD, GRADIENT, TRAJECTORY, FINAL = 1e-5, 2e-5, 5e-5, 2e-5
BEFORE_NORM = re.compile(r".*/(g_h[0-3](_lin)?|d_h[1-3](_conv|_lin)?)/biases")
SCALARS = {"d_loss_unreg": "unreg_disc_loss", "d_loss_total": "disc_loss", "d_reg": "disc_regularizer",
           "mean_reg_D1": "D1_regularizer", "mean_reg_D2": "D2_regularizer",
           "mean_grad_D1_logits_norm": "grad_D1_logits_norm",
           "mean_grad_D2_logits_norm": "grad_D2_logits_norm",
           "mean_grad_D1_norm": "grad_D1_norm", "mean_grad_D2_norm": "grad_D2_norm"}


def sizes(arrays: dict, images: tuple, conditional: bool) -> dict:
    """Parameters that the shapes of the original's variables and images tell."""
    first, z = arrays["generator/g_h0_lin/weights"].shape, arrays["generator/g_h0_lin/weights"].shape[0]
    found = {"output_height": images[1], "output_width": images[2], "batch_size": images[0],
             "dataset": "lsun", "z_dim": z}
    if not conditional:
        return {**found, "df_dim": arrays["discriminator/d_h0_conv/biases"].size,
                "gf_dim": arrays["generator/g_h3/biases"].size}
    labels = arrays["discriminator/d_h0_conv/biases"].size - images[3]
    return {**found, "dataset": "mnist", "z_dim": z - labels, "gfc_dim": first[1],
            "gf_dim": arrays["generator/g_h2/biases"].size // 2,
            "dfc_dim": arrays["discriminator/d_h2_lin/biases"].size,
            "df_dim": arrays["discriminator/d_h1_conv/biases"].size - labels}


class Recorded:
    """One training fixture, and the system that its sizes and flags describe."""

    def __init__(self, path):
        self.arrays = golden.load(path)
        self.conditional = "in/y" in self.arrays
        self.rounds = len({k.split("/")[1] for k in self.arrays if k.startswith("traj/")})
        self.d_steps = len([k for k in self.arrays if re.fullmatch(r"traj/0/d\d+/images", k)])
        adam = any(key == "slots/beta1_power" or key.endswith("/Adam") for key in self.arrays)
        self.rms = not adam and ("rms" in path.stem or golden.under(self.arrays, "slots/") != {})
        self.gammas = [float(self.arrays[f"traj/{t}/gamma"]) for t in range(self.rounds)]
        shape, first = self.arrays["in/images"].shape, golden.under(self.arrays, "init/")
        self.system = JSRegDCGAN(parameters(
            SYSTEM, **sizes(first, shape, self.conditional), bn_mode=self.batch_norm(path.stem),
            rmsprop=self.rms,
            unreg="train/d_reg" not in self.arrays, disc_update_steps=max(self.d_steps, 1)))
        self.load("init/")

    def batch_norm(self, name: str) -> str:
        """The name says it, or else the first variance of G's first layer, which is biased or not."""
        for mode in ("tf13", "fused"):
            if mode in name:
                return mode
        layer, z = "generator/g_h0_lin/", self.arrays["traj/0/d0/z"]
        z = np.concatenate([z, self.arrays["traj/0/d0/y"]], 1) if self.conditional else z
        h = z @ self.arrays[f"init/{layer}weights"] + self.arrays[f"init/{layer}biases"]
        h = h.reshape(-1, self.arrays["init/generator/g_bn0/beta"].size)
        moved = self.arrays["traj/0/after_first_d_step/generator/g_bn0/moving_variance"]
        first = 0.9 * self.arrays["init/generator/g_bn0/moving_variance"]
        off = {mode: np.abs(first + 0.1 * h.var(0, ddof=ddof) - moved).max() for mode,
               ddof in (("tf13", 0), ("fused", 1))}
        return min(off, key=off.get)

    def load(self, prefix, kinds=("g", "d")):
        scopes = {"g": "generator/", "d": "discriminator/"}
        for kind in kinds:
            arrays = golden.under(self.arrays, prefix + scopes[kind])
            network = self.system.networks[kind]
            assert {scopes[kind] + name for name in arrays} == set(network.shapes())
            network.assign({scopes[kind] + name: value for name, value in arrays.items()})

    def variables(self):
        return {name: v for network in self.system.networks.values() for name, v in network.named().items()}

    def snapshot(self):
        return {name: v.numpy() for name, v in self.variables().items()}

    def restore(self, values):
        for name, v in self.variables().items():
            v.assign(values[name])

    def tensor(self, name):
        return tf.constant(self.arrays[name], tf.float32) if name in self.arrays else None

    def moments_close(self, prefix, atol):
        named = self.variables()
        for name, value in golden.under(self.arrays, prefix).items():
            golden.close(named[name].numpy(), value, atol * max(1.0, np.abs(value).max()), prefix + name)


def gradients(loss, network):
    """Name -> gradient of `loss()` with respect to the trainable variables."""
    with tf.GradientTape() as tape:
        value = loss()
    found = tape.gradient(value, network.trainable_variables, unconnected_gradients="zero")
    return {v.name.split(":")[0]: g.numpy() for v, g in zip(network.trainable_variables, found)}


def static_values(recorded, training) -> dict:
    """Name in the fixture -> what the port gives for it at the present weights."""
    system = recorded.system
    z, y, real = recorded.tensor("in/z"), recorded.tensor("in/y"), recorded.tensor("in/images")

    def discriminator(x):
        return system.networks["d"](x, y, training=training)

    fake = system.networks["g"](z, y, training=training)
    look = penalties.Look(real, fake, discriminator)
    real_logits, fake_logits = (tf.reshape(view.logits, [-1, 1]) for view in (look.real, look.fake))
    losses = {**system.d_losses(real, fake, y, weights(system.params, recorded.arrays["in/gamma"]), training),
              **penalties.js_probability_norms(discriminator, real, fake)}
    found = {"G": fake, "D1_logits": real_logits, "D2_logits": fake_logits, "D1": tf.sigmoid(real_logits),
             "D2": tf.sigmoid(fake_logits), "g_loss": system.g_loss(z, y, training),
             "grad_D1_logits_wrt_images": look.real.gradient, "grad_D2_logits_wrt_G": look.fake.gradient,
             **{name: losses[ours] for name, ours in SCALARS.items() if ours in losses}}
    return {name: np.asarray(value) for name, value in found.items()}


def rounding_spreads(recorded, compute) -> dict:
    """How far each array of `compute()` moves when all weights move by their own rounding error (2^-24).
    Where a batch norm divides by a small deviation that is more than a fixed share of the value, for the
    recorded numbers as for ours."""
    random, before, values = np.random.RandomState(0), recorded.snapshot(), []
    for _ in range(6):
        for name, v in recorded.variables().items():
            v.assign(before[name] * (1.0 + 2.0**-24 * random.choice([-1.0, 1.0], v.shape)).astype(np.float32))
        values.append(compute())
    recorded.restore(before)
    return {name: float(np.ptp([value[name] for value in values], axis=0).max()) for name in values[0]}


def all_close(recorded, compute, expected: dict, allowed: dict) -> None:
    """Each array of `compute()` within what is allowed for it, or else within twice what rounding alone does
    to it more."""
    found, spreads = compute(), None
    for name, value in expected.items():
        atol = allowed[name]
        if np.abs(found[name].astype(np.float64) - value).max() > atol:
            spreads = spreads or rounding_spreads(recorded, compute)
            atol += 2 * spreads[name]
        golden.close(found[name], value, atol, name)


@TRAINING
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_forward_and_losses(path, mode):
    recorded = Recorded(path)
    recorded_values, expected, allowed = golden.under(recorded.arrays, f"{mode}/"), {}, {}
    for name in static_values(recorded, mode == "train"):
        if name in recorded_values:
            expected[name] = value = recorded_values[name]
            atol = GRADIENT * np.linalg.norm(value) if "grad" in name else FORWARD * np.abs(value).max()
            allowed[name] = 2 * atol if "reg" in name or "mean_grad" in name else atol
    assert len(expected) >= 7 or not recorded_values
    all_close(recorded, lambda: static_values(recorded, mode == "train"), expected, allowed)


@TRAINING
def test_gradients(path):
    recorded = Recorded(path)
    system = recorded.system
    z, y, real = recorded.tensor("in/z"), recorded.tensor("in/y"), recorded.tensor("in/images")

    def d_loss(name):
        fake = system.networks["g"](z, y, training=True)
        return system.d_losses(real, fake, y, weights(system.params, recorded.arrays["in/gamma"]))[name]

    losses = {"d_loss_unreg": ("d", lambda: d_loss("unreg_disc_loss")),
              "d_reg": ("d", lambda: d_loss("disc_regularizer")),
              "d_loss_total": ("d", lambda: d_loss("disc_loss")),
              "g_loss": ("g", lambda: system.g_loss(z, y))}
    for key, (kind, loss) in losses.items():
        expected, network = golden.under(recorded.arrays, f"train/grad_{key}/"), system.networks[kind]
        if expected:
            assert set(expected) == {v.name.split(":")[0] for v in network.trainable_variables}
            all_close(recorded, lambda loss=loss, network=network: gradients(loss, network), expected,
                      dict.fromkeys(expected, GRADIENT * global_norm(expected)))


@TRAINING
def test_trajectory(path):
    recorded = Recorded(path)
    system, a = recorded.system, recorded.arrays
    d_step, g_step, kinks = tf.function(system.d_step), tf.function(system.g_step), 0
    for t, gamma in enumerate(recorded.gammas):
        for k in range(recorded.d_steps):
            at = f"traj/{t}/d{k}/"
            inputs = [recorded.tensor(at + name) for name in ("images", "z", "y")]
            before = recorded.snapshot()
            scalars = d_step(*inputs, weights(system.params, gamma))
            kinks += d_losses_close(recorded, at, scalars, gamma, before)
            if (t, k) == (0, 0):
                recorded.moments_close("traj/0/after_first_d_step/", 1e-5)
        at = f"traj/{t}/g/"
        g_loss = a[at + "g_loss"]
        golden.close(g_step(recorded.tensor(at + "z"), recorded.tensor(at + "y")), g_loss,
                     TRAJECTORY * max(1.0, g_loss), at)
        if t == 0:
            recorded.moments_close("traj/0/after_first_g_step/", 1e-5 if recorded.rms else 5e-4)
    finals_close(recorded, kinks)
    if not kinks:
        slots_close(recorded)


def d_losses_close(recorded, at, scalars, gamma, before):
    """Compares the losses of a D step; says whether it landed on a kink of the regulariser (see
    `rounding_spread`)."""
    keys = {"d_loss_unreg": "unreg_disc_loss", "d_reg": "disc_regularizer", "d_loss": "disc_loss"}
    off = {
        name: abs(float(scalars[ours]) - float(recorded.arrays[at + name]))
        / max(1.0, float(recorded.arrays[at + name]))
        for name, ours in keys.items()
        if at + name in recorded.arrays
    }
    assert off["d_loss_unreg"] <= TRAJECTORY, at
    if max(off.values()) <= TRAJECTORY:
        return False
    spread = rounding_spread(recorded, at, gamma, before)
    assert off["d_reg"] <= TRAJECTORY + 2 * spread and off["d_loss"] <= TRAJECTORY + gamma * spread, (
        at,
        off,
        spread,
    )
    return True


def rounding_spread(recorded, at, gamma, before):
    """How far the regulariser moves when D's weights move by rounding errors. It jumps where a leaky ReLU's
    input crosses zero, and such a fixture cannot tell which side is right."""
    system, random, values, after = recorded.system, np.random.RandomState(0), [], recorded.snapshot()
    images, z, y = (recorded.tensor(at + name) for name in ("images", "z", "y"))
    for _ in range(8):
        recorded.restore(before)
        for v in system.networks["d"].trainable_variables:
            v.assign(v + 1e-6 * np.abs(v).max() * random.normal(size=v.shape))
        fake = system.networks["g"](z, y, training=True)
        values.append(float(system.d_losses(images, fake, y,
                                            weights(system.params, gamma))["disc_regularizer"]))
    recorded.restore(after)
    return max(values) - min(values)


def finals_close(recorded, kinks):
    """Where a step landed on a kink, Adam may have gone the other way since."""
    steps = recorded.rounds * recorded.d_steps
    named = recorded.variables()
    for name, expected in golden.under(recorded.arrays, "final/").items():
        if "moving" in name:
            atol = 1e-5 if recorded.rms else 5e-4
        elif BEFORE_NORM.fullmatch(name) and not recorded.rms:
            atol = 2 * RATE * steps
        else:
            atol = FINAL + 2 * RATE * kinks
        golden.close(named[name].numpy(), expected, atol, "final/" + name)


def slots_close(recorded):
    optimizers, slots = recorded.system.optimizers, golden.under(recorded.arrays, "slots/")
    for kind, network in recorded.system.networks.items():
        optimizer = optimizers[kind]
        assert optimizer.iterations.numpy() == slots.get(f"{kind}_iterations", optimizer.iterations.numpy())
        for i, v in enumerate(network.trainable_variables):
            name = v.name.split(":")[0]
            if BEFORE_NORM.fullmatch(name) and not recorded.rms:
                continue
            ours = {f"{name}/RMSProp": optimizer.slot("rms", v)} if recorded.rms else {
                f"{name}/Adam": optimizer._momentums[i], f"{name}/Adam_1": optimizer._velocities[i]}
            for key, slot in ours.items():
                if key in slots:
                    golden.close(slot.numpy(), slots[key], 1e-4 * max(1.0, float(np.abs(slots[key]).max())),
                                 key)


@TRAINING
def test_gamma_of_each_iteration(path):
    recorded = Recorded(path)
    gammas = recorded.gammas
    factor = gammas[-1] / gammas[0] if gammas and gammas[0] else 1.0
    params = parameters(SYSTEM, gamma=gammas[0] if gammas else 0.0, annealing=factor != 1.0,
                        decay_factor=factor)
    for t, expected in enumerate(gammas):
        assert float(penalties.js_gamma(params, tf.constant(t, tf.int64),
                                        len(gammas))) == pytest.approx(expected, rel=1e-6)


@each_with(SYSTEM, "final_eval/G")
def test_samples_of_the_final_weights(path):
    recorded = Recorded(path)
    recorded.load("final/")
    found = recorded.system.networks["g"](recorded.tensor("final_eval/z"), recorded.tensor("final_eval/y"),
                                          training=False)
    golden.close(found, recorded.arrays["final_eval/G"], FORWARD, "G")
