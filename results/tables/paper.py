"""A paper's table: methods by datasets, with the marks of each dataset's own tests.

Every dataset has the columns of its largest comparison group of one pair of networks, which is the
pair with runs on most datasets. Rows are the teacher, the undistilled student and one configuration
of each method.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from results.comparable import ComparisonGroup, comparison_groups
from results.configurations import DEFAULT_CHOICE, TableChoice
from results.lines import BASELINE, NO_RUN
from results.tables.cells import Cell
from results.tables.origin_notes import origin_notes
from results.tables.paper_choice import GAIN, PaperChoice
from results.tables.paper_notes import describe_missing, paper_notes, paper_title
from results.tables.paper_parts import ColumnBlock, DatasetPart
from results.tables.significance import STAR
from results.tables.table import DATASET_NAMES, Table

NAME = "paper"  # of its files
Networks = tuple[str, str]  # of teacher and student


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A paper's table.

    Attributes:
        table: Its cells; the headings contain those of the blocks.
        blocks: Its columns but the first.
        frames: Number of its first rows, which are of no method: teachers and student.
        problems: One sentence about each thing that is missing or limits it.
    """

    table: Table
    blocks: tuple[ColumnBlock, ...]
    frames: int
    problems: tuple[str, ...]


def make_paper_table(
    frame: pd.DataFrame,
    paper: PaperChoice,
    choice: TableChoice = DEFAULT_CHOICE,
    labels: Mapping[str, str] | None = None,
    runs: Path = Path("runs"),
) -> PaperTable:
    """Make the table.

    Args:
        frame: All rows of `collect_runs`.
        paper: What it shows, with names as `resolve_names` returns them.
        choice: Which configuration of a method counts, and what gains are measured from.
        labels: Labels of the known methods, for rows without runs.
        runs: The runs folder, for commands.
    """
    groups, problems = _choose_groups(frame, paper.datasets)
    parts = [DatasetPart(name, group, paper, choice) for name, group in groups.items()]
    teachers = list(dict.fromkeys(label for part in parts for label in part.teachers))
    ran = sorted({m for part in parts for m in part.rows}, key=lambda name: _order(name, parts))
    methods = list(paper.methods) or [name for name in ran if name != BASELINE[0]]
    frames = [*teachers, *(BASELINE[0] for _ in range(BASELINE[0] in ran))]
    keys = [*frames, *methods]
    names = {key: _label(key, parts, labels or {}) for key in keys}
    rows = tuple(
        (Cell(names[key], _runs(key, parts)), *(cell for part in parts for cell in part.cells(key)))
        for key in keys
    )
    blocks = tuple(block for part in parts for block in part.blocks())
    lacking = {part.dataset: part.missing(keys[len(teachers) :]) for part in parts}
    for part in parts:
        if lacks := lacking[part.dataset]:
            problems.append(describe_missing(part, lacks, parts, names, runs))
        if part.group:
            problems += origin_notes(part.group.done, rows, f"on {part.name}")
    table = Table(
        name=NAME,
        title=paper_title(parts, paper),
        columns=("Method", *(f"{b.heading} {column}" for b in blocks for column in b.columns)),
        rows=rows,
        caption=tuple(paper_notes(parts, rows, lacking, names)) if paper.with_notes else (),
        footnotes=(),
    )
    return PaperTable(table, blocks, len(frames), tuple(problems))


def paper_csv(paper: PaperTable, choice: PaperChoice) -> str:
    """Return the numbers as CSV; marks and tests are in the report's data files.

    Args:
        paper: The table.
        choice: What it shows.
    """
    columns: dict[str, list[str]] = {"Method": [row[0].text for row in paper.table.rows]}
    for place, heading in enumerate(paper.table.columns[1:], 1):
        texts = [row[place].text.removesuffix(STAR) for row in paper.table.rows]
        parts = [("" if text == NO_RUN else text).partition(" ± ") for text in texts]
        columns[heading] = [number.removeprefix("+") for number, _, _ in parts]
        if choice.with_spread and not heading.endswith(GAIN.capitalize()):
            columns[f"{heading} sd"] = [spread for _, _, spread in parts]
    return str(pd.DataFrame(columns).to_csv(index=False))


def _choose_groups(
    frame: pd.DataFrame, datasets: Sequence[str]
) -> tuple[dict[str, ComparisonGroup | None], list[str]]:
    """Return a group for each dataset, all with the same networks, and what was left out."""
    found = {name: comparison_groups(frame, name) for name in datasets or _datasets(frame)}
    sizes: Counter[Networks] = Counter()
    for groups in found.values():
        largest: dict[Networks, int] = {}
        for group in groups:
            largest.setdefault((group.teacher, group.network), len(group.students))
        for networks, size in largest.items():  # first by the number of datasets
            sizes[networks] += size + (10**9 if networks[0] else 10**6)
    networks = max(sizes, key=lambda one: sizes[one], default=("", ""))
    chosen: dict[str, ComparisonGroup | None] = {}
    problems = []
    for name, groups in found.items():
        fitting = [one for one in groups if (one.teacher, one.network) == networks]
        if fitting or datasets:
            chosen[name] = fitting[0] if fitting else None
        others = [one for one in groups if not fitting or one is not fitting[0]]
        for other in others:
            settings = ", ".join(other.distinguishing_fields) or f"student {other.network}"
            problems.append(
                f"Not in the paper's table: {len(other.students)} runs on {name} with other "
                f"settings ({settings})."
            )
    return chosen, problems


def _datasets(frame: pd.DataFrame) -> list[str]:
    """Return the datasets with runs, in the order of `DATASET_NAMES`, others after them."""
    known = list(DATASET_NAMES)
    names = {*map(str, frame["dataset"])}
    return sorted(names, key=lambda n: (known.index(n) if n in known else len(known), n))


def _order(method: str, parts: Iterable[DatasetPart]) -> tuple[bool, int, str]:
    """Return a key that sorts methods as tables do."""
    orders = [int(part.rows[method].runs["order"].min()) for part in parts if method in part.rows]
    return method != BASELINE[0], min(orders), method


def _label(key: str, parts: Iterable[DatasetPart], labels: Mapping[str, str]) -> str:
    """Return the label of a row; without its options if they differ between datasets."""
    found = dict.fromkeys(part.rows[key].label for part in parts if key in part.rows)
    if key == BASELINE[0]:
        return BASELINE[1]
    if len(found) == 1:
        return next(iter(found))
    recorded = (str(p.rows[key].runs["label"].iloc[0]) for p in parts if key in p.rows)
    return next(recorded, labels.get(key, key))


def _runs(key: str, parts: Iterable[DatasetPart]) -> tuple[str, ...]:
    rows = [part.rows.get(key, part.teachers.get(key)) for part in parts]
    return tuple(run for row in rows if row for run in row.keys)
