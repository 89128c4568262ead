import pytest

from results.collect import collect_runs
from results.figures.chart import MissingFigure, save_chart
from results.figures.score_pairs import score_charts
from tests.support.records import done, spec, study


def only_chart(runs):
    (chart,) = score_charts(collect_runs(runs)[0])
    return chart


def test_means_and_deviations_of_both_scores(tmp_path):
    teacher = study(tmp_path)
    variant = spec("pdrd", 0, [teacher], options={"weight": 9})
    done(tmp_path, variant, 0.9, label="PDRD")  # not compared
    chart = only_chart(tmp_path)
    assert chart.name == "scores-synthetic"
    rows = chart.data.set_index("method")
    assert list(rows.index) == ["Student", "PDRD"]
    assert rows["mAP"].tolist() == pytest.approx([42, 52])
    assert rows["R1"].tolist() == pytest.approx([62, 72])
    assert rows["mAP_sd"].tolist() == pytest.approx([2, 7**0.5])
    assert rows["R1_sd"].tolist() == pytest.approx([2, 7**0.5])
    assert rows["seeds"].tolist() == [3, 3]
    (ax,) = chart.draw(chart.data).axes
    points = ax.collections[0].get_offsets()
    assert points.flatten().tolist() == pytest.approx([42, 62, 52, 72])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("mAP (%)", "R1 (%)")
    assert len(save_chart(chart, tmp_path)) == 3


def test_one_seed_has_no_bars_and_the_picture_says_so(tmp_path):
    study(tmp_path, seeds=(0,))
    chart = only_chart(tmp_path)
    figure = chart.draw(chart.data)
    assert len(figure.axes[0].collections) == 1  # the points
    assert chart.data[["mAP_sd", "R1_sd"]].isna().all(axis=None)
    assert "One seed: no bars" in figure.get_supxlabel()


def test_a_single_row_names_the_command(tmp_path):
    done(tmp_path, spec(), 0.4)
    missing = only_chart(tmp_path)
    assert isinstance(missing, MissingFigure)
    assert "kdreid run --dataset synthetic" in str(missing)
