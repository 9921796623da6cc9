"""Keras 2 under every TensorFlow, and a quiet start."""
import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from tfgan_suite import startup

NEWER = int(version("keras").split(".")[0]) >= 3
KERAS_3 = pytest.mark.skipif(not NEWER, reason="this TensorFlow has no Keras 3")


def run(code):
    environment = {k: v for k, v in os.environ.items()
                   if k not in ("TF_USE_LEGACY_KERAS", "TF_CPP_MIN_LOG_LEVEL")}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True,
                          timeout=120, check=False)


def test_the_package_chooses_keras_2_and_starts_quietly():
    done = run("import tfgan_suite, tensorflow as tf; print(issubclass(tf.keras.layers.Layer, tf.Module));"
               "tf.zeros([2]) + 1.0")
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_tensorflow_first_is_no_harm_where_its_keras_is_not_in_use_yet():
    done = run("import tensorflow as tf, tfgan_suite; print(issubclass(tf.keras.layers.Layer, tf.Module))")
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


@KERAS_3
def test_keras_3_in_use_is_one_clear_line():
    done = run("import tensorflow as tf; tf.keras.layers.Dense(1); import tfgan_suite")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("tfgan_suite.errors.UserError: TensorFlow was imported "
                                                   "before tfgan_suite")


def test_a_keras_that_is_not_there_names_its_package():
    class Broken:
        @property
        def keras(self):
            raise ImportError("Keras cannot be imported")

    with pytest.raises(ModuleNotFoundError, match="pip install tf-keras") as caught:
        startup.check_keras(Broken())
    assert caught.value.name == "tf_keras"


def test_what_is_hidden_is_shown_when_it_matters(capfd):
    with startup.hidden_stderr():
        os.write(2, b"chatter\n")
    assert capfd.readouterr().err == ""
    with pytest.raises(RuntimeError), startup.hidden_stderr():
        os.write(2, b"the reason\n")
        raise RuntimeError
    assert capfd.readouterr().err == "the reason\n"
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
