"""docs/scale.md: what crosses between devices, against the sums in the traced iterations."""
import json
import os
import re
import subprocess
import sys

import pytest
import tensorflow as tf
from tiny import ROOT

from tfgan_suite import experiment
from tfgan_suite.training import dry_run, runs

PAGE = (ROOT / "docs/scale.md").read_text()
QUICK = ("mixture", "rpgan")  # others take a quarter of a minute each to trace; with HOUSE=all
SMALL = ("jsreg_mixture", "gan_r3", "jsreg_dcgan_celeba", "glis_celeba80")


def table(head: str) -> list[list[str]]:
    """The rows of the page's table that begins so."""
    lines = PAGE[PAGE.index(f"| {head} |"):].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


CASES = [row[0] for row in table("case") if row[0] in QUICK or os.environ.get("HOUSE") == "all"]


@pytest.fixture(scope="module")
def counts():
    """Of two and of three devices, in processes of their own."""
    command = [sys.executable, str(ROOT / "tests/house/house_bytes.py")]
    running = [subprocess.Popen([*command, str(devices), *CASES], stdout=subprocess.PIPE, text=True)
               for devices in (2, 3)]
    return [json.loads(process.communicate(timeout=600)[0].splitlines()[-1]) for process in running]


@pytest.mark.parametrize("case", CASES)
def test_the_formula(counts, case):
    _, _, d_steps, g_steps, statistics = next(row for row in table("case") if row[0] == case)
    two, three = (found[case] for found in counts)
    assert two["gradients"] == three["gradients"] == {"d": int(d_steps), "g": int(g_steps)}
    assert two["others"] == three["others"]  # it does not depend on the number of devices
    assert (two["others"] > 0) == (statistics != "none")


@pytest.mark.parametrize("row", [row for row in table("experiment") if row[0] in SMALL], ids=lambda r: r[0])
def test_the_sizes_of_experiments(row):
    name, p_g, p_d, steps, moved, held = row
    params = experiment.load(name)
    with tf.Graph().as_default(), tf.variable_creator_scope(dry_run._as_named):
        system = runs.build(params, guarded=False)
    sizes = {kind: sum(v.shape.num_elements() for v in system.networks[kind].trainable_variables)
             for kind in "gd"}
    assert sizes == {"g": int(p_g), "d": int(p_d)}
    memory = dry_run.size(dry_run.network_variables(system)) + dry_run.size(system.state().values())
    assert abs(memory / 2**20 - float(held)) <= 0.5 or memory < 2**20


@pytest.mark.parametrize("row", table("experiment"), ids=lambda r: r[0])
def test_the_arithmetic(row):
    name, p_g, p_d, steps, moved, held = row
    assert moved == f"{4 * (int(steps) * int(p_d) + int(p_g)) / 1e6:.1f}"
    text = (ROOT / f"exp/{name}.py").read_text()
    critic = re.search(r"^(?:N_CRITIC|n_dis) = (\d+)", text, re.M)
    assert critic is None or critic[1] == steps
