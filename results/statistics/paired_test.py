r"""Is a difference between two methods real? Paired, over the same seeds and the same queries.

With d_sq the difference in average precision on query q under seed s (S seeds, Q queries of G
identities), w_q the weight of q in the mean (1/Q; with several draws see `per_query`), and
D_s = sum_q w_q d_sq, the difference in mAP is D = mean_s D_s. Let

    d_sq = mu + a_s + b_q + e_sq

where a_s is what a seed does to every query, b_q what a query does under every seed, e_sq the rest;
b and e may depend on each other within an identity, as its images look alike. Then

    Var(D) = Var(a)/S + Var(sum_q w_q b_q) + Var(sum_q w_q e_sq)/S.

It is estimated by the sum of two parts:

    seeds:    sum_s (D_s - D)^2 / (S - 1) / S
    queries:  G/(G - 1) sum_g (sum_{q in g} w_q (mean_s d_sq - D))^2

Every D_s holds the same sum of b, so b cannot be seen between seeds: the first part expects
Var(a)/S + Var(sum w e)/S, and without the second the test would hold for these queries only. The
second part expects Var(sum w b) + Var(sum w e)/S. So a and b are counted once, and e twice: the sum
is never too small in expectation, and too large by Var(sum w e)/S. The quantiles are those of t on
S - 1 degrees of freedom, as the seeds are the few; where the queries' part is the larger one, that
is too cautious again. With one seed only the queries' part is left, on G - 1 degrees of freedom,
and nothing is said of another seed.

`tests/results/statistics/test_false_positive_rate.py` counts how often equal methods are called
different.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

LEVEL = 0.05  # of every test and interval
ROUNDING = 1e-12  # differences in mAP below it are those of sums in floating point
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """What is known of the difference in mAP between two methods, in fractions of 1."""

    mean: float
    seed_variance: float  # of the mean; 0 with one seed
    query_variance: float  # of the mean
    degrees: int  # of freedom
    seeds: int

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        return math.sqrt(self.seed_variance + self.query_variance)

    @property
    def p(self) -> float:
        """Two-sided; 1 for two equal means, 0 if a difference never varies."""
        if abs(self.mean) < ROUNDING:
            return 1.0
        if self.error == 0:
            return 0.0
        return float(2 * special.stdtr(self.degrees, -abs(self.mean) / self.error))

    def minimum_significant_difference(self, level: float = LEVEL) -> float:
        """The smallest mean that is told from zero at `level`."""
        return t_quantile(self.degrees, level) * self.error

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Confidence interval of the true difference, at 1 - `level`."""
        reach = self.minimum_significant_difference(level)
        return self.mean - reach, self.mean + reach


def paired_test(ours: Vector, theirs: Vector, weights: Vector) -> PairedDifference:
    """Compare two methods: (S, G), (S, G), (G,) -> their difference.

    Row s of `ours` and `theirs` is of the same seed. Column g is the part of an identity in the
    mAP: the sum of w_q AP_q over its queries; `weights` the sum of w_q, which is 1 over all g.

    Raises:
        ValueError: the shapes differ, there is no seed, or there are fewer than two identities.
    """
    if ours.shape != theirs.shape or ours.shape[1:] != weights.shape:
        raise ValueError(
            f"the shapes must be (S, G), (S, G), (G,) but are {ours.shape}, {theirs.shape}, "
            f"{weights.shape}"
        )
    seeds, identities = ours.shape
    if seeds < 1 or identities < 2:
        raise ValueError(
            f"a comparison needs a seed and two identities, not {seeds} and {identities}"
        )
    parts = ours - theirs
    by_seed = parts.sum(axis=1)
    mean = float(by_seed.mean())
    centred = parts.mean(axis=0) - weights * mean
    return PairedDifference(
        mean=mean,
        seed_variance=float(by_seed.var(ddof=1)) / seeds if seeds > 1 else 0.0,
        query_variance=float(centred @ centred) * identities / (identities - 1),
        degrees=seeds - 1 if seeds > 1 else identities - 1,
        seeds=seeds,
    )


def t_quantile(degrees: int, level: float = LEVEL) -> float:
    """The value that |t| exceeds with probability `level`."""
    return float(-special.stdtrit(degrees, level / 2))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p values (1979), in the order given: at most `level` means told apart.

    The chance of one false alarm or more among all tests is at most the level, whatever the
    dependence between them.
    """
    adjusted = [0.0] * len(p)
    largest = 0.0
    for place, index in enumerate(sorted(range(len(p)), key=lambda index: p[index])):
        largest = max(largest, min(1.0, (len(p) - place) * p[index]))
        adjusted[index] = largest
    return adjusted


def prediction_interval(
    values: Sequence[float], level: float = LEVEL
) -> tuple[float, float] | None:
    """Where one further run is expected: mean ± t_{S-1} sd sqrt(1 + 1/S), at 1 - `level`.

    None for fewer than two runs: one run says nothing of how far the next may lie.
    """
    count = len(values)
    if count < 2:
        return None
    array = np.asarray(values, dtype=np.float64)
    reach = t_quantile(count - 1, level) * float(array.std(ddof=1)) * math.sqrt(1 + 1 / count)
    mean = float(array.mean())
    return mean - reach, mean + reach
