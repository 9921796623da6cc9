"""What a change of each system's parameters means for a run that is under way."""
import io

import numpy as np
import pytest

from tfgan_suite import experiment, registry
from tfgan_suite.errors import UserError
from tfgan_suite.training import resume, runs
from tfgan_suite.training.trainer import Trainer


def check(params, old, number, system, allowed=False):
    about = {"system": params.system, "parameters": {**params.values, **old}}
    return resume.check(params, about, number, system.rewrites_past, allowed)


@pytest.mark.parametrize("name", sorted(registry.parameters()))
def test_lengths_and_folders_are_free_and_objectives_are_not(name):
    declared = experiment.declared(name)
    for length in registry.system_class(name).length:
        assert declared[length].change in ("free", "later") or (name, length) == ("pggan", "endRes")
    for folder in {"wts_dir", "log_dir", "data_dir", "data_path", "dataroot", "lfile",
                   "DATA_DIR"} & set(declared):
        assert declared[folder].change == "free"
    for objective in {"seed", "penalty", "gamma", "annealing", "lr", "LR", "alpha", "gLR", "lambda_r",
                      "LOSS_TYPE", "loss_type",
                      "disc_learning_rate", "criticLossFunc", "ls", "alt_gen_loss"} & set(declared):
        assert declared[objective].change == "ask", objective


def test_later_levels_of_pggan_may_change():
    """After 14 iterations of batches of 8 the run is in the fade of its second level. What is changed holds
    from there on; what is finished may not change."""
    given = {"endRes": "16", "fmapBase": "32", "fmapMax": "8", "latentSize": "8", "samplesWhileStable": "80",
             "samplesWhileFade": "80", "batch_table": "4:8,8:8,16:4", "stdDevGroup": "4"}
    params = experiment.load("digits_pggan", given)
    system = runs.build(params)
    assert system.schedule.at(14).resolution == 8

    def go_on(old, number=14):
        changed = check(params, old, number, system)
        system.go_on({}, resume.history({}, changed, number))
        return changed

    assert go_on({"batch_table": "4:8,8:8,16:16"}) == {"batch_table": ["4:8,8:8,16:16", "4:8,8:8,16:4"]}
    assert go_on({"batch_table": "4:8,8:16,16:4"}) and system.schedule.at(14).batch == 8
    with pytest.raises(UserError, match="4x4 is finished and was trained with batch_table=4:4,8:8,16:4"):
        go_on({"batch_table": "4:4,8:8,16:4"}, 24)
    assert go_on({"samplesWhileStable": 160}) and go_on({"samplesWhileFade": 160})
    assert go_on({"ema": True, "saveModelEvery": 7})
    milestones = [done for done in range(1, 51) if system.milestone(done)]
    assert milestones == [10, 20, 30, 50]


def test_the_length_of_a_mixture_run_is_fixed_once_there_are_two():
    params = experiment.load("jsreg_mixture", {"max_steps": "40", "num_runs": "3"})
    system = runs.build(params)
    assert check(params, {"max_steps": 20, "num_runs": 1}, 20, system)
    with pytest.raises(UserError,
                       match="max_steps=20 -> 40: the first 21 iterations would be divided into runs anew"):
        check(params, {"max_steps": 20}, 21, system, allowed=True)
    with pytest.raises(UserError, match="max_steps"):
        check(params, {"max_steps": 80}, 60, system)
    assert check(params, {"num_runs": 2}, 80, system) == {"num_runs": [2, 3]}
    with pytest.raises(UserError, match="plot_freq"):
        check(params, {"plot_freq": 7}, 5, system, allowed=True)


def test_a_parameter_that_is_newer_than_the_checkpoint_had_its_default():
    params = experiment.load("digits", {"gamma": "0.5"})
    old = {name: value for name, value in params.values.items() if name != "gamma"}
    assert resume.changes(params, {"parameters": old}) == {"gamma": [0.1, 0.5]}
    assert resume.changes(params, {"fixed": {"f1": params.f1}}) == {}
    assert resume.changes(params, {}) == {}


def test_an_averaged_copy_that_comes_later_is_a_copy(tmp_path, monkeypatch):
    """--ema switched on after four iterations: Adam goes on, and the copy starts as G."""
    monkeypatch.chdir(tmp_path)
    given = {"endRes": "8", "fmapBase": "32", "fmapMax": "8", "latentSize": "8", "samplesWhileStable": "80",
             "samplesWhileFade": "80", "batch_table": "4:8,8:8", "saveModelEvery": "32",
             "deactivateLog": "True", "ema": "False"}
    stopped = Trainer(experiment.load("digits_pggan", given), io.StringIO())
    monkeypatch.setattr(stopped.system, "save_due", lambda done: done == 4 and stopped.stop() is None)
    assert stopped.run() == 4
    out = io.StringIO()
    later = Trainer(experiment.load("digits_pggan", {**given, "ema": "True"}), out)
    monkeypatch.setattr(later, "_train", lambda source, start, end: start)
    assert later.run() == 4
    said = out.getvalue()
    assert "Note: no checkpoint of A; it starts as a copy of G" in said and "ema False -> True" in said
    assert "afresh" not in said
    g, a = later.system.networks["g"], later.system.networks["a"]
    for one, other in zip(g.variables, a.variables):
        np.testing.assert_array_equal(one, other)
    for name in ("g", "d"):
        for one, other in zip(stopped.system.optimizers[name].variables,
                              later.system.optimizers[name].variables):
            np.testing.assert_array_equal(one, other)


def test_another_system_is_refused():
    params = experiment.load("digits")
    with pytest.raises(UserError, match="was trained with system=rpgan_baseline"):
        resume.check(params, {"system": "rpgan_baseline"}, 1, lambda old, done: "", True)
