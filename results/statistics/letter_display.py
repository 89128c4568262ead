"""Pairwise differences between methods as letters and as marks.

Letters are a compact letter display (Piepho 2004, "An algorithm for a letter-based representation
of all-pairwise comparisons"; the algorithm is insert-and-absorb): two methods share a letter if and
only if they do not differ significantly. As tests differ in power, a method may have several.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

Pair = tuple[int, int]
ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def compact_letter_display(means: Sequence[float], distinct: Collection[Pair]) -> list[str]:
    """Return the letters of each method.

    The letter a belongs to the method with the best mean, b to the best method without a, and so
    on.

    Args:
        means: Mean score of each method; higher is better.
        distinct: Pairs of methods that differ significantly, in any order.
    """
    # Insert: every significant pair splits each column (the methods of one letter) that contains
    # both into two, one without either method. Absorb: columns within another add no information.
    columns = {frozenset(range(len(means)))} if means else set()
    for first, second in distinct:
        split = {column for column in columns if first in column and second in column}
        parts = {column - {one} for column in split for one in (first, second)}
        columns = _absorb((columns - split) | parts)
    rank = {index: place for place, index in enumerate(_best_first(means))}
    in_order = sorted(columns, key=lambda column: sorted(rank[index] for index in column))
    return [
        "".join(_letter(number) for number, column in enumerate(in_order) if index in column)
        for index in range(len(means))
    ]


@dataclass(frozen=True, slots=True)
class Mark:
    """How a row's score is marked."""

    place: Literal["", "best", "second"] = ""  # by mean: bold, underlined
    is_tied: bool = False  # not the best, but it cannot be told from it: a dagger


def mark_rows(means: Sequence[float], distinct: Collection[Pair]) -> list[Mark]:
    """Return the mark of each method: the best and the second mean, and who ties with the best.

    Equal best means are all best, and then none is second. A single method has no mark.

    Args:
        means: Mean score of each method; higher is better.
        distinct: Pairs of methods that differ significantly, in any order.
    """
    if len(means) < 2:
        return [Mark()] * len(means)
    significant = {frozenset(pair) for pair in distinct}
    best, second = sorted(means, reverse=True)[:2]
    first = means.index(best)
    marks = []
    for index, mean in enumerate(means):
        is_best = mean == best
        is_tied = not is_best and frozenset((first, index)) not in significant
        place: Literal["", "best", "second"] = "best" if is_best else ""
        marks.append(Mark("second" if mean == second and not is_best else place, is_tied))
    return marks


def _best_first(means: Sequence[float]) -> list[int]:
    """Return indices from the best mean to the worst; equal means keep their order."""
    return sorted(range(len(means)), key=lambda index: -means[index])


def _absorb(columns: set[frozenset[int]]) -> set[frozenset[int]]:
    """Return the columns that are not contained in another one."""
    return {column for column in columns if not any(column < other for other in columns)}


def _letter(number: int) -> str:
    """Return the name of a column: 0 -> a, 25 -> z, 26 -> a1; each begins with one letter."""
    again, letter = divmod(number, len(ALPHABET))
    return ALPHABET[letter] + (str(again) if again else "")
