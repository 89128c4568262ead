import json

import pytest

from results.collect import collect_runs
from results.figures.chart import MissingFigure, save_chart
from results.figures.ranking_consistency import consistency_charts
from tests.support.records import spec, study, teacher_spec


def write_measurement(runs, made, l_rank, model="ab"):
    content = {"model": model, "l_rank": l_rank, "share": 0.5, "queries": 100, "gallery": 640}
    (runs / made["key"] / "consistency.json").write_text(json.dumps(content))


def only_chart(runs):
    (chart,) = consistency_charts(collect_runs(runs)[0])
    return chart


def test_every_measured_seed_is_a_row(tmp_path):
    teacher = study(tmp_path)
    for seed in (0, 1):
        write_measurement(tmp_path, spec("pdrd", seed, [teacher]), 10.0 + seed)
    chart = only_chart(tmp_path)
    assert chart.data["method"].tolist() == ["PDRD", "PDRD"]
    assert chart.data["l_rank"].tolist() == [10, 11] and chart.data["seed"].tolist() == [0, 1]
    (ax,) = chart.draw(chart.data).axes
    assert [list(line.get_xdata()) for line in ax.get_lines()] == [[10, 11]]  # seeds
    assert [bar.get_width() for bar in ax.patches] == [10.5]
    assert [text.get_text() for text in ax.texts] == ["10.5"]
    assert ax.get_xlim()[0] == 0
    assert len(save_chart(chart, tmp_path)) == 3


def test_the_plain_student_is_drawn_with_the_teacher_of_the_others(tmp_path):
    teacher = study(tmp_path)
    write_measurement(tmp_path, spec("pdrd", 0, [teacher]), 10.0)
    by_teacher = {
        key: {"l_rank": l_rank, "share": 0.5, "queries": 100, "gallery": 640}
        for key, l_rank in (("of/another/teacher/seed0-ab", 99.0), (teacher["key"], 12.0))
    }
    content = {"model": "ab", "by_teacher": by_teacher}
    path = tmp_path / spec(seed=0)["key"] / "consistency.json"
    path.write_text(json.dumps(content))
    chart = only_chart(tmp_path)
    rows = dict(zip(chart.data["method"], chart.data["l_rank"], strict=True))
    assert rows == {"Student": 12.0, "PDRD": 10.0}
    (ax,) = chart.draw(chart.data).axes
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["Student", "PDRD"]  # from below
    assert ax.patches[0].get_facecolor() != ax.patches[1].get_facecolor()
    path.write_text(json.dumps(content | {"by_teacher": {}}))
    assert set(only_chart(tmp_path).data["method"]) == {"PDRD"}


def test_measurements_of_other_weights_are_skipped(tmp_path):
    teacher = study(tmp_path)
    write_measurement(tmp_path, spec("pdrd", 0, [teacher]), 10.0)
    write_measurement(tmp_path, spec("pdrd", 1, [teacher]), 11.0, model="of an earlier training")
    assert only_chart(tmp_path).data["seed"].tolist() == [0]


@pytest.mark.parametrize("content", ["", "[]", '{"model": "ab"}', '{"model": "ab", "l_rank": "x"}'])
def test_a_damaged_file_is_skipped_and_named(tmp_path, content):
    teacher = study(tmp_path)
    write_measurement(tmp_path, spec("pdrd", 0, [teacher]), 10.0)
    made = spec("pdrd", 1, [teacher])
    path = tmp_path / made["key"] / "consistency.json"
    path.write_text(content)
    chart, problem = consistency_charts(collect_runs(tmp_path)[0])
    assert chart.data["seed"].tolist() == [0]
    assert f"figure consistency: {path} is damaged" in str(problem)


def test_missing_measurements_name_the_command(tmp_path):
    study(tmp_path)
    missing = only_chart(tmp_path)
    assert isinstance(missing, MissingFigure) and "Run kdreid measure-consistency." in str(missing)
    assert teacher_spec()["key"] not in str(missing)
