"""Simulation of a table's tests: how often equal rows differ significantly, and unequal ones.

A table has M rows, S seeds and G identities. A run's mAP is the mean of its row, the noise of its
seed, and the noise of the queries, which a row has under every seed. The first row is the reference
(the plain student). Each simulated table is tested by three procedures, all corrected by Holm's
method over all pairs:

    pooled   `results.statistics`: seed noise from all rows, never below the two rows' own
    own      the two rows' own seed noise with S - 1 degrees of freedom, as in version 0.2.0; over
             queries only with one seed
    welch    Welch's t test on the runs' mAP, as papers do it; needs two seeds
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from results.statistics.paired_test import (
    LEVEL,
    difference_variance,
    holm,
    paired_test,
)
from results.statistics.seed_noise import SeedNoise, estimate_seed_noise

IDENTITIES = 300
QUERY_ERROR = 0.25  # standard error over queries of a difference of two rows, in points of mAP
PROCEDURES = ("pooled", "own", "welch")
# Standard deviations of rows between seeds in points of mAP, by the number of rows.
SEED_NOISE: dict[str, Callable[[int], tuple[float, ...]]] = {
    "0.45 of all": lambda rows: (0.45,) * rows,
    "0.2 to 0.8": lambda rows: tuple(np.linspace(0.2, 0.8, rows)),
    "half 0.2, half 1": lambda rows: (0.2,) * (rows - rows // 2) + (1.0,) * (rows // 2),
    "0.3, of one 1.5": lambda rows: (0.3,) * (rows - 1) + (1.5,),
}
USUAL_NOISE = "0.45 of all"
WEIGHTS = np.full(IDENTITIES, 1 / IDENTITIES)
Parts = NDArray[np.float64]  # (M, S, G), contributions of identities to the mAP of runs
Pairs = Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class SimulatedTable:
    """What is simulated.

    Attributes:
        seeds: Number of seeds, S.
        seed_sd: Standard deviation between seeds of each row, (M,), in points of mAP.
        gain: How far all rows but the first are above it, in points of mAP.
    """

    seeds: int
    seed_sd: tuple[float, ...]
    gain: float = 0.0

    def draw(self, random: np.random.Generator) -> Parts:
        """Draw one table."""
        rows, seeds = len(self.seed_sd), self.seeds
        means = 50 + np.r_[0.0, np.full(rows - 1, self.gain)][:, None, None]
        of_seeds = random.normal(size=(rows, seeds, 1)) * np.array(self.seed_sd)[:, None, None]
        per_identity = QUERY_ERROR / np.sqrt(2) * np.sqrt(IDENTITIES)
        of_queries = random.normal(0, per_identity, (rows, 1, IDENTITIES))
        return np.asarray((means + of_seeds + of_queries) / IDENTITIES / 100)


@dataclass(frozen=True, slots=True)
class Rates:
    """How often tests found something, as fractions of 1.

    Attributes:
        tables: By procedure, the share of tables with any significant pair.
        pairs: By procedure, the share of pairs with the first row that are significant.
        against: The same share in the family of tests against the first row, by `pooled`.
        against_tables: Share of tables with any significant row in that family.
    """

    tables: dict[str, float]
    pairs: dict[str, float]
    against: float
    against_tables: float


def simulate(
    table: SimulatedTable,
    repeats: int,
    seed: int = 0,
    procedures: Sequence[str] = PROCEDURES,
) -> Rates:
    """Draw tables and count significant results.

    Args:
        table: What is drawn.
        repeats: Number of tables.
        seed: Of the random numbers.
        procedures: Those of `PROCEDURES` that are tried, `pooled` always among them.
    """
    random = np.random.default_rng(seed)
    rows = len(table.seed_sd)
    pairs = list(combinations(range(rows), 2))
    found = {name: np.zeros((repeats, len(pairs)), dtype=bool) for name in procedures}
    against = np.zeros((repeats, rows - 1), dtype=bool)
    for number in range(repeats):
        parts = table.draw(random)
        p_values = {name: list(P_VALUES[name](parts, pairs)) for name in procedures}
        for name, p in p_values.items():
            found[name][number] = np.array(holm(p)) <= LEVEL
        of_first = [p for p, (one, _) in zip(p_values["pooled"], pairs, strict=True) if one == 0]
        against[number] = np.array(holm(of_first)) <= LEVEL
    with_first = np.array([one == 0 for one, _ in pairs])
    return Rates(
        tables={name: float(hits.any(axis=1).mean()) for name, hits in found.items()},
        pairs={name: float(hits[:, with_first].mean()) for name, hits in found.items()},
        against=float(against.mean()),
        against_tables=float(against.any(axis=1).mean()),
    )


def _pooled(parts: Parts, pairs: Pairs) -> Iterator[float]:
    """Yield the p values of a report's tables; 1 with one seed, which claims nothing."""
    if parts.shape[1] < 2:
        yield from (1.0 for _ in pairs)
        return
    noise = _noise(parts)
    for one, other in pairs:
        yield paired_test(
            parts[one],
            parts[other],
            WEIGHTS,
            run_variance=difference_variance(noise, one, other),
            seed_degrees=noise.degrees,
        ).p


def _own(parts: Parts, pairs: Pairs) -> Iterator[float]:
    """Yield the p values of version 0.2.0."""
    seeds = parts.shape[1]
    for one, other in pairs:
        by_seed = (parts[one] - parts[other]).sum(axis=1)
        variance = float(by_seed.var(ddof=1)) if seeds > 1 else 0.0
        tested = paired_test(
            parts[one], parts[other], WEIGHTS, run_variance=variance, seed_degrees=seeds - 1
        )
        yield replace(tested, degrees=seeds - 1 if seeds > 1 else IDENTITIES - 1).p


def _welch(parts: Parts, pairs: Pairs) -> Iterator[float]:
    """Yield the p values of Welch's test of both rows' mAP; 1 with one seed."""
    scores = parts.sum(axis=2)
    if scores.shape[1] < 2:
        yield from (1.0 for _ in pairs)
        return
    first, second = (scores[[pair[side] for pair in pairs]] for side in (0, 1))
    yield from map(float, stats.ttest_ind(first, second, axis=1, equal_var=False).pvalue)


def _noise(parts: Parts) -> SeedNoise:
    scores = parts.sum(axis=2)
    return estimate_seed_noise(
        {m: dict(enumerate(map(float, row))) for m, row in enumerate(scores)}
    )


P_VALUES: dict[str, Callable[[Parts, Pairs], Iterator[float]]] = {
    "pooled": _pooled,
    "own": _own,
    "welch": _welch,
}
