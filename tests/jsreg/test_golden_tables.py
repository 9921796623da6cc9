"""The tables of the recorded numbers list what is there, and every architecture has some."""
import re

import pytest
from tiny import ROOT

from tfgan_suite.jsreg.gan64.parameters import ARCHITECTURES

GOLDEN = ROOT / "tests/golden"


@pytest.mark.parametrize("folder", ["jsreg_3dgan", "jsreg_dcgan", "jsreg_gan64"])
def test_tables_list_what_is_there(folder):
    listed = set(re.findall(r"`([\w.-]+\.npz)`", (GOLDEN / folder / "README.md").read_text()))
    assert listed == {path.name for path in (GOLDEN / folder).rglob("*.npz")}


def test_every_architecture_has_a_fixture():
    assert {f"arch_{name}.npz" for name in ARCHITECTURES} <= {path.name
                                                              for path in (GOLDEN / "jsreg_gan64").iterdir()}
