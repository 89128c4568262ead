import json

import pytest

from harness.analysis.training_cost import measure_training_cost
from harness.cli.options import make_context
from harness.core.errors import SetupError
from harness.runs.layout import REPORT, TRAINING_COST
from results.collect import collect_runs
from results.figures.training_cost import cost_charts
from tests.support import tiny_grid


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A runs folder with a teacher, a plain student in two seeds and one distilled in two."""
    runs = tmp_path_factory.mktemp("cost")
    _, outcome = tiny_grid.run(runs, "sp", seeds="0,1")
    assert not outcome.failed
    return runs


def test_one_seed_of_every_student_is_timed_and_no_run_changes(trained):
    before = {p: p.read_bytes() for p in trained.rglob("*") if p.is_file()}
    rows = measure_training_cost([], 1, make_context(trained, "cpu", 0, quiet=True), None)
    assert [row["key"].split("/")[1] for row in rows] == ["none", "sp"]
    assert all("/cnn5/" in r["key"] or "-cnn5/" in r["key"] for r in rows)  # no teacher
    assert all("seed0-" in row["key"] for row in rows)
    assert {row["counted"] for row in rows} == {3}  # one in each turn
    assert all(0 < row["least"] <= row["seconds"] <= row["most"] for row in rows)
    assert {path: path.read_bytes() for path in before} == before
    assert json.loads((trained / REPORT / TRAINING_COST).read_text())["rows"] == rows
    (chart,) = cost_charts(collect_runs(trained)[0], trained / "report")
    assert list(chart.data["method"]) == ["Student", "SP"]


def test_without_finished_runs_there_is_an_error(tmp_path):
    with pytest.raises(SetupError, match="There is no finished run in .*kdreid run"):
        measure_training_cost([], 1, make_context(tmp_path, "cpu", 0, quiet=True), None)
