"""jsreg_mixture: training through the trainer, several runs, resuming, plots, points, metrics, what it
refuses."""
import io
from pathlib import Path

import event_files
import numpy as np
import pytest
from PIL import Image

from tfgan_suite import experiment
from tfgan_suite.errors import UserError
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.jsreg.mixture import plots
from tfgan_suite.jsreg.mixture.geometry import Mixture
from tfgan_suite.training import runs
from tfgan_suite.training.trainer import Trainer

TINY = ("system = 'jsreg_mixture'\nhidden, batch_size, viz_batches = 8, 16, 2\n"
        "max_steps, plot_freq, num_runs, disc_pretrain_steps, save_every, log_every = 4, 2, 2, 1, 2, 1\n")


def params(tmp_path, monkeypatch, **changes):
    """An experiment in a fresh folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exp").mkdir(exist_ok=True)
    (tmp_path / "exp/tiny.py").write_text(TINY)
    return experiment.load("tiny", {name: str(value) for name, value in changes.items()})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Two runs of four iterations, in the current folder."""
    with pytest.MonkeyPatch.context() as patch:
        p = params(tmp_path_factory.mktemp("mixture"), patch)
        Trainer(p, io.StringIO()).run()
        yield p


def test_files_of_several_runs(trained):
    logs = Path("logs/tiny")
    frames = [np.load(logs / f"summaries/run_{run}/gen_samps.npy") for run in (0, 1)]
    assert frames[0].shape == frames[1].shape == (3, 32, 3) and frames[0].dtype == np.float32
    assert not np.array_equal(frames[0][0], frames[1][0])
    for name in ("tiny_num_0.png", "tiny_num_1.png", "overview_run_1/iter_10.png", "statistics/iter_10.png",
                 "data/iter_1.png"):
        with Image.open(logs / name) as picture:
            picture.verify()
    assert Checkpoints(trained.wts_dir).numbers("g") == [5, 10]  # the last G of each run
    assert Checkpoints(trained.wts_dir).complete() == [10]


def test_event_file_of_each_run_is_the_originals(trained):
    statistics = ("grad_D1_logits_norm", "grad_D2_logits_norm", "grad_D_logits_norm", "D1_regularizer",
                  "D2_regularizer",
                  "disc_regularizer", "grad_D1_norm", "grad_D2_norm", "grad_D_norm")
    scalars = {"gamma_1", "gen/gen/unreg_gen_loss", "disc/disc/unreg_disc_loss", "disc/disc/disc_loss",
               *(f"disc/disc_reg/disc/{name}" for name in statistics)}
    runs_of = [event_files.read(Path(f"logs/tiny/summaries/run_{run}")) for run in (0, 1)]
    for found in runs_of:
        assert set(found) == {*scalars, "disc/disc/D1", "disc/disc/D2"}
        # no summary while D is trained alone
        assert all(set(values) == {0, 1, 2, 3, 4} for values in found.values())
        assert found["disc/disc/D1"][0].num == 16
        assert abs(found["disc/disc/unreg_disc_loss"][0] - 2 * np.log(2)) < 0.2  # untrained
    assert runs_of[0]["disc/disc/disc_loss"][0] != runs_of[1]["disc/disc/disc_loss"][0]
    assert {*statistics[:6], "gamma", "disc_loss",
            "unreg_gen_loss"} <= set(event_files.read(Path("logs/tiny")))


def test_summaries_can_be_rare(trained):
    p = trained.replace(num_runs=1, summary_freq=3, wall_clock=True, unreg=True, sgd=True, rmsprop=True,
                        wts_dir="rare",
                        log_dir="rare_logs")
    out = io.StringIO()
    Trainer(p, out).run()
    assert "Note: sgd and rmsprop are both given; sgd is used" in out.getvalue()
    found = event_files.read(Path("rare_logs/summaries/run_0"))
    assert set(found["disc/disc/unreg_disc_loss"]) == {0, 7}  # one step alone, then three rounds of two
    assert set(found) == {"gamma_1", "gen/gen/unreg_gen_loss", "disc/disc/unreg_disc_loss", "disc/disc/D1",
                          "disc/disc/D2"}


def test_runs_start_anew_and_are_independent(trained):
    alone = trained.replace(num_runs=1, plot_freq=100, summary_freq=0, wts_dir="alone", log_dir="alone_logs")
    Trainer(alone, io.StringIO()).run()
    first, other = Archive("alone/iter_5.gmodel.npz"), Archive("models/tiny/iter_5.gmodel.npz")
    for name in first:
        np.testing.assert_array_equal(first[name], other[name])
    state = Archive("models/tiny/iter_10.state.npz")
    counts = [int(state[name]) for name in state if name.endswith("iteration")]
    assert sorted(counts) == [4, 5]  # of the second run alone: G, and D with one step before


def test_stopped_and_resumed_is_the_same_to_the_bit(trained):
    p = trained.replace(wts_dir="parts", log_dir="part_logs", plot_freq=100)
    for stop in (7, None):
        trainer = Trainer(p, io.StringIO())
        trainer.system.save_due = lambda done, stop=stop, t=trainer: done == stop and bool(t.stop())
        trainer.run()
    whole, parts = Archive("models/tiny/iter_10.state.npz"), Archive("parts/iter_10.state.npz")
    for name in whole:
        if name != "about":
            np.testing.assert_array_equal(whole[name], parts[name], err_msg=name)


@pytest.mark.parametrize("changes", [{"sgd": True, "unreg": True, "components": 5, "std": 0.1},
                                     {"rmsprop": True, "wall_clock": True, "annealing": True},
                                     {"alt_gen_loss": True, "uniform_prior": True, "z_dim": 3,
                                      "gen_update_steps": 2},
                                     {"disc_update_steps": 0}, {"gen_update_steps": 0}])
def test_options_train(tmp_path, monkeypatch, changes):
    p = params(tmp_path, monkeypatch, **{"num_runs": 1, "plot_freq": 100, **changes})
    assert Trainer(p, io.StringIO()).run() == 5
    system, number = runs.open_sampler(p)
    assert number == 5 and system.points(system.latents(7, 0)).shape == (7, 3)


def test_samples_are_a_plot_and_points(trained, tmp_path):
    system, _ = runs.open_sampler(trained)
    with pytest.raises(UserError, match="--n=1000000000000: so many points need about"):
        system.write_samples(tmp_path / "out.png", 3, 10**12)
    system.write_samples(tmp_path / "out.png", 3)
    archive = Archive(tmp_path / "out.npz")
    assert archive["points"].shape == archive["plane"].shape == (32, 3)
    np.testing.assert_array_equal(system.points(archive["latents"]), archive["points"])
    assert archive["centres"].shape == (7, 3)
    with pytest.raises(UserError, match="points, not images"):
        system.generate(system.latents(2, 0))


def test_quality_of_known_points():
    mixture = Mixture()
    centres = mixture.centres_in_space()
    perfect = mixture.quality(np.repeat(centres, 10, 0))
    assert perfect["modes_covered"] == perfect["modes_tenth"] == 7 and perfect["share_within_3sd"] == 1.0
    assert perfect["distance_to_plane"] == pytest.approx(0.0, abs=1e-6)
    collapsed = mixture.quality(np.concatenate([np.repeat(centres[:2], [97, 1], 0), centres[:1] + 5.0]))
    assert (collapsed["modes_covered"], collapsed["modes_tenth"]) == (2.0, 1.0)
    assert collapsed["share_within_3sd"] == pytest.approx(98 / 99)


@pytest.mark.parametrize("points",
                         [np.zeros((20, 3)), np.linspace(0, 1, 60).reshape(20, 3) * [1, 0, 0],
                          np.ones((2, 3))])
def test_degenerate_samples_can_be_drawn(points):
    assert plots.overview(points, Mixture()).ndim == 3
    assert plots.frames(np.stack([points, points]), [0, 1], dpi=50)[:4] == b"\x89PNG"


@pytest.mark.parametrize("changes, words", [({"gamma": -0.1}, "gamma"), ({"gamma": "nan"}, "not a number"),
                                            ({"precision": "float16"}, "float32"), ({"std": 0}, "std"),
                                            ({"penalty": "gp"}, "one or more of js, r1, r2"),
                                            ({"disc_update_steps": 0, "gen_update_steps": 0},
                                             "nothing would be trained")])
def test_bad_options_are_one_line(tmp_path, monkeypatch, changes, words):
    with pytest.raises(UserError) as error:
        runs.build(params(tmp_path, monkeypatch, **changes))
    assert words in str(error.value) and "\n" not in str(error.value)


def test_another_planned_length_tells_what_gamma_was_and_is(tmp_path, monkeypatch):
    changes = {"num_runs": 1, "plot_freq": 100, "summary_freq": 0, "annealing": True, "decay_factor": 0.0625,
               "gamma": 2.0}
    out = io.StringIO()
    Trainer(params(tmp_path, monkeypatch, **changes), io.StringIO()).run()
    Trainer(params(tmp_path, monkeypatch, **changes, max_steps=8), out).run()
    assert ("Note: annealing follows the planned length: after iteration 5 gamma was 0.0625 (of 4 "
            "iterations), it is 0.353553 now (of 8)") in out.getvalue()
