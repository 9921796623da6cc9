"""Checkpoints of TensorFlow 1's Saver, read without a session."""
from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError


def prefix(path) -> str:
    """The file prefix `.../ckpt-N` that a folder (its newest checkpoint), a prefix or one of the three files stands for.

    A folder may have been moved: only the base name in its file `checkpoint` counts.

    Raises:
        UserError: there is no checkpoint.
    """
    path, found = Path(path), ""
    if path.is_dir():
        state = tf.train.get_checkpoint_state(str(path))
        found = str(path / Path(state.model_checkpoint_path).name) if state else ""
    else:
        found = re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", str(path))
    if not found or not Path(f"{found}.index").is_file():
        raise UserError(f"{path}: no TensorFlow checkpoint; give its folder, or ckpt-N.index with ckpt-N.data-* beside it")
    return found


def read(source: str) -> dict[str, np.ndarray]:
    """Variable name -> array, of the checkpoint with this prefix.

    Raises:
        UserError: it is broken.
    """
    try:
        reader = tf.train.load_checkpoint(source)
        return {name: np.asarray(reader.get_tensor(name)) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        raise UserError(f"{source}: cannot be read: {str(error).splitlines()[0]}") from None
