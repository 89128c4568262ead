"""Warnings about a run's distillation that its record keeps, whatever its method is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from methods import Method
from methods.preparation import PreparationReport, ReportsPreparation

COLLAPSED = 1e-4  # share of the first term below which a method has no effect any more
LAST_ROWS = 10  # of the curve: about one epoch
TERM = "distillation"  # column of the curve


def preparation_report(method: Method | None) -> PreparationReport:
    """Return what a method says about its `prepare`; an empty report if it says nothing."""
    return method.preparation_report() if isinstance(method, ReportsPreparation) else _NOTHING


def distillation_terms(curve: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the weighted distillation loss at the start and at the end of a training.

    Args:
        curve: The run's recorded rows.

    Returns:
        `first`, the value of the first row, and `last`, the mean magnitude in the last rows: a
        single one may be small because the loss changes its sign. Empty without distillation.
    """
    terms = [row[TERM] for row in curve if TERM in row]
    if not terms:
        return {}
    return {"first": terms[0], "last": fmean(map(abs, terms[-LAST_ROWS:]))}


def run_warnings(method: Method | None, curve: Sequence[Mapping[str, float]]) -> list[str]:
    """Return the sentences that readers of a run's scores have to know.

    Args:
        method: The run's method; None without a teacher.
        curve: The run's recorded rows.
    """
    warnings = [*preparation_report(method).warnings]
    terms = distillation_terms(curve)
    if terms and terms["last"] < COLLAPSED * abs(terms["first"]):
        warnings.append(
            f"The distillation term fell from {terms['first']:.3g} to {terms['last']:.3g}, below "
            f"{COLLAPSED:g} of its start: at the end the student was trained without it."
        )
    return warnings


_NOTHING = PreparationReport()
