"""The tools of LIS runs on tiny untrained networks: which files they write, and what they say about bad
input.
"""
import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfgan_suite import experiment
from tfgan_suite.data.source import ArraySource
from tfgan_suite.errors import UserError
from tfgan_suite.files import archive, checkpoints
from tfgan_suite.lis import inception_sweep, samples, weights
from tfgan_suite.metrics import bad_samples
from tfgan_suite.metrics.registry import Evaluation
from tfgan_suite.metrics.samples import SystemSamples
from tfgan_suite.pictures import movies, sheets, walks
from tfgan_suite.pictures.bytes import unit_to_uint8
from tfgan_suite.training import runs

TOOLS = Path(__file__).parents[2] / "tools"
GOLDEN = Path(__file__).parents[1] / "golden" / "lis"  # its sizes are those of SIZES
SIZES = """dataset = 'digits'
image_size = 16
nfeature = 4
nlayer = 2
code_size = 6
batch_size = 8
norm = 'weight'
r_iterations = 2
"""


def run_tool(name, *argv):
    runpy.run_path(str(TOOLS / name))["main"](list(map(str, argv)))


def save_networks(name, number=3):
    """Writes the untrained networks of an experiment as its checkpoint."""
    params = experiment.load(name)
    networks = runs.build(params, training=False).networks
    files = checkpoints.Checkpoints(params.wts_dir)
    files.folder.mkdir(parents=True, exist_ok=True)
    for kind, network in networks.items():
        archive.write(files.path(kind, number), network.arrays())


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A folder with three experiments and their checkpoints."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exp").mkdir()
    for name, system, more in (("little", "glis", ""), ("rounds", "lis_iterative", ""),
                               ("mend", "lis_separate", "load_path = 'models/little'\n")):
        (tmp_path / "exp" / f"{name}.py").write_text(f'"""Tiny."""\nsystem = \'{system}\'\n{SIZES}{more}')
        save_networks(name)
    return tmp_path


def files_below(folder):
    return sorted(str(p.relative_to(folder)) for p in Path(folder).rglob("*") if p.is_file())


def expected_names(modules, reversed_too):
    names = [f"sampled_images_chains/chain_{s}_0000.jpg" for s in ("full", "small")]
    for kind, short in (("interpolations", "interp"), ("perturbations", "pert")):
        names += [f"sampled_images_{kind}_r{r}/{short}_r{r}_0000.jpg" for r in range(modules + 1)]
        names.append(f"sampled_images_{kind}_all/{short}_all_0000.jpg")
    for r in range(modules + 1):
        for size in ("full", "small"):
            names.append(f"sampled_images_r{r}/r{r}_{size}_0000.jpg")
            if reversed_too:
                names.append(f"sampled_images_rsep_r{r}_after/rsep_r{r}_{size}_0000.jpg")
                names.append(f"sampled_images_rsep_r{r}_both/rsep_r{r}_chain_{size}_0000.jpg")
    return sorted(names)


def test_samples_of_g_lis(work):
    run_tool("lis.py", "sample", "little", "--sheets=1", "--save_path=out")
    assert files_below("out") == expected_names(2, False)
    assert Image.open("out/sampled_images_r1/r1_full_0000.jpg").size == (16 * 17 + 1, 16 * 17 + 1)
    assert Image.open("out/sampled_images_interpolations_all/interp_all_0000.jpg").size == (160, 48)
    assert Image.open("out/sampled_images_perturbations_all/pert_all_0000.jpg").size == (48, 256)
    assert Image.open("out/sampled_images_chains/chain_small_0000.jpg").size == (4 * 49 + 1, 4 * 17 + 1)


def test_samples_with_a_reverser_and_real_images(work):
    (work / "real").mkdir()
    for i in range(2):
        Image.fromarray(np.full((20, 20, 3), 90 * i, np.uint8)).save(work / "real" / f"{i}.jpg")
    run_tool("lis.py", "sample", "mend", "--sheets=1", "--save_path=out", "--with_real_images",
             "--real_images=real",
             "--embed_steps=3")
    real = [f"sampled_images_real_images_interpolations/interp_000{i}_to_000{1 - i}_{way}.jpg"
            for i in range(2)
            for way in ("horizontal", "vertical")]
    real += [f"sampled_images_real_images_perturbations/pert_real_000{i}.jpg" for i in range(2)]
    assert files_below("out") == sorted(expected_names(2, True) + real)
    run_tool("lis.py", "sample", "little", "--sheets=1", "--save_path=out2",
             "--load_path_r=models/mend/iter_3.rmodel.npz")
    assert files_below("out2") == expected_names(2, True)
    assert Path("out2/sampled_images_r2/r2_full_0000.jpg").read_bytes() == Path(
        "out/sampled_images_r2/r2_full_0000.jpg").read_bytes()


def test_samples_of_r_iterative(work):
    run_tool("lis.py", "sample", "rounds", "--sheets=1")
    names = [n for n in expected_names(2, False) if "interp" not in n and "pert" not in n]
    assert files_below("logs/rounds/sampled") == names


def test_weights_of_the_original_are_sampled(work):
    expected = np.load(GOLDEN / "files_expected.npz")
    opened = weights.open_networks(experiment.load("little"),
                                   path_g=GOLDEN / "files/exp/net_archive/last_gen.pt")
    for r in range(3):
        drawn = unit_to_uint8(opened.sampler.draw(expected["vis_code"], r))
        assert np.abs(drawn.astype(int) - expected[f"sample_r{r}_uint8"]).max() <= 1
    grid = sheets.draw_grid(unit_to_uint8(opened.sampler.draw(expected["vis_code"], 0)), cols=2)
    assert np.abs(grid.astype(int) - expected["grid_r0"]).max() <= 1


def test_samples_bad_input(work):
    for argv, text in ((["little", "--iteration=7"], "no such checkpoint; there are: 3"),
                       (["little", "--r_iterations=3"], "2 LIS modules"),
                       (["little", "--load_path_g=models/little", "--r_iterations=5"], "2 LIS modules"),
                       (["little", "--load_path_g=nowhere"], "no such folder"),
                       (["little", "--norm=weight-affine"], "weight-affine|shape|lacks|does not belong"),
                       (["little", "--with_real_images"], "needs G-LIS and a reverser"),
                       (["mend", "--with_real_images"], "needs --real_images"),
                       (["mend", "--with_real_images", "--real_images=none"], "none: no such folder"),
                       (["digits"], "experiment of rpgan"),
                       (["little", "--image_size=17"], "odd side"),
                       (["little", "--save_path=exp/little.py/x"], "cannot make this folder")):
        with pytest.raises(UserError, match=text):
            run_tool("lis.py", "sample", *argv, "--sheets=1")


def test_density_and_tsne_tools(work, capsys):
    run_tool("lis.py", "density", "little", "--nb_points=50", "--components=1")
    assert capsys.readouterr().out.count("standard deviation") == 6
    assert len(files_below("logs/little/density_plots")) == 11
    folder = work / "logs/little/tsne_plots"
    folder.mkdir()
    for r in range(3):  # tables that are there already are used
        np.savetxt(folder / f"embedded_points_r{r:02d}.csv", np.random.default_rng(r).normal(0, 1, (9, 2)),
                   delimiter=",")
    run_tool("lis.py", "tsne", "little", "--nb_points=9")
    assert capsys.readouterr().out.count("used again") == 3
    assert "tsne_0000_r02_kde.jpg" in files_below(folder) and "tsne_0000_r00.jpg" in files_below(folder)
    for tool in ("density", "tsne"):
        with pytest.raises(UserError, match="no LIS modules"):
            run_tool("lis.py", tool, "rounds")


def test_video_of_a_run(work):
    for name in ("samples/sample_5.jpg", "samples_r1/sample_5_r.jpg", "samples/sample_10.jpg",
                 "samples_r1/sample_10_r.jpg"):
        path = work / "logs" / "little" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((9, 9, 3), len(name), np.uint8)).save(path)
    run_tool("lis.py", "video", "little", "--save_path=training.gif")
    assert Image.open("training.gif").n_frames == 2
    with pytest.raises(UserError, match="film.avi: cannot write this format; give a name that ends in"):
        run_tool("lis.py", "video", "little", "--save_path=film.avi")
    if ".mp4" not in movies.endings():
        with pytest.raises(UserError, match="film.mp4: MP4 needs the package imageio-ffmpeg or av"):
            run_tool("lis.py", "video", "little", "--save_path=film.mp4")
    assert not list(Path().glob("*film*"))


def test_final_test_of_a_finished_run(work, capsys):
    run_tool("lis.py", "final-test", "little", "--net=last", "--test_steps=1", "--batch_size=100")
    assert "Testing batch 2 of 2" in capsys.readouterr().out
    found = files_below("logs/little/last_test")
    assert len(found) == 201 and "199.png" in found
    assert Image.open("logs/little/last_test/0.png").size == (2 * 18 + 2, 20)
    assert 0 < json.loads(Path("logs/little/last_test/loss.json").read_text())["loss"] < 1
    run_tool("lis.py", "final-test", "mend", "--test_steps=1", "--batch_size=100", "--save_path=of_mend")
    same = [json.loads(Path(f"{f}/last_test/loss.json").read_text()) for f in ("of_mend", "logs/little")]
    assert same[0]["loss"] == pytest.approx(same[1]["loss"])  # its G is that of little
    for argv, text in ((["little"], "no checkpoint for --net=best .no running test"),
                       (["little", "--net=7"], "iter_7.gmodel.npz"),
                       (["digits"], "is an experiment of rpgan"),
                       (["little", "--r_iterations=5"], "no checkpoint"),
                       (["little", "--net=3", "--r_iterations=5"], "2 LIS modules")):
        with pytest.raises(UserError, match=text):
            run_tool("lis.py", "final-test", *argv)


def test_weights_of_another_run_by_load_path(work, capsys):
    """The tools take the weights that they are asked for, or say what is missing."""
    other = experiment.load("little", {"wts_dir": "kept/models", "seed": "5"})
    system = runs.build(other, training=False)
    archive.make_folder("kept/models")
    archive.write("kept/models/iter_9.gmodel.npz", system.networks["g"].arrays())
    run_tool("lis.py", "sample", "little", "--sheets=1", "--save_path=a", "--load_path=kept")
    run_tool("lis.py", "sample", "little", "--sheets=1", "--save_path=b",
             "--load_path_g=kept/models/iter_9.gmodel.npz")
    run_tool("lis.py", "sample", "little", "--sheets=1", "--save_path=c")
    a, b, c = (Path(f"{f}/sampled_images_r2/r2_full_0000.jpg").read_bytes() for f in "abc")
    assert a == b != c
    run_tool("lis.py", "final-test", "little", "--net=9", "--test_steps=1", "--batch_size=100",
             "--load_path=kept")
    assert "Wrote the test of kept/models/iter_9 into" in capsys.readouterr().out
    with pytest.raises(UserError, match="no best network"):
        run_tool("lis.py", "final-test", "little", "--net=best", "--load_path=kept")
    assert weights.numbers("kept") == [9] and weights.g_file("kept",
                                                             9) == Path("kept/models/iter_9.gmodel.npz")


def test_an_archive_of_the_original_can_be_swept(work):
    run = GOLDEN / "files" / "exp"
    assert weights.numbers(run) == [6]
    params = experiment.load("little", {"load_path": str(run)})
    codes = np.load(GOLDEN / "files_expected.npz")["vis_code"]
    by_number = weights.open_networks(params, iteration=6).sampler.draw(codes, 1)
    file = weights.open_networks(experiment.load("little"),
                                 path_g=weights.g_file(run, 6)).sampler.draw(codes, 1)
    np.testing.assert_array_equal(by_number, file)


def test_codes_of_real_images_come_near(work):
    opened = weights.open_networks(experiment.load("mend"))
    target = opened.sampler.draw(opened.sampler.codes(2, 0, "x"), 2)
    reports = []
    codes = samples.embed(opened.g, opened.r, target, steps=101, report=reports.append)
    assert codes.shape == (2, 6) and len(reports) == 2
    first, last = (float(line.rsplit(" ", 1)[1]) for line in reports)
    assert last <= first


def fake_logits(pictures):
    """Stands for the Inception graph: four classes by the mean brightness."""
    assert pictures.dtype == np.uint8 and pictures.shape[1:] == (299, 299, 3)
    return -((pictures.mean(axis=(1, 2, 3))[:, None] - np.array([0, 85, 170, 255])) / 20.0) ** 2


@pytest.mark.parametrize("damage", ["none", "vertical-flips"])
def test_inception_sweep_files(work, damage):
    judge = inception_sweep.Judge(fake_logits, splits=2, split_size=6, batch=4, augment=damage)
    opened = weights.open_networks(experiment.load("little"), train_mode=True)
    scores = inception_sweep.fake_scores(judge, opened.sampler)
    assert len(scores) == 3 and all(1.0 <= mean <= 4.0 for mean, _ in scores)
    better = [(mean + 1, std) for mean, std in scores]
    inception_sweep.write_fake(work, [(10, "a.npz", scores), (20, "b.npz", better)])
    lines = (work / "inception-scores.csv").read_text().splitlines()
    assert lines[0] == "#nth_file,batch,g0_mean,g0_std,g1_mean,g1_std,g2_mean,g2_std,g_fp"
    assert lines[2].startswith("1,20,") and lines[2].endswith(",b.npz") and lines[2].count(",") == 8
    assert (work / "inception-scores-best.txt").read_text().splitlines()[
        0
    ] == f"g0: {better[0][0]:.10f} at file 1 / batch 20"
    assert json.loads((work / "inception-history.json").read_text())["g1"][0][:2] == [10, scores[1][0]]
    assert (work / "inception.jpg").is_file()


def test_inception_scores_of_real_images(tmp_path):
    greys = np.repeat(np.arange(4, dtype=np.uint8) * 85, 55)[:, None, None, None]
    source = ArraySource(greys * np.ones((1, 8, 8, 3), np.uint8))
    judge = inception_sweep.Judge(fake_logits, splits=10, split_size=110, batch=50)
    mean, std = inception_sweep.real_scores(judge, source, 50000)
    assert abs(mean - 2.0) < 0.1 and std < 0.1  # two whole parts of two classes each
    inception_sweep.write_real(tmp_path, 8, (mean, std))
    assert (
        tmp_path / "inception-scores-real-data.csv"
    ).read_text() == f"#image_size,mean,std\n8,{mean:.10f},{std:.10f}\n"
    with pytest.raises(UserError, match="too few"):
        inception_sweep.real_scores(judge, ArraySource(source.array[:99]), 50000)


def test_perturbations_begin_with_the_code_itself(work):
    sampler = weights.open_networks(experiment.load("little")).sampler
    code, noise = np.ones(6, np.float32), np.full((4, 6), 0.5, np.float32)
    np.testing.assert_array_equal(walks.neighbours(code, noise), [[1.0] * 6, *[[1.5] * 6] * 3])
    first = sampler.vectors(code[None])
    assert len(first) == 3 and np.array_equal(first[0], code[None])
    folders = samples.Folders(work / "p")
    samples.perturbations(sampler, folders, 0, 1)
    assert len(files_below(work / "p")) == 4


def test_share_of_bad_samples():
    def classifier(images):
        """Sure of bright images, undecided on dark ones."""
        logits = np.zeros((len(images), 10), np.float32)
        logits[:, 3] = images.mean(axis=(1, 2, 3)) * 20
        return None, logits

    dark, bright = np.zeros((4, 4, 3), np.float32), np.ones((4, 4, 3), np.float32)
    stages = [np.stack([dark, dark, bright, bright]), np.stack([bright, dark, bright, dark])]
    confidence = bad_samples.confidences(stages, classifier)
    first, last = bad_samples.table(confidence)
    assert first["bad"] == last["bad"] == 0.5 and first["mended"] == first["spoilt"] == 0.0
    assert last["mended"] == last["spoilt"] == 0.5
    sheet = samples.worst(stages, confidence, count=2, cols=1)
    assert sheet.shape == (11, 10, 3) and sheet[1, 1, 0] == 0 and sheet[1, 5, 0] == 255
    assert np.isnan(bad_samples.table(confidence[:, 2:])[1]["mended"])


@pytest.mark.parametrize("classes", [0, 10])
def test_bad_samples_of_the_neutral_system(work, capsys, classes):
    """The table and the sheet; the metric of the same name gives the same shares."""
    (work / "exp/any.py").write_text(f'''"""Tiny."""
system, data, imsz, width_g, zlen, lis_modules, classes = 'gan', 'digits', 16, 4, 6, 2, {classes}
channels, norm_g = 1, {"'conditional'" if classes else "'batch'"}
''')
    save_networks("any")
    run_tool("lis.py", "bad", "any", "--n=30", "--save_path=out")
    rows = json.loads((work / "out/bad_samples.json").read_text())["stages"]
    assert [row["stage"] for row in rows] == [0, 1, 2] and "mended" in capsys.readouterr().out
    assert (work / "out/worst_samples.png").is_file()
    system, _ = runs.open_sampler(experiment.load("any"))
    found = bad_samples.bad(Evaluation(SystemSamples(system, 30, batch=20), system=system))
    assert list(found) == ["bad_after_0", "bad_after_1", "bad_after_2", "bad_mended", "bad_spoilt"]
    assert all(0 <= found[f"bad_after_{k}"] <= 1 for k in range(3))
    last, made = system.all_stages(system.latents(5, 0), system.labels(5, 0))[-1], system.generate(
        system.latents(5, 0), system.labels(5, 0))
    np.testing.assert_allclose(last[..., :1] * 2 - 1, made, atol=1e-6)


def test_bad_samples_need_modules(work):
    (work / "exp/any.py").write_text('"""Tiny."""\nsystem, imsz, width_g, zlen = "gan", 16, 4, 6\n')
    save_networks("any")
    with pytest.raises(UserError, match="any: has no modules in front of G"):
        run_tool("lis.py", "bad", "any", "--n=4")
