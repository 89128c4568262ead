"""Ranked lists: queries and the nearest gallery images by two runs.

A match has a solid green frame, another identity a dashed red frame and a cross, so that the figure
can be read without colours. Green and red are those of a palette for all kinds of colour vision.
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

from results.figures.chart import PALETTE, Chart, add_note, save_chart

LIST_LENGTH = 10  # gallery images per row
IMAGE_WIDTH = 0.62  # inches
GREEN, RED = 2, 3  # positions in the palette


@dataclass(frozen=True, eq=False)
class Thumbnail:
    """A test image at the size at which it is shown.

    Attributes:
        file: The image's file name in its dataset.
        pixels: (H, W, 3) uint8.
    """

    file: str
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class RankedList:
    """The gallery images that a run ranks highest for a query.

    Attributes:
        average_precision: Of the whole ranking, between 0 and 1.
        images: The images, nearest first.
        is_match: Whether each image shows the query's identity.
    """

    average_precision: float
    images: tuple[Thumbnail, ...]
    is_match: tuple[bool, ...]


@dataclass(frozen=True, eq=False)
class QueryExample:
    """A query with the ranked lists of two runs.

    Attributes:
        query: The query's image.
        identity: The query's identity.
        lists: The list of each run.
    """

    query: Thumbnail
    identity: int
    lists: tuple[RankedList, RankedList]


def save_ranked_lists(
    name: str, titles: tuple[str, str], examples: Sequence[QueryExample], folder: Path
) -> list[Path]:
    """Draw ranked lists and write them as NAME.csv, NAME.png and NAME.pdf.

    Args:
        name: Name of the files, without the suffix.
        titles: Titles of the two runs.
        examples: At least one query.
        folder: Folder of the files; it is created if it does not exist.

    Returns:
        The paths of the three files.
    """
    data = pd.DataFrame(_rows(titles, examples))
    return save_chart(Chart(name, data, lambda _: _draw(titles, examples)), folder)


def _rows(titles: tuple[str, str], examples: Sequence[QueryExample]) -> Iterator[dict[str, object]]:
    """Yield one row for every gallery image shown."""
    for example in examples:
        for title, ranked in zip(titles, example.lists, strict=True):
            for rank, (image, is_match) in enumerate(
                zip(ranked.images, ranked.is_match, strict=True), 1
            ):
                yield {
                    "query": example.query.file,
                    "identity": example.identity,
                    "run": title,
                    "AP": ranked.average_precision,
                    "rank": rank,
                    "image": image.file,
                    "right": is_match,
                }


def _draw(titles: tuple[str, str], examples: Sequence[QueryExample]) -> Figure:
    height, width = examples[0].query.pixels.shape[:2]
    rows = 2 * len(examples)
    figure = Figure(
        figsize=(
            IMAGE_WIDTH * (LIST_LENGTH + 3.2),
            IMAGE_WIDTH * (height / width) * rows * 1.12 + 0.9,
        ),
        layout=ConstrainedLayoutEngine(w_pad=0.01, h_pad=0.02, wspace=0, hspace=0.02),
    )
    ratios = [1, 1.5, *[1] * LIST_LENGTH]  # query, title, gallery images
    grid = figure.subplots(rows, len(ratios), squeeze=False, width_ratios=ratios)
    for ax in grid.flatten():
        ax.set_axis_off()
    for number, example in enumerate(examples):
        first_row = 2 * number
        _draw_image(grid[first_row][0], example.query, "0.2", "-")
        grid[first_row][0].set_title("query" if number == 0 else "", fontsize=7)
        for row, (title, ranked) in enumerate(
            zip(titles, example.lists, strict=True), start=first_row
        ):
            _draw_list(grid[row], title, ranked)
    figure.suptitle(f"{titles[0]}  and  {titles[1]}", fontsize=9)
    add_note(
        figure,
        "The queries on which the two runs differ most in average precision (AP), and the nearest "
        "gallery images. Green, solid: the query's identity; red, dashed, crossed: another.",
        columns=105,
    )
    return figure


def _draw_list(row: NDArray[np.object_], title: str, ranked: RankedList) -> None:
    text = title.replace(", ", "\n") + f"\nAP {100 * ranked.average_precision:.0f} %"
    row[1].text(0.5, 0.5, text, ha="center", va="center", fontsize=6.5, transform=row[1].transAxes)
    colours = sns.color_palette(PALETTE)
    for ax, image, is_match in zip(row[2:], ranked.images, ranked.is_match, strict=False):
        _draw_image(ax, image, colours[GREEN if is_match else RED], "-" if is_match else "--")
        if not is_match:
            _draw_cross(ax, image, colours[RED])


def _draw_image(ax: Axes, image: Thumbnail, colour: object, style: str) -> None:
    height, width = image.pixels.shape[:2]
    ax.imshow(image.pixels)
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


def _draw_cross(ax: Axes, image: Thumbnail, colour: object) -> None:
    """Draw a cross in the upper right corner."""
    height, width = image.pixels.shape[:2]
    left, right = 0.72 * width, 0.94 * width
    top, bottom = 0.04 * height, 0.04 * height + 0.22 * width
    ax.plot([left, right], [top, bottom], color=colour, linewidth=1.6)
    ax.plot([right, left], [top, bottom], color=colour, linewidth=1.6)
