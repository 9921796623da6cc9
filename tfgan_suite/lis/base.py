"""What the three LIS programs share: sizes, data order, optimisers, records, pictures."""
from __future__ import annotations

import time
from functools import cached_property

import numpy as np
import tensorflow as tf

from tfgan_suite import penalties, random
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.layers.activations import sigmoid
from tfgan_suite.lis import data, losses, networks, parameters, reports, weights
from tfgan_suite.optimizers import RMSpropTorch
from tfgan_suite.pictures import bytes, sheets
from tfgan_suite.system import System

MOST_TIMES = 4096  # of batches are kept


def dropout_mask(draw: random.Draws, name: str, shape, chance: float) -> tf.Tensor:
    """0 with the given chance, else 1 / (1 - chance)."""
    return tf.cast(draw.uniform(name, shape) >= chance, tf.float32) / (1.0 - chance)


def first_round(uniforms, train_all: bool = False) -> np.ndarray:
    """The first round that trains.

    Args:
        uniforms: [..., rounds]; round k (from 0) begins to train if its number is at most (k + 1) / rounds;
            the last always trains.
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


class LisSystem(System):
    """Base of `glis`, `lis_iterative` and `lis_separate`.

    A subclass builds `networks`, then calls `prepare_training`. It gives `losses`, the names of what
    `update` returns, in the order of the console, and `stages`.

    Attributes:
        plot_interval: iterations between two loss.jpg; None for those of the pictures.
        recorded: the three columns of the original's `loss_record`.
        chain_border: pixels between the cells of the picture of all stages.
        tested: whether reconstruction tests run.
        learned: whether its G has LIS modules (then it has `g_lis`).
    """

    length = ("niter",)
    log_files = reports.FILES
    plot_interval: int | None = None
    chain_border = 1
    recorded: tuple = ()
    record: reports.Record | None = None
    tested = True
    learned = True
    unconnected = tf.UnconnectedGradients.ZERO  # as after torch's `zero_grad` of 2017: mean squares decay

    def __init__(self, params, training: bool = True):
        super().__init__(params, training)
        self.sizes = data.sizes(params)
        height, width = self.sizes.image
        levels = params.nlayer if params.nlayer >= 0 else networks.automatic_levels(width, height)
        self.size = networks.pyramid(width, height, levels)
        self.make = networks.LisMaker(params.norm, params.seed)
        given = params.vis_row > 0 and params.vis_col > 0
        self.grid = (params.vis_row, params.vis_col) if given else (params.vis_size, params.vis_size)
        self.data_seconds: dict[int, float] = {}  # iteration -> what its batch took
        self.reports = reports.Reports(self, parameters.results_folder(params))

    # -- networks -----------------------------------------------------------------------------------------
    def new_discriminator(self):
        """D."""
        return networks.discriminator(self.size, self.params.nfeature, self.make)

    def new_reverser(self):
        """R, half as wide as D."""
        return networks.reverser(self.size, self.params.nfeature // 2, self.params.code_size, self.make)

    def new_generator_lis(self):
        """G-LIS."""
        p = self.params
        return networks.GeneratorLIS(self.size, p.nfeature, p.code_size, self.make, p.r_iterations,
                                     p.g_upscaling)

    @property
    def g_lis(self):
        """The generator: with LIS modules where the program has them."""
        return self.networks["g"]

    def prepare_training(self, trained: tuple) -> None:
        """Optimisers of the trained networks, and the record.

        Args:
            trained: network names.
        """
        for name in trained:
            self.optimizers[name] = RMSpropTorch(self.params.lr, 0.9, 1e-6)
            self.optimizers[name].build(self.networks[name].trainable_variables)
        self.record = reports.Record(self.losses(), max(self.params.test_interval, self.params.log_every))
        self.extra_state["record"] = self.record.ring

    def square_averages(self, kind: str) -> dict[str, tf.Variable]:
        """Variable name -> RMSprop's mean square of it, for the optimiser of network `kind`."""
        optimizer = self.optimizers[kind]
        return {v.name.split(":")[0]: optimizer.slot("square_avg", v)
                for v in self.networks[kind].trainable_variables}

    def start_from(self, folder, tolerant: bool = False) -> None:
        """Fills networks and optimisers of a fresh run from another one, and says so; nothing where this run
        has
        checkpoints of its own, from which it goes on.

        Args:
            folder: see `weights.find`; the run's own --save_path means that it must go on.
            tolerant: of G take only what fits, and not its optimiser (--load_tolerant).

        Raises:
            UserError: nothing there, or of other sizes.
        """
        files = Checkpoints(self.params.wts_dir)
        if any(files.numbers(kind) for kind in self.networks):
            return
        origin = weights.find(folder, "last")
        print(f"Starting from {origin.name}", flush=True)
        for kind, network in self.networks.items():
            loose = tolerant and kind == "g"
            origin.fill(kind, network, loose)
            stored = {} if loose else origin.slots(kind)
            for name, slot in self.square_averages(kind).items():
                if name in stored:
                    slot.assign(stored[name].reshape(slot.shape))

    def adversarial(self, logits: tf.Tensor, real: bool) -> tf.Tensor:
        """The loss of D's logits [n] against 'all real' or 'all fake'."""
        return losses.adversarial(sigmoid(logits), real, self.params.ls)

    def d_loss(self, step: tf.Tensor, real: tf.Tensor, fake: tf.Tensor, masks=(None, None)) -> tuple:
        """What D minimises on real and on generated images [n, h, w, 3]; call it inside the tape of D's
        weights.

        The passes of D that give the losses serve the penalties too.

        Args:
            masks: D's dropout masks of the two passes.

        Returns:
            (loss on real images, loss on generated ones, their sum with the penalties' term, the penalties'
            scalars for the logs). Console, history and `losses` know nothing of the scalars.
        """
        def score(mask):
            return lambda x: self.networks["d"](x, training=True, masks={networks.FINAL: mask})

        on_real, on_fake = map(score, masks)
        look = penalties.Look(real, fake, on_real, on_fake)
        loss_real = self.adversarial(look.real.logits, True)
        loss_fake = self.adversarial(look.fake.logits, False)
        term, scalars = penalties.of_params(self.params, look, step, self.iterations)
        return loss_real, loss_fake, loss_real + loss_fake + term, scalars

    def level_masks(self, draw: random.Draws, name: str) -> dict[str, tf.Tensor]:
        """Masks of R's spatial dropout, one for each level but the first; none without --spatial_dropout_r.

        Args:
            name: of the draws; the level's number from 0 is added.
        """
        p = self.params
        if p.spatial_dropout_r == 0:
            return {}
        channels = [p.nfeature // 2 * 2 ** level for level in range(1, self.size.levels)]
        return {f"level.{i + 1}": dropout_mask(draw, f"{name}/{i}", (p.batch_size, 1, 1, c),
                                               p.spatial_dropout_r)
                for i, c in enumerate(channels)}

    # -- size of a run ------------------------------------------------------------------------------------
    @property
    def batch_size(self):
        """Images of one real batch."""
        return self.params.batch_size

    @property
    def iterations(self):
        """--niter."""
        return self.params.niter

    def save_due(self, done):
        """Every save_interval; the original also writes its `last` files at each test."""
        return done % self.params.save_interval == 0 or done % self.params.test_interval == 0

    def cut_logs(self, log_dir, done):
        """Takes away the tables of later tests."""
        self.reports.cut(done)

    def keep(self, number):
        """Numbered checkpoints stay, those that were only `last` go."""
        return number % self.params.save_interval == 0

    # -- data ---------------------------------------------------------------------------------------------
    def source(self):
        """The split training images."""
        return data.open_images(self.params)

    def batch(self, step, source):
        """`images`, float32 [batch, h, w, 3] in [0, 1]."""
        start = time.perf_counter()
        images = source.batch(step * self.batch_size, self.batch_size)
        self.data_seconds[step] = time.perf_counter() - start
        self.data_seconds.pop(step - MOST_TIMES, None)  # nobody reads them where there is a progress bar
        return {"images": images}

    def batch_spec(self):
        """As `batch`."""
        return {"images": tf.TensorSpec((self.batch_size, *self.sizes.image, 3), tf.float32)}

    # -- what is reported ---------------------------------------------------------------------------------
    def losses(self) -> tuple:
        """Names of the scalars that `update` returns."""
        raise NotImplementedError

    @classmethod
    def history_lines(cls, params) -> tuple:
        """'group/line' of all lines of the history, in the order of columns and colours."""
        raise NotImplementedError

    def lines(self, values: dict) -> dict:
        """The history's points of one iteration: 'group/line' -> value; those that did not occur are left
        out."""
        raise NotImplementedError

    def events(self):
        """Pictures, tests and history (`reports.Reports`)."""
        return self.reports.events()

    def metrics(self):
        """The final test is its reconstruction metric."""
        return {"reconstruction": self.reconstruction}

    def reconstruction(self, evaluation) -> dict:
        """`reconstruction`: the final test, on images of its own."""
        return {"reconstruction": reports.on_test_images(evaluation)}

    def picture_names(self, done: int) -> tuple[list[str], str]:
        """Files of the pictures at an iteration: one for each stage, and the one of all stages."""
        later = [f"samples_r{k}/sample_{done}_r.jpg" for k in range(self.params.r_iterations)]
        return [f"samples/sample_{done}.jpg", *later], f"samples_all/sample_{done}_all.jpg"

    def sheet(self, cells: np.ndarray, cols: int) -> np.ndarray:
        """The picture of one stage."""
        return sheets.torch_sheet(cells, cols)

    # -- pictures -----------------------------------------------------------------------------------------
    def latents(self, n, seed):
        """N(0, 1), float32 [n, code_size]."""
        draw = random.generator(seed, "latents")
        return draw.standard_normal((n, self.params.code_size)).astype(np.float32)

    def stages(self, codes: tf.Tensor) -> list[tf.Tensor]:
        """Images in [0, 1] before and after each attempt to mend them, each [n, h, w, 3]; networks in
        evaluation mode."""
        raise NotImplementedError

    def decode(self, codes: tf.Tensor) -> tf.Tensor:
        """Differentiable: codes [n, code] -> images in [0, 1], as the reconstruction test sees G."""
        raise NotImplementedError

    @cached_property
    def _stages(self):
        codes = tf.TensorSpec((None, self.params.code_size), tf.float32)
        return tf.function(self.stages, input_signature=[codes])

    def all_stages(self, latents: np.ndarray, labels=None) -> list[np.ndarray]:
        """`stages` of any number of codes, computed in batches."""
        size = self.batch_size
        parts = [[image.numpy() for image in self._stages(tf.constant(latents[i:i + size], tf.float32))]
                 for i in range(0, len(latents), size)]
        return [np.concatenate(images) for images in zip(*parts)]

    def generate(self, latents, labels=None):
        """Images in [-1, 1] after the last stage."""
        return self.all_stages(latents)[-1] * np.float32(2.0) - np.float32(1.0)

    def generate_bytes(self, n):
        """About the memory of one batch and of the images."""
        height, width = self.sizes.image
        return (min(n, self.batch_size) * 64 + n * 3 * (self.params.r_iterations + 1)) * height * width * 4

    def to_uint8(self, x):
        """Truncation, and --output_scale."""
        return bytes.unit_to_uint8(np.asarray(x) * np.float32(0.5) + np.float32(0.5),
                                   self.params.output_scale)

    def pictures(self, seed):
        """`samples`: after the last stage; `chains`: every stage side by side."""
        rows, cols = self.grid
        stages = [bytes.unit_to_uint8(x, self.params.output_scale)
                  for x in self.all_stages(self.latents(rows * cols, seed))]
        return {"samples": sheets.draw_grid(stages[-1], cols=cols),
                "chains": sheets.draw_grid(sheets.side_by_side(*stages), cols=cols)}
