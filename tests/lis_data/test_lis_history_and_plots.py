"""LIS history, loss files, plots, video and resized data sets."""
import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfgan_suite import experiment, registry
from tfgan_suite.errors import UserError
from tfgan_suite.lis import history, plots, video

TOOLS = Path(__file__).parents[2] / "tools"


def run_tool(name, *argv):
    runpy.run_path(str(TOOLS / name))["main"](list(map(str, argv)))


def write_metrics(folder, entries):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "metrics.jsonl").write_text("".join(json.dumps(e) + "\n" for e in entries))
    return folder / "metrics.jsonl"


def test_history_of_a_run(tmp_path):
    path = write_metrics(tmp_path, [{"iteration": 1, "loss-d/real": 0.5, "d-real": 9.0,
                                     "protocol": {"a": 1}},
                                    {"iteration": 2, "loss-d/real": 0.7, "loss-g/g0": float("nan")},
                                    {"iteration": 2, "loss-d/real": 0.6, "loss-g/g0": 1.5}])
    found = history.from_metrics(path)
    assert [name for name, _ in found.lines()] == ["loss-d_real", "loss-g_g0"]
    assert found.csv(kernel_size=1) == "__index,loss-d_real,loss-g_g0\n1,0.5000,0.0000\n2,0.6000,1.5000"


def test_columns_are_those_that_the_system_declares(tmp_path):
    system = registry.system_class("glis")
    declared = system.history_lines(experiment.load("digits_glis", {"r_iterations": "2"}))
    assert [name.split("-")[-1] for name in declared] == ["r0", "r1", "g0", "g1", "g2", "real", "fake0",
                                                          "fake1", "fake2"]
    path = write_metrics(tmp_path, [{"iteration": 1, "loss-d-mix/train-d-fake2": 0.5,
                                     "loss-g-mix/train-g1": 1.0}])
    found = history.from_metrics(path, declared)
    header = found.csv(kernel_size=1).splitlines()[0].split(",")
    assert header == ["__index", *(name.replace("/", "_") for name in declared)]
    assert not found.empty and history.History(declared).empty
    found.forget(1)
    assert found.empty
    with pytest.raises(UserError, match="no losses to plot"):
        plots.losses(found, tmp_path / "loss.jpg")


def test_average_and_names_in_the_table():
    found = history.History()
    for y in (1.0, 2.0, 6.0):
        found.append("a, 'b'", 'c "d"', 5, y, average=True)
    found.append("a, 'b'", 'c "d"', 7, 8.0, average=True)
    assert found.csv(kernel_size=1) == "__index,ab_cd\n5,3.0000\n7,8.0000"


@pytest.mark.parametrize("rows", [1, 3, 100, 101, 150])
def test_smoothing_keeps_the_length_where_the_original_fails(rows):
    values = np.random.default_rng(0).random(rows)
    padded = np.concatenate([np.zeros(50), values, np.zeros(50)])
    expected = [padded[i:i + 101].sum() / 101 for i in range(rows)]
    np.testing.assert_allclose(history.smooth(values, 101), expected, atol=1e-12)


def test_history_bad_input(tmp_path):
    with pytest.raises(UserError, match="no such file; train"):
        history.from_metrics(tmp_path / "metrics.jsonl")
    (tmp_path / "metrics.jsonl").write_text("{broken\n")
    with pytest.raises(UserError, match="no JSON"):
        history.from_metrics(tmp_path / "metrics.jsonl")
    with pytest.raises(UserError, match="either an experiment or"):
        run_tool("lis.py", "history")
    with pytest.raises(UserError, match="no losses"):
        run_tool("lis.py", "history",
                 f"--load_path_state={write_metrics(tmp_path, [{'iteration': 1, 'fid': 3.0}])}")


def test_history_tool_on_both_kinds_of_files(tmp_path, capsys):
    from golden_files import folder

    path = write_metrics(tmp_path, [{"iteration": i, "loss-d/real": 1.0, "loss-g/g0": 2.0}
                                    for i in range(1, 151)])
    run_tool("lis.py", "history", f"--load_path_state={path}", "--start=10", "--end=20", "--subsample=5")
    assert (tmp_path / "history.csv").read_text().splitlines()[1].startswith("11,")
    assert Image.open(tmp_path / "loss.jpg").size == (2000, 1000)
    for state in folder("lis").rglob("last_state.pt"):
        run_tool("lis.py", "history", f"--load_path_state={state}", f"--save_path={tmp_path / 'new'}",
                 "--kernel_size=1")
        assert len((tmp_path / "new" / "history.csv").read_text().splitlines()) > 1


def test_loss_tables_of_ours_and_of_the_original(tmp_path):
    from golden_files import folder

    (tmp_path / "log").mkdir()
    for iteration in (20, 100):
        table = np.tile(np.float32([0.5, 0.0, 2.0]), (20, 1))
        table[3::5, 1] = 0.25
        np.savez(tmp_path / "log" / f"loss_{iteration}.npz", training_loss=table, test_loss=iteration / 10)
    tables = history.read_tables(tmp_path)
    xs, ys = history.table_points(tables, "test", 5)
    assert xs.tolist() == [20, 100] and ys.tolist() == [2.0, 10.0]
    xs, ys = history.table_points(tables, "dis", 10)
    assert xs.tolist() == [10, 20, 90, 100]
    np.testing.assert_allclose(ys, 0.75)  # what did not occur is not counted as zero
    np.testing.assert_allclose(history.table_points(tables, "gen", 7)[1], 2.0)
    for run in {p.parents[1] for p in folder("lis").rglob("log/loss_*.pt")}:
        run_tool("lis.py", "plot", run, tmp_path, "--type=gen", "--interval=2",
                 f"--save_path={tmp_path / 'plot.png'}")
        assert (tmp_path / "plot.png").is_file()
    with pytest.raises(UserError, match="neither a folder nor an experiment"):
        run_tool("lis.py", "plot", "nowhere")
    with pytest.raises(UserError, match="holds no log"):
        run_tool("lis.py", "plot", tmp_path / "log")


def test_kernel_density_is_that_of_the_definition():
    values, at = np.random.default_rng(0).normal(0, 1, 300), np.linspace(-4, 4, 50)
    expected = np.exp(-0.5 * ((at[:, None] - values) / 0.35) ** 2).mean(1) / (0.35 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(plots.kernel_density(values, at), expected, atol=1e-3)
    assert plots.kernel_density(np.zeros(5), at).max() > 1.0  # one and the same value


def test_density_files(tmp_path):
    codes = np.random.default_rng(0).normal(0, 1, (200, 3)).astype(np.float32)
    plots.densities([codes, codes * 9], tmp_path, components=1)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "density_all_v000.jpg", "density_kde_all_v000.jpg", "density_kde_r00_v000.jpg",
        "density_kde_r01_v000.jpg",
        "density_r00_v000.csv", "density_r00_v000.jpg", "density_r01_v000.csv", "density_r01_v000.jpg"]
    lines = (tmp_path / "density_r01_v000.csv").read_text().splitlines()
    table = np.array([line.split(",") for line in lines[1:]], float)
    assert lines[0] == "x,y" and table.shape == (100, 2) and np.abs(table[:, 0]).max() < 6.0
    np.testing.assert_allclose(table[:, 1].sum(), 1.0, atol=1e-6)


def test_all_maps_of_a_run_have_one_reach():
    near, far = np.full((4, 2), 3.0), np.full((4, 2), -40.0)
    assert plots.reach_of([near, near]) == 10.0
    assert plots.reach_of([near, far]) == pytest.approx(42.0)


def test_tsne_map_and_its_table(tmp_path):
    points = plots.embed(np.random.default_rng(0).normal(0, 1, (12, 4)), seed=0, iterations=250)
    assert points.shape == (12, 2) and np.isfinite(points).all()
    plots.csv_points(tmp_path / "p.csv", "#x,y", points, 6)
    np.testing.assert_allclose(plots.read_points(tmp_path / "p.csv"), points, atol=1e-6)


def save(path, side=10, value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((side, side, 3), value, np.uint8)).save(path)


def test_video_takes_the_last_stage(tmp_path):
    for iteration in (5, 10):
        save(tmp_path / "samples" / f"sample_{iteration}.jpg")
        save(tmp_path / "samples_r0" / f"sample_{iteration}_r.jpg", value=100)
        save(tmp_path / "samples_r1" / f"sample_{iteration}_r.jpg", value=200)
    save(tmp_path / "samples" / "sample_15.jpg")
    assert [n for n, *_ in video.pairs(tmp_path)] == [5, 10]
    frames = list(video.frames(tmp_path))
    assert frames[0].shape == (10 + video.CAPTION, 20 + video.GAP, 3) and frames[0][-1, -1, 0] == 200
    assert next(video.frames(tmp_path, both=False)).shape == (10 + video.CAPTION, 10, 3)
    for iteration in (15, 20, 25):
        save(tmp_path / "samples" / f"sample_{iteration}.jpg")
        save(tmp_path / "samples_r1" / f"sample_{iteration}_r.jpg")
    assert len(list(video.frames(tmp_path, every=3))) == 3  # 5, 20 and the last
    save(tmp_path / "samples" / "sample_10.jpg", side=12)
    with pytest.raises(UserError, match="several sizes"):
        list(video.frames(tmp_path))
    with pytest.raises(UserError, match="holds no samples"):
        list(video.frames(tmp_path / "samples"))


def test_video_of_r_separate(tmp_path):
    save(tmp_path / "samples" / "sample_5.jpg")
    save(tmp_path / "samples_r" / "sample_5_r.jpg", value=200)
    assert next(video.frames(tmp_path))[-1, -1, 0] == 200


def test_resized_data_set(tmp_path, capsys):
    draw = np.random.default_rng(0)
    for name, shape in (("a1.png", (9, 14, 3)), ("sub/a2.jpg", (8, 8, 3)), ("a.b.c.bmp", (5, 7, 3)),
                        ("x.txt", None)):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if shape is None:
            path.write_text("no picture")
        else:
            Image.fromarray(draw.integers(0, 256, shape, np.uint8)).save(path)
    run_tool("resize_images.py", f"--load_path={tmp_path / 'in'}", f"--save_path={tmp_path / 'out'}",
             "--image_size=12")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.b.c.jpg", "a1.jpg", "a2.jpg"]
    assert Image.open(tmp_path / "out" / "a1.jpg").size == (12, 12)
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "in" / "sub" / "a1.png")
    with pytest.raises(UserError, match="different names"):
        run_tool("resize_images.py", f"--load_path={tmp_path / 'in'}", f"--save_path={tmp_path / 'out'}")
    with pytest.raises(UserError, match="--save_path"):
        run_tool("resize_images.py", f"--load_path={tmp_path / 'in'}")
