"""Mean ranks over datasets, Friedman's test and Nemenyi's critical difference.

As in Demsar 2006, "Statistical comparisons of classifiers over multiple data sets": with k methods
on N datasets, two mean ranks differ significantly if they are at least
q / sqrt(2) * sqrt(k (k + 1) / (6 N)) apart, with q the quantile of the studentised range of k means
with infinitely many degrees of freedom.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from results.statistics.paired_test import LEVEL

MIN_DATASETS = 10  # for the approximation in Friedman's test (Demsar 2006, Section 3.2.2)


@dataclass(frozen=True, slots=True)
class CriticalDifference:
    """Numbers of a critical-difference diagram."""

    datasets: int
    mean_ranks: tuple[float, ...]  # of every method; 1 is best
    statistic: float  # Friedman's, corrected for ties; NaN for two methods or only ties
    p: float  # of the hypothesis that all methods are equal; NaN with the statistic
    difference: float  # smallest significant difference of mean ranks
    warning: str  # empty with at least `MIN_DATASETS`


def critical_difference(scores: NDArray[np.float64], level: float = LEVEL) -> CriticalDifference:
    """Compare k methods on N datasets.

    Args:
        scores: (N, k), higher is better; only their order within a dataset matters.
        level: Significance level of Nemenyi's test.

    Raises:
        ValueError: There are fewer than two methods or no dataset.
    """
    if scores.ndim != 2 or scores.shape[0] < 1 or scores.shape[1] < 2:
        raise ValueError(
            "mean ranks need scores of shape (datasets, methods) with at least one dataset and two "
            f"methods, not {scores.shape}"
        )
    datasets, methods = scores.shape
    ranks = rank_methods(scores)
    statistic = p = math.nan
    if methods > 2 and datasets > 1 and np.ptp(ranks) > 0:  # Friedman's test is defined
        statistic, p = map(float, stats.friedmanchisquare(*scores.T))
    quantile = float(stats.studentized_range.ppf(1 - level, methods, np.inf))
    return CriticalDifference(
        datasets=datasets,
        mean_ranks=tuple(map(float, ranks.mean(axis=0))),
        statistic=statistic,
        p=p,
        difference=quantile / math.sqrt(2) * math.sqrt(methods * (methods + 1) / (6 * datasets)),
        warning=_few_datasets_warning(datasets, level),
    )


def rank_methods(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks along the last axis, 1 for the highest score; equal scores share their mean."""
    return np.asarray(stats.rankdata(-scores, axis=-1), dtype=np.float64)


def _few_datasets_warning(datasets: int, level: float) -> str:
    if datasets >= MIN_DATASETS:
        return ""
    return (
        f"{datasets} dataset{'s are' if datasets > 1 else ' is'} few: with fewer than "
        f"{MIN_DATASETS} the Friedman and Nemenyi tests are approximate at {100 * level:.0f} % and "
        "detect large differences only. Ranks that do not differ significantly do not show that "
        "methods are equal."
    )
