"""Gains of every method in points of mAP, as the forest plot and the heat map show them.

Gains, intervals and stars are those of the tables, and so is the order, which is the leaderboard's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from results.lines import RowId
from results.statistics.paired_test import LEVEL, PairedDifference
from results.statistics.pairwise import compare_with
from results.tables.cells import mean_gain_cell
from results.tables.dataset_ranks import CrossDatasetRanking, DatasetRanking
from results.tables.summary import leaderboard_order

MEAN = "mean"  # in place of a dataset's name
COLUMNS = ["dataset", "method", "gain", "low", "high", "p_holm", "significant", "seeds", "datasets"]
ONE_SEED = (
    "One seed: no interval, and nothing is tested, because another seed may order the methods "
    "otherwise."
)


def reference_label(ranking: CrossDatasetRanking) -> str:
    """Return the label of the row that gains are measured from."""
    return next(one.reference.label for one in ranking.rankings if one.reference is not None)


def gain_data(ranking: CrossDatasetRanking) -> pd.DataFrame:
    """Return the gains of every method in points of mAP, in the order of the leaderboard.

    With several datasets the mean over them precedes them. `low` and `high` are missing where a
    gain has no interval, as with one seed, and `p_holm` where it was not tested.

    Args:
        ranking: One dataset or several, for one pair of networks.
    """
    rows = []
    for row_id in leaderboard_order(ranking):
        of_row = [mark for one in ranking.rankings if (mark := _mark_on(one, row_id))]
        if of_row and len(ranking.rankings) > 1:
            rows.append(_mean_mark(ranking, row_id, of_row))
        rows += of_row
    return pd.DataFrame(rows, columns=COLUMNS)


def _mark_on(one: DatasetRanking, row_id: RowId) -> dict[str, Any] | None:
    """Return a method's gain on one dataset; None for the reference and without a gain."""
    row, reference = one.rows.get(row_id), one.reference
    if row is None or reference is None or row_id == reference.row_id:
        return None
    gain = mean_gain_cell(row, reference).value
    if gain is None:
        return None
    difference = one.tests.gain(row_id) or compare_with(one.tests, row, reference.row_id)
    common = {*row.done["seed"]} & {*reference.done["seed"]}
    return {
        "dataset": one.name,
        "method": row.label,
        "gain": gain,
        **_tested(difference, one.tests.against.get(row_id)),
        "seeds": len(common),
        "datasets": 1,
    }


def _mean_mark(
    ranking: CrossDatasetRanking, row_id: RowId, of_row: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Return a method's mean gain over the datasets that have one."""
    difference, p = ranking.mean_gains.get(row_id, (None, None))
    return {
        "dataset": MEAN,
        "method": row_id[1],
        "gain": sum(mark["gain"] for mark in of_row) / len(of_row),
        **_tested(difference, p),
        "seeds": min(mark["seeds"] for mark in of_row),
        "datasets": len(of_row),
    }


def _tested(difference: PairedDifference | None, p: float | None) -> dict[str, Any]:
    """Return what a test adds to a gain, the gain of the tested seeds among it."""
    if difference is None:
        return {"low": math.nan, "high": math.nan, "p_holm": math.nan, "significant": False}
    low, high = difference.interval()
    return {
        "gain": 100 * difference.mean,
        "low": 100 * low,
        "high": 100 * high,
        "p_holm": math.nan if p is None else p,
        "significant": p is not None and p <= LEVEL,
    }
