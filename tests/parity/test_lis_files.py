"""Checkpoints that the original wrote: names, weights, optimiser states, and the samples that they give."""
import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest
from golden_files import close, files, folder, load, under
from lis_helpers import modules_of, nchw, nearly_equal_bytes, norm_of, parameters, sizes_of, to_file

from tfgan_suite.files import torch
from tfgan_suite.files.archive import Archive
from tfgan_suite.layers.activations import sigmoid
from tfgan_suite.lis import convert, history
from tfgan_suite.lis.system import SYSTEMS
from tfgan_suite.lis.weights import find
from tfgan_suite.pictures import sheets
from tfgan_suite.pictures.bytes import unit_to_uint8


def experiments(kind):
    """Folders of the original's experiments that hold networks of this kind, with a prefix."""
    found = sorted({(p.parent.parent, p.stem.rsplit("_", 1)[0])
                    for p in folder("lis").rglob(f"net_archive/*_{kind}.pt")})
    return [pytest.param(*f, id=f"{f[0].name}-{f[1]}") for f in found]


def expected():
    """What is known of them."""
    found = files("lis", "files_expected*.npz")
    return load(found[0]) if found else {}


def flags(folder, prefix):
    """The command line that an experiment of the original was trained with, as far as its arrays tell it."""
    gen, known = convert.network(folder, prefix, "g"), expected()
    image = known["sample_r0_float"].shape[2:] if "sample_r0_float" in known else None
    image = image or top_doubled(folder, prefix)
    width, height, features, levels, code = sizes_of("GL", {n: a.shape for n, a in gen.items()}, image)
    modules, norm = modules_of(gen), norm_of(gen)
    return (f"--width {width} --height {height} --nfeature {features} --nlayer {levels} --code_size {code} "
            f"--r_iterations {modules} --norm {norm}")


def top_doubled(folder, prefix):
    """(height, width) of images without extra padding, from D's last kernel."""
    dis = convert.network(folder, prefix, "d")
    width, height, *_ = sizes_of("D", {n: a.shape for n, a in dis.items()})
    return height, width


@pytest.mark.parametrize(("path", "prefix"), experiments("gen"))
def test_generator_discriminator_and_their_optimisers(path, prefix):
    known, system = expected(), SYSTEMS["glis"](parameters("glis", flags(path, prefix)))
    origin = find(path, prefix)
    for kind in ("g", "d"):
        origin.fill(kind, system.networks[kind])
        stored = origin.slots(kind)
        slots = system.square_averages(kind)
        assert set(stored) <= set(slots)
        assert all(stored[n].size == np.prod(slots[n].shape) for n in stored)
    if prefix != "last" or not known:
        return
    for name, value in system.networks["g"].arrays():
        close(value, known[f"last_gen/{name}"], 0, name)
    for name, value in under(known, "gen_opt_square_avg/").items():
        close(to_file(origin.slots("g")[name]), value, 0, name)
    codes = known["vis_code"]
    for k, images in enumerate(system.all_stages(codes)):
        close(nchw(images), known[f"sample_r{k}_float"], 1e-5, f"after {k} modules")
        nearly_equal_bytes(unit_to_uint8(images), known[f"sample_r{k}_uint8"], 0.01,
                           f"bytes after {k} modules")
    last = system.params.r_iterations
    verdict = sigmoid(system.networks["d"](system.all_stages(codes)[-1]))[:, None]
    close(verdict, known[f"dis_of_sample_r{last}"], 1e-5, "D")
    if "grid_r0" in known:
        grid = sheets.draw_grid(unit_to_uint8(system.all_stages(codes)[0]), cols=2)
        nearly_equal_bytes(grid, known["grid_r0"], 0.01, "grid")


@pytest.mark.parametrize(("path", "prefix"), experiments("r"))
def test_reverser_of_a_finished_run(path, prefix):
    known = expected()
    weights = convert.network(path, prefix, "r")
    runs = [p.values for p in experiments("gen")]
    if not runs:
        pytest.skip("no G-LIS run beside it")
    of_run, net = max(runs, key=lambda run: run[1] == "last")
    system = SYSTEMS["lis_separate"](parameters("lis_separate", flags(of_run, net), load_path=str(of_run),
                                                net=net))
    find(path, prefix).fill("r", system.networks["r"])
    assert set(weights) == set(system.networks["r"].shapes())
    if "r_code" in known and net == "last":
        last = system.params.r_iterations
        code = system.networks["r"](system.stages(known["vis_code"])[0])
        close(code, known["r_code"], 1e-5, "code")
        close(nchw(system.stages(known["vis_code"])[1]), known[f"r_repaired_r{last}"], 1e-5, "repaired")


@pytest.mark.parametrize(("path", "prefix"), experiments("r"))
def test_a_reverser_goes_on_from_the_folder_of_the_original(path, prefix):
    """R-separate writes no `last`: the largest number counts; its optimiser comes along."""
    runs = [p.values for p in experiments("gen")]
    if not runs or prefix != convert.newest(path, "r"):
        pytest.skip("no G-LIS run beside it, or not its newest R")
    of_run, net = max(runs, key=lambda run: run[1] == "last")
    given = {"load_path": str(of_run), "net": net, "load_path_r": str(path)}
    system = SYSTEMS["lis_separate"](parameters("lis_separate", flags(of_run, net), **given))
    for name, array in convert.network(path, prefix, "r").items():
        np.testing.assert_array_equal(dict(system.networks["r"].arrays())[name], array)
    stored, slots = convert.square_averages(path, prefix, "r"), system.square_averages("r")
    assert stored
    for name, array in stored.items():
        np.testing.assert_array_equal(slots[name].numpy(), array.reshape(slots[name].shape))


@pytest.mark.parametrize(("path", "prefix"), experiments("gen"))
def test_conversion_gives_a_whole_checkpoint(path, prefix):
    known = expected()
    params = parameters("glis", flags(path, prefix))
    found = convert.convert(path / convert.ARCHIVE / f"{prefix}_gen.pt", params)
    assert {name for name in found if not name.endswith(".npz")} == {"g", "d", "state"}
    fresh = SYSTEMS["glis"](params)
    assert set(found["state"]) == set(fresh.state())
    squares = [n for n in found["state"] if "square_avg" in n]
    assert squares
    assert any(np.any(found["state"][n]) for n in squares)
    facts = convert.state(path, prefix)
    assert facts["current_iter"] >= 0
    if known and prefix == "last":
        for name in ("current_iter", "best_iter", "current_sample"):
            assert facts[name] == known[f"state_{name}"]
        np.testing.assert_array_equal(facts["index_shuffle"], known["state_index_shuffle"])


def test_a_converted_run_knows_its_iteration_and_its_best_network(tmp_path, monkeypatch):
    runs = [p.values for p in experiments("gen") if p.values[1] == "last"]
    if not runs:
        pytest.skip("no run with a last checkpoint")
    path, prefix = runs[0]
    run = tmp_path / "exp01" / convert.ARCHIVE
    shutil.copytree(path / convert.ARCHIVE, run)
    for kind in ("gen", "dis"):
        shutil.copy(run / f"last_{kind}.pt", run / f"best_{kind}.pt")
    facts = convert.state(path, prefix)
    monkeypatch.chdir(tmp_path)
    words = flags(path, prefix).split()
    given = "\n".join(f"{flag[2:]} = {value if value.isdigit() else repr(value)}"
                      for flag, value in zip(words[::2], words[1::2]))
    (tmp_path / "exp").mkdir()
    (tmp_path / "exp" / "theirs.py").write_text(f"system = 'glis'\n{given}\n")
    tool = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "convert.py"))["main"]
    tool(["theirs", "exp01"])
    done, best = int(facts["current_iter"]), int(facts["best_iter"])
    assert (tmp_path / "models" / "theirs" / f"iter_{done}.gmodel.npz").is_file()
    stored = Archive(tmp_path / "models" / "theirs" / f"iter_{done}.state.npz")
    assert float(stored["extra/min_loss"]) == float(facts["min_loss"])
    assert int(stored["extra/best_iter"]) == best
    kept = Archive(tmp_path / "models" / "theirs" / "best" / f"iter_{best}.gmodel.npz")
    for name, array in convert.network(path, prefix, "g").items():
        np.testing.assert_array_equal(kept[name], array)


def logs():
    """Every folder of the original with loss tables."""
    return [pytest.param(p, id=p.name) for p in sorted({p.parents[1]
                                                        for p in folder("lis").rglob("log/loss_*.pt")})]


@pytest.mark.parametrize("path", logs())
def test_loss_tables_and_codes_of_the_pictures(path):
    known, tables = expected(), history.read_tables(path)
    assert all(table.shape[1] == 3 and np.isfinite(table).all() for _, table, _ in tables)
    if "log_training_loss" in known:
        close(tables[-1][1], known["log_training_loss"], 0, "training loss")
        close(tables[-1][2], known["log_test_loss"], 0, "test loss")
    codes = path / "samples" / "vis_code.pt"
    if codes.is_file() and "vis_code" in known:
        close(torch.load(codes), known["vis_code"], 0, "codes")
