import csv
from dataclasses import replace

import numpy as np
import pytest

from harness.analysis import ranked_lists
from harness.analysis.ranked_lists import _titles, draw_ranked_lists, most_different_queries
from harness.cli.options import make_context
from harness.core.errors import SetupError, UsageError
from tests.support import run_folders, tiny_grid

NAN = float("nan")


@pytest.mark.parametrize(
    ("first", "second", "count", "rows"),
    [
        ([0.9, 0.1, 0.5, 0.5], [0.1, 0.8, 0.4, 0.5], 2, [0, 1]),
        ([0.9, 0.1, 0.5, 0.5], [0.1, 0.8, 0.4, 0.5], 4, [0, 2, 1]),  # equal ones are not selected
        ([0.9, 0.8, 0.7], [0.1, 0.1, 0.1], 2, [0, 1]),  # one run is better everywhere
        ([0.1, 0.1, 0.1], [0.9, 0.8, 0.7], 2, [0, 1]),
        ([NAN, 0.5], [NAN, 0.4], 2, [1]),
        ([0.5], [0.5], 3, []),
    ],
)
def test_the_most_different_queries_of_both_signs(first, second, count, rows):
    assert most_different_queries(np.array(first), np.array(second), count).tolist() == rows


def test_lists_are_those_of_the_runs_with_their_matches(shared_runs, tmp_path):
    plan = tiny_grid.grid(shared_runs, "kd")
    _, plain, student = (spec for cohort in plan.cohorts for spec in cohort)
    context = make_context(shared_runs, "cpu", 0, quiet=True)
    paths = draw_ranked_lists([student.key, plain.key], 2, context, None)
    assert {path.suffix for path in paths} == {".png", ".pdf", ".csv"}
    (table,) = (path for path in paths if path.suffix == ".csv")
    rows = list(csv.DictReader(table.read_text().splitlines()))
    with np.load(shared_runs / student.key / "per_query.npz") as file:
        arrays = dict(file)
    row_of_query = {str(name): row for row, name in enumerate(arrays["test.0.query"])}
    of_student = [row for row in rows if row["run"].startswith("KD")]
    assert of_student and {row["rank"] for row in rows} == {str(n) for n in range(1, 11)}
    for row in of_student:
        precision = arrays["test.0.average_precision"][row_of_query[row["query"]]]
        assert float(row["AP"]) == pytest.approx(precision)
        identity = row["image"].rpartition("/")[2].partition("_")[0]
        assert (int(identity) == int(row["identity"])) == (row["right"] == "True")
    first = [row for row in of_student if row["query"] == of_student[0]["query"]]
    first_match = next((int(r["rank"]) for r in first if r["right"] == "True"), 0)
    recorded = int(arrays["test.0.first_rank"][row_of_query[of_student[0]["query"]]])
    assert first_match == (recorded if recorded <= 10 else 0)


def test_different_runs_have_different_titles(shared_runs):
    plan = tiny_grid.grid(shared_runs, "kd")
    _, plain, student = (spec for cohort in plan.cohorts for spec in cohort)
    other = replace(plain, options=(("weight", 0.2),))
    assert _titles(plain, other, shared_runs)[1].startswith("plain (weight=0.2), ")
    titles = [title.partition(" ")[0] for title in _titles(student, plain, shared_runs)]
    assert titles == ["KD,", "plain,"]
    again = replace(plain, threads=plain.threads + 1)
    for title, spec in zip(_titles(plain, again, shared_runs), (plain, again), strict=True):
        assert title.endswith(f"seed 0, {spec.key[-8:]}")


def test_a_run_cannot_be_compared_with_itself(shared_runs):
    (teacher, *_), *_ = tiny_grid.grid(shared_runs, "kd").cohorts
    context = make_context(shared_runs, "cpu", 0, quiet=True)
    with pytest.raises(UsageError, match="Both names are those of"):
        draw_ranked_lists([teacher.key, teacher.key], 2, context, None)


def test_a_damaged_file_of_queries_is_named_and_no_part_of_it_is_drawn(tmp_path):
    """A changed shape makes numpy read a part of the array, whose checksum it then skips."""
    spec = run_folders.spec(0)
    path = tmp_path / spec.key / "per_query.npz"
    path.parent.mkdir(parents=True)
    columns = {f"test.0.{name}": np.arange(60) for name in ranked_lists.COLUMNS}
    np.savez(path, **columns)
    assert len(ranked_lists._load_columns(spec, "test.0", tmp_path)["query"]) == 60
    path.write_bytes(path.read_bytes().replace(b"'shape': (60,)", b"'shape': (20,)"))
    with pytest.raises(SetupError, match=r"per_query\.npz cannot be read"):
        ranked_lists._load_columns(spec, "test.0", tmp_path)
