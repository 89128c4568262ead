"""Ranked lists: a query and the ten nearest gallery images by two runs, right and wrong in frames.

Right is a solid green frame, wrong a dashed red one with a cross, so that colour is not needed to
tell them apart. Green and red are seaborn's for the colour-blind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from results.figures.chart import PALETTE, Chart, note, save

SHOWN = 10  # gallery images a row
GREEN, RED = 2, 3  # of the palette


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """An image file, and how it is shown."""

    file: str
    pixels: NDArray[np.uint8]  # (H, W, 3)


@dataclass(frozen=True, eq=False)
class RankedList:
    """What one run found for a query, the nearest first."""

    average_precision: float  # a fraction of 1
    pictures: tuple[Thumbnail, ...]
    right: tuple[bool, ...]  # whether each shows the query's identity


@dataclass(frozen=True, eq=False)
class QueryExample:
    """A query and what two runs found."""

    query: Thumbnail
    identity: int
    answers: tuple[RankedList, RankedList]


def write(
    name: str, titles: tuple[str, str], questions: Sequence[QueryExample], folder: Path
) -> list[Path]:
    """Draw the lists as NAME.png and NAME.pdf with NAME.csv in `folder`; the files."""
    data = pd.DataFrame(_rows(titles, questions))
    return save(Chart(name, data, lambda _: _draw(titles, questions)), folder)


def _rows(
    titles: tuple[str, str], questions: Sequence[QueryExample]
) -> Iterator[dict[str, object]]:
    for question in questions:
        for title, answer in zip(titles, question.answers, strict=True):
            for place, (picture, right) in enumerate(
                zip(answer.pictures, answer.right, strict=True), 1
            ):
                yield {
                    "query": question.query.file,
                    "identity": question.identity,
                    "run": title,
                    "AP": answer.average_precision,
                    "rank": place,
                    "image": picture.file,
                    "right": right,
                }


def _draw(titles: tuple[str, str], questions: Sequence[QueryExample]) -> Figure:
    height, width = questions[0].query.pixels.shape[:2]
    rows = 2 * len(questions)
    inch = 0.62
    figure = Figure(
        figsize=(inch * (SHOWN + 3.2), inch * (height / width) * rows * 1.12 + 0.9),
        layout=ConstrainedLayoutEngine(w_pad=0.01, h_pad=0.02, wspace=0, hspace=0.02),
    )
    grid = figure.subplots(rows, SHOWN + 2, squeeze=False, width_ratios=[1, 1.5, *[1] * SHOWN])
    for ax in grid.flatten():
        ax.set_axis_off()
    for number, question in enumerate(questions):
        _image(grid[2 * number][0], question.query, "0.2", "-")
        grid[2 * number][0].set_title("query" if number == 0 else "", fontsize=7)
        for part, (title, answer) in enumerate(zip(titles, question.answers, strict=True)):
            _answer(grid[2 * number + part], title, answer)
    figure.suptitle(f"{titles[0]}  against  {titles[1]}", fontsize=9)
    note(
        figure,
        "The queries on which the two differ most in average precision (AP), and the nearest "
        "gallery images. Green, solid: the query's identity; red, dashed and crossed: another.",
        columns=105,
    )
    return figure


def _answer(row: NDArray[np.object_], title: str, answer: RankedList) -> None:
    text = title.replace(", ", "\n") + f"\nAP {100 * answer.average_precision:.0f} %"
    row[1].text(0.5, 0.5, text, ha="center", va="center", fontsize=6.5, transform=row[1].transAxes)
    colours = sns.color_palette(PALETTE)
    found = zip(row[2:], answer.pictures, answer.right, strict=False)
    for ax, picture, right in found:
        _image(ax, picture, colours[GREEN if right else RED], "-" if right else "--")
        if not right:
            height, width = picture.pixels.shape[:2]
            ax.plot(
                [0.72 * width, 0.94 * width],
                [0.04 * height, 0.04 * height + 0.22 * width],
                color=colours[RED],
                linewidth=1.6,
            )
            ax.plot(
                [0.94 * width, 0.72 * width],
                [0.04 * height, 0.04 * height + 0.22 * width],
                color=colours[RED],
                linewidth=1.6,
            )


def _image(ax: Axes, picture: Thumbnail, colour: object, style: str) -> None:
    height, width = picture.pixels.shape[:2]
    ax.imshow(picture.pixels)
    frame = Rectangle(
        (-0.5, -0.5),
        width,
        height,
        fill=False,
        edgecolor=colour,
        linewidth=2.2,
        linestyle=style,
        clip_on=False,
    )
    ax.add_patch(frame)
