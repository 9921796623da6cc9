"""Discriminators shared out over devices: equal to one device, with the same files, and what crosses."""
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny import ROOT, RPGAN, pictures

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.rpgan.bank import crossing_bytes, shares
from tfgan_suite.rpgan.networks import discriminator_table
from tfgan_suite.training import dry_run, runs

# One after the other (sides above 8 pixels), of several shapes; and all of a device at once.
CASES = {"looped": "8,2,1,2 5,1,2,3", "at_once": "4,4,1,4"}
CHILD = """
import io, json, sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 3)
from tfgan_suite import distributed, experiment
from tfgan_suite.training.trainer import Trainer
everything = distributed.devices()

def train(case, folder, devices, last):
    distributed.devices = lambda: everything[:devices]
    params = experiment.load(case, {"wts_dir": folder, "log_dir": f"logs/{folder}", "MAXITER": str(last),
                                    "parallel": "discriminators"})
    trainer = Trainer(params, out := io.StringIO())
    trainer.run()
    return trainer, out.getvalue()

def size(tensor):
    return tensor.dtype.size * tensor.shape.num_elements()

def crossing(graph):
    '''Bytes that each device gets from others, and that it gives them; what reads a variable lies with it.'''
    variables = {inner.ref(): outer.device for outer, inner in graph.captures if inner.dtype == tf.resource}

    def of(op):
        held = [variables[tensor.ref()] for tensor in op.inputs if tensor.ref() in variables]
        return (op.device or (held or everything)[0])[-1]

    got, given, seen = {}, {}, set()
    for op in graph.get_operations():
        for tensor in op.inputs:
            here, there = of(op), of(tensor.op)
            if here != there and tensor.dtype != tf.resource and (tensor.ref(), here) not in seen:
                seen.add((tensor.ref(), here))
                got[here] = got.get(here, 0) + size(tensor)
                given[there] = given.get(there, 0) + size(tensor)
    return got, given

report = {}
for case in sys.argv[1:]:
    train(case, f"{case}-1", 1, 4)
    train(case, f"{case}-23", 2, 2)
    trainer, said = train(case, f"{case}-23", 3, 4)
    d, params = trainer.system.networks["d"], trainer.params
    function = trainer.function(None)
    spec = {"real": tf.TensorSpec((params.bsz, params.imsz, params.imsz, 3), tf.float32)}
    got, given = crossing(function.get_concrete_function(tf.TensorSpec((), tf.int64), spec).graph)
    slots = {v.name: v.device[-1] for v in trainer.system.optimizers["d"].variables}
    places = [[stack.share.device[-1], v.device[-1], slots[f"m/{v.name}"], slots[f"v/{v.name}"]]
              for stack in d.stacks for v in stack.variables_by_layer]
    report[case] = {"said": said, "got": got, "given": given,
                    "held": [[stack.share.device[-1], stack.count] for stack in d.stacks],
                    "places": places}
print(json.dumps(report))
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder in which each case has run on one device, and on two and then on three."""
    place = tmp_path_factory.mktemp("devices")
    (place / "exp").mkdir()
    for name, filts in CASES.items():
        (place / f"exp/{name}.py").write_text(RPGAN + f"filts, imsz, log_every = '{filts}', 32, 1\n")
    pictures(place / "data", side=32)
    done = subprocess.run([sys.executable, "-c", CHILD, *CASES], cwd=place, capture_output=True, text=True,
                          timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    (place / "report.json").write_text(done.stdout)
    return place


@pytest.fixture(params=CASES)
def case(request, place):
    return request.param, place, json.loads((place / "report.json").read_text())[request.param]


def arrays(path: Path) -> dict:
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def test_several_devices_equal_one(case):
    """Two iterations on two devices and two more on three, against four on one: weights, moments, scalars."""
    name, place, _ = case
    for kind in ("gmodel", "dmodel", "state"):
        one, more = (arrays(place / f"{name}-{which}/iter_4.{kind}.npz") for which in ("1", "23"))
        assert {n: a.shape for n, a in one.items() if n != "about"} == {
            n: a.shape for n, a in more.items() if n != "about"}
        for array in set(one) - {"about"}:
            np.testing.assert_allclose(one[array], more[array], rtol=1e-3, atol=2e-6, err_msg=array)
    logs = [place / f"logs/{name}-{which}/metrics.jsonl" for which in ("1", "23")]
    first, other = ([json.loads(line) for line in log.read_text().splitlines()] for log in logs)
    assert len(first) == len(other) == 4
    for a, b in zip(first, other):
        for scalar in set(a) - {"time"}:
            assert a[scalar] == pytest.approx(b[scalar], rel=1e-4, abs=1e-6), scalar


def test_each_device_holds_its_share_with_the_moments(case):
    """No device holds more than K/N, rounded up; moments lie with their weights."""
    name, _, report = case
    count = sum(int(group.split(",")[3]) for group in CASES[name].split())
    held = [sum(k for device, k in report["held"] if device == d) for d in "012"]
    assert sum(held) == count and max(held) == -(-count // 3) and min(held) >= count // 3
    assert report["places"] and all(len(set(places)) == 1 for places in report["places"])
    assert f"devices for {count} discriminators: 3, " in report["said"]


def test_only_images_and_their_gradient_cross(case):
    """What the graph moves between devices, against the formula: the rest is numbers for each
    discriminator."""
    _, _, report = case
    whole, numbers = crossing_bytes(4, 32), 2000
    for device in "12":
        moved = report["got"][device] + report["given"][device]
        assert whole <= moved < whole + numbers
        assert report["got"][device] >= 3 * whole // 4
    assert 2 * whole <= report["got"]["0"] + report["given"]["0"] < 2 * (whole + numbers)


def test_shares():
    """By the formula; groups are shared out together, and devices that would have none are left out."""
    names = [f"d{i}" for i in range(64)]
    assert [s.last - s.first for s in shares([48], names[:8])] == [6] * 8
    assert [s.last - s.first for s in shares([48], names)] == [1] * 48
    assert [tuple(s)[:4] + (s.device,) for s in shares([2, 3], names[:3])] == [
        (0, 0, 0, 1, "d0"), (0, 1, 1, 2, "d1"), (1, 0, 0, 1, "d1"), (1, 1, 1, 3, "d2")]
    assert [s.device for s in shares([2, 2], names[:1])] == ["d0", "d0"]


def test_what_cannot_be_shared_out_is_one_line(place, monkeypatch):
    monkeypatch.chdir(place)
    shared = {"parallel": "discriminators"}
    with pytest.raises(UserError, match="the baseline has one discriminator"):
        runs.build(experiment.load("looped", {**shared, "wts_dir": "base"}, "rpgan_baseline"))
    with pytest.raises(UserError, match="chunk=2: must divide the number of discriminators on a device"):
        runs.build(experiment.load("looped", {**shared, "chunk": "2"}))
    monkeypatch.setenv("TF_CONFIG", "{}")
    with pytest.raises(UserError, match="TF_CONFIG names several"):
        runs.build(experiment.load("looped", shared))


@pytest.mark.parametrize("devices", [1, 8, 64])
def test_numbers_of_the_page(monkeypatch, tmp_path, devices):
    """docs/rpgan.md: face48 on 1, 8 and 64 devices, as the dry run tells it."""
    names = [f"/device:CPU:{i}" for i in range(devices)]
    monkeypatch.setattr("tfgan_suite.distributed.devices", lambda: names)
    monkeypatch.setattr(dry_run, "step_bytes", lambda system, spec: 0)
    params = experiment.load("face48", {"parallel": "discriminators", "wts_dir": str(tmp_path)})
    line = next(line for line in dry_run.describe(params).splitlines() if "devices for 48" in line)
    assert line in (ROOT / "docs/rpgan.md").read_text()


def test_bounds_of_the_page():
    """Its speed-ups, from the multiplications of the layers: G's are on one device."""
    d, side = 32 * 32 * 8 * 8 * 3, 32
    for row in discriminator_table(32, 1, 128):
        side = side // row.stride if row.pad else 1
        d += side**2 * row.size**2 * row.inputs * row.outputs
    g = 100 * 4 * 4 * 1024 + sum(side**2 * 4 * 4 * a * b for side, a, b in (
        (4, 1024, 512), (8, 512, 256), (16, 256, 128), (32, 128, 3)))
    passes_d, passes_g = 2 + 2 * 3, 1 + 2 + 1
    whole = passes_g * g + 48 * passes_d * d
    page = (ROOT / "docs/rpgan.md").read_text()
    assert f"{100 * passes_g * g / whole:.0f} % of an iteration" in page
    for devices in (8, 64):
        speed_up = whole / (passes_g * g + -(-48 // devices) * passes_d * d)
        assert re.search(rf"\| {devices} \|.*\| {speed_up:.1f} \|$", page, re.M), (devices, speed_up)
