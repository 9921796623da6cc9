"""Experiments and overrides: types, sources, nearest names."""
import ast
import re
import shlex

import pytest
from tiny import ROOT, run, verb, workplace

from tfgan_suite import cli, experiment, registry
from tfgan_suite.errors import UserError
from tfgan_suite.experiment import Parameter


def test_every_experiment_loads_and_names_a_system():
    for name in experiment.names():
        params = experiment.load(name)
        assert params.system in registry.parameters()
        assert experiment.find(name).read_text().startswith('"""'), f"{name} has no title for --list"


@pytest.mark.parametrize("name", experiment.names())
def test_the_header_says_command_minutes_and_score(name):
    text = ast.get_docstring(ast.parse(experiment.find(name).read_text()))
    title, blank, command, *rest = text.splitlines()
    assert title and not blank and rest and max(map(len, text.splitlines())) <= 110
    script, *words = shlex.split(command)
    assert (ROOT / script).is_file() and script in ("./train.py", "./baseline_train.py")
    positionals, _, overrides = cli.parse(words, "")
    assert positionals == [name] and experiment.load(name, overrides).name == name
    said = " ".join(rest)
    measured = r"\d minutes on (two CPU cores|a busy CPU core); [01]\.\d+ .*\(docs/lab_notes\.md\)"
    assert "not measured here" in said or re.search(measured, said)


def test_overrides_are_typed_and_tell_where_they_come_from():
    params = experiment.load("face48", {"bsz": "32", "MAXITER": "1e3", "crop": "true"})
    assert (params.bsz, params.MAXITER, params.crop) == (32, 1000.0, True)
    assert (params.sources["bsz"], params.sources["f1"], params.sources["seed"]) == (
        "command line",
        "experiment",
        "default",
    )
    assert params.wts_dir == "models/face48" and params.log_dir == "logs/face48"
    with pytest.raises(AttributeError, match="no parameter"):
        params.nothing  # noqa: B018


@pytest.mark.parametrize("name,overrides,said", [
    ("face47", {}, "did you mean 'face48'"),
    ("face48", {"bszz": "1"}, "did you mean 'bsz'"),
    ("face48", {"bsz": "many"}, "bsz='many' is not of type int"),
    ("face48", {"bsz": "2.5"}, "not of type int"),
    ("face48", {"bsz": "0"}, "least value is 1"),
    ("face48", {"SAVEFREQ": "nan"}, "not a number"),
    ("face48", {"MAXITER": "inf"}, "is not finite"),
    ("face48", {"MAXITER": "1e400"}, "is not finite"),
    ("face48", {"crop": "perhaps"}, "not of type bool"),
    ("face48", {"precision": "float8"}, "choose from"),
    ("face48", {"system": "rpgam"}, "unknown system 'rpgam'"),
    ("face48", {"profile": "3:1"}, "two iterations A:B"),
    ("face48", {"profile": "²:3"}, "two iterations A:B"),
    ("face48", {"tag": "a\t"}, "give a short word"), ("face48", {"tag": "../a"}, "give a short word"),
    ("nowhere/x.py", {}, "no such experiment file"),
])
def test_bad_values_get_one_line(name, overrides, said):
    with pytest.raises(UserError, match=said) as caught:
        experiment.load(name, overrides)
    assert "\n" not in str(caught.value)


def test_an_experiment_file_that_does_not_run(tmp_path):
    path = tmp_path / "odd.py"
    path.write_text("imsz = 1 / 0")
    with pytest.raises(UserError, match="ZeroDivisionError"):
        experiment.load(str(path))
    path.write_text("imsz = 'big'")
    with pytest.raises(UserError, match="imsz='big' is not of type int"):
        experiment.load(str(path))


def test_values_in_disguise_are_converted(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("import numpy as np\nfrom pathlib import Path\nroot = Path('data')\nlfile = root / "
                    "'mine.txt'\n"
                    "bsz = np.int64(4)\ncrop = np.bool_(True)\nMAXITER = np.float32(8)\ndef helper(): pass\n")
    params = experiment.load(str(path))
    assert (params.lfile, params.bsz, params.crop, params.MAXITER) == ("data/mine.txt", 4, True, 8.0)
    for value, kind in (("[8, 2, 1, 12]", "list"), ("{'a': 1}", "dict"), ("np.ones(3)", "ndarray")):
        path.write_text(f"import numpy as np\nfilts = {value}")
        with pytest.raises(UserError, match=f"mine.py: filts=.* is of type {kind}; give a str"):
            experiment.load(str(path))


def test_helper_variables_are_left_aside(tmp_path, capsys):
    path = tmp_path / "mine.py"
    path.write_text("root = 'data'\nsizes = [1, 2]\nmaxiter = 7\nbszz = 3")
    assert experiment.load(str(path)).MAXITER == 1e5
    experiment.load(str(path))
    said = capsys.readouterr().err
    assert (
        said.count("'maxiter' is no parameter and is left aside; did you mean 'MAXITER'?") == 1
        and said.count("Warning") == 2
    )


def test_experiments_that_are_none(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "exp/folder.py").mkdir(parents=True)
    (tmp_path / "exp/leaves.py").write_text("import sys\nsys.exit(3)")
    (tmp_path / "exp/latin.py").write_bytes("lfile = 'd\xe9j\xe0.txt'".encode("latin-1"))
    (tmp_path / "exp/declared.py").write_bytes(
        "# -*- coding: latin-1 -*-\nlfile = 'd\xe9j\xe0.txt'".encode("latin-1")
    )
    for name, said in (("leaves", "leaves.py: SystemExit: 3"),
                       ("latin", "latin.py: is not UTF-8 text; save it as UTF-8"),
                       ("folder", "unknown experiment 'folder'")):
        with pytest.raises(UserError, match=said):
            experiment.load(name)
    assert experiment.load("declared").lfile == "d\xe9j\xe0.txt"
    with pytest.raises(SystemExit):
        cli.parse(["--list"], "usage")
    listed = capsys.readouterr().out
    assert "is not UTF-8 text" in listed and "\nleaves" in listed and "\nfolder" not in listed


def test_threads_of_openmp_are_those_of_tensorflow(tmp_path):
    code = (f"import sys, os; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['x']\nfrom tfgan_suite import "
            f"cli\n"
            "cli.main(lambda argv: print(os.environ.get('TF_NUM_INTRAOP_THREADS')))")
    (tmp_path / "call.py").write_text(code)
    import os
    import subprocess
    import sys

    for given, found in (("3", "3"), ("", "None"), ("many", "None")):
        env = {**os.environ, "OMP_NUM_THREADS": given}
        env.pop("TF_NUM_INTRAOP_THREADS", None)
        done = subprocess.run([sys.executable, tmp_path / "call.py"], capture_output=True, text=True,
                              check=True, env=env)
        assert done.stdout.strip() == found


def test_experiments_of_the_current_folder_come_first(tmp_path, monkeypatch):
    workplace(tmp_path, monkeypatch)
    (tmp_path / "exp/face48.py").write_text("bsz = 3")
    assert experiment.load("face48").bsz == 3
    assert {"tiny", "face12"} <= set(experiment.names())


def test_command_lines():
    options = (Parameter("n", 5, "a number", minimum=1),)
    got = cli.parse(["face48", "out.png", "--n=7", "--bsz", "8", "--crop"], "usage", options, 1, 3)
    assert got == (["face48", "out.png"], {"n": 7}, {"bsz": "8", "crop": "True"})
    assert cli.parse(["face48", "--nocrop"], "usage")[2] == {"crop": "False"}
    for argv in (["--crop", "face48"], ["face48", "--crop", "true"], ["face48", "--crop=1"]):
        words, _, given = cli.parse(argv, "usage")
        assert words == ["face48"] and experiment.load("face48", given).crop is True
    assert cli.parse(["face48", "--crop", "1"], "usage", most=2)[0] == ["face48", "1"]
    for argv, said in ((["face48", "--bsize=3"], "did you mean 'bsz'"), ([], "0 arguments given"),
                       (["face48", "x", "y"], "3 arguments given"),
                       (["face48", "--n=0"], "unknown option '--n'")):
        with pytest.raises(UserError, match=said):
            cli.parse(argv, "usage")
    assert cli.name_and_seed("face48,100") == ("face48", 100)
    assert cli.name_seed_iteration("a,7,400") == ("a", 7, "400")
    for text in ("a,x", "a,1,2"):
        with pytest.raises(UserError):
            cli.name_and_seed(text)


def test_list_and_help_do_not_import_tensorflow(tmp_path):
    for words in (["--list"], ["face48", "--help"]):
        code = (f"import sys; sys.path.insert(0, {str(ROOT)!r}); sys.argv = ['train.py', *{words!r}]\n"
                "import train\ntry:\n    train.main(sys.argv[1:])\nexcept SystemExit as end:\n    assert "
                "end.code == 0\n"
                "assert 'tensorflow' not in sys.modules and 'numpy' not in sys.modules")
        (tmp_path / "call.py").write_text(code)
        import subprocess
        import sys

        done = subprocess.run([sys.executable, tmp_path / "call.py"], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stderr
        assert "face48" in done.stdout


def test_help_shows_values_and_their_sources(capsys):
    with pytest.raises(SystemExit):
        verb("train.py")(["face48", "--bsz=3", "--help"])
    text = capsys.readouterr().out
    assert "--bsz=3" in text and "command line" in text and "--df=128" in text
    assert "--MAXITER=100000 " in text and "--SAVEFREQ=1000 " in text and "--gamma=0.1 " in text


def test_a_users_mistake_is_one_line_and_status_2(tmp_path):
    done = run("train.py", "digit", cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert (
        done.stderr == "train.py: unknown experiment 'digit'; did you mean 'digits'?; --list shows them all\n"
    )


def test_a_missing_package_is_one_line(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ModuleNotFoundError(\"No module named 'tensorflow'\", "
                                            "name='tensorflow')")
    done = run("train.py", "digits", cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "tools/demo" in done.stderr
