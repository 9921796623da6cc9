"""tools/bench.py: operations, ways in turns, tables, comparisons; the tables of docs/performance.md."""
import json
import subprocess
import sys

import pytest
import tensorflow as tf
from benchmarks import cases, operations, report, turns
from tiny import ROOT, run, workplace

from tfgan_suite import experiment
from tfgan_suite.errors import UserError


def counted(function, *arguments):
    return operations.count(tf.function(function, autograph=False).get_concrete_function(*arguments).graph)


def test_operations_of_products_convolutions_and_loops():
    a, b = tf.zeros([5, 3]), tf.zeros([3, 4])
    x, kernel = tf.zeros([2, 8, 8, 3]), tf.zeros([5, 5, 3, 7])

    def gradients(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = tf.reduce_sum(tf.square(tf.nn.conv2d(x, kernel, 2, "SAME")))
        return tape.gradient(y, [x, kernel])

    forward = 2 * (2 * 4 * 4 * 7) * (5 * 5 * 3)
    assert counted(tf.matmul, a, b) == 2 * 5 * 3 * 4
    assert counted(lambda a, b: tf.matmul(b, a, True, True), a, b) == 2 * 5 * 3 * 4
    assert counted(gradients, x, kernel) == 3 * forward
    rows = tf.zeros([6, 5, 3])
    assert counted(lambda rows, b: tf.map_fn(lambda r: tf.matmul(r, b), rows), rows, b) == 6 * 2 * 5 * 3 * 4
    with pytest.raises(ValueError, match="not known"):
        counted(tf.matmul, tf.TensorSpec([None, 3]), b)


def test_every_case_is_an_experiment(tmp_path):
    for title, case in cases.chosen("", str(tmp_path)).items():
        params = experiment.load(case["experiment"], case["values"], case.get("system"))
        assert params.wts_dir == f"{tmp_path}/weights", title


TINY = {"experiment": "tiny", "values": {"wts_dir": "models"}, "threads": 1, "side": 64, "peer": "rpgan",
        "sizes": {"k": 2, "df": 2, "batch": 4, "f": 8, "size": 16}}


def test_ways_are_measured_in_turns_in_processes_of_their_own(tmp_path, monkeypatch):
    workplace(tmp_path, monkeypatch)
    found = turns.measure({"ours float32": tmp_path, "gemm float32": tmp_path}, TINY, rounds=2)
    assert all(len(t.seconds) == len(t.worked) == 2 and min(t.seconds) > 0 for t in found.values())
    assert found["gemm float32"].operations == 2 * 64**3 and found["ours float32"].operations > 1e5
    with pytest.raises(UserError, match="ours float32: the process that measures it ended .*MAXITTER"):
        turns.measure({"ours float32": tmp_path}, {**TINY, "values": {"MAXITTER": "1"}}, 1)


PEERS = """
from benchmarks import peers_torch
sizes = {"rpgan": {"k": 2, "df": 2, "batch": 2, "f": 8, "size": 16}, "dcgan": {"batch": 2, "z": 4},
         "resnet64": {"batch": 2, "d": 2}, "mixture": {"batch": 8}, "pggan": {"size": 8, "batch": 8},
         "sngan": {"batch": 2, "dim": 2, "critics": 1}, "glis": {"batch": 2, "code": 4, "f": 2}}
for name in peers_torch.CASES:
    for precision in ("float32", "bfloat16"):
        peers_torch.make(name, precision, 1, sizes[name])()
"""


def test_counterparts_in_pytorch_do_an_iteration():
    pytest.importorskip("torch")
    done = subprocess.run([sys.executable, "-c", PEERS], cwd=ROOT / "tools", capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


ABOUT = {"processor": "P", "units": ["AVX-512"], "cpus": 2, "load": 0.5, "python": "3",
         "versions": {"tensorflow": "2"}, "date": "2026-01-02"}
ROW = {"case": "A", "ours float32 ms": 20.0, "ours float32 low": 19.0, "ours float32 high": 31.0,
       "ours float32 CPU ms": 38.0, "torch / ours float32": 1.5, "torch / ours float32, CPU": 1.25,
       "first s": 2.0}


def test_a_table_holds_medians_spreads_and_where_they_are_from():
    text = report.text(report.result("peers", [ROW], ABOUT))
    assert text.splitlines()[0] == ("`tools/bench.py peers`, 2026-01-02: P (AVX-512), 2 CPUs, load 0.5 at "
                                    "the end; Python 3, tensorflow 2.")
    assert "| A | 20 (19-31; 38) | 1.50 (1.25) | 2 |" in text
    more = report.text(report.result("peers", [{"case": "B", "first s": 4.0}, ROW], ABOUT))
    assert "| B | 4 |  |  |" in more and "| A | 2 | 20 (19-31; 38) | 1.50 (1.25) |" in more


def test_a_file_of_an_earlier_run_shows_what_is_slower(tmp_path):
    old, new = report.result("peers", [ROW], ABOUT), dict(ROW, **{"ours float32 ms": 25.0})
    path = str(tmp_path / "old.json")
    report.save(path, old)
    assert report.read(path) == old
    text = report.comparison(report.read(path), report.result("peers", [new], {**ABOUT, "cpus": 3}))
    assert "on another machine (P, 2 CPUs)" in text and "1 of 2 times are slower" in text
    assert "| A | ours float32 ms | 20 | 25 | 0.8 | slower |" in text
    with pytest.raises(UserError, match="that file is of 'peers', not of 'sngan'"):
        report.comparison(old, report.result("sngan", [ROW], ABOUT))
    with pytest.raises(UserError, match="no row of these cases"):
        report.comparison(old, report.result("peers", [dict(ROW, case="B")], ABOUT))


def test_a_document_takes_the_table_between_its_marks(tmp_path):
    document = tmp_path / "page.md"
    document.write_text("before\n<!-- bench peers -->\nold\n<!-- end -->\nafter\n")
    found = report.result("peers", [ROW], ABOUT)
    report.insert(str(document), found)
    assert document.read_text() == (f"before\n<!-- bench peers -->\n{report.text(found)}\n<!-- end -->\n"
                                    f"after\n")
    with pytest.raises(UserError, match="has no lines '<!-- bench roofline -->'"):
        report.insert(str(document), report.result("roofline", [ROW], ABOUT))


@pytest.mark.parametrize("words, said", [
    (["nothing"], "unknown paper 'nothing'"),
    (["peers", "--compare=none.json"], "none.json: no such file; give a file that --json wrote"),
    (["peers", "--case=nowhere", "--rounds=1"], "no case of peers has this in its name")])
def test_mistakes_are_one_line(tmp_path, words, said):
    done = run("tools/bench.py", *words, cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("performance_*.json")), ids=lambda p: p.stem)
def test_the_page_shows_the_recorded_runs(path):
    found = json.loads(path.read_text())
    assert f"<!-- bench {found['name']} -->\n{report.text(found)}\n<!-- end -->\n" in (
        ROOT / "docs/performance.md").read_text()
