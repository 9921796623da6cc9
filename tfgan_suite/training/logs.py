"""What a run tells: console, TensorBoard, metrics.jsonl. One call a reading."""
from __future__ import annotations

import json
import platform
import sys
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameters
from tfgan_suite.files import archive
from tfgan_suite.pictures import saving


class RunLog:
    """The log folder of one run: `config.json`, `metrics.jsonl`, TensorBoard events, `samples/`.

    Args:
        params: of the run; `log_dir` is made if it is missing.
        out: the console.

    Raises:
        UserError: the folder cannot be made or written.
    """

    def __init__(self, params: Parameters, out=None):
        self.params, self.out = params, out or sys.stdout
        self.folder = Path(params.log_dir)
        self.bar = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._metrics = open(self.folder / "metrics.jsonl", "a", buffering=1)  # noqa: SIM115 (open as long as the run)
            self.writer = tf.summary.create_file_writer(str(self.folder))
        except (OSError, tf.errors.OpError) as error:
            raise UserError(f"{self.folder}: cannot write logs: {error}; give another --log_dir") from error

    def config(self) -> None:
        """Writes the resolved parameters, the versions and the source of the experiment."""
        about = {"experiment": self.params.name, "parameters": self.params.values, "sources": self.params.sources,
                 "versions": versions(), "source": self.params.text}
        archive.write_bytes(self.folder / "config.json", json.dumps(about, indent=1, sort_keys=True).encode())
        rows = [f"| {k} | {v} | {self.params.sources.get(k, '')} |" for k, v in sorted(self.params.values.items())]
        with self.writer.as_default(step=0):
            tf.summary.text("config", "\n".join(["| parameter | value | from |", "|---|---|---|", *rows]))

    def line(self, text: str, stamp: bool = True) -> None:
        """One console line, with the original's time prefix; shown only where the console is not a terminal with a bar."""
        prefix = time.strftime("%Y-%m-%d %H:%M:%S ") if stamp else ""
        if self.bar is not None:
            self.bar.write(prefix + text, file=self.out)
        else:
            print(prefix + text, file=self.out, flush=True)

    def scalars(self, step: int, values: dict) -> None:
        """Scalars and vectors of iteration `step` to TensorBoard and metrics.jsonl."""
        flat = {}
        for name, value in values.items():
            if np.ndim(value) == 0:
                flat[name] = float(value)
            else:
                flat.update({f"{name}/{i:02d}": float(v) for i, v in enumerate(np.ravel(value))})
        with self.writer.as_default(step=step):
            for name, value in flat.items():
                tf.summary.scalar(name, value)
        self.record({"iteration": step, **flat})

    def record(self, entry: dict) -> None:
        """One line of metrics.jsonl."""
        self._metrics.write(json.dumps(entry) + "\n")

    def image(self, tag: str, step: int, picture: np.ndarray) -> None:
        """A uint8 picture [H, W, 3] to `<tag>/iter_N.png` in the log folder and to TensorBoard."""
        folder = self.folder / tag
        folder.mkdir(parents=True, exist_ok=True)
        saving.save(folder / f"iter_{step}.png", picture)
        with self.writer.as_default(step=step):
            tf.summary.image(tag, picture[None])

    def close(self) -> None:
        """Flushes everything."""
        self.writer.close()
        self._metrics.close()


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    return {"python": platform.python_version(), "tensorflow": tf.__version__, "numpy": np.__version__}
