"""What a LIS run reports: the losses of its last iterations, pictures, reconstruction tests, the best
network, history.

Files as in the original, below --save_path (by default the log folder).
"""
from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from tfgan_suite.errors import UserError, quoted, reading
from tfgan_suite.events import Event
from tfgan_suite.experiment import whole
from tfgan_suite.files import archive, torch
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.lis.data import LisImages
from tfgan_suite.lis.history import History, from_metrics
from tfgan_suite.metrics.reconstruction import Search
from tfgan_suite.pictures import saving, sheets
from tfgan_suite.pictures.bytes import unit_to_uint8

FILES = ("samples", "samples_*", "running_test", "*_test", "real_images.jpg", "loss.jpg", "log")
ABSENT = -1.0  # what the original prints for a loss that did not occur


# -- losses of the last iterations -----------------------------------------------------------------------
class Record:
    """A ring of rows, one an iteration, that is part of a run's state.

    Args:
        names: of the columns, as on the console.
        length: rows kept.
    """

    def __init__(self, names: tuple, length: int):
        self.names, self.length = tuple(names), length
        self.ring = tf.Variable(tf.fill([length, len(self.names)], ABSENT), trainable=False, name="record",
                                aggregation=tf.VariableAggregation.MEAN)

    def put(self, step: tf.Tensor, values: dict) -> None:
        """Stores iteration `step` (from 0)."""
        row = tf.stack([tf.cast(values[name], tf.float32) for name in self.names])
        place = tf.reshape(step % self.length, [1, 1])
        self.ring.assign(tf.tensor_scatter_nd_update(tf.convert_to_tensor(self.ring), place, row[None]))

    def rows(self, done: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The newest `count` rows (or as many as are kept) after `done` iterations.

        Returns:
            (iterations counted from 1 [n], values [n, columns]).
        """
        first = max(0, done - min(count, self.length))
        return np.arange(first + 1, done + 1), self.ring.numpy()[np.arange(first, done) % self.length]


def training_loss(record: Record, done: int, interval: int, columns: tuple) -> np.ndarray:
    """The original's table: (interval, 3) with 0 where a loss did not occur.

    Args:
        columns: the three names of its columns.
    """
    table = np.zeros((interval, len(columns)), np.float32)
    iterations, values = record.rows(done, interval)
    for iteration, row in zip(iterations, values):
        found = dict(zip(record.names, row))
        table[(iteration - 1) % interval] = [0.0 if found[c] == ABSENT else found[c] for c in columns]
    return table


# -- reconstruction tests --------------------------------------------------------------------------------
def search(system) -> Search:
    """The search with the system's --test_lr, --test_steps and --batch_size."""
    p = system.params
    return Search(system.decode, p.code_size, p.test_lr, p.test_steps, p.batch_size)


def tested_file(params) -> Path:
    """The file with the G that --net names: of the best network, of the newest checkpoint or of an iteration.

    Raises:
        UserError: it is not there; a missing best network is not replaced by another.
    """
    files = Checkpoints(Path(params.wts_dir) / "best" if params.net == "best" else params.wts_dir)
    number = int(params.net) if whole(params.net) is not None else files.newest("g")
    if number is None or not files.path("g", number).is_file():
        why = " (no running test has been yet)" if params.net == "best" else ""
        place = files.folder if number is None else files.path("g", number)
        raise UserError(f"{place}: there is no checkpoint for --net={params.net}{why}; train with "
                        f"./train.py {quoted(params.name)}, or give --net=last or an iteration that is there")
    return files.path("g", number)


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
    scale = system.params.output_scale
    for k, pair in enumerate(zip(unit_to_uint8(targets, scale), unit_to_uint8(found, scale))):
        saving.save(folder / f"{k}.png", sheets.torch_sheet(np.stack(pair), 2))
    archive.write_bytes(folder / "loss.json", json.dumps({"loss": loss, "images": len(targets)}).encode())
    print(f"loss = {loss:.6f}", flush=True)
    return loss


def on_test_images(evaluation) -> float:
    """The mean square distance over (at most --n of) the final test images, for `tools/evaluate.py`.

    Raises:
        UserError: other real images were asked for.
    """
    source = evaluation.reals()
    if not isinstance(source, LisImages):
        raise UserError("--reals: the reconstruction test uses the experiment's own test images; leave "
                        "--reals out")
    return search(evaluation.system)(source.test("final_test", len(evaluation.samples)))[2]


# -- events ----------------------------------------------------------------------------------------------
class Reports:
    """The events of one system.

    Args:
        system: a `base.LisSystem`.
        folder: of the files.
    """

    def __init__(self, system, folder):
        self.system, self.params, self.folder = system, system.params, Path(folder)
        self._told: History | None = None
        if system.training and system.tested:
            system.extra_state["min_loss"] = tf.Variable(np.inf, trainable=False, dtype=tf.float64)
            system.extra_state["best_iter"] = tf.Variable(0, trainable=False, dtype=tf.int64)

    def events(self) -> list[Event]:
        """Pictures before training and every vis_interval, tests every test_interval, and so on."""
        p, end = self.params, self.system.iterations
        found = [Event("pictures", p.vis_interval, self.visualise, first=True),
                 Event("history", p.log_every, self.history, due=lambda n: n % p.log_every == 0
                       or n == end),
                 Event("loss.jpg", self.system.plot_interval or p.vis_interval, self.plot)]
        if self.system.tested:
            found.append(Event("test", p.test_interval, self.running_test))
        if p.final_test:
            found.append(Event("final test", max(end, 1), self.final_test))
        return found

    def cut(self, done: int) -> None:
        """Deletes the tables of tests after iteration `done`."""
        for path in (self.folder / "log").glob("loss_*.npz"):
            if (whole(path.stem[5:]) or 0) > done:
                archive.remove(path)

    # -- files --------------------------------------------------------------------------------------------
    def _save(self, name: str, picture: np.ndarray) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        saving.save(path, picture)

    def _once(self, host) -> None:
        """What the original writes when it starts: the codes of all pictures, test targets, real images."""
        rows, cols = self.system.grid
        folder = self.folder
        codes = folder / "samples" / "vis_code.npy"
        if codes.is_file():
            return
        targets = unit_to_uint8(host.source.test("running_test", rows * cols), self.params.output_scale)
        self._save("running_test/target.jpg", sheets.torch_sheet(targets, cols))
        n = min(64, len(host.source))
        self._save("real_images.jpg", sheets.draw_grid(host.source.first(n), cols=8))
        codes.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.save(buffer, self.codes())
        archive.write_bytes(codes, buffer.getvalue())

    def codes(self) -> np.ndarray:
        """The codes of all pictures of a run: those that are kept beside the pictures (the original's too),
        else
        those of the seed.

        Raises:
            UserError: the file holds other things than codes of this experiment.
        """
        rows, cols = self.system.grid
        shape = (rows * cols, self.params.code_size)
        for name, read in (("vis_code.npy", read_table), ("vis_code.pt", torch.load)):
            path = self.folder / "samples" / name
            if path.is_file():
                with reading(path, "holds no codes", "delete it to draw new ones"):
                    found = np.asarray(read(path), np.float32)
                if found.shape != shape:
                    raise UserError(f"{path}: holds codes of shape {found.shape}, these pictures need "
                                    f"{shape}; go on with the old --vis_size and --code_size, or delete the "
                                    "file")
                return found
        return self.system.latents(rows * cols, self.params.seed)

    # -- events -------------------------------------------------------------------------------------------
    def visualise(self, done: int, host) -> dict:
        """Pictures of fixed codes after each stage, and all stages side by side."""
        self._once(host)
        self._stages(self.codes(), *self.system.picture_names(done))
        return {}

    def _stages(self, codes, names, name_all) -> None:
        cols = self.system.grid[1]
        scale = self.params.output_scale
        stages = [unit_to_uint8(x, scale) for x in self.system.all_stages(codes)]
        for name, stage in zip(names, stages):
            self._save(name, self.system.sheet(stage, cols))
        chains = sheets.side_by_side(*stages)
        self._save(name_all, sheets.draw_grid(chains, cols=cols, border=self.system.chain_border))

    def history(self, done: int, host) -> dict:
        """The losses of each iteration since the last call, as 'group/line'."""
        count = (done - 1) % self.params.log_every + 1
        iterations, rows = self.system.record.rows(done, count)
        told = self._history(host, int(iterations[0]))
        for iteration, row in zip(iterations.tolist(), rows):
            lines = self.system.lines(dict(zip(self.system.record.names, map(float, row))))
            host.log(iteration, lines)
            for name, value in lines.items():
                group, line = name.split("/", 1)
                told.append(group, line, iteration, value)
        return {}

    def _history(self, host, first: int) -> History:
        """What has been told of the iterations before `first`; the file is read once, in a resumed run."""
        if self._told is None:
            path, declared = Path(host.log_dir) / "metrics.jsonl", self.system.history_lines(self.params)
            self._told = from_metrics(path, declared) if path.is_file() else History(declared)
            self._told.forget(first)
        return self._told

    def plot(self, done: int, host) -> dict:
        """loss.jpg from the history so far."""
        from tfgan_suite.lis import plots

        told = self._history(host, done + 1)
        if not told.empty:  # it may be due before the first losses are
            plots.losses(told, self.folder / "loss.jpg")
        return {}

    def running_test(self, done: int, host) -> dict:
        """Reconstructs the running test images; keeps the network if it is the best so far."""
        host.line("Testing ...", stamp=False)
        rows, cols = self.system.grid
        codes, _, loss = search(self.system)(host.source.test("running_test"))
        host.line(f"loss = {loss:.6f}", stamp=False)
        names = [f"running_test/{'' if k is None else f'r{k}_'}test_{done}.jpg"
                 for k in (None, *range(self.params.r_iterations))]
        self._stages(codes[:rows * cols], names, f"running_test/all_test_{done}.jpg")
        self._write_losses(done, loss)
        if loss < float(self.system.extra_state["min_loss"]):
            host.line("new best network!", stamp=False)
            self.system.extra_state["min_loss"].assign(loss)
            self.system.extra_state["best_iter"].assign(done)
            self._keep_best(done)
        return {"test_loss": loss}

    def _write_losses(self, done, loss) -> None:
        table = training_loss(self.system.record, done, self.params.test_interval, self.system.recorded)
        path = self.folder / "log" / f"loss_{done}.npz"
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
        """The test on the final test images with the checkpoint --net; the present weights stay as they
        are. That of R-separate is of its G, which is that of --net already."""
        g, net = self.system.g_lis, self.params.net
        present = dict(g.arrays())
        if net != "last" and self.system.tested:
            g.assign(Archive(tested_file(self.params)))
        loss = final_test(self.system, host.source.test("final_test"), self.folder / f"{net}_test")
        g.assign(present)
        return {"final_test_loss": loss}


def read_table(path) -> np.ndarray:
    """The array of an `.npy` file, read no further than the file goes."""
    return np.array(np.load(path, mmap_mode="r", allow_pickle=False))


def losses_of(path) -> dict:
    """What a `log/loss_N.npz` holds, as plain values: training_loss [interval, 3] and test_loss."""
    archive = Archive(path)
    return {"training_loss": archive["training_loss"], "test_loss": float(archive["test_loss"])}


def result_of(path) -> dict:
    """What a `loss.json` of the final test holds."""
    return json.loads(Path(path).read_text())
