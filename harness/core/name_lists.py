"""Split lists of names as users type them."""

from __future__ import annotations

from collections.abc import Iterable


def split_names(texts: Iterable[str]) -> list[str]:
    """Return the names in some texts, in order; commas and spaces both separate."""
    return [name for text in texts for name in text.replace(",", " ").split()]
