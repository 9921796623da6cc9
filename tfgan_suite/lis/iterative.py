"""R-iterative: R finds the code of a generated image, G draws it again, and so on for some rounds."""
from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgan_suite import random
from tfgan_suite.lis import drawing, losses, networks
from tfgan_suite.lis.base import LisSystem, dropout_mask
from tfgan_suite.lis.record import ABSENT

BLOCK = 1024  # iterations whose decisions are drawn at once


class Iterative(LisSystem):
    """G, R and D (`r_iterative/main.py`). Only the last rounds of an iteration train; from which on is drawn."""

    recorded = ("d-real0", "d-fake0", "g0")
    sampling = ("g", "r")
    chain_border = 0

    def __init__(self, params, training=True):
        super().__init__(params, training)
        self.networks["g"] = networks.Generator(self.size, params.nfeature, params.code_size, self.make)
        self.networks["r"] = self.new_reverser()
        self._first: dict[int, np.ndarray] = {}
        self._shown: dict[int, int] = {0: 0}
        if training:
            self.networks["d"] = self.new_discriminator()
            self.prepare_training(("g", "r", "d"))

    @property
    def rounds(self) -> int:
        """Images per code: the first and one for each use of R."""
        return self.params.r_iterations + 1

    # -- which rounds train ------------------------------------------------------------------------------------------------
    @property
    def heaviest(self):
        """The first in which all rounds train."""
        return next((step for step in range(self.iterations) if self.phase(step) == 0), 0)

    def phase(self, step):
        """The first round of iteration `step` that trains; all later ones do too."""
        return int(self._first_rounds(step // BLOCK)[step % BLOCK])

    def _first_rounds(self, block: int) -> np.ndarray:
        if block not in self._first:
            u = random.generator(self.params.seed, "rounds", block).random((BLOCK, self.rounds))
            self._first[block] = first_round(u, self.params.always_train_all)
        return self._first[block]

    def images_shown(self, done):
        """Real images used: one batch for each round that trained."""
        block = done // BLOCK
        for b in range(max(self._shown) + 1, block + 1):
            self._shown[b] = self._shown[b - 1] + int(np.sum(self.rounds - self._first_rounds(b - 1)))
        inside = np.sum(self.rounds - self._first_rounds(block)[:done % BLOCK])
        return (self._shown[block] + int(inside)) * self.batch_size

    # -- data --------------------------------------------------------------------------------------------------------------
    def batch(self, step, source):
        """`images`, float32 [batch, trained rounds, h, w, 3] in [0, 1]; the first batch_size of the order for the first."""
        count = self.rounds - self.phase(step)
        images = source.batch(self.images_shown(step), count * self.batch_size)
        return {"images": images.reshape(count, self.batch_size, *images.shape[1:]).swapaxes(0, 1)}

    def batch_spec(self):
        """As `batch`."""
        shape = (self.batch_size, self.rounds - self.phase(0), *self.sizes.image, 3)
        return {"images": tf.TensorSpec(shape, tf.float32)}

    def losses(self):
        """d-real{k}, d-fake{k}, g{k} of round k, r{i} of round i + 1."""
        return (*(f"{name}{k}" for name in ("d-real", "d-fake", "g") for k in range(self.rounds)),
                *(f"r{i}" for i in range(self.rounds - 1)))

    # -- one iteration -----------------------------------------------------------------------------------------------------
    def draws(self, draw, phase):
        """The first noise, and R's masks of each round: `masks` [round - 1][level - 1]."""
        p, n = self.params, self.params.batch_size
        masks = [()] * p.r_iterations
        if p.spatial_dropout_r > 0:
            channels = [p.nfeature // 2 * 2 ** level for level in range(1, self.size.levels)]
            masks = [[dropout_mask(draw, f"mask/{r}/{i}", (n, 1, 1, c), p.spatial_dropout_r) for i, c in enumerate(channels)]
                     for r in range(p.r_iterations)]
        return {"noise": draw.normal("noise", (n, p.code_size)), "masks": masks}

    def update(self, step, batch, draws, phase):
        """All rounds, G before R before D in each (section 7.3 of the spec)."""
        values = dict.fromkeys(self.losses(), tf.constant(ABSENT))
        code, images, regularizers = draws["noise"], None, []
        for k in range(self.rounds):
            with tf.GradientTape() as tape_r:
                if k > 0:
                    code = self.networks["r"](tf.stop_gradient(images), training=True, dropout=draws["masks"][k - 1])
            if k < phase:
                images = self.networks["g"](code, training=True)
                continue
            images, values[f"g{k}"] = self._generator_step(tf.stop_gradient(code))
            if k > 0:
                values[f"r{k - 1}"] = self._reverser_step(tape_r, code, draws["noise"], self.params.lambda_r ** k)
            real = batch["images"][:, k - phase]
            values[f"d-real{k}"], values[f"d-fake{k}"], scalars = self._discriminator_step(step, real, tf.stop_gradient(images))
            regularizers.append(scalars)
        self.record.put(step, values)
        means = {name: tf.reduce_mean([found[name] for found in regularizers]) for name in regularizers[0]}
        return {**values, **means}  # of the regulariser: over the rounds that trained

    def _generator_step(self, code):
        with tf.GradientTape() as tape:
            images = self.networks["g"](code, training=True)
            loss = losses.adversarial(self.networks["d"](images, training=True), True, self.params.ls)
        self.learn("g", tape, loss)
        return images, loss

    def _reverser_step(self, tape_r, code, noise, strength):
        """R's step through the *updated* G; `tape_r` has recorded R's pass that gave `code`. Returns the plain distance."""
        with tf.GradientTape() as tape:
            tape.watch(code)
            output = self.networks["d"](self.networks["g"](code, training=True), training=True)
            distance = losses.mse(code, noise)
            loss = strength * distance + (1.0 - strength) * losses.adversarial(output, True, self.params.ls)
        self.learn("r", tape_r, code, upstream=tape.gradient(loss, code))
        return distance

    def _discriminator_step(self, step, real, fake):
        with tf.GradientTape() as tape:
            loss_real, loss_fake, loss, scalars = self.d_loss(step, real, fake)
        self.learn("d", tape, loss)
        return loss_real, loss_fake, scalars

    # -- what is reported --------------------------------------------------------------------------------------------------
    def console(self, step, scalars):
        """The original's line; d-real is the mean over the rounds that trained."""
        values = {name: float(scalars[name]) for name in self.losses()}
        reals = [values.pop(f"d-real{k}") for k in range(self.rounds)]
        trained = [v for v in reals if v != ABSENT]
        text = " ".join(f"{name}: {value:.4f}" for name, value in values.items())
        return [f"{step + 1} | d-real: {np.mean(trained):.4f} {text}"]

    def lines(self, values):
        """Points of the groups loss-d-mix, loss-g-mix and loss-r-mix."""
        found = {}
        reals = [values[f"d-real{k}"] for k in range(self.rounds) if values[f"d-real{k}"] != ABSENT]
        found["loss-d-mix/train-d-real"] = float(np.mean(reals))
        for name, value in values.items():
            if value != ABSENT and not name.startswith("d-real"):
                group = {"d": "loss-d-mix", "g": "loss-g-mix", "r": "loss-r-mix"}[name[0]]
                found[f"{group}/train-{name}"] = min(max(value, 0.0), 1.0) if name[0] == "r" else value
        return found

    def sheet(self, cells, cols):
        """torchvision's sheet."""
        return drawing.torch_sheet(cells, cols)

    def stages(self, codes):
        """Round 0, then G(R(...)) again and again."""
        images = [self.networks["g"](codes)]
        for _ in range(self.params.r_iterations):
            images.append(self.networks["g"](self.networks["r"](images[-1])))
        return images

    def decode(self, codes):
        """Round 0."""
        return self.networks["g"](codes)


def first_round(uniforms, train_all: bool = False) -> np.ndarray:
    """The first round that trains.

    Args:
        uniforms: [..., rounds]; round k (from 0) begins to train if its number is at most (k + 1) / rounds; the last
            always trains.
        train_all: all rounds train.

    Returns:
        ints [...].
    """
    uniforms = np.asarray(uniforms)
    rounds = uniforms.shape[-1]
    if train_all:
        return np.zeros(uniforms.shape[:-1], int)
    starts = uniforms <= (np.arange(rounds) + 1) / rounds
    starts[..., -1] = True
    return np.argmax(starts, axis=-1)
