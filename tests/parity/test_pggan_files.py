"""PGGAN's data pipeline, pictures, schedule, log files and snapshots against what alenmora/ppgan wrote."""
import json
import re

import numpy as np
import pytest
from golden_files import close, each, folder, load, under
from pggan_support import make_params, nchw, nhwc
from PIL import Image

from tfgan_suite import images
from tfgan_suite.data.folder import FolderSource
from tfgan_suite.pggan import convert, describe, pyramid, reports, sampling, snapshots
from tfgan_suite.pggan.networks import Architecture, to_torch
from tfgan_suite.pggan.schedule import schedule_of
from tfgan_suite.pggan.system import PGGAN

FILES = folder("pggan") / "files"
needs_files = pytest.mark.skipif(not FILES.is_dir(), reason=f"{FILES} is not there")
SNAPSHOTS = sorted(FILES.glob("snapshot*/*.pth.tar"))


# -- data and pictures -------------------------------------------------------------------------------------------------
@needs_files
@each("pggan", "data_pipeline*.npz")
def test_data(path):
    """File order, conversion to RGB, every filter, the mirror image."""
    arrays, source = load(path), FolderSource(FILES / "data", per_class=True)
    names = [str(p.relative_to(FILES / "data")) for p in source.paths]
    assert names == [str(name) for name in arrays.pop("file_order")]
    sizes = sorted({int(key.split("/")[1][3:]) for key in arrays})
    for key, expected in arrays.items():
        filter_name, resolution, mirrored = key.split("/")
        levels = pyramid.Pyramid(source, sizes, filter_name, 3, 1e6)
        found = pyramid.to_float(levels.images(range(len(source)), int(resolution[3:])))
        found = found[:, :, ::-1] if mirrored == "flip" else found
        assert np.array_equal(nchw(found), expected), key


@each("pggan", "images*.npz")
def test_pictures(path):
    """Sheets, animations, the remainder of latents, images per row."""
    arrays = load(path)
    meta = json.loads(str(arrays["meta"]))
    for name in sorted({key.split("/")[0] for key in arrays if key.startswith("grid")}):
        rule, x = meta[name], nhwc(arrays[f"{name}/x"])
        pictures = sampling.to_bytes(x, legacy=True)
        rows = -(-len(x) // rule["nrow"])
        found = images.grid(pictures, rows, min(rule["nrow"], len(x)), rule["padding"], int(rule["pad_value"] * 255))
        assert np.array_equal(found, arrays[f"{name}/uint8"]), name
    frames = sampling.there_and_back(sampling.to_bytes(nhwc(arrays["gif/x"]), legacy=True))
    assert np.array_equal(frames, arrays["gif/frames_uint8"])
    for key, expected in under(arrays, "fmod/cut").items():
        assert np.array_equal(sampling.cut(arrays["fmod/z"], float(key)), expected), key
    for n, per_row in arrays["nrow_table"]:
        assert sampling.images_per_row(int(n)) == int(per_row), n


# -- schedule and log files --------------------------------------------------------------------------------------------
def schedule_entries():
    """(name, entry) of schedule.json."""
    path = folder("pggan") / "schedule.json"
    found = json.loads(path.read_text()) if path.is_file() else {}
    return [pytest.param(entry, id=name) for name, entry in found.items()] or [
        pytest.param(None, marks=pytest.mark.skip(reason=f"no {path}"))]


def entry_params(entry, **more):
    """Parameters of an entry: its flags over the small networks that the fixture says."""
    flags = dict(entry["flags"])
    flags["resumeTraining"] = " ".join(flags.get("resumeTraining", []))
    return make_params(**{"fmapBase": 16, "fmapMax": 6, "latentSize": 6, **flags, **more})


def replay(params):
    """The events of a run with stubbed losses, in the original's order, and its rows of netStatus.txt."""
    schedule, tally = schedule_of(params), reports.Tally()
    events, rows, critics, resolution = [], [], 0, None
    legacy = PGGAN.save_due
    for i in range(schedule.iterations):
        now = schedule.at(i)
        if now.resolution != resolution:
            resolution = now.resolution
            events.append(["renew", now.resolution, now.batch])
        report = []
        system = type("Stub", (), {"params": params, "schedule": schedule})
        if legacy(system, i + 1):
            size = f"{now.resolution}x{now.resolution}"
            report.append(["save", f"modelCheckpoint_{size}_{now.shown_here}_{params.latentSize}.pth.tar"])
        if schedule.crossed(params.saveImageEvery, i):
            report.append(["picture", reports.picture_name(now), 8, 16])
        row = not params.deactivateLog and (i == 0 or schedule.crossed(params.logStep, i))
        if i == 0 and row:
            rows.append((now, np.zeros(6)))
            report.append(["logrow"])
        events += report if i == 0 else []
        for _ in range(params.nCritPerGen):
            events.append(["critic"])
            tally.add_critic(np.float32([0.5 + 0.01 * critics, -0.25 * critics, 0.125, 2.0, 0.00125]))
            critics += 1
        events += report + ([["logrow"]] if row else []) if i > 0 else []
        tally.add_generator(np.float32(1.0 + i))
        if row and i > 0:
            rows.append((now, tally.take()))
        events.append(["gen", now.level, now.resolution, now.batch, now.stage, now.alpha, now.shown, now.shown_here])
    return events, rows


def recorded_means(entry):
    """Rows of the recorded netStatus.txt with the sums divided by the number of steps since the row before."""
    lines = [line.split("|") for line in entry["files"]["netStatus.txt"].splitlines() if line.startswith(" ")]
    counts, generators, critics = [], 0, 0
    for event in entry["events"]:
        generators += event[0] == "gen"
        critics += event[0] == "critic"
        if event[0] == "logrow":
            counts.append((max(generators, 1), max(critics, 1)))
            generators = critics = 0
    return [([word.strip() for word in line[1:6]], np.array(line[6:], float) / [g, *[c] * 5])
            for line, (g, c) in zip(lines, counts)]


@pytest.mark.parametrize("entry", schedule_entries())
def test_schedule(entry):
    """When the run grows, saves, draws and logs, and what the rows say (means: the original's sums are a defect)."""
    if "error" in entry:
        with pytest.raises(Exception, match="two|resolution"):
            entry_params(entry)
        return
    params = entry_params(entry, saveWhileFading=False)
    schedule, start = schedule_of(params), entry["start"]
    first, events = schedule.at(0), [tuple(e) for e in entry["events"] if "final" not in str(e)]
    found, rows = replay(params)
    if start["imShownInRes"] == schedule.images(start["level"]) and schedule.iterations:  # resumed at the end of a level
        at = [i for i, e in enumerate(events) if e[0] == "renew"][1]
        kept = ("renew", "critic", "gen")
        assert [tuple(e) for e in found if e[0] in kept] == [e for e in events[at:] if e[0] in kept]
        return
    assert (first.level, first.resolution, first.shown_here) == (start["level"], start["res"], start["imShownInRes"])
    fade = params.samplesWhileFade if start["level"] else 0  # the original counts a fade of 4x4 that does not exist
    assert first.shown == start["imShown"] - fade
    if params.deactivateLog:  # the flag's help: only the final weights
        assert not any(PGGAN.save_due(type("Stub", (), {"params": params, "schedule": schedule}), i)
                       for i in range(1, schedule.iterations))
        return
    if start["level"] == schedule.last and params.resumeTraining:
        assert schedule.iterations == -(-(schedule.images(schedule.last) - first.shown_here) // first.batch)  # Q9
        return
    assert [tuple(e) for e in found] == events
    for (moment, values), (words, means) in zip(rows, recorded_means(entry), strict=True):
        shown = reports.status_row(moment, values, "00:00 (01/01)").split("|")
        assert [word.strip() for word in shown[1:6]] == words
        close(np.array(shown[6:], float), means, 2e-4, "row")


@pytest.mark.parametrize("entry", schedule_entries())
def test_log_headers(entry):
    """architecture.txt and the two header rows of netStatus.txt, letter for letter."""
    files = entry.get("files", {})
    if "netStatus.txt" in files:
        # The original leaves the names of the columns out of a resumed log, new or not.
        resumed = "resumeTraining" in entry["flags"]
        assert files["netStatus.txt"].splitlines()[:2 - resumed] == [reports.HEADER, reports.DASHES][resumed:]
    if "architecture.txt" in files:
        most = re.search(r"Lineartorch.Size\(\[1, (\d+)\]\)", files["architecture.txt"])[1]
        params = entry_params(entry, fmapMax=int(most))
        expected = files["architecture.txt"]
        if params.criticLossFunc == "BEGAN":  # the original builds this part and loses it
            expected = expected.replace(f"stableSteps = {params.samplesWhileStable}", "stableSteps = "
                                        f"{params.samplesWhileStable}|** lambda_k = {params.lambk}| gamma = {params.gamma}")
        assert describe.architecture(params, Architecture.of(params)) == expected


# -- snapshots ---------------------------------------------------------------------------------------------------------
def snapshot_flags():
    """Flags of the run that wrote the snapshots."""
    return json.loads(str(load(FILES / "snapshot_expected.npz")["meta"]))["flags"]


@needs_files
@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_snapshot(path):
    """Weights and Adam states of both containers, through the converter."""
    arrays = load(FILES / "snapshot_expected.npz")
    expected = under(arrays, "final/" if "final" in path.name else "checkpoint/")
    params = make_params(**snapshot_flags())
    found = convert.convert(str(path), params)
    for kind, key in (("g", "gen"), ("d", "crit")):
        for name, value in under(expected, f"{key}/").items():
            assert np.array_equal(found[kind][name], value), name
    system = PGGAN(params.replace(preWtsFile=str(path)))
    for kind, key in (("g", "gOptimizer"), ("d", "cOptimizer")):
        optimizer, hyper = system.optimizers[kind], json.loads(str(expected[f"{key}/hyper"]))
        assert system.extra_state[f"loaded_rate/{kind}"].numpy() == np.float32(hyper["lr"])
        for i, variable in enumerate(system.networks[kind].trainable_variables):
            for slot, value in under(expected, f"{key}/{i}/").items():
                assert np.array_equal(to_torch(optimizer.slot(slot, variable).numpy()), value), (variable.name, slot)
    for name, variable in system.state().items():
        assert np.array_equal(found["state"][name], variable.numpy()), name


@needs_files
def test_snapshot_numbers():
    """The iteration that a snapshot's name stands for."""
    params = make_params(**snapshot_flags())
    schedule = schedule_of(params)
    for path in SNAPSHOTS:
        number = convert.iteration(str(path), params)
        found = re.match(r"modelCheckpoint_(\d+)x\d+_(\d+)_", path.name)
        assert 4 << snapshots.level_in_name(path) == int(re.search(r"(\d+)x", path.name)[1])
        if found:
            moment = schedule.at(number - 1)
            assert (moment.resolution, moment.shown_here) == (int(found[1]), int(found[2]))
        else:
            assert number == schedule.iterations


@needs_files
def test_sampling():
    """generator.py's pictures: the network's output, the sheet, the files that were written."""
    arrays = load(FILES / "snapshot_expected.npz")
    final = next(p for p in SNAPSHOTS if "final" in p.name)
    network = sampling.open_generator(final)
    for run in sorted({key.split("/")[0] for key in arrays if key.endswith("/args")}):
        case, args = under(arrays, f"{run}/"), str(arrays[f"{run}/args"]).split()
        psi = float(args[args.index("--psiCut") + 1]) if "--psiCut" in args else 1.5
        noise = case["noise0"]
        moving = "--createInterpolGif" in args
        if moving:
            n = int(args[args.index("--nImages") + 1])
            noise = sampling.line(case["noise0"].reshape(-1), case["noise1"].reshape(-1), n)
        z = sampling.cut(noise, psi)
        close(z, case["z_used"], 1e-6, f"{run} latents")
        close(nchw(sampling.draw(network, case["z_used"])), case["fakes"], 2e-5, f"{run} images")
        if moving:
            continue
        sheet = sampling.sheet(nhwc(case["fakes"]), legacy=True)
        assert np.array_equal(sheet, case["uint8"]), run
        written = FILES / "snapshot" / f"sample_{run}.png"
        if written.is_file():
            assert np.array_equal(sheet, np.asarray(Image.open(written))), run
    _, critic_content = final, snapshots.read(final)["crit"]
    system = PGGAN(make_params(**snapshot_flags()))
    snapshots.assign(system.networks["d"], critic_content, final)
    close(system.networks["d"](nhwc(arrays["critic/x"])), arrays["critic/y"], 2e-5, "critic")


@needs_files
def test_written_logs():
    """The files of a real run: header rows, and a row as ours is formatted."""
    status = (FILES / "snapshot" / "netStatus.txt").read_text().splitlines()
    assert status[:2] == [reports.HEADER, reports.DASHES]
    schedule = schedule_of(make_params(**snapshot_flags()))
    moments = {schedule.at(i).shown: schedule.at(i) for i in range(schedule.iterations)}
    for line in status[2:]:
        words = [word.strip() for word in line.split("|")]
        moment = moments[int(words[5])]
        assert reports.status_row(moment, [float(w) for w in words[6:]], words[0]) == line
