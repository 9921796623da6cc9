"""The base class of all networks: a Keras model whose variables have the original's names."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError


class Network(tf.keras.Model):
    """A Keras subclassed model that can be written to and read from plain arrays.

    Variables are created in `__init__` (never lazily), each with the original's full name:
    `self.add_weight("D.Block.1/Conv1/Filters", shape, initializer=...)`, in this class or in a layer's `__init__`. Where a
    file has other arrays than the network has variables (RP-GAN stacks K discriminators in one variable), override
    `shapes`, `arrays` and `assign_array`.
    """

    def named(self) -> dict[str, tf.Variable]:
        """Original name -> variable, in the order of creation, trainable or not."""
        named = {v.name.split(":")[0]: v for v in self.variables}
        assert len(named) == len(self.variables), "two variables share a name"
        return named

    def shapes(self) -> dict[str, tuple]:
        """Array name -> shape, of all arrays that a checkpoint file of this network holds."""
        return {name: tuple(v.shape) for name, v in self.named().items()}

    def arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        """(name, array) of each array of the checkpoint file, one at a time, so that a big network is not held twice."""
        for name, variable in self.named().items():
            yield name, variable.numpy()

    def assign_array(self, name: str, value: np.ndarray) -> None:
        """Sets one array of the file, whose shape has been checked."""
        self.named()[name].assign(value)

    def assign(self, arrays) -> None:
        """Sets all weights from a mapping name -> array (a dict or an open `checkpoints.Archive`).

        Arrays are reshaped to the variable's shape where the sizes agree, as in ayanc/rpgan. Arrays that the mapping lacks
        keep their values.

        Raises:
            UserError: an array that this network does not have, or one of another size.
        """
        shapes = self.shapes()
        where = getattr(arrays, "path", "weights")
        for name in arrays:
            if name not in shapes:
                raise UserError(f"{where}: array '{name}' does not belong to this network; is it of another experiment?")
        for name in arrays:
            value = np.asarray(arrays[name])
            if value.size != int(np.prod(shapes[name], dtype=np.int64)):
                raise UserError(f"{where}: array '{name}' has shape {value.shape}, this experiment needs {shapes[name]}")
            self.assign_array(name, value.reshape(shapes[name]).astype(np.float32))

    def parameter_count(self) -> int:
        """Number of trainable numbers."""
        return int(sum(np.prod(v.shape, dtype=np.int64) for v in self.trainable_variables))
