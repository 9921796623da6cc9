"""R-separate: a reverser for a finished G-LIS, which draws an image again from the code that R finds for it."""
from __future__ import annotations

import tensorflow as tf

from tfgan_suite.lis import drawing, losses, networks, origins
from tfgan_suite.lis.base import LisSystem, dropout_mask


class Separate(LisSystem):
    """R alone learns; G and D come from `load_path` (`g_lis/train_r.py`).

    In training they stay in train mode, so that with norm=batch their running averages drift, as in the original; these are
    never used there and are saved only for exact resuming.
    """

    recorded = ("dis-stage1", "r", "dis-stage2")
    sampling = ("r",)
    chain_border = 0

    def __init__(self, params, training=True):
        super().__init__(params, training)
        self.networks["r"] = self.new_reverser()
        self.generator = networks.GeneratorLIS(self.size, params.nfeature, params.code_size, self.make,
                                               params.r_iterations, params.g_upscaling)
        origin = origins.find(params.load_path, params.net)
        origin.fill("g", self.generator)
        if training:
            self.discriminator = self.new_discriminator()
            origin.fill("d", self.discriminator)
            if params.load_path_r:
                origins.find(params.load_path_r, "last").fill("r", self.networks["r"])
            self.prepare_training(("r",))
            for kind, network in (("g", self.generator), ("d", self.discriminator)):
                self.extra_state.update({f"{kind}/{v.name.split(':')[0]}": v for v in network.non_trainable_variables})

    def losses(self):
        """D's loss against 'fake' before and after R, and R's own."""
        return ("r", "dis-stage1", "dis-stage2")

    def draws(self, draw, phase):
        """Noise and R's masks, one for each level but the first."""
        p, n = self.params, self.params.batch_size
        masks = ()
        if p.spatial_dropout_r > 0:
            channels = [p.nfeature // 2 * 2 ** level for level in range(1, self.size.levels)]
            masks = [dropout_mask(draw, f"mask/{i}", (n, 1, 1, c), p.spatial_dropout_r) for i, c in enumerate(channels)]
        return {"noise": draw.normal("noise", (n, p.code_size)), "masks": masks}

    def batch(self, step, source):
        """Nothing: the images are generated."""
        return {}

    def batch_spec(self):
        """Nothing."""
        return {}

    def update(self, step, batch, draws, phase):
        """One step of R (section 7.4 of the spec). A higher stage value means that D finds the images more real."""
        generated, _ = self.generator(draws["noise"], training=True)
        stage1 = losses.adversarial(self.discriminator(generated, training=True), False, self.params.ls)
        with tf.GradientTape() as tape:
            code = self.networks["r"](generated, training=True, dropout=draws["masks"])
            loss = losses.mse(code, draws["noise"])
        self.learn("r", tape, loss)
        again, _ = self.generator(code, training=True)
        stage2 = losses.adversarial(self.discriminator(again, training=True), False, self.params.ls)
        values = {"r": loss, "dis-stage1": stage1, "dis-stage2": stage2}
        self.record.put(step, values)
        return values

    def console(self, step, scalars):
        """The original's line, numbers in full."""
        return [f"{step + 1} | loss: " + " ".join(f"{name}:{float(scalars[name])}" for name in self.losses())]

    def lines(self, values):
        """Points of the groups loss-r, loss-stage1, loss-stage2 and loss-stage-mix."""
        one, two = values["dis-stage1"], values["dis-stage2"]
        return {"loss-r/train": values["r"], "loss-stage1/train": one, "loss-stage2/train": two,
                "loss-stage-mix/train-stage1": one, "loss-stage-mix/train-stage2": two}

    def picture_names(self, done):
        """Before R, after R, both."""
        return [f"samples/sample_{done}.jpg", f"samples_r/sample_{done}.jpg"], f"samples_both/sample_{done}_both.jpg"

    def sheet(self, cells, cols):
        """torchvision's sheet."""
        return drawing.torch_sheet(cells, cols)

    def stages(self, codes):
        """G's image, and G's image of the code that R finds for it."""
        first, _ = self.generator(codes)
        return [first, self.generator(self.networks["r"](first))[0]]

    def decode(self, codes):
        """All LIS modules of G."""
        return self.generator(codes)[0]
