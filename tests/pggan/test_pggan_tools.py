"""Snapshots that do not fit, sampling, the tools on folders of images, the log files of a short run."""
import importlib.util
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from pggan_support import make_params
from PIL import Image

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.files import archive, checkpoints
from tfgan_suite.pggan import image_tools, pyramid, reports, sampling, snapshots, vgg
from tfgan_suite.pggan.networks import Generator, Sizes
from tfgan_suite.pggan.system import PGGAN
from tfgan_suite.pictures import walks

TINY = {"fmapBase": 16, "fmapMax": 6, "latentSize": 5, "endRes": 8, "stdDevGroup": 2,
        "batch_table": "4:4,8:4",
        "samplesWhileStable": 8, "samplesWhileFade": 8, "obj": 1.0, "data_path": "digits"}


def tool(name):
    """A tool's `main`."""
    path = Path(__file__).resolve().parents[2] / "tools" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture
def weights(tmp_path):
    """A generator's file."""
    path = tmp_path / "iter_3.gmodel.npz"
    network = Generator(Sizes.of(make_params(**TINY)))
    archive.write(path, network.arrays())
    return path


def snapshot(path, flags):
    """A stand-in for an original snapshot: the arrays of two new networks."""
    system = PGGAN(make_params(**flags))
    own = {kind: {n: a for n, a in net.arrays() if n != "progress"} for kind, net in system.networks.items()}
    return {"gen": own["g"], "crit": own["d"]}, path


@pytest.mark.parametrize("flags, text",
                         [({"fmapMax": 5}, "of other networks"),
                          ({"stdDevGroup": 1}, "of other networks"),
                                         ({"endRes": 16, "batch_table": "4:4,8:4,16:4"}, "first difference")])
def test_snapshot_of_another_architecture(flags, text):
    """One line that names the first difference."""
    content, path = snapshot("x.pth.tar", {**TINY, **flags})
    with pytest.raises(UserError, match=text):
        snapshots.load(PGGAN(make_params(**TINY)), content, path)


def test_unreadable_snapshots(tmp_path):
    """Missing, truncated, hostile and foreign files are refused, and nothing in them runs."""
    class Hostile:
        def __reduce__(self):
            return (Path(tmp_path / "ran").write_text, ("",))

    cases = {"missing.pth.tar": None, "short.pth.tar": b"PK\x03\x04",
             "pointer.pth.tar": b"version https://git-lfs",
             "hostile.pth.tar": pickle.dumps(Hostile())}
    for name, data in cases.items():
        if data is not None:
            (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError) as error:
            PGGAN(make_params(**TINY, preWtsFile=str(tmp_path / name))).begin()
        assert name in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "ran").exists()
    with pytest.raises(UserError, match="preWtsFile"):
        PGGAN(make_params(**TINY, resumeTraining="8,12")).begin()


def test_start_from_own_checkpoint(tmp_path):
    """--preWtsFile takes this suite's files too, Adam's state included."""
    system = PGGAN(make_params(**TINY))
    for v in (*system.networks["g"].variables, *system.optimizers["d"].variables):
        v.assign(v + 1)
    files = checkpoints.Checkpoints(tmp_path, ("g", "d"))
    files.save(7, system.networks, system.state(), {"fixed": {}})
    other = PGGAN(make_params(**{**TINY, "resumeTraining": "8 12"}, preWtsFile=str(files.path("g", 7))))
    assert other.begin() == {"preWtsFile": str(files.path("g", 7)), "resumeTraining": "8 12"}
    for a, b in zip(system.networks["g"].variables, other.networks["g"].variables):
        assert np.array_equal(a, b)
    slots = [[v.numpy() for v in s.optimizers["d"].variables[2:]] for s in (system, other)]
    assert all(np.array_equal(a, b) for a, b in zip(*slots))
    assert other.schedule.at(0).shown_here == 12


def test_sampling_tool(weights, tmp_path, capsys):
    """The sheet, the animations and their paths; the sizes come from the file."""
    main = tool("pggan_sample")
    main([str(weights), "--nImages=6", f"--outputFile={tmp_path / 'a.png'}"])
    assert Image.open(tmp_path / "a.png").size == (1 * 13 + 5, 6 * 13 + 5)
    main([str(weights), "--nImages=9", "--resolution=4", f"--outputFile={tmp_path / 'b.png'}",
          "--cut=resample"])
    assert Image.open(tmp_path / "b.png").size == (3 * 9 + 5, 3 * 9 + 5)
    for flag, frames in (("createInterpolGif", 10), ("slerp", 60), ("growth", 9)):
        main([str(weights), "--nImages=5", f"--{flag}", f"--outputFile={tmp_path / flag}.png"])
        assert Image.open(tmp_path / f"{flag}.gif").n_frames <= frames
    assert "single image size:  8x8\nnumber of images in gif: 5" in capsys.readouterr().out
    for arguments in (["--resolution=64"], ["--latentSize=7"], ["--nChannels=1"]):
        with pytest.raises(UserError, match="these weights have"):
            main([str(weights), *arguments])
    for arguments in (["--nImages=100000000000"], ["--nImages=100000000000", "--slerp", "--resolution=4"]):
        with pytest.raises(UserError, match="--nImages=100000000000: needs about .* are free; give fewer"):
            main([str(weights), f"--outputFile={tmp_path / 'a.png'}", *arguments])


def test_the_walk_of_the_sampling_tool_does_not_jump(weights, tmp_path, monkeypatch):
    """Its key latents are cut, not the way between them: no step is longer than an even one, but for slerp's
    bend."""
    drawn = []
    plain = sampling.draw
    monkeypatch.setattr(sampling, "draw", lambda network, z, *rest: drawn.append(z)
                        or plain(network, z, *rest))
    tool("pggan_sample")([str(weights), "--nImages=9", "--slerp", "--psiCut=1.0",
                          f"--outputFile={tmp_path / 'a.gif'}"])
    (z,) = drawn
    steps = np.linalg.norm(z - np.roll(z, 1, 0), axis=1)
    keys = np.linalg.norm(z[::12] - np.roll(z[::12], -1, 0), axis=1)
    assert len(z) == 9 * 12 and np.abs(z[::12]).max() <= 1.0
    assert steps.max() < 2 * keys.max() / 12


def test_latents():
    """Cutting, and slerp's lengths and ends."""
    z = np.float32([[1.6, -1.6, 0.2]])
    np.testing.assert_allclose(walks.cut(z, 1.5), [[0.1, -0.1, 0.2]], atol=1e-6)
    assert np.abs(walks.cut(z, 1.5, "clip")).max() == 1.5
    again = walks.cut(np.random.default_rng(0).standard_normal((50, 4)), 0.5, "resample")
    assert np.abs(again).max() < 0.5 and len(np.unique(again)) == again.size
    a, b = np.float32([3, 0]), np.float32([0, 1])
    walk = walks.slerp(a, b, 4)
    assert np.array_equal(walk[0], a)
    np.testing.assert_allclose(np.linalg.norm(walk, axis=1), [3, 2.5, 2, 1.5], rtol=1e-6)
    np.testing.assert_allclose(np.arctan2(walk[:, 1], walk[:, 0]), np.arange(4) * np.pi / 8, atol=1e-6)
    assert len(walks.loop(np.stack([a, b, -a]), 4)) == 12


def test_pictures_show_negative_values():
    """The original clips everything below 0 to black."""
    x = np.float32([-1, -0.5, 0, 1]).reshape(1, 1, 4, 1)
    assert sampling.to_bytes(x).ravel().tolist() == [0, 63, 127, 255]
    assert sampling.to_bytes(x, legacy=True).ravel().tolist() == [0, 0, 0, 255]


def test_image_tools(tmp_path, capsys):
    """Statistics of known images; cleaning by size, readability and face."""
    folder = tmp_path / "in"
    folder.mkdir()
    for i, (side, value) in enumerate(((8, 0), (8, 255), (4, 255))):
        Image.fromarray(np.full((side, side, 3), value, np.uint8)).save(folder / f"{i}.jpg")
    found = image_tools.statistics(folder, tmp_path / "stats")
    assert (found["count"], found["height"], found["width"]) == (3, 8, 8)
    assert abs(int(np.asarray(Image.open(tmp_path / "stats/mean.jpg")).mean()) - 170) <= 1
    red = np.asarray(Image.open(tmp_path / "stats/stdR.jpg")).mean((0, 1))
    assert red[0] > 240 and red[1] < 20
    (folder / "broken.jpg").write_bytes(b"no picture")
    capsys.readouterr()
    assert image_tools.clean(folder, tmp_path / "out", res=8) == (2, 2)
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2 and "2.jpg: 4x4 is smaller than 8" in said[0] and "broken.jpg" in said[1]
    assert image_tools.clean(folder, tmp_path / "faces",
                             likelihood=lambda p: p.getpixel((0, 0))[0] / 255) == (2, 2)
    assert "0.jpg: its first face is 0.00 likely, 0.5 are needed" in capsys.readouterr().out
    same = image_tools.statistics(folder, tmp_path / "stats")  # the original skips it with a line too
    assert same == found and "left out" in capsys.readouterr().out
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "a.webp", lossless=True)
    assert image_tools.statistics(folder, tmp_path / "stats")["count"] == 4
    assert [p.name for p in image_tools.find(folder)] == ["0.jpg", "1.jpg", "2.jpg", "broken.jpg", "a.webp"]
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/a.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match="none of its 1 pictures"):
        image_tools.statistics(tmp_path / "bad", tmp_path / "stats")
    with pytest.raises(UserError, match="animeface"):
        image_tools.face_likelihood()
    with pytest.raises(UserError, match="no such folder"):
        image_tools.statistics(tmp_path / "nowhere")


def test_vgg(tmp_path):
    """A network of VGG16's form with one channel, against a sum done by hand."""
    with pytest.raises(UserError, match="fetch https"):
        vgg.read_weights(tmp_path / "none.pth")
    weights = {f"features.{i}.{k}": np.zeros((1, 3 if i == 0 else 1, 3, 3)[: 4 if k == "weight" else 1],
                                             np.float32)
               for i in (0, 2, 7, 14, 21, 28) for k in ("weight", "bias")}
    for i in (0, 2, 7, 14, 21, 28):
        weights[f"features.{i}.weight"][:, :, 1, 1] = 1
    weights.update({f"classifier.{i}.weight": np.ones((2, 49 if i == 0 else 2), np.float32)
                    for i in (0, 3, 6)})
    weights.update({f"classifier.{i}.bias": np.zeros(2, np.float32) for i in (0, 3, 6)})
    x = np.full((1, 224, 224, 3), 0.5, np.float32)
    np.testing.assert_allclose(vgg.logits(weights, x), [[1.5 * 49 * 4] * 2], rtol=1e-5)


def test_images_are_decoded_once():
    """A second look, and a higher resolution, decode nothing; without memory everything is decoded again."""
    from tfgan_suite.data.source import ArraySource

    source = ArraySource(np.random.default_rng(0).integers(0, 256, (6, 16, 16, 3), dtype=np.uint8))
    for limit, decoded in ((1e6, 6), (0, 18)):
        levels = pyramid.Pyramid(source, [4, 8, 16], "BILINEAR", 3, limit)
        found = [levels.images(range(6), side) for side in (4, 4, 16)]
        assert levels.decoded == decoded
        assert np.array_equal(found[0], found[1]) and np.array_equal(found[2], source.array)


def test_real_batches():
    """A function of seed and step: distinct images, some mirrored; another step gives others."""
    from tfgan_suite.data.source import ArraySource

    array = np.arange(40, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 4, 3), np.uint8)
    levels = pyramid.Pyramid(ArraySource(array), [4], "NEAREST", 3, 1e6)
    a, b, c = (pyramid.real_batch(levels, 8, 4, 0, step, 0) for step in (1, 1, 2))
    assert np.array_equal(a, b) and not np.array_equal(a, c)
    assert len(np.unique(a[:, 0, 0, 0])) == 8
    slope = np.arange(16, dtype=np.uint8).reshape(1, 1, 16, 1) * np.ones((20, 16, 1, 3), np.uint8)
    for mirror, kinds in ((True, 2), (False, 1)):
        levels = pyramid.Pyramid(ArraySource(slope), [16], "NEAREST", 3, 1e6, mirror)
        assert len(np.unique(pyramid.real_batch(levels, 16, 16, 0, 1)[:, 0, 0, 0])) == kinds


def test_short_run_writes_the_originals_files(tmp_path):
    """train.py's loop: log files, pictures by stage, growth, checkpoints."""
    import io

    from tfgan_suite.training.trainer import Trainer

    params = make_params(**TINY, saveModelEvery=8, saveImageEvery=12, logStep=4)
    params = params.replace(wts_dir=str(tmp_path / "w"), log_dir=str(tmp_path / "l"), log_every=1)
    assert Trainer(params, io.StringIO()).run() == 6
    status = (tmp_path / "l/netStatus.txt").read_text().splitlines()
    assert status[:2] == [reports.HEADER, reports.DASHES] and len(status) == 8
    assert [line.split("|")[3].strip() for line in status[2:]] == ["stable", "stable", "fade", "fade",
                                                                   "stable", "stable"]
    # Eight reals from batches of four: the original's picture needs a second batch there (from 512x512
    # on), and stops.
    assert Image.open(tmp_path / "l/8_fade_4.jpg").size == (8 * 10 + 2, 2 * 10 + 2)
    names = {p.name for p in (tmp_path / "l").iterdir()}
    assert {"architecture.txt", "growth.gif", "8_fade_4.jpg", "stages"} <= names
    assert checkpoints.Checkpoints(tmp_path / "w", ("g", "d")).complete()[-1] == 6
    about = json.loads((tmp_path / "l/config.json").read_text())
    assert about["parameters"]["endRes"] == 8


def test_header_of_a_resumed_log(tmp_path):
    """A resumed run writes the names of the columns where its log is new, and leaves an old log as it is."""
    from types import SimpleNamespace

    system, told = PGGAN(make_params(**TINY, logStep=4)), []
    host = SimpleNamespace(log_dir=tmp_path, line=told.append)
    for old, expected in ((None, [reports.HEADER, reports.DASHES]), ("row\n", ["row"])):
        if old:
            (tmp_path / "netStatus.txt").write_text(old)
        reports.Status(system).run(3, host)
        lines = (tmp_path / "netStatus.txt").read_text().splitlines()
        assert lines[:-1] == expected and lines[-1].split("|")[3].strip() == "fade"
        assert told == [reports.HEADER, reports.DASHES, lines[-1]]  # the console has the file's rows
        told.clear()


def test_sampling_tool_takes_the_average(tmp_path, monkeypatch, capsys):
    """With `ema` the pictures of an experiment come from the averaged generator."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exp").mkdir()
    settings = "".join(f"{name} = {value!r}\n" for name, value in TINY.items())
    (tmp_path / "exp/tiny_average.py").write_text(f"system = 'pggan'\nema = True\n{settings}")
    files = checkpoints.Checkpoints(tmp_path / "models/tiny_average", ("g", "a"))
    (tmp_path / "models/tiny_average").mkdir(parents=True)
    for seed, kind in ((1, "g"), (2, "a")):
        archive.write(files.path(kind, 3), Generator(Sizes.of(make_params(**TINY, seed=seed))).arrays())
    for word, name in (("tiny_average", "x"), (files.path("a", 3), "a"), (files.path("g", 3), "g")):
        tool("pggan_sample")([str(word), "--nImages=2", f"--outputFile={tmp_path / name}.png"])
    x, a, g = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in "xag")
    assert np.array_equal(x, a) and not np.array_equal(x, g)


@pytest.mark.parametrize("name", ["pggan_faces64", "pggan_1024", "digits_pggan", "pggan_paper1024",
                                  "pggan_paper_cifar10", "digits_pggan_paper"])
def test_experiments(name):
    """They load, and their batches fit their groups."""
    from tfgan_suite.pggan.schedule import schedule_of

    assert schedule_of(experiment.load(name)).iterations > 1000
