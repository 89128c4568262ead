r"""Paired test of the difference in mAP between two methods, over the same seeds and queries.

Let d_sq be the difference in average precision on query q under seed s (S seeds, Q queries of G
identities), and w_q the weight of q in the mean (1/Q; with several draws see `per_query`). With
D_s = sum_q w_q d_sq, the difference in mAP is D = mean_s D_s. The model is

    d_sq = mu + a_s + b_q + e_sq

with the effect a_s of a seed on all queries, the effect b_q of a query under all seeds, and their
interaction e_sq. b and e may be correlated within an identity, because its images are similar. Then

    Var(D) = Var(a)/S + Var(sum_q w_q b_q) + Var(sum_q w_q e_sq)/S.

The estimate is the sum of two variances:

    seeds:    V_seed, see below; for two rows alone sum_s (D_s - D)^2 / (S - 1) / S
    queries:  G/(G - 1) sum_g (sum_{q in g} w_q (mean_s d_sq - D))^2

Every D_s contains the same sum over b, so the variance over seeds cannot include it: its
expectation is Var(a)/S + Var(sum w e)/S, and a test with this variance alone would hold for these
queries only. The expectation of the variance over queries, clustered by identity, is
Var(sum w b) + Var(sum w e)/S. The sum therefore counts a and b once and e twice: in expectation it
is never too small, and too large by Var(sum w e)/S.

Three seeds of two rows estimate the first variance with two degrees of freedom, and t with two
degrees tells nothing apart. It is therefore estimated from all rows of a table (`seed_noise`),
whose pooled variance has (M - 1)(S - 1) degrees, but never taken to be smaller than what the two
rows themselves show:

    V_seed = max(2 pooled, own_1 + own_2) / S.

The reference distribution is t with the degrees of Welch (1947) and Satterthwaite (1946) for a sum
of two estimates, (V_seed + V_query)^2 / (V_seed^2 / f_seed + V_query^2 / f_query), with
f_query = G - 1 and f_seed those of the pooled variance. Where f_seed is small the approximation is
too generous, as V_seed is smallest just where it seems to matter least: of equal rows, tables of
three rows and two seeds would call 7 to 11 % different, of two rows and three seeds 7 %. The
degrees are therefore at most 2 f_seed, which gives 1 to 5 % and costs next to no power; and with
one degree for the seeds, that is two rows and two seeds, the whole sum has one.

`kdreid bench tests` measures how often equal methods differ significantly, and how often different
ones do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from results.statistics.seed_noise import SeedNoise

LEVEL = 0.05  # of every test; intervals have 1 - LEVEL
ROUNDING = 1e-12  # smaller differences in mAP are rounding errors of sums
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Estimate of the difference in mAP between two methods, in fractions of 1."""

    mean: float
    seed_variance: float  # of the mean; 0 if seeds are not covered
    query_variance: float  # of the mean, clustered by identity
    degrees: float  # of freedom
    seeds: int

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        return math.sqrt(self.seed_variance + self.query_variance)

    @property
    def p(self) -> float:
        """Two-sided p value; 1 for equal means, 0 for a difference that never varies."""
        if abs(self.mean) < ROUNDING:
            return 1.0
        if self.error == 0:
            return 0.0
        return float(2 * special.stdtr(self.degrees, -abs(self.mean) / self.error))

    def minimum_significant_difference(self, level: float = LEVEL) -> float:
        """Return the smallest mean difference that is significant at `level`."""
        return t_quantile(self.degrees, level) * self.error

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Return the confidence interval of the true difference, at 1 - `level`."""
        reach = self.minimum_significant_difference(level)
        return self.mean - reach, self.mean + reach


def paired_test(
    ours: Vector,
    theirs: Vector,
    weights: Vector,
    *,
    run_variance: float = 0.0,
    seed_degrees: int = 0,
) -> PairedDifference:
    """Estimate the difference between two methods from S seeds and G identities.

    Args:
        ours: (S, G), the contribution of each identity to the mAP under each seed, as a fraction
            of 1: the sum of w_q AP_q over the identity's queries.
        theirs: (S, G), the same for the other method; rows are of the same seeds.
        weights: (G,), the sum of w_q over each identity's queries; their total is 1.
        run_variance: Variance between seeds of D_s, the difference of two single runs; see
            `difference_variance`. Without it the test covers these runs only, not other seeds.
        seed_degrees: Its degrees of freedom.

    Returns:
        The difference `ours` minus `theirs`.

    Raises:
        ValueError: The shapes differ, there is no seed, or there are fewer than two identities.
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
    differences = ours - theirs
    mean = float(differences.sum(axis=1).mean())
    # An identity whose queries all differ by the mean contributes w_g D, which is not a residual.
    residuals = differences.mean(axis=0) - weights * mean
    of_queries = float(residuals @ residuals) * identities / (identities - 1)
    of_seeds = run_variance / seeds if seed_degrees else 0.0
    return PairedDifference(
        mean=mean,
        seed_variance=of_seeds,
        query_variance=of_queries,
        degrees=_degrees(of_seeds, of_queries, seed_degrees, identities - 1),
        seeds=seeds,
    )


def mean_difference(differences: Sequence[PairedDifference]) -> PairedDifference:
    """Return the mean of differences on several datasets, whose runs are independent.

    It speaks of these datasets: variation between datasets is not covered. Its variance is the sum
    of theirs, divided by the square of their number.

    Args:
        differences: One for each dataset, at least one.
    """
    count = len(differences)
    parts = [(one.error**2, one.degrees) for one in differences]
    return PairedDifference(
        mean=sum(one.mean for one in differences) / count,
        seed_variance=sum(one.seed_variance for one in differences) / count**2,
        query_variance=sum(one.query_variance for one in differences) / count**2,
        degrees=welch_satterthwaite(parts),
        seeds=min(one.seeds for one in differences),
    )


def difference_variance(noise: SeedNoise, first: int, second: int) -> float:
    """Return the variance between seeds of the difference of two rows' runs.

    Args:
        noise: Noise of all rows of the table.
        first: Position of one row in the table.
        second: Position of the other.

    Returns:
        The larger of twice the pooled variance and the sum of both rows' own ones. A row of unknown
        noise counts with the pooled variance.
    """
    own = [noise.own[row] for row in (first, second)]
    of_rows = sum(noise.pooled if value is None else value for value in own)
    return max(2 * noise.pooled, of_rows)


def welch_satterthwaite(estimates: Sequence[tuple[float, float]]) -> float:
    """Return the degrees of freedom of a sum of independent estimates of variances.

    Args:
        estimates: Variance and degrees of freedom of each; infinite if all are 0.
    """
    share = sum(variance**2 / degrees for variance, degrees in estimates if variance > 0)
    return sum(variance for variance, _ in estimates) ** 2 / share if share else math.inf


def _degrees(of_seeds: float, of_queries: float, seed_degrees: int, query_degrees: int) -> float:
    """Return the degrees of freedom of the sum of both variances."""
    if not seed_degrees:
        return query_degrees
    if seed_degrees == 1:
        return 1
    approximate = welch_satterthwaite([(of_seeds, seed_degrees), (of_queries, query_degrees)])
    return min(approximate, 2 * seed_degrees)


def t_quantile(degrees: float, level: float = LEVEL) -> float:
    """Return the value that |t| exceeds with probability `level`."""
    return float(-special.stdtrit(degrees, level / 2))


def holm(p: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p values (1979), in the order given.

    Tests with an adjusted value of at most `level` are significant. Whatever the dependence between
    the tests, the probability of any false positive among them is at most `level`.
    """
    adjusted = [0.0] * len(p)
    largest = 0.0
    # Step-down: the k-th smallest of m values is multiplied by m - k + 1. The running maximum keeps
    # the order of the values, as a test is significant only if all smaller ones are.
    for place, index in enumerate(sorted(range(len(p)), key=lambda index: p[index])):
        largest = max(largest, min(1.0, (len(p) - place) * p[index]))
        adjusted[index] = largest
    return adjusted


def prediction_interval(
    values: Sequence[float], level: float = LEVEL
) -> tuple[float, float] | None:
    """Return the interval of one further run: mean ± t_{S-1} sd sqrt(1 + 1/S), at 1 - `level`.

    Args:
        values: Scores of S runs, in any unit; the interval has the same.
        level: Probability that a further run lies outside.

    Returns:
        Both ends, or None for fewer than two runs, which have no standard deviation.
    """
    count = len(values)
    if count < 2:
        return None
    array = np.asarray(values, dtype=np.float64)
    # 1 + 1/S: the further run varies around the true mean, and so does the mean of S runs.
    reach = t_quantile(count - 1, level) * float(array.std(ddof=1)) * math.sqrt(1 + 1 / count)
    mean = float(array.mean())
    return mean - reach, mean + reach
