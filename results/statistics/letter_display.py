"""Which of several methods cannot be told apart, as letters and as groups.

Letters are a compact letter display (Piepho 2004, "An algorithm for a letter-based representation
of all-pairwise comparisons", insert and absorb): two methods share a letter if and only if no test
tells them apart. With tests of unequal strength a method may have several.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

Pair = tuple[int, int]
Group = Literal["", "best", "second"]
ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def compact_letter_display(means: Sequence[float], distinct: Collection[Pair]) -> list[str]:
    """Letters of each of the methods, which have these means; those told apart are `distinct`.

    The letter a has the best mean among its methods, b the best of those without that letter's, and
    so on.
    """
    columns = {frozenset(range(len(means)))} if means else set()
    for first, second in distinct:
        split = {column for column in columns if first in column and second in column}
        parts = {column - {one} for column in split for one in (first, second)}
        columns = _absorbed((columns - split) | parts)
    place = {index: rank for rank, index in enumerate(_order(means))}
    in_order = sorted(columns, key=lambda column: sorted(place[index] for index in column))
    return [
        "".join(_name(number) for number, column in enumerate(in_order) if index in column)
        for index in range(len(means))
    ]


def top_groups(means: Sequence[float], distinct: Collection[Pair]) -> list[Group]:
    """The best mean and all that cannot be told from it; the same again among the others.

    With fewer than two methods there is nothing to be better than, and no group.
    """
    found: list[Group] = [""] * len(means)
    apart = {frozenset(pair) for pair in distinct}
    left = _order(means) if len(means) > 1 else []
    labels: tuple[Group, ...] = ("best", "second")
    for label in labels:
        top = [index for index in left if frozenset((left[0], index)) not in apart]
        for index in top:
            found[index] = label
        left = [index for index in left if index not in top]
    return found


def _order(means: Sequence[float]) -> list[int]:
    """Indices from the best mean to the worst; equal means in the order given."""
    return sorted(range(len(means)), key=lambda index: -means[index])


def _absorbed(columns: set[frozenset[int]]) -> set[frozenset[int]]:
    """Without the columns that say nothing another does not say."""
    return {column for column in columns if not any(column < other for other in columns)}


def _name(number: int) -> str:
    """0 -> a, 25 -> z, 26 -> a1: every name begins with its one letter."""
    again, letter = divmod(number, len(ALPHABET))
    return ALPHABET[letter] + (str(again) if again else "")
