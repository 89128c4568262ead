import json
import os

import pytest

from results.collect import collect_runs
from results.figures.chart import MissingFigure, save_chart
from results.figures.training_cost import cost_charts
from tests.support.records import spec, study


def write_timings(runs, seconds):
    """Seconds a step by key, where the report looks for them."""
    rows = [
        {"key": key, "seconds": s, "least": s / 2, "most": 2 * s, "counted": 3, "steps": 7200}
        for key, s in seconds.items()
    ]
    (runs / "report" / "measured").mkdir(parents=True, exist_ok=True)
    content = {"environment": {"device_name": "A device"}, "rows": rows}
    (runs / "report" / "measured" / "cost.json").write_text(json.dumps(content))


def only_chart(runs):
    (chart,) = cost_charts(collect_runs(runs)[0], runs / "report")
    return chart


def test_means_over_all_seeds_against_the_time_of_one(tmp_path):
    teacher = study(tmp_path)
    write_timings(tmp_path, {spec(seed=0)["key"]: 0.5, spec("pdrd", 0, [teacher])["key"]: 1.0})
    chart = only_chart(tmp_path)
    assert chart.name == "cost-synthetic"
    rows = chart.data.set_index("method")
    assert rows["milliseconds_a_step"].to_dict() == {"Student": 500, "PDRD": 1000}
    assert rows["hours"].to_dict() == {"Student": 1, "PDRD": 2}
    assert rows["mAP"].to_dict() == pytest.approx({"Student": 42, "PDRD": 52})
    assert rows["seeds"].to_dict() == {"Student": 3, "PDRD": 3}
    assert "A device" in chart.draw(chart.data).get_supxlabel()
    assert len(save_chart(chart, tmp_path)) == 3


def test_hours_of_the_training_stand_above_and_one_seed_is_named(tmp_path):
    teacher = study(tmp_path, seeds=(0,))
    write_timings(tmp_path, {spec(seed=0)["key"]: 0.5, spec("pdrd", 0, [teacher])["key"]: 1.0})
    figure = (chart := only_chart(tmp_path)).draw(chart.data)
    (ax,) = figure.axes
    (top,) = ax.child_axes
    figure.draw_without_rendering()
    assert top.get_xlabel() == "hours of the whole training (7,200 steps)"
    assert top.get_xlim()[1] == pytest.approx(ax.get_xlim()[1] * 7200 / 3.6e6)
    assert "mAP: one seed" in figure.get_supxlabel()


def test_times_of_records_are_not_used(tmp_path):
    study(tmp_path)
    missing = only_chart(tmp_path)
    assert isinstance(missing, MissingFigure) and "Run kdreid bench cost." in str(missing)


def test_timings_of_other_runs_and_damaged_files_name_the_command(tmp_path):
    study(tmp_path)
    write_timings(tmp_path, {"of/another/folder/seed0-ab": 1.0})
    assert "Run kdreid bench cost to time them." in str(only_chart(tmp_path))
    (tmp_path / "report" / "measured" / "cost.json").write_text('{"rows": [{}]}')
    assert "damaged. Run kdreid bench cost to write it again." in str(only_chart(tmp_path))


def test_a_pipe_is_named_and_not_waited_for(tmp_path):
    study(tmp_path)
    (tmp_path / "report" / "measured").mkdir(parents=True)
    os.mkfifo(tmp_path / "report" / "measured" / "cost.json")
    assert "cost.json is a pipe, not a file: move it away" in str(only_chart(tmp_path))
