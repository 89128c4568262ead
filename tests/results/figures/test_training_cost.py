import json

import pytest

from results.collect import collect_runs
from results.figures.chart import MissingFigure, save
from results.figures.training_cost import charts
from tests.support.records import spec, study


def timed(runs, seconds):
    """Seconds a step by key, where the report looks for them."""
    rows = [
        {"key": key, "seconds": s, "least": s / 2, "most": 2 * s, "counted": 3, "steps": 7200}
        for key, s in seconds.items()
    ]
    (runs / "report" / "measured").mkdir(parents=True, exist_ok=True)
    content = {"environment": {"device_name": "A device"}, "rows": rows}
    (runs / "report" / "measured" / "cost.json").write_text(json.dumps(content))


def only(runs):
    (chart,) = charts(collect_runs(runs)[0], runs / "report")
    return chart


def test_means_over_all_seeds_against_the_time_of_one(tmp_path):
    teacher = study(tmp_path)
    timed(tmp_path, {spec(seed=0)["key"]: 0.5, spec("pdrd", 0, [teacher])["key"]: 1.0})
    chart = only(tmp_path)
    assert chart.name == "cost-synthetic"
    rows = chart.data.set_index("method")
    assert rows["milliseconds_a_step"].to_dict() == {"Student": 500, "PDRD": 1000}
    assert rows["hours"].to_dict() == {"Student": 1, "PDRD": 2}
    assert rows["mAP"].to_dict() == pytest.approx({"Student": 42, "PDRD": 52})
    assert rows["seeds"].to_dict() == {"Student": 3, "PDRD": 3}
    assert "A device" in chart.draw(chart.data).get_supxlabel()
    assert len(save(chart, tmp_path)) == 3


def test_times_of_packed_runs_are_not_taken_from_records(tmp_path):
    study(tmp_path)
    absent = only(tmp_path)
    assert isinstance(absent, MissingFigure) and "kdreid bench cost does it" in str(absent)


def test_runs_that_are_gone_and_damage_name_the_command(tmp_path):
    study(tmp_path)
    timed(tmp_path, {"of/another/folder/seed0-ab": 1.0})
    assert "kdreid bench cost times others" in str(only(tmp_path))
    (tmp_path / "report" / "measured" / "cost.json").write_text('{"rows": [{}]}')
    assert "damaged; kdreid bench cost writes it anew" in str(only(tmp_path))
