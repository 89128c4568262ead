"""Footnotes about the methods in a table: weights, sizes of images, and what is not the paper's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from results.tables.cells import Cell

DEFAULT_WEIGHTS = (
    "No method's weight was tuned here: all have their defaults, made for other networks, data and "
    "batches. kdreid options lists whose they are."
)
SOME_DEFAULT_WEIGHTS = (
    "{labels}: default weights, which were not tuned here but made for other networks, data and "
    "batches. kdreid options lists whose they are."
)
VRKD_BY_ONE = (
    "{label}: logit distillation{temperature} by the same single teacher; the VRKD paper's teacher "
    "is an ensemble of four."
)


def method_notes(runs: pd.DataFrame, rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    """Yield footnotes about the methods of the finished runs in a table.

    Args:
        runs: Rows of `collect_runs` in which the table's runs are.
        rows: The table's rows.
    """
    shown = {key for row in rows for cell in row for key in cell.runs}
    is_distilled = runs["key"].isin(shown) & runs["teachers"].map(len).gt(0)
    distilled = runs[is_distilled & (runs["status"] == "done")]
    if distilled.empty:
        return
    by_one = distilled[distilled["method"].eq("vrkd") & distilled["teachers"].map(len).eq(1)]
    for label, of_label in by_one.groupby("label", sort=False):
        is_usual = not _gives(of_label, "temperature").any()
        yield VRKD_BY_ONE.format(label=label, temperature=" (T = 2)" if is_usual else "")
    is_given = _gives(distilled, "weight")
    if not is_given.any():
        yield DEFAULT_WEIGHTS
    elif not is_given.all():
        labels = dict.fromkeys(distilled.loc[~is_given, "label"])
        yield SOME_DEFAULT_WEIGHTS.format(labels=", ".join(labels))
    yield from dict.fromkeys(filter(None, distilled["teacher_images"]))


def _gives(runs: pd.DataFrame, option: str) -> pd.Series[bool]:
    """Return which runs were given an option of their method."""
    return runs["options"].str.contains(rf"(?:^|, ){option}=")
