"""The same two networks on several datasets: who ranks where, seed by seed.

A dataset counts with its largest setting of the same teacher and student networks, in its first
evaluation. A method is ranked there among the complete rows only, so every mean rank is given with
the number of its datasets.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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
    """One dataset: its lines that have runs, and the tests among them."""

    setting: ComparisonGroup
    lines: dict[RowId, TableRow]
    tested: PairwiseTests

    @property
    def name(self) -> str:
        """The dataset as its authors write it."""
        return DATASET_NAMES.get(self.setting.dataset, self.setting.dataset)

    @cached_property
    def scores(self) -> dict[RowId, NDArray[np.float64]]:
        """Seed by seed, (S,), the mAP of the methods that are complete and compared."""
        first = self.setting.scored[0]
        return {
            place: line.done.drop_duplicates("seed")
            .set_index("seed")
            .loc[list(self.tested.seeds), first]
            .to_numpy(np.float64)
            for place, line in self.lines.items()
            if place in self.tested.places and line.method != BASELINE[0]
        }

    @cached_property
    def ranks(self) -> dict[RowId, float]:
        """Rank of every such method by its mean, 1 the best."""
        means = np.array([values.mean() for values in self.scores.values()])
        return dict(zip(self.scores, map(float, rank_methods(means)), strict=True))

    @cached_property
    def ranks_by_seed(self) -> dict[RowId, NDArray[np.float64]]:
        """Ranks (S,) of every such method among the runs of each seed."""
        found = rank_methods(np.stack(list(self.scores.values()), axis=1))
        return dict(zip(self.scores, found.T, strict=True))


@dataclass(frozen=True, eq=False)
class CrossDatasetRanking:
    """The datasets on which students of one network learnt from teachers of one network."""

    teacher: str
    network: str
    contests: tuple[DatasetRanking, ...]  # those with two ranked methods at least
    left_out: tuple[str, ...]  # names of datasets with fewer

    @cached_property
    def common(self) -> tuple[RowId, ...]:
        """The methods that are ranked on every dataset, in the table's order."""
        ranked = [contest.scores for contest in self.contests]
        return tuple(place for place in ranked[0] if all(place in scores for scores in ranked))

    @cached_property
    def diagram(self) -> CriticalDifference | None:
        """Mean ranks of `common`; None for fewer than two methods."""
        if len(self.common) < 2:
            return None
        means = [
            [contest.scores[place].mean() for place in self.common] for contest in self.contests
        ]
        return critical_difference(np.array(means))


def rank_across_datasets(frame: pd.DataFrame) -> list[CrossDatasetRanking]:
    """Every pair of networks that has at least two datasets with ranks; `frame` is of `gather`.

    Generated and real data are never put together.
    """
    found: dict[tuple[str, str, bool], list[DatasetRanking]] = {}
    for dataset in sorted(set(frame["dataset"])):
        seen = set()
        for setting in comparison_groups(frame, dataset):
            key = (setting.teacher, setting.network, "generated" in setting.data_flags)
            if setting.teachers and key not in seen:
                seen.add(key)
                found.setdefault(key, []).append(_dataset_ranking(setting))
    pairs = [_rank_pair(*key[:2], contests) for key, contests in found.items()]
    return [pair for pair in pairs if len(pair.contests) > 1]


def _dataset_ranking(setting: ComparisonGroup) -> DatasetRanking:
    lines = [line for of_method in rows_by_method(setting).values() for line in of_method]
    tested = pairwise_tests(setting, lines, setting.tests[0])
    return DatasetRanking(setting, {line.place: line for line in lines if len(line.runs)}, tested)


def _rank_pair(teacher: str, network: str, contests: list[DatasetRanking]) -> CrossDatasetRanking:
    able = tuple(contest for contest in contests if len(contest.scores) > 1)
    out = tuple(contest.name for contest in contests if len(contest.scores) < 2)
    return CrossDatasetRanking(teacher, network, able, out)
