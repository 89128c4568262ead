import os

import pandas as pd
import pytest

from results.collect import collect_runs
from results.figures.chart import MissingFigure, save_chart
from results.figures.learning_curves import WINDOWS, learning_curve_charts
from tests.support.records import done, spec, study

CURVE = "step,lr,loss,cross_entropy,distillation\n1,0.1,8.0,5.0,3.0\n11,0.2,6.5,4.0,2.5\n"
PLAIN = "step,lr,loss,cross_entropy\n1,0.1,9.0,9.0\n"


def write_curves(folder, seeds=(0, 1)):
    teacher = study(folder, seeds=seeds)
    for path in folder.rglob("record.json"):
        distilled = "/pdrd/" in path.as_posix()
        path.with_name("curve.csv").write_text(CURVE if distilled else PLAIN)
    return teacher


def test_the_distillation_loss_is_subtracted(tmp_path):
    write_curves(tmp_path)
    (chart,) = learning_curve_charts(collect_runs(tmp_path)[0])
    assert chart.name == "learning-synthetic"
    pdrd = chart.data[chart.data["method"] == "PDRD"]
    assert pdrd["objective"].tolist() == [5.0, 4.0] * 2
    assert pdrd["distillation"].tolist() == [3.0, 2.5] * 2
    assert pdrd["seed"].tolist() == [0, 0, 1, 1] and pdrd["step"].tolist() == [1, 11] * 2
    assert chart.data[chart.data["method"] == "Student"]["objective"].tolist() == [9.0, 9.0]


def test_all_methods_share_a_panel(tmp_path):
    write_curves(tmp_path)
    (chart,) = learning_curve_charts(collect_runs(tmp_path)[0])
    figure = chart.draw(chart.data)
    (ax,) = figure.axes
    assert [line.get_label() for line in ax.get_lines()] == ["Teacher", "Student", "PDRD"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "Teacher",
        "Student",
        "PDRD",
    ]
    pdrd = ax.get_lines()[2]
    assert list(pdrd.get_xdata()) == [1, 11] and list(pdrd.get_ydata()) == [5.0, 4.0]


def test_validation_has_a_panel_where_it_was_measured(tmp_path):
    study(tmp_path, seeds=(0, 1))
    for seed in (0, 1):
        path = tmp_path / spec(seed=seed)["key"] / "curve.csv"
        path.write_text(f"step,lr,loss,validation_mAP\n1,0.1,9.0,\n11,0.1,8.0,0.3{seed}\n")
    (chart,) = learning_curve_charts(collect_runs(tmp_path)[0])
    assert chart.data["validation_mAP"].dropna().tolist() == [30.0, 31.0]
    loss, validation = chart.draw(chart.data).axes
    assert validation.get_ylabel() == "validation mAP (%)"
    (line,) = validation.get_lines()
    assert list(line.get_xdata()) == [11] and list(line.get_ydata()) == [30.5]
    assert list(loss.get_lines()[0].get_ydata()) == [9.0, 8.0]


def test_long_curves_are_averaged_in_windows_of_steps(tmp_path):
    study(tmp_path, seeds=(0,))
    lines = "".join(f"{step},0.1,{step}\n" for step in range(1, 10 * WINDOWS + 1))
    (tmp_path / spec(seed=0)["key"] / "curve.csv").write_text(f"step,lr,loss\n{lines}")
    (chart,) = learning_curve_charts(collect_runs(tmp_path)[0])
    assert len(chart.data) == WINDOWS
    assert chart.data["objective"].tolist() == [10 * n + 5.5 for n in range(WINDOWS)]
    assert chart.data["step"].tolist() == pytest.approx(chart.data["objective"], abs=0.5)
    assert f"in {WINDOWS} windows of steps" in chart.draw(chart.data).get_supxlabel()


def test_variants_are_not_drawn(tmp_path):
    teacher = write_curves(tmp_path, seeds=(0,))
    made = done(tmp_path, spec("pdrd", 0, [teacher], options={"weight": 3}), 0.5, label="PDRD")
    (tmp_path / made["key"] / "curve.csv").write_text(CURVE)
    (chart,) = learning_curve_charts(collect_runs(tmp_path)[0])
    assert set(chart.data["method"]) == {"Teacher", "Student", "PDRD"}


@pytest.mark.parametrize("damage", ["", "step,lr\n1,x\n", "\x00\x01", PLAIN[:26], CURVE[:63]])
def test_a_damaged_curve_is_skipped_and_named(tmp_path, damage):
    teacher = write_curves(tmp_path)
    path = tmp_path / spec("pdrd", 1, [teacher])["key"] / "curve.csv"
    path.write_text(damage)
    chart, problem = learning_curve_charts(collect_runs(tmp_path)[0])
    assert str(problem) == f"figure {chart.name}: {path} is damaged, so its run is not drawn."
    pdrd = chart.data[chart.data["method"] == "PDRD"]
    assert pdrd["seed"].tolist() == [0, 0]


def test_missing_curves_name_the_command(tmp_path):
    study(tmp_path)
    (missing,) = learning_curve_charts(collect_runs(tmp_path)[0])
    assert isinstance(missing, MissingFigure)
    assert "no run has a readable curve.csv, which kdreid run writes" in str(missing)


def test_the_files_contain_what_is_drawn(tmp_path):
    write_curves(tmp_path / "runs")
    (chart,) = learning_curve_charts(collect_runs(tmp_path / "runs")[0])
    paths = save_chart(chart, tmp_path)
    assert [path.name for path in paths] == [f"{chart.name}.{x}" for x in ("csv", "png", "pdf")]
    assert len(pd.read_csv(paths[0])) == len(chart.data) == 7


def test_a_pipe_is_named_and_not_waited_for(tmp_path):
    teacher = write_curves(tmp_path)
    path = tmp_path / spec("pdrd", 1, [teacher])["key"] / "curve.csv"
    path.unlink()
    os.mkfifo(path)
    chart, problem = learning_curve_charts(collect_runs(tmp_path)[0])
    assert f"{path} is a pipe" in str(problem)
    assert set(chart.data[chart.data["method"] == "PDRD"]["seed"]) == {0}
