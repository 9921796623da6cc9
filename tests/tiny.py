"""A folder to run the verbs in: small pictures with their list, and experiments that take seconds."""
from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent

RPGAN = """'''RP-GAN on a handful of pictures'''
ksz, zlen, f1, df = 4, 6, 8, 4
imsz, bsz = 16, 4
lfile, crop = 'data/list.txt', False
filts, filts_seed = '4,2,1,2', 3
SAVEFREQ, MAXITER, log_every = 4, 4, 2
"""


def pictures(folder: Path, count: int = 7, side: int = 16) -> Path:
    """Writes `count` PNG files and `list.txt`, and returns the list's path."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(0)
    names = [folder / f"{i}.png" for i in range(count)]
    for name in names:
        Image.fromarray(draw.integers(0, 256, (side, side, 3), np.uint8)).save(name)
    (folder / "list.txt").write_text("".join(f"{name}\n" for name in names))
    return folder / "list.txt"


def workplace(tmp_path: Path, monkeypatch) -> Path:
    """Goes to a fresh folder with `exp/tiny.py` and its pictures."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exp").mkdir()
    (tmp_path / "exp/tiny.py").write_text(RPGAN)
    pictures(Path("data"))
    return tmp_path


def verb(name: str):
    """The `main` function of a command script, to call with a list of arguments."""
    spec = importlib.util.spec_from_file_location(Path(name).stem.replace(".", "_"), ROOT / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def run(*words, timeout: float = 120, env: dict | None = None, **options) -> subprocess.CompletedProcess:
    """Runs a command script in a process of its own."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **(env or {})}
    return subprocess.run([sys.executable, str(ROOT / words[0]), *map(str, words[1:])], capture_output=True,
                          text=True,
                          timeout=timeout, env=environment, check=False, **options)
