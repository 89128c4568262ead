"""From the runs of one row to what its cells say; an empty cell always says why it is empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pandas as pd

from results.lines import TableRow, run_keys

NO_RUN = "-"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table: what is read, and what it was made from."""

    text: str  # what every format shows
    runs: tuple[str, ...] = ()  # keys of the runs it was made from
    group: Literal["", "best", "second"] = ""  # bold, underlined
    detail: str = ""  # more, for whoever asks: an interval, the seeds, unequal protocols
    value: float | None = None  # to sort by; what has none comes last


def plain(text: str) -> Cell:
    """A cell that no run stands behind."""
    return Cell(text)


def label_cell(line: TableRow) -> Cell:
    """What the row is called."""
    return Cell(line.label, line.keys)


def score_cell(line: TableRow, column: str) -> Cell:
    """Percent: the value of one seed, mean ± standard deviation (ddof 1) of more."""
    if line.done.empty:
        return Cell(describe_failures(line) or NO_RUN, line.keys)
    values = 100 * line.done[column].astype(float)
    mean, detail = float(values.mean()), _by_seed(values, line.done["seed"])
    text = f"{mean:.2f}" if len(values) == 1 else f"{mean:.2f} ± {values.std(ddof=1):.2f}"
    return Cell(text, run_keys(line.done), detail=detail, value=mean)


def seeds_cell(line: TableRow, expected: int) -> Cell:
    """How many seeds the line's scores are of, and of how many if that is fewer than `expected`."""
    if line.runs.empty:
        return Cell(NO_RUN)
    count = len(line.done)
    text = f"{count}/{expected} seeds" if count < expected else str(count)
    if count:
        text = ", ".join(filter(None, (text, describe_failures(line))))
    return Cell(text, line.keys, value=float(count))


def mean_gain_cell(line: TableRow, student: TableRow | None) -> Cell:
    """Mean over seeds of mAP minus the undistilled student's of the same seed, in points."""
    if student is None or line.done.empty:
        return Cell(NO_RUN)
    ours, theirs = (part.done.set_index("seed")["mAP"].astype(float) for part in (line, student))
    differences = (100 * (ours - theirs)).dropna()
    if differences.empty:
        return Cell(NO_RUN)
    mean = float(differences.mean())
    text = f"{mean:+.2f}"
    if len(differences) < len(ours):
        text = f"{text} ({len(differences)} of {len(ours)})"
    used = [part.done[part.done["seed"].isin(differences.index)] for part in (line, student)]
    return Cell(text, (*run_keys(used[0]), *run_keys(used[1])), value=mean)


def _by_seed(values: pd.Series, numbers: pd.Series) -> str:
    pairs = zip(numbers, values, strict=True)
    return ", ".join(f"seed {number}: {value:.2f}" for number, value in pairs)


def describe_failures(line: TableRow) -> str:
    """How the line's failed runs failed; empty if none did."""
    kinds = ", ".join(sorted(set(line.failed["failure"])))
    return f"failed: {kinds}" if kinds else ""
