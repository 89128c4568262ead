"""Cells of a table, made from the runs of one row; a cell without a value has the reason."""

from __future__ import annotations

from dataclasses import dataclass

from results.lines import NO_RUN, TableRow, run_keys
from results.statistics.letter_display import Mark

UNMARKED = Mark()


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table."""

    text: str  # as every format prints it
    runs: tuple[str, ...] = ()  # keys of the runs it was made from
    mark: Mark = UNMARKED
    detail: str = ""  # printed on request: an interval, scores by seed, differences of protocol
    value: float | None = None  # to sort by; cells without one come last


BLANK = Cell("")


def signed(value: float) -> str:
    """Return a difference with its sign and two decimals; what rounds to 0 has none."""
    return f"{round(value, 2) + 0.0:+.2f}" if round(value, 2) else "0.00"


def label_cell(row: TableRow) -> Cell:
    """Return the cell with the row's label."""
    return Cell(row.label, row.keys)


def score_cell(row: TableRow, column: str) -> Cell:
    """Return a score in percent: the value of one seed, or mean ± standard deviation (ddof 1).

    Args:
        row: The row; without a finished run the cell has the kinds of failure instead.
        column: Column of the frame with a score as a fraction of 1.
    """
    if row.done.empty:
        return Cell(row.describe_failures() or NO_RUN, row.keys)
    values = 100 * row.done[column].astype(float)
    mean = float(values.mean())
    text = f"{mean:.2f}" if len(values) == 1 else f"{mean:.2f} ± {values.std(ddof=1):.2f}"
    by_seed = zip(row.done["seed"], values, strict=True)
    detail = ", ".join(f"seed {seed}: {value:.2f}" for seed, value in by_seed)
    return Cell(text, run_keys(row.done), detail=detail, value=mean)


def seeds_cell(row: TableRow, expected: int) -> Cell:
    """Return the number of seeds that have scores: "3", or "2 of 3" if others have more."""
    if row.runs.empty:
        return Cell(NO_RUN)
    count = len(row.done)
    text = f"{count} of {expected}" if count < expected else str(count)
    if count:  # otherwise the score cells have the failures
        text = ", ".join(filter(None, (text, row.describe_failures())))
    return Cell(text, row.keys, value=float(count))


def mean_gain_cell(row: TableRow, baseline: TableRow | None) -> Cell:
    """Return the gain in mAP over the baseline in points, the mean over the seeds of both rows."""
    if baseline is None or row.done.empty:
        return Cell(NO_RUN)
    ours, theirs = (one.done.set_index("seed")["mAP"].astype(float) for one in (row, baseline))
    gains = (100 * (ours - theirs)).dropna()
    if gains.empty:
        return Cell(NO_RUN)
    mean = float(gains.mean())
    text = signed(mean)
    if len(gains) < len(ours):
        text = f"{text} ({len(gains)} of {len(ours)})"
    used = (one.done[one.done["seed"].isin(gains.index)] for one in (row, baseline))
    return Cell(text, tuple(key for runs in used for key in run_keys(runs)), value=mean)
