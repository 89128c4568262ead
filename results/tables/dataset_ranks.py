"""Gains and ranks of methods over datasets, for one pair of teacher and student networks.

A dataset counts with its largest comparison group of these networks, by the first evaluation. Rows
that were not compared are not ranked, so every mean is printed with its number of datasets.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from harness.runs.data_flags import DataFlag
from results.comparable import ComparisonGroup, comparison_groups
from results.configurations import DEFAULT_CHOICE, TableChoice, compared_rows
from results.lines import BASELINE, RowId, TableRow
from results.statistics.critical_difference import (
    CriticalDifference,
    critical_difference,
    rank_methods,
)
from results.statistics.paired_test import PairedDifference, holm, mean_difference
from results.statistics.pairwise import PairwiseTests
from results.tables.significance import group_tests
from results.tables.table import DATASET_NAMES

MIN_DATASETS_OF_DIAGRAM = 6  # with fewer, mean ranks tell next to nothing apart


@dataclass(frozen=True, eq=False)
class DatasetRanking:
    """Ranks on one dataset, and the tests between its rows."""

    group: ComparisonGroup
    rows: dict[RowId, TableRow]  # that have runs
    tests: PairwiseTests

    @property
    def reference(self) -> TableRow | None:
        """The row that gains are measured from."""
        return self.rows.get(self.tests.reference) if self.tests.reference else None

    @property
    def name(self) -> str:
        """Name of the dataset as its authors write it."""
        return DATASET_NAMES.get(self.group.dataset, self.group.dataset)

    @cached_property
    def scores(self) -> dict[RowId, float]:
        """By ranked method the mean mAP over its seeds, as a fraction of 1."""
        return {
            row_id: one.mean
            for row_id, one in self.tests.scores.items()
            if row_id[0] != BASELINE[0]
        }

    @cached_property
    def ranks(self) -> dict[RowId, float]:
        """Rank of every such method by its mean over seeds; 1 is best."""
        ranks = rank_methods(np.array([*self.scores.values()]))
        return dict(zip(self.scores, map(float, ranks), strict=True))


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
        means = [[ranking.scores[row_id] for row_id in self.common] for ranking in self.rankings]
        return critical_difference(np.array(means))

    @cached_property
    def mean_gains(self) -> dict[RowId, tuple[PairedDifference, float]]:
        """By row the mean gain over the datasets on which it was tested, and its p value.

        Holm's method corrects the p values over the rows.
        """
        by_row: dict[RowId, list[PairedDifference]] = {}
        for one in self.rankings:
            for row_id in one.tests.against:
                gain = one.tests.gain(row_id)
                by_row.setdefault(row_id, []).extend([gain] if gain else [])
        means = {row_id: mean_difference(gains) for row_id, gains in by_row.items() if gains}
        adjusted = holm([mean.p for mean in means.values()])
        return {row_id: (means[row_id], p) for row_id, p in zip(means, adjusted, strict=True)}


def rank_across_datasets(
    frame: pd.DataFrame, choice: TableChoice = DEFAULT_CHOICE
) -> list[CrossDatasetRanking]:
    """Return a ranking for each pair of networks that has ranks on at least two datasets.

    Generated and real data are never combined.

    Args:
        frame: All rows of `collect_runs`.
        choice: What is compared.
    """
    by_networks: dict[tuple[str, str, bool], list[DatasetRanking]] = {}
    for dataset in sorted(set(frame["dataset"])):
        counted = set()
        for group in comparison_groups(frame, dataset):  # the largest first
            is_generated = DataFlag.GENERATED in group.data_flags
            networks = (group.teacher, group.network, is_generated)
            if group.teachers and networks not in counted:
                counted.add(networks)
                by_networks.setdefault(networks, []).append(rank_dataset(group, choice))
    rankings = [
        _combine(teacher, network, of_networks)
        for (teacher, network, _), of_networks in by_networks.items()
    ]
    return [ranking for ranking in rankings if len(ranking.rankings) > 1]


def rank_dataset(group: ComparisonGroup, choice: TableChoice = DEFAULT_CHOICE) -> DatasetRanking:
    """Return the compared rows of a group with their tests by mAP of the first evaluation."""
    rows = compared_rows(group, choice)
    (tests, *_) = group_tests(group, rows, choice)  # of mAP, in the first evaluation
    return DatasetRanking(group, {row.row_id: row for row in rows if len(row.runs)}, tests)


def _combine(teacher: str, network: str, rankings: list[DatasetRanking]) -> CrossDatasetRanking:
    ranked = tuple(ranking for ranking in rankings if len(ranking.scores) > 1)
    excluded = tuple(ranking.name for ranking in rankings if len(ranking.scores) < 2)
    return CrossDatasetRanking(teacher, network, ranked, excluded)
