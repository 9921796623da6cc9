"""The base classes of networks: Keras models whose variables have the original's names.

All networks are called alike: `G(z, labels=None, training=False)` gives images, `D(images, labels=None,
    training=False,
update=None)` gives logits. `training` says which statistics are used, `update` whether state (spectral norm's
u, moving averages) may move; by default as `training`.
"""
from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.layers.conventions import PLAIN, Convention
from tfgan_suite.layers.linear import Linear
from tfgan_suite.layers.passes import Pass


class Network(tf.keras.Model):
    """A Keras subclassed model that can be written to and read from plain arrays.

    Variables are created in `__init__` (never lazily), each with the original's full name:
    `self.add_weight("D.Block.1/Conv1/Filters", shape, initializer=...)`, in this class or in a layer's
    `__init__`. Where a file has other arrays than the network has variables (RP-GAN stacks K discriminators
    in one variable), override `shapes`, `arrays` and `assign_array`.

    Attributes:
        convention: of the original; its `axes` turn our layouts into those of the files.
        classes: how many classes the tables have; 0 without labels.
        class_tables: ends of the names of arrays whose first axis is the classes, so that another number of
            classes is said in these words.
    """

    convention: Convention = PLAIN
    classes: int = 0
    class_tables: tuple = ()

    def named(self) -> dict[str, tf.Variable]:
        """Original name -> variable, in the order of creation, trainable or not."""
        named = {v.name.split(":")[0]: v for v in self.variables}
        assert len(named) == len(self.variables), "two variables share a name"
        return named

    def shapes(self) -> dict[str, tuple]:
        """Array name -> shape, of all arrays that a checkpoint file of this network holds."""
        return {name: tuple(v.shape[axis] for axis in self._axes(name, v)) for name,
                v in self.named().items()}

    def arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """(name, array) of each array of the checkpoint file, one at a time, so that a big network is not
        held twice."""
        for name, variable in self.named().items():
            yield name, np.asarray(variable.numpy().transpose(self._axes(name, variable)), order="C")

    def assign_array(self, name: str, value: np.ndarray) -> None:
        """Sets one array of the file, whose shape has been checked."""
        variable = self.named()[name]
        variable.assign(value.transpose(np.argsort(self._axes(name, variable))))

    def current_name(self, name: str) -> str:
        """The name that an array has today, from one that it may have had in an older file."""
        return name

    def _axes(self, name: str, variable) -> tuple:
        return self.convention.axes(name, len(variable.shape))

    def assign(self, arrays) -> None:
        """Sets all weights from a mapping name -> array (a dict or an open `checkpoints.Archive`).

        Arrays are reshaped to the variable's shape where the sizes agree, as in ayanc/rpgan. Arrays that the
        mapping lacks keep their values.

        Raises:
            UserError: an array that this network does not have, or one of another size.
        """
        shapes = self.shapes()
        where = getattr(arrays, "path", "weights")
        today = {self.current_name(name): name for name in arrays}
        for name, old in today.items():
            if (
                self.classes
                and name in shapes
                and name.endswith(self.class_tables)
                and len(arrays[old]) != self.classes
            ):
                raise UserError(f"{where}: is of a model with {len(arrays[old])} classes, this experiment "
                                f"has {self.classes}; set its number of classes to {len(arrays[old])}")
            if name not in shapes:
                raise UserError(f"{where}: array '{name}' does not belong to this network; is it of another "
                                f"experiment?")

        def read(name: str) -> np.ndarray:
            value = np.asarray(arrays[today[name]])
            if value.size != int(np.prod(shapes[name], dtype=np.int64)):
                raise UserError(f"{where}: array '{name}' has shape {value.shape}, this experiment needs "
                                f"{shapes[name]}")
            return value.reshape(shapes[name]).astype(np.float32)

        self.assign_arrays(list(today), read)

    def assign_arrays(self, names: list[str], read: Callable[[str], np.ndarray]) -> None:
        """Sets arrays of the file, whose names have been checked; `read` gives one, in its shape."""
        for name in names:
            self.assign_array(name, read(name))

    def parameter_count(self) -> int:
        """Number of trainable numbers."""
        return int(sum(np.prod(v.shape, dtype=np.int64) for v in self.trainable_variables))

    def spectral_weights(self) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """(name, matrix [rows, columns], u [1, columns]) of every spectrally normalised weight, by its u's
        name in the files."""
        for layer in self._flatten_layers():
            if isinstance(layer, Linear) and "u" in layer.extra:
                kernel = layer.outputs_last(tf.convert_to_tensor(layer.kernel)).numpy()
                name = layer.array_name("u").removesuffix("/u").removesuffix("/spectral_norm")
                yield name, kernel.reshape(-1, kernel.shape[-1]), layer.extra["u"].numpy()


class Body(Network):
    """A generator or a discriminator that is one chain of layers.

    Args:
        body: a `Chain`.
        convention: of the original.
    """

    def __init__(self, body, convention: Convention = PLAIN):
        super().__init__(dtype="float32", autocast=False)
        self.body, self.convention = body, convention

    def call(self, x, labels=None, training: bool = False, update: bool | None = None, groups: int = 1,
             masks: dict | None = None):
        """The body's result, float32; arguments as in the calling contract of this file, `masks` as in
        `passes.Pass`."""
        return tf.cast(self.body(x, Pass.of(labels, training, update, groups, masks)), tf.float32)
