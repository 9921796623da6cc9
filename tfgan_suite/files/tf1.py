"""Checkpoints of TensorFlow 1's Saver, read without a session."""
from __future__ import annotations

import glob
import re
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError, reading


def prefix(path) -> str:
    """The file prefix `.../ckpt-N` that a folder (its newest checkpoint), a prefix or one of the three files
    stands for.

    A folder may have been moved: only the base name in its file `checkpoint` counts.

    Raises:
        UserError: there is no checkpoint.
    """
    path, found = Path(path), ""
    if path.is_dir():
        with reading(path / "checkpoint", "does not name a checkpoint",
                     "give ckpt-N.index in place of its folder"):
            state = tf.train.get_checkpoint_state(str(path))
        found = str(path / Path(state.model_checkpoint_path).name) if state else ""
    else:
        found = re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", str(path))
    if not found or not Path(f"{found}.index").is_file():
        raise UserError(f"{path}: no TensorFlow checkpoint; give its folder, or ckpt-N.index with "
                        f"ckpt-N.data-* beside it")
    return found


def read(source: str) -> dict[str, np.ndarray]:
    """Variable name -> array, of the checkpoint with this prefix.

    Raises:
        UserError: it is broken.
    """
    there = sum(path.stat().st_size
                for path in Path(source).parent.glob(f"{glob.escape(Path(source).name)}.data-*"))
    with reading(source, "cannot be read", "copy the checkpoint's three files again"):
        reader = tf.train.load_checkpoint(source)
        shapes, types = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        claimed = sum(int(np.prod(shape, dtype=object)) * max(1, types[name].size) for name,
                      shape in shapes.items())
        if claimed > there:
            raise ValueError(f"its index claims {claimed} bytes, there are {there}")
        return {name: np.asarray(reader.get_tensor(name)) for name in shapes}
