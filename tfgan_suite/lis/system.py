"""The three programs of aleju/gan-error-avoidance: G-LIS, R-iterative and R-separate (arXiv 1707.00768)."""
from __future__ import annotations

from functools import cached_property

import numpy as np
import tensorflow as tf

from tfgan_suite import random
from tfgan_suite.layers import learned_input
from tfgan_suite.lis import data, losses, networks, weights
from tfgan_suite.lis.base import LisSystem, dropout_mask, first_round
from tfgan_suite.lis.reports import ABSENT
from tfgan_suite.pictures import sheets

BLOCK = 1024  # iterations whose decisions are drawn at once


def mixed(values: dict) -> dict:
    """Points of the groups loss-d-mix, loss-g-mix and loss-r-mix, by the losses' first letters."""
    return {f"loss-{name[0]}-mix/train-{name}": value for name, value in values.items() if value != ABSENT}


# -- G-LIS -----------------------------------------------------------------------------------------------
class GLis(LisSystem):
    """D and G-LIS, one update of each in an iteration (g_lis/main.py).

    A GAN whose generator first moves its noise, with a similarity loss that keeps the noise near.
    """

    plot_interval = 2500  # hard-coded in the original
    recorded = ("d-real", "d-fake0", "g0")

    def __init__(self, params, training=True):
        super().__init__(params, training)
        self.networks["g"] = self.new_generator_lis()
        if training:
            self.networks["d"] = self.new_discriminator()
            self.prepare_training(("g", "d"))
            if params.load_path:
                self.start_from(params.load_path, params.load_tolerant)

    def source(self):
        """The split training images, mirrored and augmented."""
        p = self.params
        return data.open_images(p, p.flip, p.augment, (p.nb_cache_total, p.nb_cache_lists, p.cache_p_drop))

    def losses(self):
        """d-real, d-fake{k} and g{k} by the number k of executed modules, r{i} of each module."""
        n = self.params.r_iterations
        return ("d-real", *(f"d-fake{k}" for k in range(n + 1)), *(f"g{k}" for k in range(n + 1)),
                *(f"r{i}" for i in range(n)))

    def draws(self, draw, phase):
        """Two batches of noise, how many modules run in each, D's dropout masks of its three passes."""
        p, n = self.params, self.params.batch_size
        found = {name: draw.normal(name, (n, p.code_size)) for name in ("noise_d", "noise_g")}
        chances = learned_input.stop_chances(p.r_iterations, True, "all" if p.always_train_all else None)
        for name in ("executed_d", "executed_g"):
            found[name] = learned_input.count_executed(draw.shared(name, (p.r_iterations,)), chances)
        if p.d_dropout > 0:
            shape = (n, *self.size.top, p.nfeature * 2 ** (self.size.levels - 1))
            names = ("mask_real", "mask_fake", "mask_g")
            found.update({name: dropout_mask(draw, name, shape, p.d_dropout) for name in names})
        return found

    def update(self, step, batch, draws, phase):
        """One step of D, then one of G."""
        d_real, d_fake, regularizer = self._discriminator_step(step, batch["images"], draws)
        g, r = self._generator_step(draws)
        values = {"d-real": d_real}
        for k in range(self.params.r_iterations + 1):
            values[f"d-fake{k}"] = tf.where(draws["executed_d"] == k, d_fake, ABSENT)
            values[f"g{k}"] = tf.where(draws["executed_g"] == k, g, ABSENT)
        for i in range(self.params.r_iterations):
            present = (draws["executed_g"] > i) & (self.params.lambda_r > 0)
            values[f"r{i}"] = tf.where(present, r[i], ABSENT)
        self.record.put(step, values)
        return {**{name: values[name] for name in self.losses()}, **regularizer}

    def _discriminator_step(self, step, real, draws):
        fake = self.networks["g"](draws["noise_d"], training=True, executed=draws["executed_d"])
        masks = draws.get("mask_real"), draws.get("mask_fake")
        with tf.GradientTape() as tape:
            loss_real, loss_fake, loss, scalars = self.d_loss(step, real, tf.stop_gradient(fake), masks)
        self.descend("d", tape, loss)
        return loss_real, loss_fake, scalars

    def _generator_step(self, draws):
        g, d, noise = self.networks["g"], self.networks["d"], draws["noise_g"]
        with tf.GradientTape() as tape:
            fake, vectors = g.images_and_vectors(noise, training=True, executed=draws["executed_g"])
            logits = d(fake, training=True, masks={networks.FINAL: draws.get("mask_g")})
            loss_g = self.adversarial(logits, True)
            moved = losses.similarity(vectors, noise, self.params.lambda_r)
            ran = tf.cast(tf.range(len(vectors)) < draws["executed_g"], tf.float32)
            loss = loss_g + tf.reduce_sum(moved * ran)
        self.descend("g", tape, loss)
        return loss_g, moved

    def console(self, step, scalars):
        """The original's line (counted from 1); -1 where a count did not occur."""
        values = " ".join(f"{name}: {float(scalars[name]):.4f}" for name in self.losses())
        took = self.data_seconds.pop(step, None)  # of the thread that made the batch
        return [f"{step + 1} | {values}" + ("" if took is None else f" t_real: {took:.3f}s")]

    def lines(self, values):
        """Points of the groups loss-d-mix, loss-g-mix and loss-r-mix; only here those of r are cut at 1, as
        in
        the original."""
        return {name: min(value, 1.0) if name.startswith("loss-r") else value
                for name, value in mixed(values).items()}

    def sheet(self, cells, cols):
        """Lines of one pixel between the cells."""
        return sheets.draw_grid(cells, cols=cols)

    @classmethod
    def history_lines(cls, params):
        """By what the loss is of, then by the number of modules."""
        n = params.r_iterations
        return (*(f"loss-r-mix/train-r{i}" for i in range(n)),
                *(f"loss-g-mix/train-g{k}" for k in range(n + 1)),
                "loss-d-mix/train-d-real", *(f"loss-d-mix/train-d-fake{k}" for k in range(n + 1)))

    def stages(self, codes):
        """After 0, 1, ... all LIS modules."""
        return [self.networks["g"](codes, executed=k) for k in range(self.params.r_iterations + 1)]

    def decode(self, codes):
        """All modules."""
        return self.networks["g"](codes)


# -- R-iterative -----------------------------------------------------------------------------------------
class Iterative(LisSystem):
    """G, R and D (r_iterative/main.py): R finds the code of a generated image, G draws it again, and so on
    for some rounds.

    Only the last rounds of an iteration train; from which on is drawn.
    """

    recorded = ("d-real0", "d-fake0", "g0")
    sampling = ("g", "r")
    chain_border = 0
    learned = False

    def __init__(self, params, training=True):
        super().__init__(params, training)
        self.networks["g"] = networks.generator(self.size, params.nfeature, params.code_size, self.make)
        self.networks["r"] = self.new_reverser()
        self._first: dict[int, np.ndarray] = {}
        self._shown: dict[int, int] = {0: 0}
        if training:
            self.networks["d"] = self.new_discriminator()
            self.prepare_training(("g", "r", "d"))
            if params.load_path:
                self.start_from(params.load_path)

    @property
    def rounds(self) -> int:
        """Images per code: the first and one for each use of R."""
        return self.params.r_iterations + 1

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

    def batch(self, step, source):
        """`images`, float32 [batch, trained rounds, h, w, 3] in [0, 1]; the first batch_size of the order
        for the first."""
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

    def draws(self, draw, phase):
        """The first noise, and R's masks of each round but the first: `masks` [round - 1]."""
        p = self.params
        masks = [self.level_masks(draw, f"mask/{r}") for r in range(p.r_iterations)]
        return {"noise": draw.normal("noise", (p.batch_size, p.code_size)), "masks": masks}

    def update(self, step, batch, draws, phase):
        """All rounds, G before R before D in each."""
        values = dict.fromkeys(self.losses(), tf.constant(ABSENT))
        code, images, regularizers = draws["noise"], None, []
        for k in range(self.rounds):
            with tf.GradientTape() as tape_r:
                if k > 0:
                    code = self.networks["r"](tf.stop_gradient(images), training=True,
                                              masks=draws["masks"][k - 1])
            if k < phase:
                images = self.networks["g"](code, training=True)
                continue
            images, values[f"g{k}"] = self._generator_step(tf.stop_gradient(code))
            if k > 0:
                values[f"r{k - 1}"] = self._reverser_step(tape_r, code, draws["noise"],
                                                          self.params.lambda_r ** k)
            real = batch["images"][:, k - phase]
            d_real, d_fake, scalars = self._discriminator_step(step, real, tf.stop_gradient(images))
            values.update({f"d-real{k}": d_real, f"d-fake{k}": d_fake})
            regularizers.append(scalars)
        self.record.put(step, values)
        means = {name: tf.reduce_mean([found[name] for found in regularizers]) for name in regularizers[0]}
        return {**values, **means}  # of the regulariser: over the rounds that trained

    def _generator_step(self, code):
        with tf.GradientTape() as tape:
            images = self.networks["g"](code, training=True)
            loss = self.adversarial(self.networks["d"](images, training=True), True)
        self.descend("g", tape, loss)
        return images, loss

    def _reverser_step(self, tape_r, code, noise, strength):
        """R's step through the *updated* G; `tape_r` has recorded R's pass that gave `code`. Returns the
        plain distance."""
        with tf.GradientTape() as tape:
            tape.watch(code)
            logits = self.networks["d"](self.networks["g"](code, training=True), training=True)
            distance = losses.mse(code, noise)
            loss = strength * distance + (1.0 - strength) * self.adversarial(logits, True)
        self.descend("r", tape_r, code, upstream=tape.gradient(loss, code))
        return distance

    def _discriminator_step(self, step, real, fake):
        with tf.GradientTape() as tape:
            loss_real, loss_fake, loss, scalars = self.d_loss(step, real, fake)
        self.descend("d", tape, loss)
        return loss_real, loss_fake, scalars

    def console(self, step, scalars):
        """The original's line; d-real is the mean over the rounds that trained."""
        values = {name: float(scalars[name]) for name in self.losses()}
        reals = [values.pop(f"d-real{k}") for k in range(self.rounds)]
        trained = [v for v in reals if v != ABSENT]
        text = " ".join(f"{name}: {value:.4f}" for name, value in values.items())
        return [f"{step + 1} | d-real: {np.mean(trained):.4f} {text}"]

    def lines(self, values):
        """Points of the groups loss-d-mix, loss-g-mix and loss-r-mix; d-real is the mean over the rounds
        that trained."""
        reals = [values[f"d-real{k}"] for k in range(self.rounds)]
        mean = float(np.mean([value for value in reals if value != ABSENT]))
        return mixed({"d-real": mean, **{n: v for n, v in values.items() if not n.startswith("d-real")}})

    @classmethod
    def history_lines(cls, params):
        """Those of G-LIS, with rounds in the place of modules."""
        return GLis.history_lines(params)

    def stages(self, codes):
        """Round 0, then G(R(...)) again and again."""
        images = [self.networks["g"](codes)]
        for _ in range(self.params.r_iterations):
            images.append(self.networks["g"](self.networks["r"](images[-1])))
        return images

    def decode(self, codes):
        """Round 0."""
        return self.networks["g"](codes)


# -- R-separate ------------------------------------------------------------------------------------------
class Separate(LisSystem):
    """R alone learns, for a finished G-LIS; G and D come from `load_path` (g_lis/train_r.py).

    In training they stay in train mode, so that with norm=batch their running averages drift, as in the
    original; these are never used there and are saved only for exact resuming.
    """

    recorded = ("dis-stage1", "r", "dis-stage2")
    sampling = ("r",)
    chain_border = 0
    tested = False

    def __init__(self, params, training=True):
        super().__init__(params, training)
        self.networks["r"] = self.new_reverser()
        origin = weights.find(params.load_path, params.net)
        origin.fill("g", self.g_lis)
        if training:
            self.discriminator = self.new_discriminator()
            origin.fill("d", self.discriminator)
            self.prepare_training(("r",))
            if params.load_path_r:
                self.start_from(params.load_path_r)
            for kind, network in (("g", self.g_lis), ("d", self.discriminator)):
                self.extra_state.update({f"{kind}/{v.name.split(':')[0]}": v
                                         for v in network.non_trainable_variables})

    @cached_property
    def g_lis(self):
        """The finished generator, which is no network of this run."""
        return self.new_generator_lis()

    def losses(self):
        """D's loss against 'fake' before and after R, and R's own."""
        return ("r", "dis-stage1", "dis-stage2")

    def draws(self, draw, phase):
        """Noise and R's masks, one for each level but the first."""
        p = self.params
        noise = draw.normal("noise", (p.batch_size, p.code_size))
        return {"noise": noise, "masks": self.level_masks(draw, "mask")}

    def batch(self, step, source):
        """Nothing: the images are generated."""
        return {}

    def batch_spec(self):
        """Nothing."""
        return {}

    def update(self, step, batch, draws, phase):
        """One step of R. A higher stage value means that D finds the images more real."""
        generated = self.g_lis(draws["noise"], training=True)
        stage1 = self.adversarial(self.discriminator(generated, training=True), False)
        with tf.GradientTape() as tape:
            code = self.networks["r"](generated, training=True, masks=draws["masks"])
            loss = losses.mse(code, draws["noise"])
        self.descend("r", tape, loss)
        again = self.g_lis(code, training=True)
        stage2 = self.adversarial(self.discriminator(again, training=True), False)
        values = {"r": loss, "dis-stage1": stage1, "dis-stage2": stage2}
        self.record.put(step, values)
        return values

    def console(self, step, scalars):
        """The original's line, numbers in full."""
        return [f"{step + 1} | loss: " + " ".join(f"{name}:{float(scalars[name])}"
                                                  for name in self.losses())]

    def lines(self, values):
        """Points of the groups loss-r, loss-stage1, loss-stage2 and loss-stage-mix."""
        one, two = values["dis-stage1"], values["dis-stage2"]
        return {"loss-r/train": values["r"], "loss-stage1/train": one, "loss-stage2/train": two,
                "loss-stage-mix/train-stage1": one, "loss-stage-mix/train-stage2": two}

    @classmethod
    def history_lines(cls, params):
        """R's loss, then D's."""
        return ("loss-r/train", "loss-stage1/train", "loss-stage2/train", "loss-stage-mix/train-stage1",
                "loss-stage-mix/train-stage2")

    def picture_names(self, done):
        """Before R, after R, both."""
        each = [f"samples/sample_{done}.jpg", f"samples_r/sample_{done}_r.jpg"]
        return each, f"samples_both/sample_{done}_both.jpg"

    def stages(self, codes):
        """G's image, and G's image of the code that R finds for it."""
        first = self.g_lis(codes)
        return [first, self.g_lis(self.networks["r"](first))]

    def decode(self, codes):
        """All LIS modules of G."""
        return self.g_lis(codes)


SYSTEMS = {"glis": GLis, "lis_iterative": Iterative, "lis_separate": Separate}
