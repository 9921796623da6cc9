"""What `tools/compare.py` plans: variants, seeds, budgets, folders, and what it refuses."""
from pathlib import Path

import pytest
from tiny import ROOT, verb, workplace

from tfgan_suite import experiment, registry
from tfgan_suite.compare import plan
from tfgan_suite.errors import UserError


@pytest.fixture
def place(tmp_path, monkeypatch):
    return workplace(tmp_path, monkeypatch)


def made(names, vary=(), pairs=False, seeds=(0,), budget="1m", overrides=None, **more):
    chosen = plan.variants(list(names), plan.axes(list(vary)), pairs)
    return plan.make(chosen, overrides or {}, seeds, plan.Budget.parse(budget), Path("out"), None, **more)


@pytest.mark.parametrize("text,seconds,said", [
    ("5m", 300, "5 minutes"), ("0.5m", 30, "0.5 minutes"), ("5000it", None, "5000 iterations"),
    ("200kimg", None, "200 thousand images"), ("", None, "the experiments' own lengths"),
])
def test_budget(text, seconds, said):
    budget = plan.Budget.parse(text)
    assert budget.seconds == seconds and str(budget) == said


@pytest.mark.parametrize("text", ["5", "m", "-1m", "0it", "5 minutes", "5h"])
def test_budgets_that_are_none(text):
    with pytest.raises(UserError, match="--budget="):
        plan.Budget.parse(text)


def test_vary_is_taken_out_of_the_words():
    rest, found = plan.take_vary(["a", "--vary", "x=1,2", "--seeds=2", "--vary=y=js+r1,none"])
    assert rest == ["a", "--seeds=2"] and found == ["x=1,2", "y=js+r1,none"]
    assert plan.axes(found) == {"x": {"1": (("x", "1"),), "2": (("x", "2"),)},
                                "y": {"js+r1": (("y", "js+r1"),), "none": (("y", "none"),)}}
    with pytest.raises(UserError, match="--vary: give"):
        plan.take_vary(["--vary"])


@pytest.mark.parametrize("texts,said", [
    (["x"], "give NAME=a,b,c"), (["=1"], "give NAME=a,b,c"), (["x="], "give NAME=a,b,c"),
    (["x=1,1"], "a value is given twice"),
    (["x=1", "x=2"], "a parameter is given twice"), (["seed=1,2"], "use --seeds"),
    (["wts_dir=a,b"], "use --seeds"), (["x=[a y=1]", "z=[b y=2]"], "a parameter is given twice"),
    (["x=[a y=1],[a y=2]"], "a value is given twice"), (["x=[a y]"], r"or NAME=\[a x=1 y=2\]"),
    (["x=[a y=1]b"], "or NAME="), (["x=[y=1]"], "or NAME="), (["x=[a seed=1]"], "use --seeds"),
])
def test_axes_that_cannot_be(texts, said):
    with pytest.raises(UserError, match=said):
        plan.axes(texts)


def test_the_grid_and_the_single_changes():
    axes = plan.axes(["x=1,2", "y=a,b,c"])
    grid = plan.combinations(axes, pairs=False)
    assert len(grid) == 6 and grid[0] == (("x", "1"), ("y", "a")) and len(set(grid)) == 6
    assert plan.combinations(axes, pairs=True) == [
        (("x", "1"), ("y", "a")), (("x", "2"), ("y", "a")), (("x", "1"), ("y", "b")),
        (("x", "1"), ("y", "c"))]


@pytest.mark.parametrize("text,numbers", [("3", (0, 1, 2)), ("1", (0,)), ("4,7", (4, 7))])
def test_seeds(text, numbers):
    assert plan.seeds(text) == numbers


@pytest.mark.parametrize("text", ["0", "", "a", "1,1", "1,", "-1"])
def test_seeds_that_are_none(text):
    with pytest.raises(UserError, match="--seeds="):
        plan.seeds(text)


def test_bundles(place):
    """Settings that belong together are one value, with a title."""
    text = "rate=[slow bsz=2],[fast bsz=4 f1=16]"
    assert plan.axes([text]) == {"rate": {"slow": (("bsz", "2"),), "fast": (("bsz", "4"), ("f1", "16"))}}
    assert plan.axes(["cure=[none],[js penalty=js+r1]"])["cure"]["none"] == ()
    whole = made(["tiny"], [text, "df=4,8"])
    assert [v.name for v in whole.variants] == ["tiny rate=slow df=4", "tiny rate=slow df=8",
                                                "tiny rate=fast df=4", "tiny rate=fast df=8"]
    last = whole.runs[-1]
    assert (last.params.bsz, last.params.f1, last.params.df) == (4, 16, 8)
    assert last.variant.settings == (("rate", "fast"), ("df", "8")) and "--f1=16" in last.command
    with pytest.raises(UserError, match="--f1: compare sets it itself"):
        made(["tiny"], [text], overrides={"f1": "4"})


def test_a_plan(place):
    whole = made(["tiny"], ["penalty=none,js+r1", "f1=8,16"], seeds=(3, 5), overrides={"bsz": "2"})
    assert [v.name for v in whole.variants] == ["tiny penalty=none f1=8", "tiny penalty=none f1=16",
                                                "tiny penalty=js+r1 f1=8",
                                                "tiny penalty=js+r1 f1=16"]
    assert [run.seed for run in whole.runs] == [3] * 4 + [5] * 4  # all variants of the first seed come first
    last = whole.runs[-1]
    assert (last.params.penalty, last.params.f1, last.params.seed, last.params.bsz) == ("js,r1", 16, 5, 2)
    assert last.budget == 60 and last.folder == Path("out/runs/tiny,penalty=js+r1,f1=16/seed5")
    assert last.command == ("./train.py tiny --bsz=2 --penalty=js,r1 --f1=16 --seed=5 "
                            "--wts_dir=out/runs/tiny,penalty=js+r1,f1=16/seed5/models "
                            "--log_dir=out/runs/tiny,penalty=js+r1,f1=16/seed5/logs")
    assert len({run.folder for run in whole.runs}) == 8
    assert whole.baseline.name == "tiny penalty=none f1=8"
    assert "(baseline)" in whole.text() and last.command in whole.text()
    named = made(["tiny"], ["f1=8,16"], baseline="tiny f1=16")
    assert named.baseline.name == "tiny f1=16"


def test_folders_of_odd_names_stay_apart():
    names = ["a x=1/2", "a x=1_2", "a " + "y" * 200, "a " + "y" * 201]
    folders = [plan.safe(name) for name in names]
    assert len(set(folders)) == 4 and all("/" not in f and len(f) <= 100 for f in folders)


@pytest.mark.parametrize("names,vary,more,said", [
    (["tiny"], [], {}, "nothing to compare"), (["tiny", "tiny"], [], {}, "named twice"),
    (["tiny"], ["penalti=a,b"], {}, "did you mean 'penalty'"),
    (["tiny"], ["penalty=none,x"], {}, "penalty=x"),
    (["tiny"], ["f1=8,16"], {"baseline": "tiny f1=9"}, "no such variant"),
    (["nothing", "tiny"], [], {}, "unknown experiment"),
    (["tiny"], ["f1=8,16"], {"overrides": {"f1": "9"}}, "--f1: compare sets it"),
    (["tiny"], ["f1=8,16"], {"overrides": {"seed": "9"}}, "--seed: compare sets it"),
])
def test_plans_that_cannot_be(place, names, vary, more, said):
    with pytest.raises(UserError, match=said):
        made(names, vary, **more)


def test_the_system_can_be_varied(place):
    whole = made(["tiny"], ["system=rpgan,rpgan_baseline"])
    assert [run.params.system for run in whole.runs] == ["rpgan", "rpgan_baseline"]


# -- lengths -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("system", sorted(registry.parameters()))
def test_every_system_says_what_its_length_is(system):
    kind, known = registry.system_class(system), experiment.declared(system)
    assert kind.length and all(name in known for name in kind.length)
    if kind.length_in_iterations:
        (name,) = kind.length
        assert known[name].type in (int, float)


@pytest.mark.parametrize("name,parameter", [("digits", "MAXITER"), ("digits_sngan", "iteration"),
                                            ("digits_glis", "niter"),
                                            ("sngan_cifar10", "ITERS"), ("jsreg_gan64", "iters")])
def test_a_budget_in_iterations(name, parameter, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert plan.length(name, {}, plan.Budget.parse("70it")) == ({parameter: "70"}, 70)


def test_a_budget_in_images(place):
    assert plan.length("tiny", {}, plan.Budget.parse("0.1kimg")) == ({"MAXITER": "25"}, 25)  # batches of 4
    assert plan.length("tiny", {"bsz": "3"}, plan.Budget.parse("0.1kimg")) == ({"MAXITER": "34"}, 34)


@pytest.mark.parametrize("name", ["digits_pggan", "digits_jsreg", "jsreg_mixture"])
def test_lengths_that_are_no_iterations(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(UserError, match="give minutes, such as --budget=5m"):
        plan.length(name, {}, plan.Budget.parse("70it"))
    assert plan.length(name, {}, plan.Budget()) == ({}, None)


def test_dry_run_prints_the_plan_and_the_time(place, capsys):
    verb("tools/compare.py")(["tiny", "--vary", "f1=8,16", "--seeds=2", "--budget=3m", "--jobs=2",
                              "--dry-run"])
    out = capsys.readouterr().out
    assert "2 variants x 2 seeds = 4 runs of 3 minutes, in compare/tiny" in out
    assert out.count("./train.py tiny") == 4 and "about 6 minutes of training, 2 at a time" in out
    assert not (place / "compare").exists()


def test_the_time_is_measured(place):
    (seconds,) = plan.estimate([("tiny", {"MAXITER": "1000"})], iterations=2)
    assert 0 < seconds < 1000
    assert not (place / "models").exists()
    assert plan.estimate([("tiny", {"chunk": "3"})]) == [None]
