"""What the page holds, and that a browser shows it: no error, all pictures, sorting, a phone's width."""
import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from compare_tiny import comparison, workplace

from tfgan_suite.compare import charts, report

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))),
               None)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(the comparison, the page)."""
    with pytest.MonkeyPatch.context() as patch:
        place = workplace(tmp_path_factory.mktemp("report"), patch)
        found = comparison(place)
        report.write(place / "report.html", found)
        return found, (place / "report.html").read_text()


class Page(HTMLParser):
    """All start tags, the ids, the pairing of tags, the text."""

    VOID = {"meta", "link", "img", "br", "input", "line", "path", "use", "rect"}

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_order_and_the_differences(made):
    found, _ = made
    names = [v["name"] for v in found["variants"]]
    assert names[0] == "small alpha=0.02" and names[-1] == "small alpha=0.06"
    best = found["variants"][0]["scores"]["digits_is_ratio"]
    assert best["difference"]["low"] > 0.2 and best["n"] == 3
    table = report.ranking(found)
    sure = {row["cells"][1]["text"]: row["cells"][3]["extra"] for row in table["rows"]}
    assert [sure[f"small alpha={alpha}"] for alpha in ("0.02", "0.04", "0.01")] == ["better", "worse", ""]


def test_less_is_better_turns_the_words(made):
    found, _ = made
    one = {"difference": {"mean": -1.0, "low": -2.0, "high": -0.5, "n": 3}}
    assert report._sureness(one, {"lower_is_better": True}) == "better"
    assert report._sureness(one, {"lower_is_better": False}) == "worse"


def test_the_page_is_whole_and_alone(made):
    found, text = made
    page = Page(text)
    assert page.open == []
    ids = [attrs["id"] for _, attrs in page.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    for tag, attrs in page.tags:
        for name in ("src", "href", "xlink:href"):
            if attrs.get(name):
                assert attrs[name].startswith(("data:", "#")), attrs[name]
        if (attrs.get("href") or attrs.get("xlink:href") or "").startswith("#"):
            assert (attrs.get("href") or attrs["xlink:href"])[1:] in ids
        if tag == "img":
            assert attrs["src"].startswith("data:image/png;base64,") and len(attrs["alt"]) > 20
        if tag == "svg":
            assert attrs["aria-hidden"] == "true"  # what it shows is said by the figure around it
        if attrs.get("role") == "img":
            assert attrs["aria-label"]
    plain = re.sub(r'xmlns(:xlink)?="[^"]*"', "", text)
    assert "http://" not in plain and "https://" not in plain and "@import" not in plain
    assert 'name="viewport"' in text and "prefers-color-scheme: dark" in text and '<html lang="en">' in text


def test_what_the_page_says(made):
    found, text = made
    words = " ".join("".join(Page(text).text).split())
    for run in (run for variant in found["variants"] for run in variant["runs"]):
        assert run["command"] in words
    for said in ("5 minutes", "baseline", "2 of 3", "1 diverged", "3 failed",
                 "samples repeat themselves · seeds 0, 1, 2",
                 "diverged · seed 1", "is not finite; training stops <here>", "data/none: no such folder",
                 "No checkpoint",
                 "1.00 GiB", "failed · seeds 0, 1, 2", "digits_fid", "even share is 10.0 %"):
        assert said in words, said
    assert text.count("<img") == 5 * 3 + 5 * 2  # three of the first seed, the sheets of the others


def test_numbers():
    values = (None, 0.0, 0.98765, 12.345, 1234.5, -0.5, 0.00012345, 1.2e-5, 3e7)
    assert [report.number(value) for value in values] == [
        "–", "0.000", "0.988", "12.3", "1\u202f234", "−0.500", "0.0001", "1.20e−05", "3.00e+07"]
    assert report.number(0.25, sign=True) == "+0.250" and report.count(12345.2) == "12\u202f345"
    assert [report.seconds(v) for v in (None, 5, 240, 7200)] == ["–", "5 s", "4.0 min", "2.0 h"]


def luminance(colour: str) -> float:
    levels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055)**2.4 for x in levels]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def contrast(a: str, b: str) -> float:
    light, dark = sorted((luminance(a), luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast(made):
    """WCAG 2: 4.5 for text, 3 for what is drawn, by day and by night."""
    themes = [dict(re.findall(r"--([\w-]+): (#\w{6})", block))
              for block in re.findall(r":root \{(.*?)\}", made[1], re.S)]
    assert len(themes) == 2
    for theme in themes:
        for ink in ("ink", "soft", "accent", "good", "bad"):
            for page in ("page", "card"):
                assert contrast(theme[ink], theme[page]) >= 4.5, (ink, page)
        assert contrast(theme["warn-ink"], theme["warn-page"]) >= 4.5
        for colour in charts.COLOURS:
            assert contrast(colour, theme["card"]) >= 3, colour


def test_bands():
    first = np.array([[10, 20, 30], [1, 2, 3], [0.0, 1.0, 2.0]])
    second = np.array([[20, 40], [4.0, 8.0], [3.0, 5.0]])
    x, mean, deviation = charts.band([first, second], 0)
    assert x[0] == 20 and x[-1] == 30 and mean[0] == 2.0 and mean[-1] == 3.0
    np.testing.assert_allclose(deviation, np.sqrt(2), rtol=1e-12)
    seconds, _, _ = charts.band([first, second], 1)
    assert seconds[0] == 3.0 and seconds[-1] == 4.5
    assert charts.band([first], 0)[2].tolist() == [0, 0, 0]
    assert len(charts.band([first, second + [[100], [0], [0]]], 0)[0]) == 0


# -- in a browser ------------------------------------------------------------------------------------------
HOOK = """<script>window.errors = [];
addEventListener("error", event => errors.push(String(event.message || event.target.src)), true);
addEventListener("unhandledrejection", event => errors.push(String(event.reason)));
for (const kind of ["error", "warn"]) console[kind] = (...words) => errors.push(words.join(" "));</script>"""
LOOK = """
const frame = document.querySelector("iframe"), w = frame.contentWindow, d = w.document;
const column = k => [...d.querySelectorAll("table.sorted tbody tr")].map(row => row.cells[k].dataset.key);
const heads = [...d.querySelectorAll("table.sorted thead th")];
const click = k => {
  const b = heads[k].querySelector("button"); b.focus(); b.click(); return d.activeElement === b;
};
d.querySelectorAll("details").forEach(x => { x.open = true; });
const seen = {first: column(0)};
seen.focused = click(2); seen.up = column(2); seen.sortUp = heads[2].getAttribute("aria-sort");
click(2); seen.down = column(2); seen.sortDown = heads[2].getAttribute("aria-sort");
click(1); seen.names = column(1); seen.sorts = heads.filter(h => h.hasAttribute("aria-sort")).length;
seen.pictures = [...d.images].map(i => [i.complete, i.naturalWidth]);
seen.charts = [...d.querySelectorAll("figure.chart svg")].map(s => s.getBoundingClientRect().width);
seen.width = d.documentElement.scrollWidth; seen.inner = w.innerWidth;
const buttons = [...d.querySelectorAll("thead button, .copy")];
seen.small = buttons.filter(b => b.getBoundingClientRect().height < 24).length;
seen.rows = w.getComputedStyle(d.querySelector("table.sorted tbody tr")).display;
seen.errors = w.errors;
const pre = document.createElement("pre");
pre.id = "seen"; pre.textContent = JSON.stringify(seen); document.body.append(pre);
"""


def seen_at(width: int, text: str, folder) -> dict:
    """What a browser makes of the page in a frame of that width."""
    inner = text.replace("<head>", "<head>" + HOOK, 1)
    (folder / "frame.html").write_text(
        f'<!DOCTYPE html><meta charset="utf-8"><body style="margin:0">'
        f'<iframe style="border:0;width:{width}px;height:900px" srcdoc="{html.escape(inner)}"></iframe>'
        f'<script>addEventListener("load", () => {{{LOOK}}});</script>')
    done = subprocess.run([BROWSER, "--headless", "--no-sandbox", "--disable-gpu",
                           f"--user-data-dir={folder}/profile",
                           "--window-size=1400,1000", "--virtual-time-budget=10000", "--dump-dom",
                           (folder / "frame.html").as_uri()], capture_output=True, text=True, timeout=120,
                          check=False)
    found = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.S)
    assert found, done.stderr[-2000:]
    return json.loads(html.unescape(found[1]))


@pytest.mark.skipif(BROWSER is None,
                    reason="no Chromium or Chrome on PATH (Debian: apt-get install chromium)")
@pytest.mark.parametrize("width,rows", [(1300, "table-row"), (360, "grid")])
def test_in_a_browser(made, tmp_path, width, rows):
    seen = seen_at(width, made[1], tmp_path)
    assert seen["errors"] == []
    assert seen["first"] == ["1", "2", "3", "4", "5", "6"]
    known = [float(key) for key in seen["up"] if key]
    assert seen["focused"] and seen["sortUp"] == "ascending"
    assert known == sorted(known) and seen["up"][-1] == ""
    assert seen["sortDown"] == "descending" and seen["down"] == [*map(str, seen["up"][-2::-1]), ""]
    assert seen["names"] == sorted(seen["names"]) and seen["sorts"] == 1
    assert len(seen["pictures"]) == 25 and all(complete and wide > 0 for complete, wide in seen["pictures"])
    assert len(seen["charts"]) == 3 and all(wide > 250 for wide in seen["charts"])
    assert seen["inner"] == width and seen["width"] <= width  # nothing sticks out
    assert seen["small"] == 0 and seen["rows"] == rows
