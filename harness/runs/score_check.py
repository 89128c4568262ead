"""Compare the scores in a record with those that its queries have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.core.name_lists import name_some
from harness.runs.layout import PER_QUERY
from harness.runs.per_query import CMC_RANKS, load_scores

TOLERANCE = 1e-9  # of a score as fraction: sums in another order differ by a thousandth of that
MAX_NAMED = 3  # differences in a message


def check_scores(folder: Path, evaluations: Mapping[str, Any]) -> None:
    """Check that every score in a record is the one that the run's queries have.

    Args:
        folder: The run's folder.
        evaluations: Scores of every draw by evaluation, as the record has them.

    Raises:
        ValueError: The scores differ, or the queries cannot be read; the message is a clause
            that names each score with its two values in percent.
        KeyError, TypeError, AttributeError: The evaluations do not have the form of a record's.
    """
    differences = list(_differences(evaluations, load_scores(folder / PER_QUERY)))
    if differences:
        named = name_some(differences, MAX_NAMED)
        raise ValueError(f"its scores are not those of its {PER_QUERY}: {named}")


def _differences(
    evaluations: Mapping[str, Any], scored: Mapping[str, list[dict[str, float]]]
) -> Iterator[str]:
    """Yield what differs: "R1 90.0000 in the record, 50.0000 recomputed"."""
    for name, draws in evaluations.items():
        own = scored.get(name, [])
        if len(draws) != len(own):
            yield f"{name} has {len(draws)} draws in the record, {len(own)} in the file"
            continue
        for number, (draw, scores) in enumerate(zip(draws, own, strict=True), 1):
            where = f" of {name}" if len(evaluations) > 1 else ""
            where += f", draw {number}" if len(draws) > 1 else ""
            for score, recorded in _recorded(draw):
                if not abs(recorded - scores[score]) <= TOLERANCE:
                    yield (
                        f"{score}{where} {100 * recorded:.4f} in the record, "
                        f"{100 * scores[score]:.4f} recomputed"
                    )


def _recorded(draw: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    yield "mAP", draw["mAP"]
    yield "mINP", draw["mINP"]
    for rank in CMC_RANKS:
        if str(rank) in draw["cmc"]:
            yield f"R{rank}", draw["cmc"][str(rank)]
