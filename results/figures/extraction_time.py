"""Feature-extraction time per image against batch size, and its ratios: VRKD's Fig. 5.

`kdreid bench extract` measures all networks in one run on one device; the first is the one whose
share of the others' time is shown, beside the shares that the paper states for a batch of 128.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from results.figures.chart import Chart, Charts, MissingFigure, legend, line_styles, note, panels

FILE = Path("measured") / "extraction.json"  # below the report's folder
PRINTED = {  # VRKD, Section 3.4.2: time of its ResNet-18 over that of the others, on a Titan X
    ("resnet18", "densenet121"): 0.33,
    ("resnet18", "resnet50"): 0.30,
    ("resnet18", "resnet18-directional"): 0.25,
    ("resnet18", "resnet101"): 0.21,
}
PRINTED_BATCH = 128


def charts(folder: Path) -> Charts:
    """The figure of the measurement in a report's folder."""
    try:
        content = json.loads((folder / FILE).read_bytes())
        data, about = _data(content), _about(content)
    except FileNotFoundError:
        yield MissingFigure("extraction", "nothing was measured; kdreid bench extract does it.")
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        yield MissingFigure(
            "extraction", f"{FILE} is damaged; kdreid bench extract writes it anew."
        )
    else:
        yield Chart("extraction", data, lambda rows: _draw(rows, about))


def _data(content: dict[str, Any]) -> pd.DataFrame:
    data = pd.DataFrame(content["rows"])
    first = data["network"].iloc[0]
    own = data[data["network"] == first].set_index("batch")["seconds"]
    for name in ("seconds", "least", "most"):
        data[f"milliseconds_{name}" if name != "seconds" else "milliseconds"] = 1e3 * data[name]
    data["share_of_first"] = data["batch"].map(own) / data["seconds"]
    printed = [
        PRINTED.get((first, network), math.nan) if batch == PRINTED_BATCH else math.nan
        for network, batch in zip(data["network"], data["batch"], strict=True)
    ]
    return data.drop(columns=["seconds", "least", "most"]).assign(printed_share=printed)


def _about(content: dict[str, Any]) -> str:
    environment, (height, width) = content["environment"], content["size"]
    threads = f", {environment['threads']} threads" if "cores" in environment["device_name"] else ""
    return f"{environment['device_name']}{threads}, {height}x{width}, float32, random weights"


def _draw(data: pd.DataFrame, about: str) -> Figure:
    names = list(dict.fromkeys(data["network"]))
    figure, axes = panels(min(2, len(names)), width=3.4, height=3.0)
    colours, markers, dashes = line_styles(names)
    sns.lineplot(
        data,
        x="batch",
        y="milliseconds",
        hue="network",
        style="network",
        hue_order=names,
        style_order=names,
        palette=colours,
        markers=markers,
        dashes=dashes,
        errorbar=None,
        ax=axes[0],
    )
    axes[0].set(xscale="log", yscale="log", xlabel="batch size", ylabel="milliseconds an image")
    batches = sorted(set(data["batch"]))
    axes[0].set_xticks(batches, [str(batch) for batch in batches])
    axes[0].minorticks_off()
    axes[0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes[0].yaxis.set_major_formatter("{x:g}")
    axes[0].set_title("feature-extraction time")
    if len(names) > 1:
        _shares(axes[1], data, names, colours)
    legend(figure, axes)
    printed = "Black: as VRKD prints it. " if data["printed_share"].notna().any() else ""
    note(
        figure,
        f"{printed}All networks in turns in one run: {about}. Several networks that teach as one "
        "(resnet18-directional: four) run one after the other.",
        columns=120,
    )
    return figure


def _shares(ax: Axes, data: pd.DataFrame, names: list[str], colours: dict[str, Any]) -> None:
    """The first network's share of each other's time at the paper's batch, or at the largest."""
    batches = set(data["batch"])
    batch = PRINTED_BATCH if PRINTED_BATCH in batches else max(batches)
    at = data[data["batch"] == batch].set_index("network").loc[names[1:]]
    places = range(len(at))
    ax.bar(
        places, 100 * at["share_of_first"], color=[colours[name] for name in at.index], width=0.6
    )
    for place, share in zip(places, at["share_of_first"], strict=True):
        ax.annotate(
            f"{100 * share:.0f}",
            (place, 0),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            color="white",
            fontweight="bold",
        )
    printed = at["printed_share"].astype(float)
    if printed.notna().any():
        ax.plot(places, 100 * printed, "_", color="0", markersize=26, markeredgewidth=2)
    ax.set_xticks(places, list(at.index), rotation=35, ha="right")
    ax.set_title(f"{names[0]}'s time over theirs, batch {batch}")
    ax.set_ylabel("%")
    ax.set_ylim(0, 1.3 * max(100 * at["share_of_first"].max(), 100 * printed.max(), 10))
