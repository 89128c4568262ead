import csv
from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.ranked_lists import _titles, most_different_queries, show_ranked
from harness.cli.printing import session
from harness.core.errors import UsageError
from tests.support import tiny_grid

NAN = float("nan")


@pytest.mark.parametrize(
    ("first", "second", "count", "rows"),
    [
        ([0.9, 0.1, 0.5, 0.5], [0.1, 0.8, 0.4, 0.5], 2, [0, 1]),
        ([0.9, 0.1, 0.5, 0.5], [0.1, 0.8, 0.4, 0.5], 4, [0, 2, 1]),  # equal ones are not shown
        ([0.9, 0.8, 0.7], [0.1, 0.1, 0.1], 2, [0, 1]),  # one run is better everywhere
        ([0.1, 0.1, 0.1], [0.9, 0.8, 0.7], 2, [0, 1]),
        ([NAN, 0.5], [NAN, 0.4], 2, [1]),
        ([0.5], [0.5], 3, []),
    ],
)
def test_the_queries_furthest_apart_of_either_side(first, second, count, rows):
    assert most_different_queries(np.array(first), np.array(second), count).tolist() == rows


def test_lists_are_those_of_the_runs_with_right_and_wrong(shared_runs, tmp_path):
    plan = tiny_grid.grid(shared_runs, "kd")
    _, plain, student = (spec for cohort in plan.cohorts for spec in cohort)
    run = session(shared_runs, "cpu", 0, quiet=True)
    paths = show_ranked([student.key, plain.key], 2, run, None)
    assert {path.suffix for path in paths} == {".png", ".pdf", ".csv"}
    (table,) = (path for path in paths if path.suffix == ".csv")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    with np.load(shared_runs / student.key / "per_query.npz") as file:
        arrays = dict(file)
    place = {str(name): row for row, name in enumerate(arrays["test.0.query"])}
    ours = [row for row in rows if row["run"].startswith("KD")]
    assert ours and {row["rank"] for row in rows} == {str(n) for n in range(1, 11)}
    for row in ours:
        precision = arrays["test.0.average_precision"][place[row["query"]]]
        assert float(row["AP"]) == pytest.approx(precision)
        shown = row["image"].rpartition("/")[2].partition("_")[0]
        assert (int(shown) == int(row["identity"])) == (row["right"] == "True")
    first = [row for row in ours if row["query"] == ours[0]["query"]]
    found = next((int(r["rank"]) for r in first if r["right"] == "True"), 0)
    recorded = int(arrays["test.0.first_rank"][place[ours[0]["query"]]])
    assert found == (recorded if recorded <= 10 else 0)


def test_runs_that_differ_are_not_called_the_same(shared_runs):
    plan = tiny_grid.grid(shared_runs, "kd")
    _, plain, student = (spec for cohort in plan.cohorts for spec in cohort)
    other = replace(plain, options=(("weight", 0.2),))
    assert _titles(plain, other, shared_runs)[1].startswith("plain (weight=0.2), ")
    titles = [title.partition(" ")[0] for title in _titles(student, plain, shared_runs)]
    assert titles == ["KD,", "plain,"]
    again = replace(plain, threads=plain.threads + 1)
    for title, spec in zip(_titles(plain, again, shared_runs), (plain, again), strict=True):
        assert title.endswith(f"seed 0, {spec.key[-8:]}")


def test_one_run_is_not_compared_with_itself(shared_runs):
    (teacher, *_), *_ = tiny_grid.grid(shared_runs, "kd").cohorts
    run = session(shared_runs, "cpu", 0, quiet=True)
    with pytest.raises(UsageError, match="Both words name the run"):
        show_ranked([teacher.key, teacher.key], 2, run, None)
