"""A comparison as a section of a Markdown page: the command, one table, one picture (`--page`)."""
from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from tfgan_suite.compare import charts
from tfgan_suite.compare.report import number, series
from tfgan_suite.errors import UserError, reading
from tfgan_suite.files import archive

PICTURES = ("samples", "curves")
MOST_ROWS = 9  # of sheets in a picture
SHEET_ROWS = 3  # of the 6 of each sheet of samples that are shown
TITLES = {"digits_is_ratio": "classifier", "digits_svc_is_ratio": "SVC"}  # columns of the judges of digits
REPEATED = "samples repeat themselves"


def write(page: Path, name: str, comparison: dict, columns: str, shown: tuple, kind: str) -> None:
    """Puts the comparison into the page: between `<!-- NAME -->` and `<!-- /NAME -->`, or at the end.

    Args:
        page: the Markdown file, made if it is not there; the picture goes to `images/results_NAME.png`
            beside it.
        name: of the section.
        comparison: as `results.compare` gives it.
        columns: what is varied along the columns; '' for a row for each variant.
        shown: further scores that get a column, in a table of rows.
        kind: of the picture, one of `PICTURES`.

    Raises:
        UserError: the page cannot be read or written, or there is no such score.
    """
    text = ""
    if page.is_file():
        with reading(page, "cannot be read", "give a Markdown file"):
            text = page.read_text(encoding="utf-8")
    picture = page.parent / "images" / f"results_{name}.png"
    archive.make_folder(picture.parent)
    draw = {"samples": _samples, "curves": _curves}[kind]
    archive.write_bytes(picture, _png(draw(comparison, columns)))
    made = "\n\n".join([f"    {comparison['command']}", table(comparison, columns, shown), note(comparison),
                        f"![{_about(comparison, kind)}](images/{picture.name})"])
    first, last = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, found, rest = text.partition(first)
    if not found:
        before = f"{text.rstrip()}\n\n## {name}\n" if text else f"## {name}\n"
    elif last not in rest:
        raise UserError(f"{page}: has {first} and no {last} after it; add it, or delete both")
    after = rest.partition(last)[2] or "\n"
    archive.write_bytes(page, f"{before}{first}\n{made}\n{last}{after}".encode())


def _about(comparison: dict, kind: str) -> str:
    seed = comparison["seeds"][0]
    return (f"samples of seed {seed}, from the same latents" if kind == "samples"
            else f"{comparison['rank']} over training")


# -- the table ---------------------------------------------------------------------------------------------
def table(comparison: dict, columns: str, shown: tuple) -> str:
    """The table in Markdown, in the order of the plan.

    Raises:
        UserError: there is no such score.
    """
    known = dict.fromkeys(name for v in comparison["variants"] for name in v["scores"])
    for name in shown:
        if name not in known:
            raise UserError(f"--show: no score '{name}'; there are {', '.join(known)}")
    head, rows = (_pivot(comparison, columns) if columns else _rows(comparison, shown))
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def ordered(comparison: dict) -> list[dict]:
    """The variants in the order of the plan."""
    by_name = {v["name"]: v for v in comparison["variants"]}
    return [by_name[name] for name in comparison["order"]]


def _labels(variant: dict, several: bool, but: str = "") -> list[str]:
    """What tells a variant from the others: its experiment, where there are several, and its settings."""
    return [*([variant["experiment"]] * several),
            *(_code(v) for n, v in variant["settings"].items() if n != but)]


def _code(text: str) -> str:
    return text.replace("|", "\\|").replace("_", "\\_") or "none"


def _judges(comparison: dict) -> list[str]:
    return [name for name in (comparison["rank"], comparison["second"]) if name]


def _mean(score: dict | None) -> str:
    if score is None:
        return "–"
    spread = f" ± {number(score['std'], 2)}" if score["std"] is not None else ""
    return f"{number(score['mean'])}{spread}"


def _best(comparison: dict) -> set[str]:
    """The names of the variants with the best mean of the ranking score: one, but for ties."""
    found = [(v["scores"][comparison["rank"]]["mean"], v["name"]) for v in comparison["variants"]
             if comparison["rank"] in v["scores"]]
    best = min(found, default=(0, ""))[0] if comparison["lower_is_better"] else max(found, default=(0, ""))[0]
    return {name for mean, name in found if mean == best}


def _ends(variant: dict) -> str:
    """What went wrong, in words: runs that diverged or failed, classes that are missing, repetition."""
    count = len(variant["runs"])
    flags = [text for record in variant["runs"] for text in record["flags"]]
    said = []
    for kind in ("diverged", "failed"):
        if variant[kind]:
            said.append(kind if variant[kind] == count else f"{variant[kind]} of {count} {kind}")
    missing = sum("missing" in text for text in flags)
    if missing:
        said.append("classes missing" + (f" in {missing} of {count}" if count > 1 else ""))
    repeated = flags.count(REPEATED)
    if repeated:
        said.append("repeats itself" + (f" in {repeated} of {count}" if count > 1 else ""))
    return "; ".join(said)


def _rows(comparison: dict, shown: tuple) -> tuple[list, list]:
    """A row for each variant: settings, judges, difference to the baseline, what else is shown."""
    variants, judges, best = ordered(comparison), _judges(comparison), _best(comparison)
    several = len({v["experiment"] for v in variants}) > 1
    head = [*(["experiment"] * several), *variants[0]["settings"], *(TITLES.get(n, n) for n in judges),
            "difference", *shown, "remarks"]
    rows = []
    for variant in variants:
        scores = variant["scores"]
        found = (scores.get(comparison["rank"]) or {}).get("difference")
        first, *others = (_mean(scores.get(name)) for name in judges)
        rows.append([*_labels(variant, several), f"**{first}**" if variant["name"] in best else first,
                     *others,
                     "baseline" if variant["name"] == comparison["baseline"] else _difference(found),
                     *(_mean(scores.get(name)) for name in shown), _ends(variant)])
    return [_code(name) if name in shown or name in judges else name for name in head], rows


def _difference(found: dict | None) -> str:
    if found is None:
        return "–"
    mean = number(found["mean"], sign=True)
    if found["low"] is None:
        return mean
    return f"{mean} ({number(found['low'], sign=True)} to {number(found['high'], sign=True)})"


def _pivot(comparison: dict, columns: str) -> tuple[list, list]:
    """A row for each combination of the other settings, a column for each value of one."""
    variants, judges, best = ordered(comparison), _judges(comparison), _best(comparison)
    several = len({v["experiment"] for v in variants}) > 1
    titles = list(dict.fromkeys(v["settings"][columns] for v in variants))
    others = [name for name in variants[0]["settings"] if name != columns]
    head = [*(["experiment"] * several), *others, *(_code(title) for title in titles)]
    rows: dict[tuple, dict] = {}
    for variant in variants:
        text = " / ".join(_mean(variant["scores"].get(name)) for name in judges)
        if not variant["done"]:
            text = _ends(variant) or "–"
        else:
            text = f"**{text}**" if variant["name"] in best else text
            text += f" ({_ends(variant)})" if _ends(variant) else ""
        labels = tuple(_labels(variant, several, columns))
        rows.setdefault(labels, {})[variant["settings"][columns]] = text
    return head, [[*labels, *(cells.get(title, "") for title in titles)] for labels, cells in rows.items()]


def note(comparison: dict) -> str:
    """How the numbers were made, on one line."""
    seeds, machine = comparison["seeds"], comparison["machine"]
    judged = " / ".join(f"`{name}`" for name in _judges(comparison))
    spread = ", mean ± standard deviation" if len(seeds) > 1 else ""
    interval = (f"; differences with {100 * comparison['confidence']:.0f} % t intervals"
                if len(seeds) > 1 else "")
    drawn = f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}"
    length = comparison["budget"]
    length = f"{length[0].upper()}{length[1:]}{' a run' if length[0].isdigit() else ''}"
    return (f"{judged}{spread} of {drawn}{interval}. {length}, "
            f"{comparison['protocol']['n']} samples. {comparison['date'][:10]}, {machine['processor']}, "
            f"TensorFlow {machine['tensorflow']}.")


# -- the picture -------------------------------------------------------------------------------------------
def _png(figure: Figure) -> bytes:
    """A figure as a PNG of few colours, on white."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=100, facecolor="white")
    small = io.BytesIO()
    Image.open(data).convert("RGB").quantize(128).save(small, format="png", optimize=True)
    return small.getvalue()


def _samples(comparison: dict, columns: str) -> Figure:
    """The first rows of the first seed's sheet of each variant, in the order of the table; in as many columns
    as it has, or a multiple where there are many rows. Pictures of what is no image are whole, one a row."""
    cells, least = [], 1
    several = len({v["experiment"] for v in comparison["variants"]}) > 1
    for variant in ordered(comparison):
        first = variant["runs"][0]
        sheet = np.asarray(Image.open(first["pictures"]["samples"])) if first["pictures"] else None
        if sheet is not None and first["neighbours"]:  # a sheet of images
            sheet = sheet[:len(sheet) * SHEET_ROWS // 6]
            least = len({v["settings"][columns] for v in comparison["variants"]}) if columns else 2
        cells.append((" ".join(_labels(variant, several)).replace("\\", ""), sheet))
    wide = least * -(-len(cells) // (least * MOST_ROWS))
    rows = -(-len(cells) // wide)
    shape = next((sheet.shape for _, sheet in cells if sheet is not None), (100, 170))
    side = 10.0 / wide
    height = side * shape[0] / shape[1] + 0.28
    figure = Figure(figsize=(10.0, rows * height), layout="constrained")
    for axes, (title, sheet) in zip(figure.subplots(rows, wide, squeeze=False).flat,
                                    cells + [("", None)] * (rows * wide - len(cells))):
        axes.set_axis_off()
        axes.set_title(title or " ", fontsize=7 if wide > 3 else 9, pad=2)
        if sheet is not None:
            axes.imshow(sheet, interpolation="nearest")
    return figure


def _curves(comparison: dict, columns: str) -> Figure:
    """The ranking score against iterations and against time."""
    rank, lines = comparison["rank"], []
    for i, variant in enumerate(ordered(comparison)):
        found = [one for one in (series(r["points"], rank) for r in variant["runs"]) if one is not None]
        if found:
            lines.append((variant["name"], charts.style(i), found))
    figure = Figure(figsize=(10.0, 3.6), layout="constrained")
    for axes, axis, label in zip(figure.subplots(1, 2), (0, 1), ("iterations", "seconds of training")):
        charts.draw(axes, [(look, found) for _, look, found in lines], axis, label, rank, "black")
    drawn = [line for line in figure.axes[0].lines if line.get_linestyle() != "None"]
    figure.legend(drawn, [name for name, _, _ in lines], loc="outside lower center", ncols=3, fontsize=8)
    return figure
