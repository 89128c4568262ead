"""What every figure has in common: the data behind it, its colours, its three files.

Figures are drawn without pyplot, whose state is global. Files hold no date and no name of a
program, so that equal data makes equal bytes.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from results.comparable import MARKS, ComparisonGroup
from results.files import write
from results.tables.table import DATASETS, titled

PALETTE = "colorblind"  # seaborn's, told apart by all usual kinds of colour vision
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "d", "8", "H", "$x$")
DASHES = ((), (4, 1.5), (1, 1), (3, 1, 1, 1), (5, 1, 1, 1, 1, 1))
DPI = 160
NOTE = 6.5  # points of the small print below a figure


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure that can be drawn."""

    name: str  # of its files
    data: pd.DataFrame  # what it shows, one row a mark
    draw: Callable[[pd.DataFrame], Figure]  # from that data


@dataclass(frozen=True, slots=True)
class MissingFigure:
    """One figure that cannot be drawn yet."""

    name: str
    reason: str  # a sentence: what is missing, and the command that makes it

    def __str__(self) -> str:
        return f"figure {self.name}: {self.reason}"


Charts = Iterable[Chart | MissingFigure]


def save(chart: Chart, folder: Path) -> list[Path]:
    """Draw a figure into `folder` as NAME.png, NAME.pdf and NAME.csv, each replaced atomically."""
    with mpl.rc_context(_style()):
        figure = chart.draw(chart.data)
        contents = {"csv": chart.data.to_csv(index=False).encode()}
        for form in ("png", "pdf"):
            into = io.BytesIO()
            nothing = {"Software": None} if form == "png" else {"CreationDate": None}
            figure.savefig(into, format=form, metadata=nothing)
            contents[form] = into.getvalue()
    paths = []
    for form, content in contents.items():
        path = folder / f"{chart.name}.{form}"
        write(path, content)
        paths.append(path)
    return paths


def _style() -> Any:  # a dictionary; matplotlib types its keys one by one
    return {
        **sns.axes_style("whitegrid"),
        **sns.plotting_context("paper"),
        "font.family": "DejaVu Sans",  # comes with matplotlib: the same everywhere
        "figure.dpi": DPI,
        "savefig.dpi": DPI,
        "savefig.facecolor": "white",
        "savefig.bbox": "tight",
        "savefig.pad_inches": 0.08,
        "pdf.fonttype": 42,  # letters stay letters
        "legend.frameon": False,
        "axes.titlesize": 9,
        "grid.linewidth": 0.5,
    }


def line_styles(names: Sequence[str]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A colour, a marker and dashes for every name; colour is never all that tells two apart."""
    colours, all_of = sns.color_palette(PALETTE), list(enumerate(names))
    return (
        {name: colours[place % len(colours)] for place, name in all_of},
        {name: MARKERS[place % len(MARKERS)] for place, name in all_of},
        {name: DASHES[(place + place // len(colours)) % len(DASHES)] for place, name in all_of},
    )


def panels(count: int, width: float = 3.4, height: float = 2.7) -> tuple[Figure, list[Axes]]:
    """A figure of `count` panels side by side, each that large in inches."""
    figure = Figure(figsize=(width * count, height), layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def legend(figure: Figure, axes: Sequence[Axes], title: str = "") -> None:
    """One legend right of all panels instead of one inside each."""
    handles, labels = axes[0].get_legend_handles_labels()
    for ax in axes:
        if (own := ax.get_legend()) is not None:
            own.remove()
    figure.legend(handles, labels, title=title or None, loc="outside right center")


def note(figure: Figure, text: str, columns: int = 110) -> None:
    """Small print below a figure."""
    figure.supxlabel(textwrap.fill(text, columns), fontsize=NOTE, x=0.01, ha="left")


def figure_name(kind: str, setting: ComparisonGroup, *, several: bool) -> str:
    """The name of a figure of one setting, as tables are named."""
    return f"{kind}-{setting.dataset}{f'-{setting.digest}' if several else ''}"


def dataset_name(runs: pd.DataFrame, dataset: str) -> str:
    """A dataset as its authors write it, and whether some of its runs saw generated or part of it.

    `runs` are rows of `gather`.
    """
    notes = [note for one in runs[runs["dataset"] == dataset]["notes"] for note in one]
    marks = [word for start, word in MARKS.items() if any(n.startswith(start) for n in notes)]
    name = DATASETS.get(dataset, dataset)
    return f"{name} ({', '.join(marks)} data)" if marks else name


def of_setting(title: str, setting: ComparisonGroup) -> str:
    """The title of a figure of one setting, with what tables say of its data."""
    dataset = DATASETS.get(setting.dataset, setting.dataset)
    return "\n".join(textwrap.wrap(titled(f"{title}, {dataset}", setting), 70))
