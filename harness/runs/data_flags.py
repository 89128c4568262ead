"""Flags of the data behind a run: generated images, or a part of the dataset only.

Numbers of flagged data are never compared with published ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class DataFlag(StrEnum):
    """Reason for which images are not the dataset of their name; the values are stored."""

    GENERATED = "generated"  # drawn images in the dataset's layout
    PARTIAL = "partial"  # images are missing


# Records without the field `data_flags` carry their flags as sentences among the notes.
NOTE_PREFIXES = {
    DataFlag.GENERATED: "Generated data:",
    DataFlag.PARTIAL: "Partial data:",
}


def data_flags(record: Mapping[str, Any]) -> tuple[DataFlag, ...]:
    """Return the flags of a record's data, in the order of `DataFlag`.

    Older records, which have no field `data_flags`, are recognised by the beginnings of their
    notes.

    Raises:
        ValueError: The field is not a list of flags.
    """
    if "data_flags" not in record:
        notes = [str(note) for note in record.get("notes") or ()]
        return tuple(
            flag
            for flag, prefix in NOTE_PREFIXES.items()
            if any(note.startswith(prefix) for note in notes)
        )
    words = record["data_flags"]
    known = [flag.value for flag in DataFlag]
    if not isinstance(words, list) or not all(word in known for word in words):
        raise ValueError(f"its data_flags are {words!r}; known are {', '.join(known)}")
    return tuple(flag for flag in DataFlag if flag in words)
