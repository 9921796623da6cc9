"""RP-GAN's iteration (arXiv 1705.07831, algorithm of section 3; ayanc/rpgan `train.py` and
`baseline_train.py`)."""
from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite import distributed, optimizers, options, penalties, random
from tfgan_suite.data import digits, order, rgb
from tfgan_suite.data.listfile import ListFile
from tfgan_suite.errors import UserError, quoted
from tfgan_suite.files import archive, memory
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.layers.projections import Filters
from tfgan_suite.rpgan import filters
from tfgan_suite.rpgan.bank import ANYWHERE, Discriminators, crossing_bytes
from tfgan_suite.rpgan.networks import Generator
from tfgan_suite.system import System

SPREAD = ("L/min", "L/median", "L/max", "L/saturated")
SATURATED = math.log(100.0)  # of a discriminator's loss for G: it gives the fakes a hundredth
KEPT = 3  # numbers kept for each weight: itself and Adam's two moments
RATE, BETA_1, BETA_2, EPSILON = 2e-4, 0.5, 0.999, 1e-8


class RPGAN(System):
    """One generator against K discriminators that each see a fixed random projection of the image."""

    frozen = "bg"
    grid = (10, 15)

    def __init__(self, params, training=True):
        super().__init__(params, training)
        self._spread: list[float] = []
        g = Generator(params.ksz, params.zlen, params.f1, params.imsz, params.seed)
        self.networks["g"] = g
        if training:
            d = self._discriminators()
            self.networks["d"] = d
            for name, network in self.networks.items():
                self.optimizers[name] = optimizers.adam(RATE, BETA_1, BETA_2, EPSILON)
                self.optimizers[name].build([v for v in network.named().values() if v.trainable])

    def _discriminators(self) -> Discriminators:
        p, chunk = self.params, self.params.chunk
        if options.active(p):
            if chunk > 1:
                raise UserError(f"chunk={chunk}: --penalty={p.penalty} looks at one discriminator at a time; "
                                f"leave chunk out")
            chunk = 1
        return Discriminators(p.imsz, p.df, projections(p), p.seed, chunk, self._devices())

    @classmethod
    def splits_batch(cls, params):
        """With `parallel=discriminators` the devices share the discriminators instead."""
        return params.parallel == "batch"

    def _devices(self) -> Sequence[str]:
        if self.splits_batch(self.params):
            return ANYWHERE
        if distributed.several_machines():
            raise UserError("--parallel=discriminators: is for the devices of one machine, and TF_CONFIG "
                            "names several; leave one of the two out")
        return distributed.devices()

    def state(self):
        """Of all discriminators together, however the devices share them."""
        return self.networks["d"].whole(super().state())

    # -- data ------------------------------------------------------------------------------------------------
    def source(self):
        """The images of `lfile`, decoded once."""
        p = self.params
        if p.embedded and not Path(p.lfile).exists():
            digits.export(Path(p.lfile).parent, p.imsz)
        background = None if p.background is None else rgb.colour(p.background)
        return ListFile(p.lfile, p.imsz, p.crop, background=background)

    def batch(self, step, source):
        """Images [bsz, imsz, imsz, 3] in [-1, 1], in the order of the original's sampler; with `crop`,
        offsets drawn uniformly for every image."""
        p = self.params
        indices = order.rpgan_indices(len(source), p.bsz, step)
        offsets = source.draw_offsets(indices, random.generator(p.seed, step, "crop")) if p.crop else None
        return {"real": source.crop_batch(indices, offsets)}

    def batch_spec(self):
        """Known without looking at the data."""
        p = self.params
        return {"real": tf.TensorSpec((p.bsz, p.imsz, p.imsz, 3), tf.float32)}

    # -- one iteration ---------------------------------------------------------------------------------------
    def draws(self, draw, phase):
        """Latents U[-1, 1) of the G step and of the D step, [bsz, zlen]."""
        shape = (self.params.bsz, self.params.zlen)
        return {name: draw.uniform(name, shape, -1.0, 1.0) for name in ("z_g", "z_d")}

    def update(self, step, batch, draws, phase):
        """G's step against all discriminators, then each discriminator's own step with new fakes of the
        updated G."""
        g, d = self.networks["g"], self.networks["d"]
        with tf.GradientTape() as tape:
            fake = g(draws["z_g"], training=True)
        weights = d.read()
        g_losses, image_gradient = d.generator_losses(fake, weights)
        self.descend("g", tape, fake, image_gradient)

        def penalty(look):
            return penalties.of_params(self.params, look, step, self.iterations)

        wanted = penalty if options.active(self.params) else None
        d_losses, shown = d.step(batch["real"], g(draws["z_d"], training=True), self.optimizers["d"], wanted,
                                 weights)
        means = {name: tf.reduce_mean(values) for name, values in shown.items()}  # over the discriminators
        return {"G": tf.reduce_mean(g_losses), "D": tf.reduce_mean(d_losses), "L": g_losses,
                **spread(distributed.all_mean(g_losses)), **means}

    def observe(self, step, scalars):
        """Keeps the spread of the discriminators' losses for the progress bar."""
        self._spread = [float(scalars[name]) for name in SPREAD if name in scalars]

    def status(self, step):
        """Least, median and largest of what the discriminators say to G, and how many are saturated."""
        if not self._spread:
            return ""
        low, median, high, saturated = self._spread
        return f"L {low:.2f}<{median:.2f}<{high:.2f}, {saturated:.0%} saturated"

    def console(self, step, scalars):
        """The original's two lines."""
        each = ",".join(f"L{i:02d}={value:.3f}" for i, value in enumerate(scalars["L"]))
        return [f"[{step:09d}] Adam Loss: G={scalars['G']:.6f},D={scalars['D']:.6f}", f"[{step:09d}]* {each}"]

    def keep(self, number):
        """Snapshots of G at multiples of SAVEFREQ stay for ever."""
        return self.params.SAVEFREQ <= 0 or number % self.params.SAVEFREQ == 0

    def prepare_run(self, fresh):
        """Writes the projections, if they are not there yet."""
        return write_projections(self.params, fresh)

    def plan(self):
        """Where the discriminators lie if the devices share them, with their memory and what crosses."""
        if self.splits_batch(self.params):
            return []
        p, d = self.params, self.networks["d"]
        held: dict[str, int] = {}
        for stack in d.stacks:
            numbers = sum(math.prod(v.shape) for v in stack.variables_by_layer)
            held[stack.share.device] = held.get(stack.share.device, 0) + KEPT * 4 * numbers
        most, moved = max(held.values()) / 2**30, crossing_bytes(p.bsz, p.imsz) / 2**20
        crossing = f"; {moved:.1f} MiB between it and each other one in an iteration" if len(held) > 1 else ""
        return [f"devices for {d.count} discriminators: {len(held)}, at most {most:.2f} GiB of their weights "
                f"and moments on one; G is on the first{crossing}"]

    def notices(self):
        """How the devices share the discriminators."""
        return self.plan()

    # -- pictures --------------------------------------------------------------------------------------------
    def latents(self, n, seed):
        """float32(RandomState(seed).rand(n, 1, 1, zlen) * 2 - 1), as [n, zlen]."""
        return np.float32(np.random.RandomState(seed).rand(n, self.params.zlen) * 2.0 - 1.0)

    def generate(self, latents, labels=None):
        """Images from the statistics of exactly these latents, or from stored ones after `load_frozen`."""
        return self.networks["g"](tf.constant(latents)).numpy()

    def generate_bytes(self, n):
        """Activations of the two largest neighbouring blocks, twice each."""
        p = self.params
        return 2 * n * p.imsz**2 * 4 * (3 + max(3, p.f1 * (p.ksz - p.ksz % 2) // p.imsz * 3))

    def population_statistics(self, n: int, seed: int) -> dict[str, np.ndarray]:
        """All weights of G with the batch-norm statistics of one pass over n latents: a `.bgmodel.npz` file's
        arrays.

        Raises:
            UserError: more latents than this machine has memory for.
        """
        need, free = n * self.params.zlen * (np.float64().nbytes + np.float32().nbytes), memory.available()
        if need > free:
            raise UserError(f"--n={n}: so many latents need about {need / 2**30:.1f} GiB of memory, "
                            f"{free / 2**30:.1f} GiB are free; give a smaller --n")
        z = np.float32(np.random.RandomState(seed).rand(n, self.params.zlen) * 2.0 - 1.0)
        return {**dict(self.networks["g"].arrays()), **self.networks["g"].population(z)}

    def load_frozen(self, arrays) -> None:
        """Loads a `.bgmodel.npz` file: from here on `generate` uses its statistics."""
        p = self.params
        self.networks["g"] = Generator(p.ksz, p.zlen, p.f1, p.imsz, p.seed, frozen=True)
        self.networks["g"].assign(arrays)


class Baseline(RPGAN):
    """The same generator against one discriminator on the image itself."""

    def _discriminators(self):
        if not self.splits_batch(self.params):
            raise UserError("--parallel=discriminators: the baseline has one discriminator, which cannot be "
                            "shared out; leave it out")
        return Discriminators(self.params.imsz, self.params.df, None, self.params.seed)

    def update(self, step, batch, draws, phase):
        """As RP-GAN's with K = 1; the original's loss values and order are the same."""
        scalars = super().update(step, batch, draws, phase)
        return {name: value for name, value in scalars.items() if name != "L" and name not in SPREAD}

    def prepare_run(self, fresh):
        """Nothing: the discriminator sees the image itself."""
        return []

    def console(self, step, scalars):
        """The original's line."""
        return [f"[{step:09d}] Adam Loss: G={scalars['G']:.6f},D={scalars['D']:.6f}"]


def spread(losses: tf.Tensor) -> dict[str, tf.Tensor]:
    """Least, median and largest of the discriminators' losses for G [K], and the share of saturated
    discriminators: those that tell real from fake so well that G learns little from them (section 3 of the
        paper)."""
    ordered, half = tf.sort(losses), (losses.shape[0] - 1) / 2
    median = (ordered[math.floor(half)] + ordered[math.ceil(half)]) / 2.0
    saturated = tf.reduce_mean(tf.cast(losses > SATURATED, tf.float32))
    return dict(zip(SPREAD, (ordered[0], median, ordered[-1], saturated)))


def _path(params) -> Path:
    return Path(params.wts_dir) / "filts.npz"


def projections(params) -> list[Filters]:
    """The filters of `wts_dir/filts.npz`, or those that the experiment's `filts` makes if there is no such
    file yet.

    Raises:
        UserError: there is no such file and the experiment has no `filts`, or the folder is the baseline's.
    """
    path = _path(params)
    if path.exists():
        return filters.load(path)
    files = Checkpoints(params.wts_dir)
    newest = files.newest("d")
    if newest is not None and "c0_w" in Archive(files.path("d", newest)):
        raise UserError(f"{params.wts_dir}: holds a run of the baseline, which has one discriminator and no "
                        f"projections; give another --wts_dir, or go on with it by "
                        f"./baseline_train.py {quoted(params.name)}")
    if not params.filts:
        raise UserError(f"{path}: is missing; make it with: ./filts/rproj.py {quoted(path)} K,S,F,N "
                        "(8,2,1,12: twelve filters of 8x8 pixels, stride 2), or give --filts=K,S,F,N")
    return filters.grouped(filters.make(params.filts.split(), params.filts_seed), path)


def write_projections(params, fresh: bool) -> list[str]:
    """Writes `wts_dir/filts.npz` if it is missing. Returns lines to show.

    Raises:
        UserError: a fresh run would take over projections of other shapes than its `filts` says.
    """
    path, said = _path(params), f"filts={params.filts}"
    if not path.exists():
        archive.make_folder(path.parent)
        count = filters.write(path, params.filts.split(), params.filts_seed)
        return [f"Wrote {count} discriminator projections to {path} ({said}, seed {params.filts_seed})."]
    if not fresh or not params.filts:
        return []
    wanted, there = filters.make(params.filts.split(), params.filts_seed), Archive(path)
    if not filters.alike(wanted, there):
        raise UserError(f"{path}: holds {int(there['nfilt'])} projections that are not those of {said} (seed "
                        f"{params.filts_seed}); delete the file, or give --filts= to train with it")
    if any(not np.array_equal(wanted[name], there[name]) for name in wanted):
        return [f"Takes the {int(there['nfilt'])} discriminator projections of {path}; {said} with seed "
                f"{params.filts_seed} makes others of these shapes."]
    return []


SYSTEMS = {"rpgan": RPGAN, "rpgan_baseline": Baseline}
