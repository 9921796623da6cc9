"""What a LIS run does on the host: pictures, reconstruction tests, the best network, history. Files as in the original,
below --save_path (by default the log folder)."""
from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite.experiment import whole
from tfgan_suite.files import archive
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.lis import drawing, reconstruction
from tfgan_suite.lis.record import training_loss
from tfgan_suite.pictures import saving
from tfgan_suite.system import Event

FILES = ("samples", "samples_*", "running_test", "*_test", "real_images.jpg", "loss.jpg", "log")


class Reports:
    """The events of one system.

    Args:
        system: a `base.LisSystem`; one whose parameters have no --final_test is not tested.
    """

    def __init__(self, system):
        self.system, self.params = system, system.params
        self.tested = "final_test" in system.params.values
        if system.training and self.tested:
            system.extra_state["min_loss"] = tf.Variable(np.inf, trainable=False, dtype=tf.float64)
            system.extra_state["best_iter"] = tf.Variable(0, trainable=False, dtype=tf.int64)

    def events(self) -> list[Event]:
        """Pictures every vis_interval (and before training, but for R-separate), tests every test_interval, and so on."""
        p, end = self.params, self.system.iterations
        found = [Event("pictures", p.vis_interval, self.visualise, first=self.tested),
                 Event("history", p.log_every, self.history, due=lambda n: n % p.log_every == 0 or n == end),
                 Event("loss.jpg", self.system.plot_interval or p.vis_interval, self.plot)]
        if self.tested:
            found.append(Event("test", p.test_interval, self.running_test))
            if p.final_test:
                found.append(Event("final test", max(end, 1), self.final_test))
        return found

    # -- files -------------------------------------------------------------------------------------------------------------
    def _folder(self, host) -> Path:
        return self._place(host.log_dir)

    def _place(self, log_dir) -> Path:
        given = self.params.values.get("save_path") or self.params.values.get("save_path_r")
        return Path(given or log_dir)

    def cut(self, log_dir, done: int) -> None:
        """Deletes the tables of tests after iteration `done`."""
        for path in (self._place(log_dir) / "log").glob("loss_*.npz"):
            if (whole(path.stem[5:]) or 0) > done:
                archive.remove(path)

    def _save(self, host, name: str, picture: np.ndarray) -> None:
        path = self._folder(host) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        saving.save(path, picture)

    def _once(self, host) -> None:
        """What the original writes when it starts: the codes of all pictures, test targets, real images."""
        rows, cols = self.system.grid
        folder = self._folder(host)
        codes = folder / "samples" / "vis_code.npy"
        if codes.is_file():
            return
        targets = drawing.to_bytes(host.source.test("running_test")[:rows * cols])
        self._save(host, "running_test/target.jpg", drawing.torch_sheet(targets, cols))
        n = min(64, len(host.source))
        shown = host.source.images(host.source.keys(0, n))
        self._save(host, "real_images.jpg", drawing.draw_grid(shown, cols=8))
        codes.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.save(buffer, self.codes())
        archive.write_bytes(codes, buffer.getvalue())

    def codes(self) -> np.ndarray:
        """The codes of all pictures of a run."""
        rows, cols = self.system.grid
        return self.system.latents(rows * cols, self.params.seed)

    # -- events ------------------------------------------------------------------------------------------------------------
    def visualise(self, done: int, host) -> dict:
        """Pictures of fixed codes after each stage, and all stages side by side."""
        self._once(host)
        self._stages(host, self.codes(), *self.system.picture_names(done))
        return {}

    def _stages(self, host, codes, names, name_all) -> None:
        cols = self.system.grid[1]
        scale = self.params.output_scale
        stages = [drawing.to_bytes(x, scale) for x in self.system.all_stages(codes)]
        for name, stage in zip(names, stages):
            self._save(host, name, self.system.sheet(stage, cols))
        chains = drawing.side_by_side(*stages)
        self._save(host, name_all, drawing.draw_grid(chains, cols=cols, border=self.system.chain_border))

    def history(self, done: int, host) -> dict:
        """The losses of each iteration since the last call, as 'group/line'."""
        count = (done - 1) % self.params.log_every + 1
        iterations, rows = self.system.record.rows(done, count)
        for iteration, row in zip(iterations, rows):
            host.log(int(iteration), self.system.lines(dict(zip(self.system.record.names, map(float, row)))))
        return {}

    def plot(self, done: int, host) -> dict:
        """loss.jpg from the history so far."""
        from tfgan_suite.lis import history, plots

        plots.losses(history.from_metrics(Path(host.log_dir) / "metrics.jsonl"), self._folder(host) / "loss.jpg")
        return {}

    def running_test(self, done: int, host) -> dict:
        """Reconstructs the running test images; keeps the network if it is the best so far."""
        host.line("Testing ...", stamp=False)
        rows, cols = self.system.grid
        codes, _, loss = reconstruction.search(self.system)(host.source.test("running_test"))
        host.line(f"loss = {loss:.6f}", stamp=False)
        names = [f"running_test/{'' if k is None else f'r{k}_'}test_{done}.jpg"
                 for k in (None, *range(self.params.r_iterations))]
        self._stages(host, codes[:rows * cols], names, f"running_test/all_test_{done}.jpg")
        self._write_losses(done, host, loss)
        if loss < float(self.system.extra_state["min_loss"]):
            host.line("new best network!", stamp=False)
            self.system.extra_state["min_loss"].assign(loss)
            self.system.extra_state["best_iter"].assign(done)
            self._keep_best(done)
        return {"test_loss": loss}

    def _write_losses(self, done, host, loss) -> None:
        table = training_loss(self.system.record, done, self.params.test_interval, self.system.recorded)
        path = self._folder(host) / "log" / f"loss_{done}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.savez(buffer, training_loss=table, test_loss=loss)
        archive.write_bytes(path, buffer.getvalue())

    def _keep_best(self, done: int) -> None:
        networks = self.system.networks
        about = {"iteration": done, "experiment": self.params.name, "system": self.params.system,
                 "fixed": self.params.fixed()}
        Checkpoints(Path(self.params.wts_dir) / "best", tuple(networks)).save(done, networks, {}, about)

    def final_test(self, done: int, host) -> dict:
        """The test on the final test images with the checkpoint --net; the present weights stay as they are."""
        g, net = self.system.networks["g"], self.params.net
        present = dict(g.arrays())
        path = None if net == "last" else reconstruction.tested_file(self.params)
        if path is not None:
            g.assign(Archive(path))
        loss = reconstruction.final_test(self.system, host.source.test("final_test"), self._folder(host) / f"{net}_test")
        g.assign(present)
        return {"final_test_loss": loss}


def losses_of(path) -> dict:
    """What a `log/loss_N.npz` holds, as plain values: training_loss [interval, 3] and test_loss."""
    archive = Archive(path)
    return {"training_loss": archive["training_loss"], "test_loss": float(archive["test_loss"])}


def result_of(path) -> dict:
    """What a `loss.json` of the final test holds."""
    return json.loads(Path(path).read_text())
