"""A comparison as a section of a Markdown page."""
import re

import numpy as np
import pytest
from compare_tiny import comparison, workplace
from PIL import Image

from tfgan_suite.compare import section
from tfgan_suite.errors import UserError


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield comparison(workplace(tmp_path_factory.mktemp("section"), patch))


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()
            if line.startswith("|")]


def test_rows(found):
    """In the order of the plan, the best one bold, differences with intervals, what went wrong in words."""
    head, _, *rows = cells(section.table(found, "", ("digits_fid",)))
    assert head == ["alpha", "classifier", "SVC", "difference", "digits\\_fid", "remarks"]
    assert [row[0] for row in rows] == [f"0.0{i}" for i in range(1, 7)]
    assert [row[1].startswith("**") for row in rows] == [False, True, False, False, False, False]
    assert rows[0][3] == "baseline" and re.fullmatch(r"\+0\.\d+ \(\+0\.\d+ to \+0\.\d+\)", rows[1][3])
    first, second = (float(cell.strip("*").split(" ± ")[0]) for cell in rows[1][1:3])
    assert first - second == pytest.approx(0.1)
    assert rows[3][5] == "repeats itself in 3 of 3" and "1 of 3 diverged" in rows[4][5]
    assert rows[5][1:] == ["–", "–", "–", "–", "failed"]
    with pytest.raises(UserError, match="--show: no score 'x'; there are digits_is, "):
        section.table(found, "", ("x",))


def test_columns(found):
    """One of two settings along the columns: both judges in a cell."""
    two = {**found, "variants": [{**v, "settings": {"penalty": "a_b" if i < 3 else "", "rate": str(i % 3)}}
                                 for i, v in enumerate(section.ordered(found))]}
    head, _, *rows = cells(section.table(two, "rate", ()))
    assert head == ["penalty", "0", "1", "2"] and [row[0] for row in rows] == ["a\\_b", "none"]
    assert rows[0][2].startswith("**0.9") and " / 0.8" in rows[0][2] and rows[1][3] == "failed"
    assert "(1 of 3 diverged)" in rows[1][2]


@pytest.mark.parametrize("kind,columns", [("samples", ""), ("samples", "alpha"), ("curves", "")])
def test_the_page(found, tmp_path, kind, columns):
    """The section takes the place of the old one between its marks; the rest stays; the picture is there."""
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n<!-- one -->\nold\n<!-- /one -->\n\nA caveat.\n")
    for _ in range(2):
        section.write(page, "one", found, columns, (), kind)
    text = page.read_text()
    assert text.startswith("# Title\n\n<!-- one -->\n    tools/compare.py small --vary")
    assert text.endswith("<!-- /one -->\n\nA caveat.\n") and "old" not in text
    assert "mean ± standard deviation of seeds 0, 1, 2" in text and text.count("\n| ---") == 1
    picture = np.asarray(Image.open(tmp_path / "images/results_one.png").convert("RGB"))
    assert picture.shape[1] == 1000 and len(np.unique(picture.reshape(-1, 3), axis=0)) > 10
    section.write(page, "two", found, columns, (), kind)
    assert page.read_text().startswith(text.rstrip()) and "## two\n<!-- two -->" in page.read_text()


def test_half_a_section_is_one_line(found, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("<!-- one -->\n")
    with pytest.raises(UserError, match="page.md: has <!-- one --> and no <!-- /one --> after it"):
        section.write(page, "one", found, "", (), "samples")
