"""What has to happen before TensorFlow is imported; the package does it when it is imported itself.

The networks are built on Keras 2, which later TensorFlows (2.16 and up) bring as the package tf-keras and use
only when the environment says so. Their libraries also write some lines to stderr while they are loaded,
which no setting silences.
"""
from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import os
import sys
import tempfile

from tfgan_suite.errors import UserError

TENSORFLOW = "tensorflow"


def prepare() -> None:
    """Chooses Keras 2 and keeps TensorFlow's start quiet.

    Raises:
        UserError: TensorFlow is in use already, with Keras 3.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    if TENSORFLOW in sys.modules:
        check_keras(sys.modules[TENSORFLOW])
    else:
        sys.meta_path.insert(0, _Quietly())


def check_keras(tensorflow) -> None:
    """Sees to it that this TensorFlow's Keras is version 2, whose layers are TensorFlow modules.

    Raises:
        UserError: it is Keras 3.
        ModuleNotFoundError: Keras 2 is not installed.
    """
    try:
        two = issubclass(tensorflow.keras.layers.Layer, tensorflow.Module)
    except ImportError as error:
        raise ModuleNotFoundError("TensorFlow finds no Keras 2; pip install tf-keras of TensorFlow's own "
                                  "version",
                                  name="tf_keras") from error
    if not two:
        raise UserError("TensorFlow was imported before tfgan_suite and uses Keras 3, tfgan_suite needs "
                        "Keras 2; start again with 'import tfgan_suite' first, or set the environment "
                        "variable TF_USE_LEGACY_KERAS=1")


class _Quietly(importlib.abc.MetaPathFinder):
    """Finds TensorFlow as usual, and has it loaded without its lines on stderr."""

    def find_spec(self, name, path=None, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name) if name == TENSORFLOW else None
        if spec is None:
            return None
        loader = spec.loader

        def load(module):
            with hidden_stderr():
                type(loader).exec_module(loader, module)
                check_keras(module)

        loader.exec_module = load
        return spec


@contextlib.contextmanager
def hidden_stderr():
    """What the process writes to stderr meanwhile is shown only if the block raises; libraries' lines
    included."""
    try:
        shown = os.dup(2)
    except OSError:  # stderr is closed: nothing to hide
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(shown, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)
