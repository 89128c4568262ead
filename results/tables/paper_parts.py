"""The columns of one dataset in a paper's table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from results.comparable import SCORES, ComparisonGroup
from results.configurations import TableChoice, compared_rows
from results.lines import BASELINE, NO_RUN, TableRow, expected_seeds, teacher_rows
from results.statistics.paired_test import LEVEL
from results.statistics.pairwise import PairwiseTests
from results.tables.cells import BLANK, UNMARKED, Cell, mean_gain_cell, score_cell
from results.tables.paper_choice import GAIN, PaperChoice
from results.tables.significance import STAR, group_tests
from results.tables.table import DATASET_NAMES

SHORT_NAMES = DATASET_NAMES | {"dukemtmc": "DukeMTMC", "synthetic": "Generated"}


@dataclass(frozen=True, slots=True)
class ColumnBlock:
    """Neighbouring columns of one dataset, or of one of its evaluations."""

    heading: str
    columns: tuple[str, ...]


class DatasetPart:
    """The rows of one dataset and the tests between them."""

    def __init__(
        self, dataset: str, group: ComparisonGroup | None, paper: PaperChoice, choice: TableChoice
    ) -> None:
        self.dataset, self.group, self.paper, self.choice = dataset, group, paper, choice
        rows = compared_rows(group, choice) if group else []
        self.rows = {row.method: row for row in rows if not row.runs.empty}
        self.teachers = {row.label: row for row, _ in teacher_rows(group)} if group else {}

    @cached_property
    def tests(self) -> list[PairwiseTests]:
        """Tests between all compared rows, by evaluation and score."""
        rows = list(self.rows.values())
        return group_tests(self.group, rows, self.choice) if self.group else []

    @cached_property
    def selected_tests(self) -> list[PairwiseTests]:
        """The same for the rows of this table, from which its marks come."""
        wanted = {BASELINE[0], *self.paper.methods} if self.paper.methods else {*self.rows}
        chosen = [row.row_id for method, row in self.rows.items() if method in wanted]
        return [one.select(chosen) for one in self.tests]

    @property
    def name(self) -> str:
        """Name of the dataset, with the flags of its data."""
        name = SHORT_NAMES.get(self.dataset, self.dataset)
        note = self.group.data_note if self.group else ""
        return f"{name} ({note})" if note and self.dataset != "synthetic" else name

    @property
    def evaluations(self) -> tuple[str, ...]:
        """Evaluations of the group; one without a name if there is one or no group."""
        several = self.group.evaluations if self.group else ()
        return several if len(several) > 1 else ("",)

    def blocks(self) -> Iterator[ColumnBlock]:
        """Yield a block of columns for each evaluation."""
        headings = tuple(name.capitalize() if name == GAIN else name for name in self.paper.columns)
        for evaluation in self.evaluations:
            yield ColumnBlock(f"{self.name} {evaluation}".strip(), headings)

    def cells(self, key: str) -> Iterator[Cell]:
        """Yield the cells of a method, or of a teacher by its label."""
        row = self.rows.get(key, self.teachers.get(key))
        for place, evaluation in enumerate(self.evaluations):
            for column in self.paper.columns:
                if row is None or row.done.empty:
                    yield BLANK if column == GAIN and key in self.teachers else Cell(NO_RUN)
                elif column == GAIN:
                    yield self._gain_cell(row, place, evaluation)
                else:
                    yield self._score_cell(row, place, f"{evaluation} {column}".strip())

    def missing(self, methods: Sequence[str]) -> dict[str, str]:
        """Return what methods of the table lack, by their names: "no run", "2 of 3 seeds"."""
        expected = expected_seeds(self.group) if self.group else 0
        lacks: dict[str, str] = {}
        for method in methods:
            row = self.rows.get(method)
            count = row.done["seed"].nunique() if row else 0
            if not count:
                lacks[method] = (row.describe_failures() if row else "") or "no run"
            elif count < expected:
                lacks[method] = f"{count} of {expected} seeds"
        return lacks

    def _score_cell(self, row: TableRow, place: int, column: str) -> Cell:
        cell = score_cell(row, column)
        digits = self.paper.digits
        values = 100 * row.done[column].astype(float)
        text = f"{cell.value:.{digits}f}"
        if self.paper.with_spread and len(values) > 1:
            text = f"{text} ± {values.std(ddof=1):.{digits}f}"
        score = column.rpartition(" ")[2]
        mark = UNMARKED
        if score in SCORES and self.selected_tests:
            tests = self.selected_tests[place * len(SCORES) + SCORES.index(score)]
            mark = tests.marks.get(row.row_id, UNMARKED)
        return replace(cell, text=text, mark=mark)

    def _gain_cell(self, row: TableRow, place: int, evaluation: str) -> Cell:
        """Return the gain in mAP with a star if it is significant; blank for the reference."""
        reference = self.rows.get(self.choice.against)
        if row.method not in self.rows or reference is None or row.method == reference.method:
            return BLANK
        column = f"{evaluation} mAP".strip()
        cell = mean_gain_cell(_with_score(row, column), _with_score(reference, column))
        if cell.value is None:
            return Cell(NO_RUN)
        tests = self.tests[place * len(SCORES)]
        gain, p = tests.gain(row.row_id), tests.against.get(row.row_id, 1.0)
        value = 100 * gain.mean if gain else cell.value
        star = STAR if gain and p <= LEVEL else ""
        return replace(cell, text=f"{format_gain(value, self.paper.digits)}{star}", value=value)


def format_gain(value: float, digits: int) -> str:
    """Return a difference with its sign; what rounds to 0 has none."""
    rounded = round(value, digits)
    return f"{rounded:+.{digits}f}" if rounded else f"{0:.{digits}f}"


def _with_score(row: TableRow, column: str) -> TableRow:
    """Return the row with a column's score as its mAP."""
    return replace(row, runs=row.runs.assign(mAP=row.runs[column]))
