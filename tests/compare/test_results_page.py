"""docs/results.md: its commands are those that made its tables, and work."""
import json
import re
import shlex
from pathlib import Path

import pytest
from tiny import ROOT, run

from tfgan_suite.compare import plan

PAGE = (ROOT / "docs/results.md").read_text()
SECTIONS = dict(re.findall(r"<!-- (\w+) -->\n(.*?)<!-- /\1 -->", PAGE, re.S))
COMMANDS = {name: shlex.split(re.search(r"^    tools/compare.py (.*)$", text, re.M)[1])
            for name, text in SECTIONS.items() if text}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_table_has_a_cell_for_each_variant(name):
    """What the command above a table varies is what the table shows; the picture is there."""
    words, texts = plan.take_vary(COMMANDS[name])
    assert f"--out=compare/{name}" in words and "--page=docs/results.md" in words
    made = plan.variants([word for word in words if not word.startswith("--")], plan.axes(texts),
                         "--pairs" in words)
    columns = [word.split("=", 1)[1] for word in words if word.startswith("--columns=")]
    head, _, *rows = [line.strip("|").split(" | ") for line in SECTIONS[name].splitlines()
                      if line.startswith("|")]
    varied = plan.axes(texts)
    wide = len(varied[columns[0]]) if columns else 1
    assert len(rows) * wide == len(made)
    if columns:
        assert [word.strip().replace("\\", "") for word in head[-wide:]] == list(varied[columns[0]])
    picture = re.search(r"!\[.*\]\((.*)\)", SECTIONS[name])[1]
    assert (ROOT / "docs" / picture).is_file()


def test_a_command_of_the_page_at_a_tiny_size(tmp_path, monkeypatch):
    """RP-GAN's first two rows, with what makes them small: the same table and picture, in the same place."""
    monkeypatch.chdir(tmp_path)
    small = {"--budget": "2it", "--f1": "4", "--df": "2", "--bsz": "4", "--n": "20", "--page": "page.md"}
    words, texts = plan.take_vary(COMMANDS["rpgan_k"])
    name, values = texts[0].split("=")
    given = [word for word in words if word.split("=", 1)[0] not in small]
    words = [*given, f"--vary={name}={','.join(values.split(',')[:2])}",
             *(f"{name}={value}" for name, value in small.items())]
    done = run("tools/compare.py", *words, timeout=500)
    assert done.returncode == 0, done.stderr
    assert "Wrote page.md, section rpgan_k" in done.stdout
    text = Path("page.md").read_text()
    heads = [re.search(r"^\| filts.*$", one, re.M)[0] for one in (text, SECTIONS["rpgan_k"])]
    assert heads[0] == heads[1] and Path("images/results_rpgan_k.png").is_file()
    assert shlex.split(re.search(r"^    tools/compare.py (.*)$", text, re.M)[1]) == words
    found = json.loads(Path("compare/rpgan_k/results.json").read_text())
    assert all(0 <= v["scores"]["L/saturated"]["mean"] <= 1 for v in found["variants"])
