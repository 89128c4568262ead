"""Mean ranks over datasets, Friedman's test and Nemenyi's critical difference.

As in Demsar 2006, "Statistical comparisons of classifiers over multiple data sets": with k methods
on N datasets, two mean ranks differ if they lie q / sqrt(2) * sqrt(k (k + 1) / (6 N)) apart, with q
the quantile of the studentised range of k means on infinitely many degrees of freedom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from results.statistics.paired_test import LEVEL

MIN_DATASETS = 10  # datasets, for Friedman's approximation (Demsar 2006, Section 3.2.2)


@dataclass(frozen=True, slots=True)
class CriticalDifference:
    """What a critical-difference diagram shows."""

    datasets: int
    mean_ranks: tuple[float, ...]  # of every method; 1 is best
    statistic: float  # Friedman's, with ties; NaN for two methods or if all are equal everywhere
    p: float  # that all methods are alike; NaN with the statistic
    difference: float  # of mean ranks that are told apart
    warning: str  # empty with enough datasets


def critical_difference(scores: NDArray[np.float64], level: float = LEVEL) -> CriticalDifference:
    """Compare k methods on N datasets, higher scores being better: (N, k) -> the diagram's numbers.

    Raises:
        ValueError: there are fewer than two methods or no dataset.
    """
    if scores.ndim != 2 or scores.shape[0] < 1 or scores.shape[1] < 2:
        raise ValueError(f"mean ranks need datasets x methods, two at least, not {scores.shape}")
    datasets, methods = scores.shape
    by_dataset = rank_methods(scores)
    statistic = p = math.nan
    if methods > 2 and datasets > 1 and np.ptp(by_dataset) > 0:
        statistic, p = map(float, stats.friedmanchisquare(*scores.T))
    spread = float(stats.studentized_range.ppf(1 - level, methods, np.inf))
    return CriticalDifference(
        datasets=datasets,
        mean_ranks=tuple(map(float, by_dataset.mean(axis=0))),
        statistic=statistic,
        p=p,
        difference=spread / math.sqrt(2) * math.sqrt(methods * (methods + 1) / (6 * datasets)),
        warning=_warning(datasets, level),
    )


def rank_methods(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1, the highest score, within each row; equal scores share the mean of theirs."""
    return np.asarray(stats.rankdata(-scores, axis=-1), dtype=np.float64)


def _warning(datasets: int, level: float) -> str:
    if datasets >= MIN_DATASETS:
        return ""
    return (
        f"{datasets} dataset{'s are' if datasets > 1 else ' is'} few: with fewer than {MIN_DATASETS} the "
        f"tests of Friedman and Nemenyi are rough at {100 * level:.0f} % and see large differences "
        "only; that ranks are not told apart does not make methods alike."
    )
