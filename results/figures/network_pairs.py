"""Names and titles of figures that show several datasets for one pair of networks."""

from __future__ import annotations

import textwrap

from harness.runs.data_flags import DataFlag
from results.comparable import describe_different_origins
from results.tables.dataset_ranks import CrossDatasetRanking, DatasetRanking


def pair_name(kind: str, ranking: CrossDatasetRanking, *, several: bool) -> str:
    """Return the name of a figure's files.

    Args:
        kind: Kind of figure, the first part of the name.
        ranking: What it shows.
        several: Whether there are figures of other pairs, so that the kind is not enough.
    """
    if not several:
        return kind
    pair = f"{ranking.teacher}-{ranking.network}".replace(" + ", "+")
    flags = {flag for one in ranking.rankings for flag in one.group.data_flags}
    return f"{kind}-{pair}{'-generated' if DataFlag.GENERATED in flags else ''}"


def pair_title(title: str, ranking: CrossDatasetRanking) -> str:
    """Return a title, and below it both networks and what limits comparing, wrapped."""
    qualifiers = dict.fromkeys(filter(None, map(qualify_dataset, ranking.rankings)))
    brackets = f" ({'; '.join(qualifiers)})" if qualifiers else ""
    networks = f"teacher {ranking.teacher}, student {ranking.network}{brackets}"
    return "\n".join([*textwrap.wrap(title, 60), *textwrap.wrap(networks, 60)])


def dataset_heading(ranking: DatasetRanking) -> str:
    """Return a dataset's name with what limits comparing its runs."""
    qualifiers = qualify_dataset(ranking)
    return f"{ranking.name} ({qualifiers})" if qualifiers else ranking.name


def qualify_dataset(ranking: DatasetRanking) -> str:
    """Return what limits comparing a dataset's runs: "generated data; torch differs"."""
    group = ranking.group
    data = f"{group.data_note} data" if group.data_note else ""
    return "; ".join(filter(None, [data, describe_different_origins(group.done)]))
