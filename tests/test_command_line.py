"""What people mistype, odd names, and streams that go away: one line that helps, in every command."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tfgan_suite import cli, experiment
from tfgan_suite.errors import UserError, one_line, quoted
from tfgan_suite.experiment import Parameter
from tfgan_suite.training import runs

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = (Parameter("rows", 1, "rows", minimum=1), Parameter("out_dir", "", "a folder"))


def parse(*words, most=1):
    return cli.parse(list(words), "usage", OPTIONS, 1, most)


@pytest.mark.parametrize("words, said", [
    (["face12", "--Bsz=4"], "did you mean '--bsz'"), (["face12", "--MAXITER_=4"], "did you mean '--MAXITER'"),
    (["face12", "--log-dir=x"], "did you mean '--log_dir'"),
    (["face12", "-bsz=4"], "begin with two dashes; give --bsz=4"),
    (["face12", "\u2013bsz=4"], "typographic dash; give --bsz=4"),
    (["face12", "\u2014bsz=4"], "typographic dash; give --bsz=4"),
    (["face12", "\u2212\u2212rows=4"], "typographic dash; give --rows=4"),
    (["face12", "--filts=4,", "2,", "1,", "3"], "write lists without spaces"),
    (["face12", "--bsz", "=", "4"], "without spaces"), (["face12", "--bsz=", "4"], "without spaces"),
    (["face12", "bsz=4"], "'bsz=4' is no option, write --bsz=4"),
    (["face12", "--bszz=4"], "did you mean 'bsz'"),
    (["a" * 300 + ".py"], "no such experiment file"), (["face12", "--bsz=²"], "not of type int"),
    (["face12", "--rows=²"], "not of type int"),
    (["/no/such/folder"], "no such file or folder"), (["exp"], "is a folder, not an experiment"),
    (["./none.py"], "no such experiment file"),
])
def test_hints(monkeypatch, words, said):
    monkeypatch.chdir(ROOT)
    with pytest.raises(UserError, match=said):
        positionals, _, overrides = parse(*words)
        experiment.load(positionals[0], overrides)


def test_a_typographic_dash_is_seen_where_another_argument_would_do():
    with pytest.raises(UserError, match="typographic"):
        parse("face12", "\u2013rows=2", most=3)
    assert parse("face12", "seed=5.png", most=3)[0] == ["face12", "seed=5.png"]  # a file's name


@pytest.mark.parametrize("value", ["\0x", "x\0", "a" * 256, "x/" + "é" * 128, "x/" * 2100])
def test_values_that_can_be_no_name(value):
    for name in ("wts_dir", "log_dir", "lfile"):
        with pytest.raises(UserError, match=f"command line: {name}.*(NUL|too long)"):
            experiment.load("face12", {name: value})


def test_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    params = experiment.load("face12", {"lfile": "~/x.txt", "wts_dir": "~", "log_dir": "a/~/b"})
    assert (params.lfile, params.wts_dir, params.log_dir) == ("/home/me/x.txt", "/home/me", "a/~/b")
    assert parse("face12", "--out_dir=~/y")[1]["out_dir"] == "/home/me/y"


@pytest.mark.parametrize("text", ["²", "٣", "-1", "+1", "1.0", "", " 1", "1_0", "9" * 19, "9" * 5000])
def test_only_plain_digits_are_whole_numbers(text):
    assert experiment.whole(text) is None
    with pytest.raises(UserError):
        cli.name_seed_iteration(f"face12,0,{text}")
    if text:
        with pytest.raises(UserError):
            cli.name_and_seed(f"face12,{text}")


def test_seeds():
    assert (
        experiment.whole("007") == 7
        and cli.name_and_seed("a,5") == ("a", 5)
        and cli.name_and_seed("a") == ("a", 0)
    )
    with pytest.raises(UserError, match="SEED is too large; the largest is 2147483647"):
        cli.name_and_seed("a,2147483648")


def test_commands_can_be_pasted(tmp_path):
    for name in ("plain", "two  words", "it's", 'a"b', "$HOME", "semi;colon", "new\nline", "tab\t", "日本",
                 b"caf\xe9",
                 "back\\slash\n"):
        word = os.fsdecode(name)
        printed = subprocess.run(["bash", "-c", f"printf %s {quoted(word)}"], capture_output=True,
                                 timeout=20).stdout
        assert printed == os.fsencode(word), word
    assert one_line("a\n  b\x1b[31m \udce9") == "a b\\x1b[31m \\udce9"
    assert one_line(f"{'x' * 399} {'y' * 9999}, z") == f"{'x' * 399} {'y' * 200}... z"


def run(code, **options):
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tfgan_suite import cli\n{code}"
    return subprocess.Popen([sys.executable, "-c", code], text=True, stderr=subprocess.PIPE, **options)


def test_streams_that_go_away():
    lines = "def work(argv):\n for i in range(100000): print(i)\ncli.main(work)"
    process = run(lines, stdout=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == "" and process.wait(20) == 1
    with open("/dev/full", "w") as full:
        process = run("cli.main(lambda argv: print('x'))", stdout=full)
        assert (
            process.stderr.read()
            == "-c: cannot write to standard output: No space left on device; what was written "
            "to files is there\n"
        )
        assert process.wait(20) == 2
    closed = subprocess.run(["bash", "-c", f"cd {ROOT} && {sys.executable} train.py nosuch >&- 2>&-"],
                            timeout=60)
    assert closed.returncode == 2


SCRIPTS = sorted(f"{path.relative_to(ROOT)}" for path in (*ROOT.glob("*.py"), *ROOT.glob("tools/*.py"))
                 if path.name != "setup.py")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_checkout_needs_no_installation_and_help_no_package(script, tmp_path):
    bare = subprocess.run([sys.executable, "-S", "-E", ROOT / script, "--help"], cwd=tmp_path, text=True,
                          capture_output=True, timeout=60)
    if script == "tools/compare.py":  # its options know the metrics
        assert bare.returncode == 2 and "compare.py: package " in bare.stderr
    else:
        assert bare.returncode == 0 and bare.stderr == "" and bare.stdout.startswith(("./", "tools/"))


def test_what_is_missing_is_told():
    bare = subprocess.run([sys.executable, "-S", "-E", ROOT / "train.py", "digits"], text=True,
                          capture_output=True, timeout=60)
    assert bare.returncode == 2 and bare.stderr.count("\n") == 1
    assert "is missing; run tools/demo" in bare.stderr


@pytest.mark.parametrize("text, value", [("1e3", 1000), ("9007199254740993", 9007199254740993), (" 7", 7),
                                         ("7.0", 7), ("-3", -3)])
def test_whole_numbers(text, value):
    assert Parameter("n", 0, "n").convert(text, "here") == value


@pytest.mark.parametrize("text", ["\u0663", "1_0", "1.5", "0x10", "", "nan", "1e400", "\uff11", "\u00b2",
                                  "3 4"])
def test_no_whole_numbers(text):
    with pytest.raises(UserError, match="here: n="):
        Parameter("n", 0, "n").convert(text, "here")
    if text not in ("1.5",):
        with pytest.raises(UserError, match="here: n="):
            Parameter("n", 0.0, "n").convert(text, "here")


def test_the_system_by_a_word_of_its_own():
    _, _, given = cli.parse(["digits", "--system", "rpgan_baseline"], "usage", OPTIONS)
    assert given == {"system": "rpgan_baseline"}
    _, _, given = cli.parse(["digits", "--system", "lis_iterative", "--niter", "3"], "usage", OPTIONS)
    assert given == {"system": "lis_iterative", "niter": "3"}


def test_files_do_not_get_the_numbers_of_closed_streams(tmp_path):
    code = (f"import os, sys; sys.path.insert(0, {str(ROOT)!r}); from tfgan_suite import cli\n"
            "def work(argv):\n"
            f" open({str(tmp_path / 'number')!r}, 'w').write(str(os.open('/', os.O_RDONLY)))\n"
            "cli.main(work)")
    for closed in ("<&- >&- 2>&-", ">&- 2>&-", "2>&-", "<&-"):
        subprocess.run(["bash", "-c", f"{sys.executable} -c \"$0\" {closed}", code], timeout=60, check=True)
        assert int((tmp_path / "number").read_text()) > 2


def test_networks_and_batches_that_cannot_be(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = {"imsz": "16", "ksz": "4", "f1": "16", "df": "8", "filts": "4,2,1,3"}
    wrong = [({"zlen": "99999999999"}, "networks need more than"),
             ({"bsz": "1000000000000"}, "choose a smaller bsz"),
             ({"filts": "4,2,1,99999999"}, "too many"), ({"filts": "4,2,99999999,1"}, "too large")]
    for changes, said in wrong:
        with pytest.raises(UserError, match=said):
            runs.build(experiment.load("face12", {**small, **changes}))
