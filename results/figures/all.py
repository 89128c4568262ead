"""All figures of a report."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from harness.core.errors import UnwritableFileError
from harness.core.text import printable
from harness.runs.layout import FIGURES
from results.comparable import comparison_groups
from results.configurations import DEFAULT_CHOICE, TableChoice
from results.figures import RANKED_PREFIX
from results.figures.chart import Chart, Charts, MissingFigure, save_chart
from results.figures.critical_difference import rank_charts
from results.figures.embeddings import embedding_charts
from results.figures.extraction_time import extraction_charts
from results.figures.gains import gain_charts
from results.figures.learning_curves import learning_curve_charts
from results.figures.model_size import size_charts
from results.figures.option_sweep import sweep_charts
from results.figures.ranking_consistency import consistency_charts
from results.figures.score_pairs import score_charts
from results.figures.training_cost import cost_charts

CHARTS_OF_COMPARISONS: tuple[Callable[[pd.DataFrame, TableChoice], Charts], ...] = (
    gain_charts,
    score_charts,
    rank_charts,
    learning_curve_charts,
    consistency_charts,
)
CHARTS_OF_RUNS: tuple[Callable[[pd.DataFrame], Charts], ...] = (
    sweep_charts,
    embedding_charts,
    size_charts,
)


@dataclass(frozen=True, slots=True)
class FigureFiles:
    """Result of `draw_all`.

    Attributes:
        files: All files that were written.
        missing: One line per figure that could not be drawn: its name and what it needs.
        stale: PNGs of an earlier report that were not drawn again.
    """

    files: tuple[Path, ...]
    missing: tuple[str, ...]
    stale: tuple[Path, ...]


def draw_all(
    frame: pd.DataFrame,
    folder: Path,
    measurements: Path | None = None,
    choice: TableChoice = DEFAULT_CHOICE,
) -> FigureFiles:
    """Draw every figure that the runs allow.

    Ranked lists show two runs of a user's choice, so they are not drawn here but kept.

    Args:
        frame: Rows of `collect_runs`.
        folder: The report's folder; the figures go to its subfolder `figures`.
        measurements: Folder of the report that may hold measurements (`kdreid bench cost`, `kdreid
            bench extract`); by default `folder`.
        choice: What is compared.
    """
    measured = folder if measurements is None else measurements
    files: list[Path] = []
    missing: list[str] = []
    sources = (
        *(charts_of(frame, choice) for charts_of in CHARTS_OF_COMPARISONS),
        *(charts_of(frame) for charts_of in CHARTS_OF_RUNS),
        cost_charts(frame, measured, choice),
        extraction_charts(measured),
    )
    for charts in sources:
        for chart in _without_errors(charts, missing):
            if isinstance(chart, MissingFigure):
                missing.append(str(chart))
                continue
            drawn, problem = _save(chart, folder / FIGURES)
            files += drawn
            if problem:
                missing.append(str(MissingFigure(chart.name, problem)))
    images = sorted((folder / FIGURES).glob("*.png"))
    ranked_lists = [path for path in images if path.name.startswith(RANKED_PREFIX)]
    if not ranked_lists and (pair := _best_and_worst_student(frame)):
        reason = f"no ranked lists were drawn. Run kdreid compare-rankings {' '.join(pair)}."
        missing.append(str(MissingFigure("ranked", reason)))
    stale = (path for path in images if path not in {*files, *ranked_lists})
    return FigureFiles(tuple(files), tuple(missing), tuple(stale))


def _save(chart: Chart, folder: Path) -> tuple[list[Path], str]:
    """Draw a figure; return its files, and what is wrong with it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            drawn = save_chart(chart, folder)
        except UnwritableFileError:
            raise
        except Exception as error:  # of a library, about data that it does not expect
            return [], _describe(error)
    texts = [str(one.message) for one in caught]
    has_boxes = any(text.startswith("Glyph") for text in texts)
    return drawn, "boxes are drawn for characters that its font lacks." if has_boxes else ""


def _without_errors(charts: Charts, missing: list[str]) -> Iterator[Chart | MissingFigure]:
    """Yield charts until preparing the next one fails; tables do not depend on figures."""
    try:
        yield from charts
    except Exception as error:
        missing.append(f"some figures: {_describe(error)}")


def _describe(error: Exception) -> str:
    return printable(f"it cannot be drawn ({type(error).__name__}: {error}).")


def _best_and_worst_student(frame: pd.DataFrame) -> tuple[str, str] | None:
    """Return the digests of the students with the highest and lowest mAP of one group and seed."""
    for dataset in sorted(set(frame["dataset"])):
        for group in comparison_groups(frame, dataset):
            students = group.students[group.students["status"] == "done"]
            for _, same_seed in students.groupby("seed"):
                keys = same_seed.sort_values("mAP", ascending=False)["key"]
                if len(keys) > 1:
                    return keys.iloc[0].rpartition("-")[2], keys.iloc[-1].rpartition("-")[2]
    return None
