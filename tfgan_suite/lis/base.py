"""What the three LIS programs share: sizes, data order, optimisers, records, pictures."""
from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfgan_suite import penalties, random
from tfgan_suite.lis import data, drawing, losses, networks, origins
from tfgan_suite.lis.events import Reports
from tfgan_suite.lis.layers import sigmoid
from tfgan_suite.lis.record import Record
from tfgan_suite.optimizers import RMSpropTorch, apply
from tfgan_suite.system import System


def automatic_levels(width: int, height: int) -> int:
    """Halvings until the longer side is less than 8."""
    side, levels = max(width, height), 0
    while side >= 8:
        side, levels = (side + 1) // 2, levels + 1
    return levels


def dropout_mask(draw: random.Draws, name: str, shape, chance: float) -> tf.Tensor:
    """0 with the given chance, else 1 / (1 - chance)."""
    return tf.cast(draw.uniform(name, shape) >= chance, tf.float32) / (1.0 - chance)


class LisSystem(System):
    """Base of `glis`, `lis_iterative` and `lis_separate`.

    A subclass builds `networks`, then calls `prepare_training`. It gives `losses`, the names of what `update` returns, in the
    order of the console, and `stages`.

    Attributes:
        plot_interval: iterations between two loss.jpg; None for those of the pictures.
        recorded: the three columns of the original's `loss_record`.
        chain_border: pixels between the cells of the picture of all stages.
    """

    length = ("niter",)
    plot_interval: int | None = None
    chain_border = 1
    recorded: tuple = ()
    record: Record | None = None

    def __init__(self, params, training: bool = True):
        super().__init__(params, training)
        self.sizes = data.sizes(params)
        height, width = self.sizes.image
        levels = params.nlayer if params.nlayer >= 0 else automatic_levels(width, height)
        self.size = networks.pyramid(width, height, levels)
        self.make = networks.Maker(params.norm, params.seed)
        given = params.vis_row > 0 and params.vis_col > 0
        self.grid = (params.vis_row, params.vis_col) if given else (params.vis_size, params.vis_size)
        self.reports = Reports(self)

    # -- networks --------------------------------------------------------------------------------------------------------
    def new_discriminator(self):
        """D."""
        return networks.Discriminator(self.size, self.params.nfeature, self.make)

    def new_reverser(self):
        """R, half as wide as D."""
        return networks.Reverser(self.size, self.params.nfeature // 2, self.params.code_size, self.make)

    def prepare_training(self, trained: tuple) -> None:
        """Optimisers of the trained networks and the record; then weights from `load_path`, if it is given.

        Args:
            trained: network names.
        """
        for name in trained:
            self.optimizers[name] = RMSpropTorch(self.params.lr, 0.9, 1e-6)
            self.optimizers[name].build(self.networks[name].trainable_variables)
        self.record = Record(self.losses(), max(self.params.test_interval, self.params.log_every))
        self.extra_state["record"] = self.record.ring
        if self.params.values.get("load_path") and "g" in trained:
            origins.start_from(self, self.params.load_path, self.params.values.get("load_tolerant", False))

    def d_loss(self, step: tf.Tensor, real: tf.Tensor, fake: tf.Tensor, masks=(None, None)) -> tuple:
        """What D minimises on real and on generated images [N, h, w, 3]; call it inside the tape of D's weights.

        With `--penalty=js` the passes of D that the regulariser needs give the losses too.

        Args:
            masks: D's dropout masks of the two passes.

        Returns:
            (loss on real images, loss on generated ones, their sum with the regulariser's term, the regulariser's scalars for
            the logs). Console, history and `losses` know nothing of the scalars.
        """
        on_real, on_fake = (lambda x, mask=mask: self.networks["d"].logits(x, training=True, dropout=mask) for mask in masks)
        if self.params.penalty == "js":
            found = penalties.js_regularizer(on_real, real, fake, on_fake)
            gamma = penalties.js_gamma(self.params, step, self.iterations)
            logits, term, scalars = (found.real_logits, found.fake_logits), gamma / 2.0 * found.value, found.scalars()
            scalars["gamma"] = gamma
        else:
            logits, term, scalars = (on_real(real), on_fake(fake)), 0.0, {}
        loss_real, loss_fake = (losses.adversarial(sigmoid(x), is_real, self.params.ls)
                                for x, is_real in zip(logits, (True, False)))
        return loss_real, loss_fake, loss_real + loss_fake + term, scalars

    def learn(self, name: str, tape: tf.GradientTape, loss: tf.Tensor, upstream: tf.Tensor | None = None) -> None:
        """One RMSprop step of a network. Weights that the loss does not depend on get zero gradients, as after torch's
        `zero_grad` of 2017: their mean square decays.

        Args:
            upstream: the gradient with respect to `loss`, where that is not the scalar loss itself.
        """
        variables = self.networks[name].trainable_variables
        gradients = tape.gradient(loss, variables, upstream, tf.UnconnectedGradients.ZERO)
        apply(self.optimizers[name], gradients, variables)

    # -- size of a run ---------------------------------------------------------------------------------------------------
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

    def keep(self, number):
        """Numbered checkpoints stay, those that were only `last` go."""
        return number % self.params.save_interval == 0

    # -- data ------------------------------------------------------------------------------------------------------------
    def source(self):
        """The split training images."""
        return data.open_images(self.params, self.params.values.get("flip", False))

    def batch(self, step, source):
        """`images`, float32 [batch, h, w, 3] in [0, 1]."""
        return {"images": source.batch(step * self.batch_size, self.batch_size)}

    def batch_spec(self):
        """As `batch`."""
        return {"images": tf.TensorSpec((self.batch_size, *self.sizes.image, 3), tf.float32)}

    # -- what is reported --------------------------------------------------------------------------------------------------
    def losses(self) -> tuple:
        """Names of the scalars that `update` returns."""
        raise NotImplementedError

    def lines(self, values: dict) -> dict:
        """The history's points of one iteration: 'group/line' -> value; those that did not occur are left out."""
        raise NotImplementedError

    def events(self):
        """Pictures, tests and history (`events.Reports`)."""
        return self.reports.events()

    def reconstruct(self, evaluation) -> float:
        """The final test, as `tools/evaluate.py --metrics=reconstruction` asks for it."""
        from tfgan_suite.lis import reconstruction

        return reconstruction.on_test_images(evaluation)

    def picture_names(self, done: int) -> tuple[list[str], str]:
        """Files of the pictures at an iteration: one for each stage, and the one of all stages."""
        later = [f"samples_r{k}/sample_{done}_r.jpg" for k in range(self.params.r_iterations)]
        return [f"samples/sample_{done}.jpg", *later], f"samples_all/sample_{done}_all.jpg"

    def sheet(self, cells: np.ndarray, cols: int) -> np.ndarray:
        """The picture of one stage."""
        return drawing.draw_grid(cells, cols=cols)

    # -- pictures ----------------------------------------------------------------------------------------------------------
    def latents(self, n, seed):
        """N(0, 1), float32 [n, code_size]."""
        return random.generator(seed, "latents").standard_normal((n, self.params.code_size)).astype(np.float32)

    def stages(self, codes: tf.Tensor) -> list[tf.Tensor]:
        """Images in [0, 1] before and after each attempt to mend them, each [n, h, w, 3]; networks in evaluation mode."""
        raise NotImplementedError

    def decode(self, codes: tf.Tensor) -> tf.Tensor:
        """Differentiable: codes [n, code] -> images in [0, 1], as the reconstruction test sees G."""
        raise NotImplementedError

    def all_stages(self, latents: np.ndarray) -> list[np.ndarray]:
        """`stages` of any number of codes, computed in batches."""
        if not hasattr(self, "_stages"):
            spec = tf.TensorSpec((None, self.params.code_size), tf.float32)
            self._stages = tf.function(self.stages, input_signature=[spec])
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
        return drawing.to_bytes(np.asarray(x) * np.float32(0.5) + np.float32(0.5), self.params.output_scale)

    def pictures(self, seed):
        """`samples`: after the last stage; `chains`: every stage side by side."""
        rows, cols = self.grid
        stages = [drawing.to_bytes(x, self.params.output_scale) for x in self.all_stages(self.latents(rows * cols, seed))]
        return {"samples": drawing.draw_grid(stages[-1], cols=cols),
                "chains": drawing.draw_grid(drawing.side_by_side(*stages), cols=cols)}
