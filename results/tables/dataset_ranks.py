"""Ranks of methods over datasets, for one pair of teacher and student networks.

A dataset counts with its largest comparison group of these networks, by the first evaluation. Only
complete rows are ranked, so every mean rank is printed with its number of datasets.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from harness.runs.data_flags import DataFlag
from results.comparable import ComparisonGroup, comparison_groups
from results.lines import BASELINE, RowId, TableRow
from results.statistics.critical_difference import (
    CriticalDifference,
    critical_difference,
    rank_methods,
)
from results.statistics.pairwise import PairwiseTests, pairwise_tests
from results.tables.table import DATASET_NAMES, rows_by_method


@dataclass(frozen=True, eq=False)
class DatasetRanking:
    """Ranks on one dataset, and the tests between its rows."""

    group: ComparisonGroup
    rows: dict[RowId, TableRow]  # that have runs
    tests: PairwiseTests

    @property
    def name(self) -> str:
        """Name of the dataset as its authors write it."""
        return DATASET_NAMES.get(self.group.dataset, self.group.dataset)

    @cached_property
    def scores(self) -> dict[RowId, NDArray[np.float64]]:
        """By ranked method the mAP of every seed, (S,), as fractions of 1."""
        column = self.group.score_columns[0]
        return {
            row_id: row.done.drop_duplicates("seed")
            .set_index("seed")
            .loc[list(self.tests.seeds), column]
            .to_numpy(np.float64)
            for row_id, row in self.rows.items()
            if row_id in self.tests.compared and row.method != BASELINE[0]
        }

    @cached_property
    def ranks(self) -> dict[RowId, float]:
        """Rank of every such method by its mean over seeds; 1 is best."""
        means = np.array([values.mean() for values in self.scores.values()])
        return dict(zip(self.scores, map(float, rank_methods(means)), strict=True))

    @cached_property
    def ranks_by_seed(self) -> dict[RowId, NDArray[np.float64]]:
        """Ranks of every such method among the runs of each seed, (S,)."""
        by_seed = rank_methods(np.stack(list(self.scores.values()), axis=1))  # (S, methods)
        return dict(zip(self.scores, by_seed.T, strict=True))


@dataclass(frozen=True, eq=False)
class CrossDatasetRanking:
    """Ranks on all datasets for one pair of networks."""

    teacher: str
    network: str
    rankings: tuple[DatasetRanking, ...]  # datasets with at least two ranked methods
    excluded: tuple[str, ...]  # names of datasets with fewer

    @cached_property
    def common(self) -> tuple[RowId, ...]:
        """Methods that are ranked on every dataset, in the table's order."""
        scores = [ranking.scores for ranking in self.rankings]
        return tuple(row_id for row_id in scores[0] if all(row_id in one for one in scores))

    @cached_property
    def diagram(self) -> CriticalDifference | None:
        """Comparison of the mean ranks of `common`; None for fewer than two methods."""
        if len(self.common) < 2:
            return None
        means = [
            [ranking.scores[row_id].mean() for row_id in self.common] for ranking in self.rankings
        ]
        return critical_difference(np.array(means))


def rank_across_datasets(frame: pd.DataFrame) -> list[CrossDatasetRanking]:
    """Return a ranking for each pair of networks that has ranks on at least two datasets.

    Generated and real data are never combined.

    Args:
        frame: All rows of `collect_runs`.
    """
    by_networks: dict[tuple[str, str, bool], list[DatasetRanking]] = {}
    for dataset in sorted(set(frame["dataset"])):
        counted = set()
        for group in comparison_groups(frame, dataset):  # the largest first
            is_generated = DataFlag.GENERATED in group.data_flags
            networks = (group.teacher, group.network, is_generated)
            if group.teachers and networks not in counted:
                counted.add(networks)
                by_networks.setdefault(networks, []).append(_rank_dataset(group))
    rankings = [
        _combine(teacher, network, of_networks)
        for (teacher, network, _), of_networks in by_networks.items()
    ]
    return [ranking for ranking in rankings if len(ranking.rankings) > 1]


def _rank_dataset(group: ComparisonGroup) -> DatasetRanking:
    rows = [row for of_method in rows_by_method(group).values() for row in of_method]
    tests = pairwise_tests(group, rows, group.evaluations[0])
    return DatasetRanking(group, {row.row_id: row for row in rows if len(row.runs)}, tests)


def _combine(teacher: str, network: str, rankings: list[DatasetRanking]) -> CrossDatasetRanking:
    ranked = tuple(ranking for ranking in rankings if len(ranking.scores) > 1)
    excluded = tuple(ranking.name for ranking in rankings if len(ranking.scores) < 2)
    return CrossDatasetRanking(teacher, network, ranked, excluded)
