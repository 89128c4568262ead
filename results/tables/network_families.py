"""Paired tests among our rows of a table of networks, whatever their settings.

One test's rows are compared as far as they answered the same queries by one protocol; which
network, tricks and teacher they have is what such a table is about.
"""

from __future__ import annotations

from collections.abc import Iterable

from results.comparable import SHOWN, Setting
from results.statistics.pairwise import Family, compare
from results.tables.cells import Line, Place, wanted_seeds
from results.tables.vrkd_runs import evaluation_of, of_test


def families(rows: Iterable[tuple[str, Line, Setting]], test: str) -> list[Family]:
    """One family for each score among the rows that have this test, by the label given.

    A row is complete if it has every seed that any of the settings was given.
    """
    members: list[Line] = []
    wanted: set[int] = set()
    partial: list[Place] = []
    for label, line, setting in rows:
        kept, _ = of_test(line, test)
        member = Line(line.method, label, kept.runs)
        if len(member.runs):
            members.append(member)
            wanted |= wanted_seeds(setting)
            partial += [member.place] if "partial" in setting.marks else []
    name = evaluation_of(test)
    return [compare(members, name, score, wanted, partial=partial) for score in SHOWN]
