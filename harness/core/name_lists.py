"""Split lists of names as users type them, and shorten long ones for messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def split_names(texts: Iterable[str]) -> list[str]:
    """Return the names in some texts, in order; commas and spaces both separate."""
    return [name for text in texts for name in text.replace(",", " ").split()]


def name_some(items: Sequence[str], most: int, separator: str = ", ") -> str:
    """Return the first of some items and how many more there are: "a, b and 3 more"."""
    rest = len(items) - most
    return separator.join(items[:most]) + (f" and {rest:,} more" if rest > 0 else "")
