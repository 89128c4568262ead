"""Figures of which one file is damaged: the same marks, or a line that names the file."""

import json
from subprocess import CompletedProcess

import pytest

from harness.runs.layout import CONSISTENCY, CURVE, EMBEDDINGS, REPORT, TRAINING_COST
from results.collect import collect_runs
from results.figures.chart import Chart
from results.figures.embeddings import embedding_charts
from results.figures.learning_curves import learning_curve_charts
from results.figures.ranking_consistency import consistency_charts
from results.figures.training_cost import cost_charts
from tests.fuzz.mutate import assert_good, examine, watched

# The clock of a case is SIGALRM, which the timeouts of pytest use, too.
pytestmark = pytest.mark.timeout(1200, method="thread")
CASES_OF_200 = 60
FIGURES = {
    CURVE: learning_curve_charts,
    CONSISTENCY: consistency_charts,
    EMBEDDINGS: embedding_charts,
}


def write_cost(runs):
    """Times of the training steps of all finished runs, as `kdreid bench cost` writes them."""
    timing = {"seconds": 0.01, "least": 0.009, "most": 0.02, "steps": 8}
    rows = [{"key": key, **timing} for key in runs.done]
    path = runs.folder / REPORT / TRAINING_COST
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"rows": rows, "environment": {"device_name": "cpu"}}))
    return path


def describe(charts):
    """The marks of every figure, and the lines about those that are missing."""
    return "\n".join(
        f"{one.name}\n{one.data.to_csv(index=False)}" if isinstance(one, Chart) else str(one)
        for one in charts
    )


def test_figures(mixed_runs, cases, seed):
    cost = write_cost(mixed_runs)
    frame, _ = collect_runs(mixed_runs.folder)
    files = [path for name in FIGURES for path in sorted(mixed_runs.folder.rglob(name))]

    def draw(name):
        charts = FIGURES[name](frame) if name in FIGURES else cost_charts(frame, cost.parents[1])
        return CompletedProcess([], 0, describe(charts), "")

    def commands(path):
        return [("figures", path.name)]

    def call(_, name):
        return watched(lambda: draw(name))

    count = CASES_OF_200 * cases // 200
    try:
        assert_good(examine([*files, cost], commands, count, seed, call))
    finally:
        cost.unlink()
