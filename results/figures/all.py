"""All figures that the runs on disk allow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from results.comparable import comparison_groups
from results.figures import critical_difference as ranks
from results.figures import embeddings as embedding
from results.figures import extraction_time as extraction
from results.figures import learning_curves as learning
from results.figures import model_size as size
from results.figures import option_sweep as sweep
from results.figures import ranking_consistency as consistency
from results.figures import training_cost as cost
from results.figures.chart import Charts, MissingFigure, save

FOLDER = "figures"  # below the report's
ASKED = "ranked-"  # how figures are called that `kdreid ranked` draws
KINDS: tuple[Callable[[pd.DataFrame], Charts], ...] = (
    learning.charts,
    consistency.charts,
    sweep.charts,
    embedding.charts,
    size.charts,
    ranks.charts,
)


@dataclass(frozen=True, slots=True)
class FigureFiles:
    """What came of one call of `draw_all`."""

    files: tuple[Path, ...]
    absent: tuple[str, ...]  # a line for every figure that could not be drawn: what it needs
    earlier: tuple[Path, ...]  # pictures of an earlier report that this one did not draw


def draw_all(frame: pd.DataFrame, folder: Path) -> FigureFiles:
    """Draw every figure into `<folder>/figures`; `frame` is that of `gather`."""
    files: list[Path] = []
    absent: list[str] = []
    measured = (cost.charts(frame, folder), extraction.charts(folder))
    for charts in (*(kind(frame) for kind in KINDS), *measured):
        for chart in charts:
            if isinstance(chart, MissingFigure):
                absent.append(str(chart))
            else:
                files += save(chart, folder / FOLDER)
    pictures = sorted((folder / FOLDER).glob("*.png"))
    lists = [path for path in pictures if path.name.startswith(ASKED)]
    if not lists and (pair := _furthest(frame)):
        reason = f"no ranked lists were drawn; kdreid ranked {' '.join(pair)} does it."
        absent.append(str(MissingFigure("ranked", reason)))
    earlier = (path for path in pictures if path not in {*files, *lists})
    return FigureFiles(tuple(files), tuple(absent), tuple(earlier))


def _furthest(frame: pd.DataFrame) -> tuple[str, str] | None:
    """The best and the worst of the students that share a setting and a seed, by their digests."""
    for dataset in sorted(set(frame["dataset"])):
        for setting in comparison_groups(frame, dataset):
            students = setting.students[setting.students["status"] == "done"]
            for _, same in students.groupby("seed"):
                keys = same.sort_values("mAP", ascending=False)["key"]
                if len(keys) > 1:
                    return keys.iloc[0].rpartition("-")[2], keys.iloc[-1].rpartition("-")[2]
    return None
