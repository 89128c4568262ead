"""Fields of dataclasses that carry their own documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TypeVar

T = TypeVar("T")


def documented_field(
    default: T,
    meaning: str,
    unit: str = "",
    *,
    aliases: tuple[str, ...] = (),
    values: Mapping[str, T] | None = None,
) -> T:
    """Return a field whose metadata documents it.

    Args:
        default: Its default.
        meaning: Its meaning; `help` of the metadata.
        unit: Its unit.
        aliases: Other names, accepted in files and by --set.
        values: Values by their other names, accepted as well.
    """
    documentation = {"help": meaning, "unit": unit, "aliases": aliases, "values": values or {}}
    return field(default=default, metadata=documentation)
