"""Reconstruction tests of LIS: the running one, the final one, and the metric of `tools/evaluate.py`."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tfgan_suite.errors import UserError
from tfgan_suite.experiment import whole
from tfgan_suite.files import archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.lis import drawing
from tfgan_suite.metrics.reconstruction import Search
from tfgan_suite.pictures import saving


def search(system) -> Search:
    """The search with the system's --test_lr, --test_steps and --batch_size."""
    p = system.params
    return Search(system.decode, p.code_size, p.test_lr, p.test_steps, p.batch_size)


def tested_file(params) -> Path | None:
    """The file with the G that --net names: of the best network, of the newest checkpoint or of an iteration; None if there
    is no best, or no checkpoint at all."""
    files = Checkpoints(Path(params.wts_dir) / "best" if params.net == "best" else params.wts_dir)
    number = int(params.net) if whole(params.net) is not None else files.newest("g")
    return None if number is None else files.path("g", number)


def final_test(system, targets: np.ndarray, folder) -> float:
    """The test on the final test images, with a picture of each target beside its reconstruction.

    Args:
        targets: float32 [n, h, w, 3] in [0, 1].
        folder: gets `{k}.png` and `loss.json`.

    Returns:
        The mean square distance.
    """
    folder, batch = Path(folder), system.batch_size
    batches = -(-len(targets) // batch)

    def report(first, loss):
        print(f"Testing batch {first // batch + 1} of {batches} ...\nbatch loss = {loss:.6f}", flush=True)

    _, found, loss = search(system)(targets, report)
    folder.mkdir(parents=True, exist_ok=True)
    for k, pair in enumerate(zip(drawing.to_bytes(targets), drawing.to_bytes(found))):
        saving.save(folder / f"{k}.png", drawing.torch_sheet(np.stack(pair), 2))
    archive.write_bytes(folder / "loss.json", json.dumps({"loss": loss, "images": len(targets)}).encode())
    print(f"loss = {loss:.6f}", flush=True)
    return loss


def on_test_images(evaluation) -> float:
    """The mean square distance over (at most --n of) the final test images, for `tools/evaluate.py`.

    Raises:
        UserError: other real images were asked for.
    """
    source = evaluation.reals()
    if not hasattr(source, "test"):
        raise UserError("--reals: the reconstruction test uses the experiment's own test images; leave --reals out")
    targets = source.test("final_test")
    return search(evaluation.system)(targets[:len(evaluation.samples)])[2]
