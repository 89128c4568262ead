"""The long notes of a page's tables, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from results.tables.table import Table


@dataclass(frozen=True, slots=True)
class NoteGroup:
    """Notes of the same tables.

    Attributes:
        tables: The tables, in the order of the page.
        notes: The notes.
    """

    tables: tuple[Table, ...]
    notes: tuple[str, ...]


def group_notes(tables: Sequence[Table]) -> list[NoteGroup]:
    """Return the footnotes of all tables, those of the same tables together.

    A note that stands below any table as part of its caption is left out.
    """
    captions = {sentence for table in tables for sentence in table.caption}
    users: dict[str, list[int]] = {}
    for number, table in enumerate(tables):
        for note in dict.fromkeys(table.footnotes):
            if note not in captions:
                users.setdefault(note, []).append(number)
    groups: dict[tuple[int, ...], list[str]] = {}
    for note, numbers in users.items():
        groups.setdefault(tuple(numbers), []).append(note)
    return [
        NoteGroup(tuple(tables[number] for number in numbers), tuple(notes))
        for numbers, notes in groups.items()
    ]
