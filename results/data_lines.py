"""Lines of the report's data files for one comparison group."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import fmean, stdev
from typing import Any

from results.comparable import SCORES, ComparisonGroup
from results.configurations import TableChoice, compared_rows, reference_row, variant_rows
from results.lines import BASELINE, TableRow, complete_seeds, teacher_rows
from results.published import Published
from results.statistics.paired_test import LEVEL, PairedDifference
from results.statistics.pairwise import compare_with
from results.tables import published_values
from results.tables.cells import UNMARKED
from results.tables.significance import group_tests

METRICS = ("mAP", "R1", "R5", "R10", "mINP")
_PLACE = ("dataset", "setting", "teacher", "student", "evaluation", "metric")
RESULT_COLUMNS = (
    *_PLACE,
    *("role", "method", "label", "options", "seeds", "n", "expected_n", "mean", "sd"),
    *("against", "gain", "gain_n", "low", "high", "p", "p_holm", "star"),
    *("letter", "place", "tied", "not_compared"),
    *("paper", "published", "difference"),
    *("data_flags", "parameters", "macs", "train_seconds", "gpu_memory_bytes"),
)
PAIR_COLUMNS = (
    *_PLACE,
    *("first", "first_label", "second", "second_label", "seeds"),
    *("difference", "error", "df", "low", "high", "p", "p_holm"),
)
COSTS = {  # columns of results by those of `collect_runs`; means over the seeds
    "parameters": "parameters",
    "operations": "macs",
    "train_seconds": "train_seconds",
    "gpu_memory_bytes": "gpu_memory_bytes",
}
Line = dict[str, Any]
Scores = dict[int, float]  # in percent by seed


class GroupLines:
    """The lines of one comparison group.

    Args:
        group: The group.
        published: The papers' numbers.
        choice: What is compared.
    """

    def __init__(self, group: ComparisonGroup, published: Published, choice: TableChoice) -> None:
        self._group = group
        self._evaluations = group.evaluations
        self._note = group.data_note
        self._expected = len(complete_seeds(group))
        compared = compared_rows(group, choice)
        reference = reference_row(compared, choice)
        tests = group_tests(group, compared, choice)
        self._tests = {(one.evaluation, one.score): one for one in tests}
        variants = [row for _, rows in variant_rows(group, choice) for row in rows]
        self._rows = [
            *(("teacher", row) for row, _ in teacher_rows(group)),
            *(("student" if row.method == BASELINE[0] else "method", row) for row in compared),
            *(("variant", row) for row in variants),
        ]
        self._reference = next((row for row in compared if row.row_id == reference), None)
        self._reference_scores = self._scores_by_seed(self._reference)
        self._published = [
            one
            for kind in ("comparison", "ablation")
            for one in published_values.tables_of_same_networks(group, published, kind)
        ]

    def results(self) -> Iterator[Line]:
        """Yield a line for each row and each metric of each evaluation."""
        for role, row in self._rows:
            if row.runs.empty:
                continue
            of_row = {
                "role": role,
                "method": row.method if role != "teacher" else BASELINE[0],
                "label": row.label,
                "options": str(row.runs["options"].iloc[0]),
                "data_flags": self._note,
                "star": False,
                "tied": False,
                **_costs(row),
            }
            scores, printed = self._scores_by_seed(row), self._published_values(row)
            for evaluation in self._evaluations:
                for metric in METRICS:
                    line = self._place(evaluation, metric) | of_row | printed.get(metric, {})
                    by_seed = scores[evaluation, metric]
                    line |= _describe(by_seed)
                    line["expected_n"] = len(by_seed) if role == "teacher" else self._expected
                    if role != "teacher":
                        line |= self._marks(row, evaluation, metric)
                        line |= self._gain(row, by_seed, evaluation, metric)
                    yield line

    def pairs(self) -> Iterator[Line]:
        """Yield a line for each pair of rows and each score that is tested."""
        for (evaluation, metric), tests in self._tests.items():
            for (first, second), difference in tests.differences.items():
                yield {
                    **self._place(evaluation, metric),
                    "first": first[0],
                    "first_label": first[1],
                    "second": second[0],
                    "second_label": second[1],
                    "seeds": difference.seeds,
                    "difference": 100 * difference.mean,
                    "error": 100 * difference.error,
                    "df": difference.degrees,
                    **_interval(difference),
                    "p": difference.p,
                    "p_holm": tests.adjusted[first, second],
                }

    def _place(self, evaluation: str, metric: str) -> Line:
        group = self._group
        values = (group.dataset, group.digest, group.teacher, group.network, evaluation, metric)
        return dict(zip(_PLACE, values, strict=True))

    def _scores_by_seed(self, row: TableRow | None) -> dict[tuple[str, str], Scores]:
        """Return a row's scores in percent by evaluation and metric, and by seed."""
        if row is None:
            return {}
        done = row.done.drop_duplicates("seed").sort_values("seed")
        seeds = [int(seed) for seed in done["seed"]]
        several = len(self._evaluations) > 1
        return {
            (evaluation, metric): dict(zip(seeds, 100 * values, strict=True))
            for evaluation in self._evaluations
            for metric in METRICS
            for values in [done[f"{evaluation} {metric}" if several else metric].to_numpy(float)]
        }

    def _gain(self, row: TableRow, ours: Scores, evaluation: str, metric: str) -> Line:
        """Return the gain over the reference and its tests; nothing for the reference."""
        if self._reference is None or row.row_id == self._reference.row_id:
            return {}
        theirs = self._reference_scores[evaluation, metric]
        gains = [ours[seed] - theirs[seed] for seed in ours if seed in theirs]
        line: Line = {"against": self._reference.method, "gain_n": len(gains)}
        line["gain"] = fmean(gains) if gains else None
        tests = self._tests.get((evaluation, metric))
        if tests is None:
            return line
        tested = tests.gain(row.row_id) or compare_with(tests, row, self._reference.row_id)
        if tested is not None:
            line |= {"gain": 100 * tested.mean, "p": tested.p, **_interval(tested)}
        p_holm = tests.against.get(row.row_id)
        return line | {"p_holm": p_holm, "star": p_holm is not None and p_holm <= LEVEL}

    def _marks(self, row: TableRow, evaluation: str, metric: str) -> Line:
        tests = self._tests.get((evaluation, metric))
        if tests is None:
            return {}
        mark = tests.marks.get(row.row_id, UNMARKED)
        return {
            "letter": tests.letters.get(row.row_id, ""),
            "place": mark.place,
            "tied": mark.is_tied,
            "not_compared": tests.reasons.get(row.row_id, ""),
        }

    def _published_values(self, row: TableRow) -> dict[str, Line]:
        """Return by metric the first paper's number for the row, and the difference from it.

        There is no difference on partial or generated data.
        """
        lines: dict[str, Line] = {}
        for paper, table in self._published:
            cells = published_values.all_published_cells(row, self._group, [(paper, table)])
            for metric, printed, difference in zip(SCORES, cells[:2], cells[2:], strict=True):
                if printed.value is not None and metric not in lines:
                    line = {"paper": paper.name, "published": printed.value}
                    lines[metric] = line | {"difference": difference.value}
        return lines if len(self._evaluations) == 1 else {}


def _describe(scores: Scores) -> Line:
    """Return seeds, mean and standard deviation."""
    values = [*scores.values()]
    return {
        "seeds": " ".join(map(str, scores)),
        "n": len(values),
        "mean": fmean(values) if values else None,
        "sd": stdev(values) if len(values) > 1 else None,
    }


def _interval(difference: PairedDifference) -> Line:
    low, high = difference.interval()
    return {"low": 100 * low, "high": 100 * high}


def _costs(row: TableRow) -> Line:
    """Return the means over the row's finished runs of what it takes."""
    done = row.done
    costs = {}
    for source, name in COSTS.items():
        values = done[source].dropna().astype(float)
        costs[name] = float(values.mean()) if len(values) else None
    return costs
