"""Week-long runs that something happened to: another batch, another length, one level more, another start."""
import io

import numpy as np
import pytest
import tensorflow as tf
from pggan_support import SMALL, make, make_params, values

from tfgan_suite.errors import UserError
from tfgan_suite.files.archive import Archive
from tfgan_suite.files.checkpoints import Checkpoints
from tfgan_suite.pggan import snapshots
from tfgan_suite.pggan.recovery import continued
from tfgan_suite.pggan.schedule import schedule_of
from tfgan_suite.pggan.system import PGGAN
from tfgan_suite.training.trainer import Trainer


@pytest.fixture(autouse=True)
def untraced():
    """tf.functions run as plain Python: tracing takes longer than a few iterations."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


class Place:
    """A run's folders; `train` runs there, `said` is what it told."""

    def __init__(self, folder):
        self.folder, self.said = folder, ""

    def params(self, given=(), **flags):
        """Parameters; the values named in `given` count as given on a command line."""
        params = make_params(**{**SMALL, "logStep": 1000, "saveImageEvery": 1000, "saveModelEvery": 1000,
                                **flags})
        params.sources.update(dict.fromkeys((*flags, *given), "command line"))
        return params.replace(wts_dir=str(self.folder / "w"), log_dir=str(self.folder / "l"))

    def train(self, until=None, start=None, **flags):
        """Trains, to iteration `until`; returns the trainer."""
        out = io.StringIO()
        trainer = Trainer(self.params(**flags), out, start=start)
        if until is not None:
            due = trainer.system.save_due
            trainer.system.save_due = lambda done: due(done) or (done == until and trainer.stop() is None)
        self.done = trainer.run()
        self.said = out.getvalue()
        return trainer

    @property
    def files(self):
        return Checkpoints(self.folder / "w", ("g", "d"))


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


# -- the schedule --------------------------------------------------------------------------------------------
def entry(iteration, **changed):
    return {"iteration": iteration, "changed": {name: list(pair) for name, pair in changed.items()}}


def test_a_batch_may_change_in_the_middle_of_a_level():
    """Images go on where they were, alpha too; what was before stays, stage ends included."""
    old = schedule_of(make_params(**SMALL))
    table = "4:4,8:2,16:2"
    params = make_params(**{**SMALL, "batch_table": table})
    now = continued(params, [entry(4, batch_table=(SMALL["batch_table"], table))])
    assert [now.at(i) for i in range(4)] == [old.at(i) for i in range(4)]
    assert [now.ends_stage(i) for i in range(3)] == [old.ends_stage(i) for i in range(3)]
    assert (now.at(4).shown, now.at(4).alpha, now.at(4).batch) == (old.at(4).shown, old.at(4).alpha, 2)
    assert now.at(5).shown_here == now.at(4).shown_here + 2
    after = [now.at(i) for i in range(4, now.iterations)]
    assert all(b.shown == a.shown + a.batch for a, b in zip(after, after[1:]))
    assert [m.stage for m in after if m.level == 1] == ["fade"] * 2 + ["stable"] * 4
    with pytest.raises(UserError, match="4x4 is finished and was trained with batch_table=4:4,8:4"):
        table = "4:2,8:2,16:2"
        continued(make_params(**{**SMALL, "batch_table": table}),
                  [entry(4, batch_table=(SMALL["batch_table"], table))])


def test_lengths_may_change_but_a_fade_does_not_come_back():
    """Iterations 5 and 6 of level 1 are stable after a fade of three."""
    params = make_params(**{**SMALL, "samplesWhileStable": 16})
    longer = continued(params, [entry(6, samplesWhileStable=(8, 16))])
    assert [longer.at(i).level for i in (5, 6, 7, 8, 9)] == [1, 1, 1, 1, 2]
    with pytest.raises(UserError, match="samplesWhileFade=40: 8x8 is faded in after 12 images"):
        continued(make_params(**{**SMALL, "samplesWhileFade": 40}), [entry(6, samplesWhileFade=(12, 40))])
    twice = continued(params, [entry(3, samplesWhileStable=(8, 12)), entry(6, samplesWhileStable=(12, 16))])
    assert twice.at(6).shown == longer.at(6).shown and twice.earlier.earlier is not None


def test_a_level_more_follows_a_finished_run():
    flags = {**SMALL, "endRes": 8}
    finished = schedule_of(make_params(**flags)).iterations
    now = continued(make_params(**SMALL), [entry(finished, endRes=(8, 16))])
    assert (now.at(finished).level, now.at(finished).alpha) == (2, 0.0) and now.iterations > finished
    with pytest.raises(UserError, match="endRes=8: the networks of this run have grown for 16"):
        continued(make_params(**flags), [entry(3, endRes=(16, 8))])


# -- runs ----------------------------------------------------------------------------------------------------
def test_one_level_more_grows_on_with_adam(place):
    """A finished run to 8x8 goes on to 16x16; the weights and slots of what existed are those of the end."""
    first = place.train(endRes=8, keep_every=1)
    before = values(first.system)
    done = place.done
    second = place.train(endRes=16, until=done + 1, keep_every=1)
    assert place.done == done + 1
    assert "starts afresh" in place.said and "endRes 8 -> 16" in place.said
    assert second.system.schedule.at(done).resolution == 16
    stored = Archive(place.files.path("g", done + 1))
    assert stored["progress"][0] == 2 and "net.toRGBs.2.0.bias" in stored
    slot = "g/exp_avg_sq/net.chain.0.3.conv.weight"
    fresh = PGGAN(place.params(endRes=16))
    for kind in ("g", "d"):
        fresh.load_original(kind, Archive(place.files.path(kind, done)))
    fresh_state = fresh.state()
    afresh, _ = place.files.load_state(done, fresh_state)
    assert np.array_equal(before[slot], fresh_state[slot].numpy()) and before[slot].any()
    assert all(".2." in name or "chain.2" in name for name in afresh), afresh
    with pytest.raises(UserError, match="endRes=8: the networks"):
        place.train(endRes=8)


def test_the_batch_of_a_level_changes_on_resume(place):
    """Out of memory in a level: a smaller batch, from the newest checkpoint on, without --change."""
    place.train(until=4)
    trainer = place.train(until=6, batch_table="4:4,8:2,16:2")
    assert trainer.system.schedule.at(4).batch == 2 and "batch_table" in place.said
    again = place.train(until=7, batch_table="4:4,8:2,16:2")  # the history is remembered
    assert again.system.schedule.at(6) == trainer.system.schedule.at(6)
    with pytest.raises(UserError, match="4x4 is finished"):
        place.train(batch_table="4:2,8:2,16:2")
    with pytest.raises(UserError, match="rate_table=4:0.1: 4x4 is finished"):
        place.train(batch_table="4:4,8:2,16:2", rate_table="4:0.1")


def test_stage_ends_stay_and_can_be_gone_back_to(place):
    """--keep_every keeps whole sets at every stage's end; --from takes a resolution."""
    place.train(endRes=8, keep_every=1000)
    ends = [i + 1 for i in range(place.done) if make(endRes=8).schedule.ends_stage(i)]
    assert place.files.complete() == ends and place.files.numbers("g") == ends
    trainer = place.train(endRes=8, keep_every=1000, start="4x4", until=ends[0] + 1)
    assert trainer._start.number == ends[0] and "aside" in place.said
    for word, text in (("16x16", "such as 8x8"), ("8", "whole checkpoint of this iteration"),
                       ("x", "give an iteration")):
        with pytest.raises(UserError, match=text):
            place.train(endRes=8, keep_every=1000, start=word)


def test_weights_to_start_from_are_for_a_fresh_folder(place, tmp_path):
    """Given again as at the start they change nothing; other ones are refused. --resumeTraining is
    remembered."""
    other = Place(tmp_path / "other")
    other.train(until=6)
    path = str(other.files.path("g", 6))
    place.train(until=1, preWtsFile=path, resumeTraining="8 16")
    assert "not there" not in place.said
    trainer = place.train(until=2)  # by the name alone
    assert trainer.params.resumeTraining == "8 16" and trainer.system.schedule.at(0).shown_here == 16
    place.train(until=3, preWtsFile=path, resumeTraining="8 16")
    with pytest.raises(UserError, match="holds checkpoints, with which the run goes on"):
        place.train(preWtsFile=str(other.files.path("g", 5)))
    with pytest.raises(UserError, match="resumeTraining=8 16, this run has resumeTraining=8 20"):
        place.train(resumeTraining="8 20")


def test_what_a_start_lacks_is_said(place, tmp_path):
    """The critic, Adam's state; a checkpoint of a fade goes on in it."""
    other = Place(tmp_path / "other")
    other.train(until=4)
    path = other.files.path("g", 4)
    fade = PGGAN(place.params(preWtsFile=str(path), resumeTraining="8 8"))
    fade.begin()
    assert 0 < fade.schedule.at(0).alpha < 1 and fade.schedule.at(0).alpha == 8 / 12
    other.files.path("d", 4).unlink()
    other.files.path("state", 4).unlink()
    place.train(until=1, preWtsFile=str(path))
    assert "the critic starts afresh" in place.said and "optimisers start afresh" in place.said


def test_hyperparameters_of_a_snapshot_win(place, monkeypatch):
    """Betas and weight decay of an original snapshot hold in place of the flags, also after a resume by
    name."""
    system = PGGAN(place.params())
    content = {"gen": {n: a for n, a in system.networks["g"].arrays() if n != "progress"},
               "crit": dict(system.networks["d"].arrays())}
    for key in ("gOptimizer", "cOptimizer"):
        group = {"lr": 0.01, "betas": (0.5, 0.9), "weight_decay": 0.0 if key[0] == "g" else 0.125,
                 "params": []}
        content[key] = {"state": {}, "param_groups": [group]}
    monkeypatch.setattr(snapshots, "read", lambda path: content)
    file = place.folder / "4x4_final_5.pth.tar"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"")
    place.train(until=1, preWtsFile=str(file), gOptimizer_betas="0.25 0.5")
    assert "gOptimizer_betas=0.5 0.9 of" in place.said and "in place of 0.25 0.5" in place.said
    trainer = place.train(until=2)
    for kind, decay in (("g", 0.0), ("d", 0.125)):
        optimizer = trainer.system.optimizers[kind]
        assert (optimizer.beta_1, optimizer.beta_2, optimizer.decay) == (0.5, 0.9, decay)
    assert float(trainer.system.extra_state["loaded_rate/g"]) == np.float32(0.01)
    with pytest.raises(UserError, match="was trained with gOptimizer_betas=0.5 0.9"):
        place.train(gOptimizer_betas="0.25 0.5")


def test_functions_of_finished_stages_are_dropped():
    """They hold their graphs; lazy regularisation goes to and fro between two."""
    trainer = Trainer(make_params(**{**SMALL, "lazyRegularization": 2}).replace(wts_dir="none"),
                      io.StringIO())
    most = 0
    for step in range(trainer.system.iterations):
        trainer.function(trainer.system.phase(step), step)
        most = max(most, len(trainer._functions))
    assert most == 2
