"""All discriminators of a run: the fast twin of `layers.projections.Projected` over
`networks.discriminator`."""
from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from tfgan_suite import distributed, optimizers
from tfgan_suite.layers.network import Network
from tfgan_suite.layers.projections import Filters
from tfgan_suite.rpgan.rows import Part, Rows
from tfgan_suite.rpgan.stack import Penalty, Share, Stack, whole_name

ANYWHERE = ("",)  # where TensorFlow puts it, on each replica


class Discriminators(Network):
    """K discriminators that each see a fixed random projection of the image, in one `Stack` for each shape of
    projections and device.

    A file holds one array for each discriminator and layer: `c{i}_{j}_w`, `c{i}_{j}_b` of discriminator i and
        layer j, or
    `c{j}_w`, `c{j}_b` of the baseline.

    Args:
        imsz, df, seed, chunk: see `Stack`.
        filters: the projections, a group for each shape; None: one discriminator of the image itself (the
            baseline).
        devices: which share the discriminators. Each holds the weights of its own and sees all images; what
            crosses between devices is the images, and their gradient.
    """

    def __init__(self, imsz: int, df: int, filters: Sequence[Filters] | None = None, seed: int = 0,
                 chunk: int = 0, devices: Sequence[str] = ANYWHERE):
        super().__init__(dtype="float32", autocast=False)
        groups = filters or [None]
        stacks = []
        for share in shares([1 if group is None else len(group) for group in groups], devices):
            with tf.device(share.device):
                stacks.append(Stack(imsz, df, groups[share.group], share, seed, chunk))
        self.stacks, self.count, self.single = stacks, sum(stack.count for stack in stacks), filters is None
        self.copied = distributed.replicas() > 1
        numbers = [number for stack in self.stacks for number in stack.numbers]
        self._places = [numbers.index(i)
                        for i in range(self.count)]  # discriminator -> row of the stacks' results

    def _of_each(self, work: Callable, *others: Sequence) -> list:
        """`work` of every stack and its part of the others, on the stack's device."""
        found = []
        for stack, *parts in zip(self.stacks, *others):
            with tf.device(stack.share.device):
                found.append(work(stack, *parts))
        return found

    def read(self) -> list:
        """The weights as they are now, to be given to both steps of an iteration."""
        return self._of_each(lambda stack: stack.read())

    def call(self, images, labels=None, training: bool = False, update: bool | None = None):
        """Images [n, H, W, 3] -> logits of all discriminators [K, n, h, w, 1]; of shapes that give maps of
        several sizes, their means [K, n]."""
        found = self._of_each(lambda stack: stack(images))
        if len({tuple(x.shape[2:]) for x in found}) > 1:
            found = [tf.reduce_mean(x, (2, 3, 4)) for x in found]
        return self._ordered(found)

    def _ordered(self, parts: list[tf.Tensor]) -> tf.Tensor:
        """Results [K_s, ...] of the stacks -> [K, ...] by the discriminators' numbers."""
        return parts[0] if len(parts) == 1 else tf.gather(tf.concat(parts, 0), self._places)

    def generator_losses(self, fake: tf.Tensor, read: list | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        """What every discriminator says to the generator.

        Args:
            fake: images [n, H, W, 3].
            read: what `read` gave, if another step sees the same weights.

        Returns:
            mean softplus(-D_i(fake)) [K], and the gradient of their mean with respect to `fake`.
        """
        losses, gradients = zip(*self._of_each(
            lambda stack, weights: stack.generator_losses(fake, self.count, weights), read or self.read()))
        return self._ordered(list(losses)), self._summed(gradients)

    def _summed(self, images: Sequence[tf.Tensor]) -> tf.Tensor:
        """The sum of what the stacks give, on each device first, so that one of a kind leaves it."""
        sums: dict[str, tf.Tensor] = {}
        for stack, image in zip(self.stacks, images):
            with tf.device(stack.share.device):
                here = stack.share.device
                sums[here] = image if here not in sums else sums[here] + image
        first, *others = sums.values()
        return sum(others, first)

    def losses(self, real: tf.Tensor, fake: tf.Tensor, penalty: Penalty | None = None,
               read: list | None = None) -> tuple:
        """Each discriminator's own loss, (mean softplus(-D(real)) + mean softplus(D(fake))) / 2, and its
        gradients.

        Args:
            real, fake: images [n, H, W, 3], constants.
            penalty: a function of each discriminator's `Look`, whose logits [n] are averaged over a map of
                logits.
            read: as in `generator_losses`.

        Returns:
            Losses [K] without the penalty, gradients in the order of `trainable_variables`, scalars for the
            logs by name [K].
        """
        parts = self._of_each(lambda stack, weights: stack.losses(real, fake, weights, penalty),
                              read or self.read())
        found = {v.ref(): g for stack, (_, gradients, _) in zip(self.stacks, parts)
                 for v, g in zip(stack.variables_by_layer, gradients)}
        losses, shown = self._joined(parts)
        return losses, [found[v.ref()] for v in self.trainable_variables], shown

    def step(self, real: tf.Tensor, fake: tf.Tensor, optimizer, penalty: Penalty | None = None,
             read: list | None = None) -> tuple:
        """One step of every discriminator along its own loss; arguments as in `losses`.

        A stack makes its own, where it lies; a discriminator that is computed alone makes it at once, so that
        weights, the optimiser's moments and one discriminator's gradients are all that is in memory. Where
        each device has its share of the batch, the gradients must meet first.

        Args:
            optimizer: `optimizers.adam`, built on `trainable_variables`.

        Returns:
            Losses [K] without the penalty, scalars for the logs by name [K].
        """
        if self.copied:
            losses, gradients, shown = self.losses(real, fake, penalty, read)
            optimizers.apply(optimizer, gradients, self.trainable_variables)
            return losses, shown

        def work(stack: Stack, weights: list) -> tuple:
            own = optimizer.row_step if stack.looped else optimizer.whole_step
            return stack.losses(real, fake, weights, penalty, own(stack.share.device))

        parts = self._of_each(work, read or self.read())
        optimizer.iterations.assign_add(1)
        return self._joined(parts)

    def _joined(self, parts: list[tuple]) -> tuple[tf.Tensor, dict]:
        losses, shown = [part[0] for part in parts], parts[0][2]
        return self._ordered(losses), {name: self._ordered([part[2][name] for part in parts])
                                       for name in shown}

    # -- files: one array per discriminator ------------------------------------------------------------------
    def _part(self, stack: Stack, variable: tf.Variable) -> Part:
        return Part(variable, stack.looped, self.copied)

    def rows(self) -> dict[str, tuple[Part, int]]:
        """Array name of the original -> (the variable that holds it, its row), discriminator by
        discriminator."""
        held = [(stack, row) for stack in self.stacks for row in range(stack.count)]
        found = {}
        for stack, row in (held[place] for place in self._places):
            lead = "c" if self.single else f"c{stack.numbers[row]}_"
            for kind, variables in (("w", stack.kernels), ("b", stack.biases)):
                found.update({f"{lead}{j}_{kind}": (self._part(stack, v), row)
                              for j, v in enumerate(variables)})
        return found

    def shapes(self):
        """Array name of the original -> shape, discriminator by discriminator."""
        return {name: tuple(part.variable.shape[1:]) for name, (part, _) in self.rows().items()}

    def arrays(self):
        """(name, array) of each discriminator's arrays."""
        for name, (part, row) in self.rows().items():
            yield name, part.row(row)

    def assign_arrays(self, names, read):
        """Sets discriminators' rows of the stacked variables."""
        wanted, mine = set(names), {}
        for name, (part, row) in self.rows().items():
            if name in wanted:
                mine.setdefault(part.variable.ref(), (part, []))[1].append((row, name))
        for part, held in mine.values():
            part.assign((row, read(name)) for row, name in held)

    def whole(self, state: Mapping[str, tf.Variable]) -> dict[str, tf.Variable | Rows]:
        """The state of a system with this D: an optimiser's variables `d/m/c0_w` of stacked weights by the
        name of the whole, as `Rows`. So files do not tell how the discriminators were shared out."""
        stacks = {v.name.split(":")[0]: stack for stack in self.stacks for v in stack.variables_by_layer}
        found, parts = {}, {}
        for name, variable in state.items():
            of = re.fullmatch(r"d/\w+/(.+)", name)
            if of is None:
                found[name] = variable
            else:
                parts.setdefault(whole_name(name), []).append(self._part(stacks[of[1]], variable))
        return {**found, **{name: Rows(held) for name, held in parts.items()}}


def crossing_bytes(bsz: int, imsz: int) -> int:
    """Bytes between the first device and each further one in an iteration, whatever K and the networks' size:
    the G step's fakes, the D step's reals and fakes, and the image gradient back, float32 [bsz, imsz, imsz,
    3] each. Beside them only a few numbers for each discriminator."""
    return 4 * bsz * imsz**2 * 3 * 4


def shares(counts: Sequence[int], devices: Sequence[str]) -> list[Share]:
    """How K discriminators lie on N devices: device d has those from d*K//N to before (d+1)*K//N, counted
    over the groups; further devices than K are left out. Device by device.

    Args:
        counts: discriminators of each group.
        devices: their names.
    """
    ends = list(itertools.accumulate(counts))
    n, parts, found = min(len(devices), ends[-1]), [0] * len(counts), []
    for d in range(n):
        first, last = (i * ends[-1] // n for i in (d, d + 1))
        for group, (count, end) in enumerate(zip(counts, ends)):
            rows = [min(max(i - (end - count), 0), count) for i in (first, last)]
            if rows[0] < rows[1]:
                found.append(Share(group, parts[group], rows[0], rows[1], devices[d]))
                parts[group] += 1
    return found
