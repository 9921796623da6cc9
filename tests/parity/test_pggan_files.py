"""PGGAN's data pipeline, pictures, schedule, log files and snapshots against what alenmora/ppgan wrote."""
import json
import re

import numpy as np
import pytest
from golden_files import close, each, files, folder, load, under
from pggan_support import known, make_params, nchw, nhwc, to_torch
from PIL import Image

from tfgan_suite.data.folder import FolderSource
from tfgan_suite.errors import UserError
from tfgan_suite.pggan import convert, describe, pyramid, reports, sampling, snapshots
from tfgan_suite.pggan.networks import Sizes
from tfgan_suite.pggan.schedule import Schedule, schedule_of
from tfgan_suite.pggan.system import PGGAN
from tfgan_suite.pictures import bytes, sheets, walks

FILES = folder("pggan") / "files"
SNAPSHOTS = sorted(FILES.glob("snapshot*/*.pth.tar"))
EXPECTED = [(path, load(path)) for path in sorted(FILES.glob("snapshot_expected*.npz"))]


# -- data and pictures ---------------------------------------------------------------------------------------
def folder_with(name):
    """The folder of images below `files` that holds an image."""
    return next(path for path in sorted(FILES.iterdir()) if (path / name).is_file())


@each("pggan", "data_pipeline*.npz")
def test_data(path):
    """File order, conversion to RGB, every filter, the mirror image."""
    arrays = load(path)
    names = [str(name) for name in arrays.pop("file_order")]
    root = folder_with(names[0])
    source = FolderSource(root, per_class=True, background=None)  # as torchvision's reader shows it
    assert names == [str(p.relative_to(root)) for p in source.paths]
    keys = [key for key in arrays if re.fullmatch(r"\w+/res\d+/(no)?flip", key)]
    sizes = sorted({int(key.split("/")[1][3:]) for key in keys})
    for key in keys:
        filter_name, resolution, mirrored = key.split("/")
        levels = pyramid.Pyramid(source, sizes, filter_name, 3, 1e6)
        found = pyramid.to_float(levels.images(range(len(source)), int(resolution[3:])))
        found = found[:, :, ::-1] if mirrored == "flip" else found
        assert np.array_equal(nchw(found), arrays[key]), key


@each("pggan", "images*.npz")
def test_pictures(path):
    """Sheets, animations, the remainder of latents, images per row."""
    arrays = load(path)
    meta = json.loads(str(arrays["meta"]))
    for name in sorted({key.split("/")[0] for key in arrays if key.startswith("grid")}):
        rule, x = meta[name], nhwc(arrays[f"{name}/x"])
        pictures = bytes.unshifted(x)
        rows = -(-len(x) // rule["nrow"])
        filler = int(bytes.unshifted(np.float32(rule["pad_value"])))
        found = sheets.grid(pictures, rows, min(rule["nrow"], len(x)), rule["padding"], filler)
        assert np.array_equal(found, arrays[f"{name}/uint8"]), name
    if "gif/x" in arrays:
        frames = walks.there_and_back(bytes.unshifted(nhwc(arrays["gif/x"])))
        assert np.array_equal(frames, arrays["gif/frames_uint8"])
    for key, expected in under(arrays, "fmod/cut").items():
        assert np.array_equal(walks.cut(arrays["fmod/z"], float(key)), expected), key
    for n, per_row in arrays.get("nrow_table", ()):
        assert sheets.images_per_row(int(n)) == int(per_row), n


# -- schedule and log files ----------------------------------------------------------------------------------
def schedule_entries():
    """(name, entry) of every schedule*.json."""
    found = [(name, entry) for path in files("pggan", "schedule*.json") for name,
             entry in json.loads(path.read_text()).items()]
    return [pytest.param(entry, id=name) for name, entry in found] or [
        pytest.param(None, marks=pytest.mark.skip(reason=f"{folder('pggan')} has no schedule*.json"))]


def listed(entry):
    """The sizes that an entry's architecture.txt lists; the README's small one where there is no such
    file."""
    text = entry.get("files", {}).get("architecture.txt", "")
    if not text:
        return Sizes(6, 3, (6, 6))
    critic, generator = text.split("Generator(")
    heads, dense = (re.findall(pattern, critic)
                    for pattern in (r"Conv2d\[(\d+), (\d+), 1, 1\]", r"Size\(\[1, (\d+)\]\)"))
    group = re.search(r"Group Size = (\d+)", critic)
    latent = int(re.search(r"Size\(\[\d+, (\d+)\]\)", generator)[1])
    widths = (int(dense[0]), *(int(width) for width, _ in heads))
    return Sizes(latent, int(heads[0][1]), widths, int(group[1]) if group else 0)


def entry_params(entry, **more):
    """Parameters of an entry: its flags and the latent that its files name."""
    flags = known(entry["flags"])
    flags["resumeTraining"] = " ".join(map(str, flags.get("resumeTraining") or []))
    return make_params(**{"latentSize": listed(entry).latent, **flags, **more})


def refused(entry):
    """Whether the original could not resume where it was asked to, and began at zero; here that is an
    error."""
    asked, start = entry["flags"].get("resumeTraining"), entry.get("start")
    return bool(asked and start and start["imShown"] == 0 and int(asked[1]) > 0)


class Overcounting(Schedule):
    """The original counts a fade of the first resolution, which it does not have, when it resumes at a later
    one."""

    def _shown_before(self):
        return super()._shown_before() + (self.fade if self.start_level > self.first else 0)


def recorded_schedule(params):
    """(our schedule, the same with the original's count of images)."""
    ours = schedule_of(params)
    return ours, Overcounting(*(getattr(ours, name) for name in ours.__dataclass_fields__))


def replay(params, schedule):
    """The events of a run with stubbed losses, in the original's order, and its rows of netStatus.txt."""
    stub, tally = type("Stub", (), {"params": params, "schedule": schedule}), reports.Tally()
    events, rows, critics, resolution = [], [], 0, None
    for i in range(schedule.iterations):
        now, report = schedule.at(i), []
        if now.resolution != resolution:
            resolution = now.resolution
            events.append(["renew", now.resolution, now.batch])
        if PGGAN.save_due(stub, i + 1):
            size = f"{now.resolution}x{now.resolution}"
            report.append(["save", f"modelCheckpoint_{size}_{now.shown_here}_{params.latentSize}.pth.tar"])
        if schedule.crossed(params.saveImageEvery, i):
            report.append(["picture", reports.picture_name(now), 8, 16])
        row = i == 0 or schedule.crossed(params.logStep, i)
        if i == 0:
            rows.append((now, np.zeros(6)))
            events += [*report, ["logrow"]]
        for _ in range(params.nCritPerGen):
            events.append(["critic"])
            tally.add_critic(np.float32([0.5 + 0.01 * critics, -0.25 * critics, 0.125, 2.0, 0.00125]))
            critics += 1
        events += [*report, *([["logrow"]] if row else [])] if i > 0 else []
        tally.add_generator(np.float32(1.0 + i))
        if row and i > 0:
            rows.append((now, tally.take()))
        level = now.level - schedule.first
        events.append(["gen", level, now.resolution, now.batch, now.stage, now.alpha, now.shown,
                       now.shown_here])
    return [tuple(event) for event in events], rows


def recorded_means(entry):
    """Rows of the recorded netStatus.txt with the sums divided by the number of steps since the row
    before."""
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


def steps_only(events):
    """Without saving, drawing and logging."""
    return [event for event in events if event[0] in ("renew", "critic", "gen")]


@pytest.mark.parametrize("entry", schedule_entries())
def test_schedule(entry):
    """When the run grows, saves, draws and logs, and what the rows say (means: the original's sums are a
    defect)."""
    if "error" in entry:
        # wrong flags; anything else is a mended defect
        if entry["error"].startswith(("ValueError", "AssertionError")):
            with pytest.raises(UserError):
                schedule_of(entry_params(entry))
        else:
            assert schedule_of(entry_params(entry)).iterations > 0
        return
    if refused(entry):
        with pytest.raises(UserError, match="resumeTraining"):
            schedule_of(entry_params(entry))
        return
    params = entry_params(entry, saveWhileFading=False)
    (ours, schedule), start = recorded_schedule(params), entry["start"]
    level = start["level"] + schedule.first
    events = [tuple(event) for event in entry["events"] if "final" not in str(event)]
    found, rows = replay(params, schedule)
    resumed = bool(entry["flags"].get("resumeTraining")) and start["imShownInRes"] > 0
    if resumed and level == schedule.last:  # the original trains nothing there
        assert schedule.iterations == max(
            0, -(-(ours.images(level) - start["imShownInRes"]) // ours.batch(level))
        )
        return
    # it opens the data of the finished level, and goes on
    if resumed and start["imShownInRes"] == ours.images(level):
        at = [i for i, event in enumerate(events) if event[0] == "renew"][1]
        assert steps_only(found) == steps_only(events[at:])
        return
    first = schedule.at(0)
    assert (first.level, first.resolution, first.shown, first.shown_here) == (
        level, start["res"], start["imShown"], start["imShownInRes"])
    if params.deactivateLog:  # the flag's help: only the final weights
        assert steps_only(found) == steps_only(events) and not any(event[0] == "save" for event in found)
        return
    assert found == events
    for (moment, values), (words, means) in zip(rows, recorded_means(entry), strict=True):
        shown = reports.status_row(moment, values, "00:00 (01/01)").split("|")
        assert [word.strip() for word in shown[1:6]] == words
        close(np.array(shown[6:], float), means, 2e-4, "row")


@pytest.mark.parametrize("entry", schedule_entries())
def test_log_headers(entry):
    """architecture.txt and the two header rows of netStatus.txt, letter for letter."""
    written = entry.get("files", {})
    if "netStatus.txt" in written:
        # The original leaves the names of the columns out of a resumed log, new or not.
        resumed = "resumeTraining" in entry["flags"]
        assert written["netStatus.txt"].splitlines()[:2 - resumed] == [reports.HEADER,
                                                                       reports.DASHES][resumed:]
    if "architecture.txt" in written:
        params, expected = entry_params(entry), written["architecture.txt"]
        if params.criticLossFunc == "BEGAN":  # the original builds this part and loses it
            expected = expected.replace(f"stableSteps = {params.samplesWhileStable}", "stableSteps = "
                                        f"{params.samplesWhileStable}|** lambda_k = {params.lambk}| gamma = "
                                        f"{params.gamma}")
        assert describe.text(params, listed(entry)) == expected


@pytest.mark.parametrize("entry", schedule_entries())
def test_first_rate(entry):
    """The rate after construction: a snapshot's own one where the run begins at the first resolution."""
    rate, loaded = entry.get("start", {}).get("c_lr"), entry["flags"].get("resumeTraining") is not None
    if rate is None or refused(entry):
        return
    params = entry_params(entry, fmapBase=64, fmapMax=4)
    system = PGGAN(params.replace(resumeTraining=""))
    level = schedule_of(params).start_level
    # README: resume_* and preWts_only start from a snapshot
    if loaded or rate != params.cLR * params.cLR_decay:
        hyper = next((json.loads(str(a[key])) for _, a in EXPECTED for key in a
                      if key.endswith("cOptimizer/hyper")), None)
        if hyper is None:
            pytest.skip("no snapshot_expected*.npz")
        system.extra_state["loaded_rate/d"].assign(hyper["lr"])
    system._set_rates(level)
    close(system.optimizers["d"].learning_rate, rate, 1e-7 * rate, "c_lr")


# -- snapshots -----------------------------------------------------------------------------------------------
def expected_of(path):
    """(parameters of the run that wrote a snapshot, the arrays in it); skips where the folder does not hold
    them."""
    for _, arrays in EXPECTED:
        meta = json.loads(str(arrays["meta"]))
        for kind in ("final", "checkpoint"):
            if meta.get(kind) == path.name and under(arrays, f"{kind}/"):
                return make_params(**known(meta["flags"])), under(arrays, f"{kind}/")
    pytest.skip(f"no snapshot_expected*.npz tells what is in {path}")


def each_snapshot(function):
    """Parametrises a test over the snapshots."""
    found = [pytest.param(p, id=f"{p.parent.name}-{p.name}") for p in SNAPSHOTS]
    missing = pytest.param(None, marks=pytest.mark.skip(reason=f"{FILES} has no snapshot*/*.pth.tar"))
    return pytest.mark.parametrize("path", found or [missing])(function)


@each_snapshot
def test_snapshot(path):
    """Weights and Adam states of both containers, through the converter."""
    params, expected = expected_of(path)
    found = convert.convert(str(path), params)
    for kind, key in (("g", "gen"), ("d", "crit")):
        for name, value in under(expected, f"{key}/").items():
            assert np.array_equal(found[kind][name], value), name
    system = PGGAN(params.replace(preWtsFile=str(path)))
    system.begin()
    for kind, key in (("g", "gOptimizer"), ("d", "cOptimizer")):
        optimizer = system.optimizers[kind]
        if f"{key}/hyper" in expected:
            rate = json.loads(str(expected[f"{key}/hyper"]))["lr"]
            assert system.extra_state[f"loaded_rate/{kind}"].numpy() == np.float32(rate)
        for i, variable in enumerate(system.networks[kind].trainable_variables):
            for slot, value in under(expected, f"{key}/{i}/").items():
                assert np.array_equal(to_torch(optimizer.slot(slot, variable).numpy()),
                                      value), (variable.name, slot)
    for name, variable in system.state().items():
        assert np.array_equal(found["state"][name], variable.numpy()), name


@each_snapshot
def test_snapshot_number(path):
    """The iteration that a snapshot's name stands for."""
    params, _ = expected_of(path)
    schedule, number = schedule_of(params), convert.iteration(str(path), params)
    resolution = int(re.search(r"(\d+)x", path.name)[1])
    assert 4 << snapshots.level_in_name(path) == resolution
    found = re.match(r"modelCheckpoint_\d+x\d+_(\d+)_", path.name)
    if found:
        moment = schedule.at(number - 1)
        assert (moment.resolution, moment.shown_here) == (resolution, int(found[1]))
    else:
        assert number == schedule.iterations


def each_expected(function):
    """Parametrises a test over the snapshot_expected files: (path, arrays)."""
    found = [pytest.param((path, arrays), id=path.stem) for path, arrays in EXPECTED]
    missing = pytest.param(None, marks=pytest.mark.skip(reason=f"{FILES} has no snapshot_expected*.npz"))
    return pytest.mark.parametrize("expected", found or [missing])(function)


def value_of(args, flag, default):
    """A flag's value in a recorded command line."""
    return type(default)(args[args.index(flag) + 1]) if flag in args else default


@each_expected
def test_sampling(expected):
    """generator.py's pictures: the network's output, the sheet, the files that were written."""
    _, arrays = expected
    meta = json.loads(str(arrays["meta"]))
    final = next((path for path in SNAPSHOTS if path.name == meta["final"]), None)
    if final is None:
        pytest.skip(f"{FILES} does not hold {meta['final']}")
    network = sampling.open_generator(final)
    for run in sorted({key.split("/")[0] for key in arrays if key.endswith("/args")}):
        case, args = under(arrays, f"{run}/"), str(arrays[f"{run}/args"]).split()
        noise, moving, n = case["noise0"], "--createInterpolGif" in args, value_of(args, "--nImages", 20)
        if moving:
            noise = walks.line(case["noise0"].reshape(-1), case["noise1"].reshape(-1), n)
        close(walks.cut(noise, value_of(args, "--psiCut", 1.5)), case["z_used"], 1e-6, f"{run} latents")
        close(nchw(sampling.draw(network, case["z_used"])), case["fakes"], 2e-5, f"{run} images")
        if moving:
            continue
        sheet = sheets.spaced(bytes.unshifted(nhwc(case["fakes"])))
        assert np.array_equal(sheet, case["uint8"]), run
        written = final.parent / f"sample_{run}.png"
        if written.is_file():
            assert np.array_equal(sheet, np.asarray(Image.open(written))), run
    if "critic/x" in arrays:
        system = PGGAN(make_params(**known(meta["flags"])))
        snapshots.assign(system.networks["d"], snapshots.read(final)["crit"], final)
        close(system.networks["d"](nhwc(arrays["critic/x"])), np.ravel(arrays["critic/y"]), 2e-5, "critic")


@each_expected
def test_written_logs(expected):
    """The files of a real run: header rows, a row as ours is formatted, the size of the sheets of reals above
    fakes."""
    flags = json.loads(str(expected[1]["meta"]))["flags"]
    folders = [path.parent for path in SNAPSHOTS if (path.parent / "netStatus.txt").is_file()]
    if not folders:
        pytest.skip(f"{FILES} has no netStatus.txt")
    status = (folders[0] / "netStatus.txt").read_text().splitlines()
    assert status[:2] == [reports.HEADER, reports.DASHES]
    schedule = schedule_of(make_params(**known(flags)))
    moments = {schedule.at(i).shown: schedule.at(i) for i in range(schedule.iterations)}
    for line in status[2:]:
        words = [word.strip() for word in line.split("|")]
        moment = moments[int(words[5])]
        assert reports.status_row(moment, [float(w) for w in words[6:]], words[0]) == line
    names = {reports.picture_name(moment) for moment in moments.values()}
    for path in folders[0].glob("*_*_*.jpg"):
        side = int(path.name.split("_")[0]) + 2
        assert path.name in names and Image.open(path).size == (8 * side + 2, 2 * side + 2)
