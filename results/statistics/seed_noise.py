r"""Noise of training seeds, estimated from all rows of a table together.

Let X_ms be the score of row m under seed s. The model is

    X_ms = mu_m + b_s + e_ms,    Var(e_ms) = sigma_m^2

with the mean mu_m of a row, the effect b_s that a seed has on all rows, and what is left. Effects
of seeds cancel in differences of rows under the same seed; what is left does not. Let R_ms be the
residuals of the least-squares fit. With M rows that all have the same S seeds,

    R_ms     = X_ms - row mean - column mean + grand mean
    pooled   = sum_ms R_ms^2 / ((M - 1)(S - 1))
    own_m    = sum_s R_ms^2 / (S - 1) * M / (M - 1)

and, where rows lack seeds, the denominators are what the squared residuals of noise of variance 1
have in expectation: with the hat matrix H of the fit, the residual degrees of freedom, and the sum
of 1 - H_ii over the row's runs. Both estimates are then unbiased if all rows are equally noisy.

A single row's variance over three seeds has few degrees of freedom. The pooled one has many, but is
too small for rows that are noisier than most. `paired_test` takes the larger of the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Row = TypeVar("Row")
RANK_TOLERANCE = 1e-9  # of singular values; a smaller share of a run's variance is none


@dataclass(frozen=True, slots=True)
class SeedNoise:
    """Variance between seeds that does not cancel in a difference of rows under one seed.

    Attributes:
        pooled: Variance of a run, from all rows; 0 without degrees of freedom.
        degrees: Degrees of freedom of `pooled`.
        own: Variance of a run by row, from its own runs, in the order of the rows; None for a row
            whose runs tell nothing of it.
    """

    pooled: float
    degrees: int
    own: tuple[float | None, ...]


def estimate_seed_noise(scores: Mapping[Row, Mapping[int, float]]) -> SeedNoise:
    """Estimate the noise of seeds from the scores of all rows.

    Args:
        scores: By row, the score of its run with each seed, in any unit; the variances have its
            square.
    """
    rows = list(scores.values())
    cells = [(m, seed, value) for m, row in enumerate(rows) for seed, value in row.items()]
    if not cells:
        return SeedNoise(0.0, 0, (None,) * len(rows))
    row_of = np.array([m for m, _, _ in cells])
    seeds = sorted({seed for _, seed, _ in cells})
    seed_of = np.array([seeds.index(seed) for _, seed, _ in cells])
    design = np.hstack([np.eye(len(rows))[row_of], np.eye(len(seeds))[seed_of]])
    left, sizes, _ = np.linalg.svd(design, full_matrices=False)
    basis = left[:, sizes > RANK_TOLERANCE * sizes.max()]
    values = np.array([value for _, _, value in cells])
    values = values - values.mean()  # the fit has an intercept; this keeps the digits
    residuals = values - basis @ (basis.T @ values)
    free = 1 - (basis**2).sum(axis=1)  # 1 - H_ii
    degrees = len(cells) - basis.shape[1]
    squares = residuals**2
    own: list[float | None] = []
    for m in range(len(rows)):
        share = float(free[row_of == m].sum())
        is_estimable = share > RANK_TOLERANCE
        own.append(float(squares[row_of == m].sum()) / share if is_estimable else None)
    return SeedNoise(float(squares.sum()) / degrees if degrees else 0.0, degrees, tuple(own))
