"""Feature-extraction time per image against batch size, and ratios of times (VRKD, Fig. 5).

`kdreid bench extract` measures all networks in one run on one device. The second panel shows the
first network's time as a share of the others', next to the shares that the paper states.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from harness.core.errors import DamagedFileError, UnreadableFileError
from harness.core.files import read_json
from harness.runs.layout import EXTRACTION_TIME
from results.figures.chart import (
    Chart,
    Charts,
    MissingFigure,
    add_legend,
    add_note,
    line_styles,
    make_panels,
)

# VRKD, section 3.4.2: time of its ResNet-18 divided by that of the others, on a Titan X.
PUBLISHED_SHARES = {
    ("resnet18", "densenet121"): 0.33,
    ("resnet18", "resnet50"): 0.30,
    ("resnet18", "resnet18-directional"): 0.25,
    ("resnet18", "resnet101"): 0.21,
}
PUBLISHED_BATCH = 128


def extraction_charts(folder: Path) -> Charts:
    """Yield the figure of the measurement, or the reason why it is missing.

    Args:
        folder: The report's folder, which holds the measurement.
    """
    try:
        content = read_json(folder / EXTRACTION_TIME)
        if content is None:
            yield MissingFigure("extraction", "no network was timed. Run kdreid bench extract.")
            return
        data, conditions = _rows(content), _conditions(content)
    except UnreadableFileError as error:
        yield MissingFigure("extraction", str(error))
    except (DamagedFileError, ValueError, KeyError, TypeError, IndexError):
        yield MissingFigure(
            "extraction",
            f"{EXTRACTION_TIME} is damaged. Run kdreid bench extract to write it again.",
        )
    else:
        yield Chart("extraction", data, lambda rows: _draw(rows, conditions))


def _rows(content: dict[str, Any]) -> pd.DataFrame:
    """Return milliseconds per image and shares, one row per network and batch size."""
    data = pd.DataFrame(content["rows"])
    first = data["network"].iloc[0]
    first_seconds = data[data["network"] == first].set_index("batch")["seconds"]
    data["milliseconds"] = 1e3 * data["seconds"]
    data["milliseconds_least"] = 1e3 * data["least"]
    data["milliseconds_most"] = 1e3 * data["most"]
    data["share_of_first"] = data["batch"].map(first_seconds) / data["seconds"]
    published = [
        PUBLISHED_SHARES.get((first, network), math.nan) if batch == PUBLISHED_BATCH else math.nan
        for network, batch in zip(data["network"], data["batch"], strict=True)
    ]
    return data.drop(columns=["seconds", "least", "most"]).assign(printed_share=published)


def _conditions(content: dict[str, Any]) -> str:
    environment, (height, width) = content["environment"], content["size"]
    device = environment["device_name"]
    if "cores" in device:  # a CPU
        threads = environment["threads"]
        device += f", {threads} thread{'s' if threads != 1 else ''}"
    return f"{device}, {height}x{width}, float32, random weights"


def _draw(data: pd.DataFrame, conditions: str) -> Figure:
    names = list(dict.fromkeys(data["network"]))
    figure, axes = make_panels(min(2, len(names)), width=3.4, height=3.0)
    styles = line_styles(names)
    sns.lineplot(data, x="batch", y="milliseconds", ax=axes[0], **styles.for_lines("network"))
    axes[0].set(xscale="log", yscale="log", xlabel="batch size", ylabel="time per image (ms)")
    batches = sorted(set(data["batch"]))
    axes[0].set_xticks(batches, [str(batch) for batch in batches])
    axes[0].minorticks_off()
    axes[0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].set_title("Feature extraction")
    if len(names) > 1:
        _draw_shares(axes[1], data, names, styles.colours)
    add_legend(figure, axes)
    published = "Black: published by VRKD. " if data["printed_share"].notna().any() else ""
    add_note(
        figure,
        f"{published}All networks measured alternately in one run: {conditions}. The members of an "
        "ensemble (four in resnet18-directional) run one after the other.",
        columns=120,
    )
    return figure


def _draw_shares(ax: Axes, data: pd.DataFrame, names: list[str], colours: dict[str, Any]) -> None:
    """Draw the first network's share of each other's time.

    The batch size is the paper's if it was measured, otherwise the largest.
    """
    batches = set(data["batch"])
    batch = PUBLISHED_BATCH if PUBLISHED_BATCH in batches else max(batches)
    others = data[data["batch"] == batch].set_index("network").loc[names[1:]]
    places = range(len(others))
    shares = 100 * others["share_of_first"]
    ax.bar(places, shares, color=[colours[name] for name in others.index], width=0.6)
    for place, share in zip(places, shares, strict=True):
        ax.annotate(
            f"{share:.0f}",
            (place, 0),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color="white",
            fontweight="bold",
        )
    published = 100 * others["printed_share"].astype(float)
    if published.notna().any():
        ax.plot(places, published, "_", color="0", markersize=26, markeredgewidth=2)
    ax.set_xticks(places, list(others.index), rotation=35, ha="right")
    ax.set_title(f"Time of {names[0]} relative to others\n(batch size {batch})")
    ax.set_ylabel("%")
    ax.set_ylim(0, 1.3 * max(shares.max(), published.max(), 10))
