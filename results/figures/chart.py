"""Parts that all figures share: the data behind a figure, its style and its three files.

Figures are drawn without pyplot, whose state is global. The files contain neither a date nor the
name of a program, so that equal data makes equal bytes.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.core.files import atomic_write
from harness.runs.report_folder import report_file
from results.comparable import (
    ComparisonGroup,
    describe_different_origins,
    merge_data_flags,
)
from results.figures.literal_text import literal_names, literal_powers
from results.tables.table import DATASET_NAMES, qualify_title

PALETTE = "colorblind"  # of seaborn; distinct with all common kinds of colour vision
# Its last colour is a second blue, which is black here.
COLOURS = (*sns.color_palette(PALETTE)[:-1], (0.0, 0.0, 0.0))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "d", "8", "H", "$x$")
DASHES = ((), (4, 1.5), (1, 1), (3, 1, 1, 1), (5, 1, 1, 1, 1, 1))
DPI = 160
NOTE_FONT_SIZE = 6.5  # points
LABEL_WIDTH, LABEL_LINES = 22, 3  # of a method in a legend or on an axis
NOT_STYLE = ("backend", "interactive", "toolbar", "webagg", "datapath", "_")  # of its settings
SEEDS_NOTE = "Points: mean over seeds; bars: standard deviation over seeds, if there are several."
ONE_SEED_NOTE = "One seed: no bars. Another seed may order the points otherwise."


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure that can be drawn.

    Attributes:
        name: Name of its files, without the suffix.
        data: The numbers that it shows, one row per mark.
        draw: Function that draws the figure from such data.
    """

    name: str
    data: pd.DataFrame
    draw: Callable[[pd.DataFrame], Figure]


@dataclass(frozen=True, slots=True)
class MissingFigure:
    """A figure that cannot be drawn yet.

    Attributes:
        name: Name that its files would have.
        reason: Sentence with what is missing and the command that produces it.
    """

    name: str
    reason: str

    def __str__(self) -> str:
        return f"figure {self.name}: {self.reason}"


Charts = Iterable[Chart | MissingFigure]


class LineStyles(NamedTuple):
    """Styles of lines by name, as seaborn takes them."""

    colours: dict[str, Any]
    markers: dict[str, Any]
    dashes: dict[str, Any]

    def for_points(self, column: str) -> dict[str, Any]:
        """Return the arguments of seaborn for points whose names are in `column`."""
        names = list(self.colours)
        return {
            "hue": column,
            "style": column,
            "hue_order": names,
            "style_order": names,
            "palette": self.colours,
            "markers": self.markers,
        }

    def for_lines(self, column: str) -> dict[str, Any]:
        """Return the arguments of seaborn for lines whose names are in `column`."""
        return {**self.for_points(column), "dashes": self.dashes, "errorbar": None}


def save_chart(chart: Chart, folder: Path) -> list[Path]:
    """Draw a figure and write it as NAME.csv, NAME.png and NAME.pdf, each replaced atomically.

    Args:
        chart: The figure.
        folder: Folder of the files; it is created if it does not exist.

    Returns:
        The paths of the three files.
    """
    with mpl.rc_context(_style()):
        figure = chart.draw(literal_names(chart.data))
        literal_powers(figure)
        contents = {"csv": chart.data.to_csv(index=False).encode()}
        for suffix in ("png", "pdf"):
            buffer = io.BytesIO()
            metadata = {"Software": None} if suffix == "png" else {"CreationDate": None}
            figure.savefig(buffer, format=suffix, metadata=metadata)
            contents[suffix] = buffer.getvalue()
    paths = []
    for suffix, content in contents.items():
        path = report_file(folder, f"{chart.name}.{suffix}")
        atomic_write(path, content)
        paths.append(path)
    return paths


def _style() -> Any:  # a dictionary whose keys matplotlib types one by one
    """Return matplotlib's own defaults, whatever a user has set, and our style."""
    return {
        **{
            name: value
            for name, value in mpl.rcParamsDefault.items()
            if not name.startswith(NOT_STYLE)
        },
        **sns.axes_style("whitegrid"),
        **sns.plotting_context("paper"),
        "font.family": "DejaVu Sans",  # comes with matplotlib: equal on every machine
        "figure.dpi": DPI,
        "savefig.dpi": DPI,
        "savefig.facecolor": "white",
        "savefig.bbox": "tight",
        "savefig.pad_inches": 0.08,
        "pdf.fonttype": 42,  # text stays text
        "text.parse_math": False,  # a label with $ or ^ is no formula
        "legend.frameon": False,
        "axes.titlesize": 9,
        "grid.linewidth": 0.5,
    }


def line_styles(names: Sequence[str]) -> LineStyles:
    """Return a colour, a marker and dashes for every name.

    No two of the first 30 names share both colour and marker, or both colour and dashes.
    """
    numbered, rounds = list(enumerate(names)), len(COLOURS)
    return LineStyles(
        {name: COLOURS[number % rounds] for number, name in numbered},
        {name: MARKERS[number % len(MARKERS)] for number, name in numbered},
        {name: DASHES[(number + number // rounds) % len(DASHES)] for number, name in numbered},
    )


def make_panels(count: int, width: float = 3.4, height: float = 2.7) -> tuple[Figure, list[Axes]]:
    """Return a figure of panels next to each other, and the panels.

    Args:
        count: Number of panels.
        width: Width of each in inches.
        height: Height of each in inches.
    """
    figure = Figure(figsize=(width * count, height), layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def draw_seed_deviations(
    ax: Axes, data: pd.DataFrame, x: str, y: str, deviation: str, line: str, styles: LineStyles
) -> None:
    """Draw the standard deviation over seeds as a bar, at the marks of several seeds.

    Args:
        ax: The panel.
        data: One row per mark, with its number of seeds in the column `seeds`.
        x: Column of the marks' positions.
        y: Column of their heights, the means.
        deviation: Column of the standard deviations.
        line: Column with the name of each mark's line.
        styles: Styles of the lines.
    """
    for name, rows in data[data["seeds"] > 1].groupby(line):
        ax.errorbar(
            rows[x],
            rows[y],
            rows[deviation],
            fmt="none",
            ecolor=styles.colours[str(name)],
            elinewidth=0.8,
            capsize=2,
        )


def add_legend(figure: Figure, axes: Sequence[Axes]) -> None:
    """Replace the legends of the panels by one to the right of them, made from the first panel."""
    handles, names = axes[0].get_legend_handles_labels()
    labels = [wrap_label(name) for name in names]
    for ax in axes:
        if (legend := ax.get_legend()) is not None:
            legend.remove()
    figure.legend(handles, labels, loc="outside right center", fontsize=7.5, handletextpad=0.4)


def wrap_label(label: str) -> str:
    """Return a label in lines of at most `LABEL_WIDTH` characters, at most `LABEL_LINES`."""
    lines = textwrap.wrap(label, LABEL_WIDTH, drop_whitespace=not label.startswith(" ")) or [label]
    if len(lines) > LABEL_LINES:
        lines = [*lines[: LABEL_LINES - 1], f"{lines[LABEL_LINES - 1][: LABEL_WIDTH - 3]}..."]
    return "\n".join(lines)


def row_height(labels: Sequence[str], least: float) -> float:
    """Return the height in inches of rows that these wrapped labels name, at least `least`."""
    return max(least, 0.15 * max((label.count("\n") + 1 for label in labels), default=1))


def with_minus(number: str) -> str:
    """Return a printed number with a minus sign in place of a hyphen, as on axes."""
    return number.replace("-", "\N{MINUS SIGN}")


def add_note(figure: Figure, text: str, columns: int = 110) -> None:
    """Write small print below a figure, wrapped at `columns` characters."""
    text = text.replace(" %", "\N{NO-BREAK SPACE}%")
    figure.supxlabel(textwrap.fill(text, columns), fontsize=NOTE_FONT_SIZE, x=0.01, ha="left")


def figure_name(kind: str, group: ComparisonGroup, *, with_digest: bool) -> str:
    """Return the name of a comparison group's figure, formed like the names of its tables.

    Args:
        kind: Kind of figure, the first part of the name.
        group: The runs that the figure shows.
        with_digest: Whether the dataset has several groups, so that its name is not enough.
    """
    return f"{kind}-{group.dataset}{f'-{group.digest}' if with_digest else ''}"


def dataset_title(runs: pd.DataFrame, dataset: str) -> str:
    """Return a dataset's name as its authors write it, with what limits comparing its runs.

    Args:
        runs: Rows of `collect_runs`.
        dataset: The dataset's name in the configuration.

    Returns:
        For example "Market-1501" or "Market-1501 (generated data; torch differs)".
    """
    of_dataset = runs[runs["dataset"] == dataset]
    flags = merge_data_flags(of_dataset)
    data = f"{', '.join(flags)} data" if flags else ""
    name = DATASET_NAMES.get(dataset, dataset)
    qualifiers = "; ".join(filter(None, [data, describe_different_origins(of_dataset)]))
    return f"{name} ({qualifiers})" if qualifiers else name


def group_title(title: str, group: ComparisonGroup) -> str:
    """Return the title of a comparison group's figure, wrapped, with what limits comparing."""
    dataset = DATASET_NAMES.get(group.dataset, group.dataset)
    qualified = qualify_title(f"{title}, {dataset}", group)
    if different := describe_different_origins(group.done):
        qualified = f"{qualified}: {different}"
    return "\n".join(textwrap.wrap(qualified, 70))
