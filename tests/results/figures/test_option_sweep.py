import pytest

from results.collect import collect_runs
from results.figures.chart import Chart, MissingFigure, save_chart
from results.figures.option_sweep import PAPER_STUDIES, sweep_charts
from tests.support.records import done, spec, study, teacher_spec

DEFAULTS = {"variant": "original", "weight": 2.0, "activation": "mish"}


def done_pdrd(runs, accuracy, seed=0, **options):
    made = spec("pdrd", seed, [teacher_spec()], options=options)
    done(runs, made, accuracy, options={**DEFAULTS, **options})


def by_name(runs):
    return {chart.name: chart for chart in sweep_charts(collect_runs(runs)[0])}


def test_the_default_is_a_point_among_the_given_values(tmp_path):
    done(tmp_path, teacher_spec(), 0.6)
    for seed, extra in ((0, 0.0), (1, 0.02)):
        done_pdrd(tmp_path, 0.5 + extra, seed)
        done_pdrd(tmp_path, 0.4 + extra, seed, weight=1.0)
    charts = by_name(tmp_path)
    data = charts["pdrd-weight"].data
    assert data["value"].tolist() == [1.0, 2.0] and data["seeds"].tolist() == [2, 2]
    assert data["mAP"].tolist() == pytest.approx([41, 51])
    assert data["R1"].tolist() == pytest.approx([61, 71])
    assert data["mAP_sd"].tolist() == pytest.approx([2**0.5, 2**0.5])
    assert isinstance(charts["pdrd-activation"], MissingFigure)


def test_runs_that_differ_in_two_options_make_no_line(tmp_path):
    done(tmp_path, teacher_spec(), 0.6)
    done_pdrd(tmp_path, 0.5)
    done_pdrd(tmp_path, 0.4, weight=1.0, activation="relu")
    assert all(isinstance(chart, MissingFigure) for chart in by_name(tmp_path).values())


def test_other_values_are_drawn_as_points_next_to_each_other(tmp_path):
    done(tmp_path, teacher_spec(), 0.6)
    done_pdrd(tmp_path, 0.5)
    done_pdrd(tmp_path, 0.4, activation="relu")
    chart = by_name(tmp_path)["pdrd-activation"]
    left, right = chart.draw(chart.data).axes
    assert [tick.get_text() for tick in left.get_xticklabels()] == ["mish", "relu"]
    assert (left.get_ylabel(), right.get_ylabel()) == ("mAP (%)", "R1 (%)")
    assert len(save_chart(chart, tmp_path)) == 3


def test_the_loss_without_an_activation_is_called_none(tmp_path):
    done(tmp_path, teacher_spec(), 0.6)
    done_pdrd(tmp_path, 0.5)
    done_pdrd(tmp_path, 0.4, activation="relu")
    plain = {"variant": "original", "weight": 2.0}
    done(tmp_path, spec("pdrk", 0, [teacher_spec()]), 0.3, options=plain)
    charts = by_name(tmp_path)
    data = charts["pdrd-activation"].data
    assert dict(zip(data["value"], data["mAP"], strict=True)) == pytest.approx(
        {"mish": 50, "none": 30, "relu": 40}
    )
    assert isinstance(charts["pdrd-weight"], MissingFigure)


def test_records_without_options_are_skipped(tmp_path):
    teacher = study(tmp_path, seeds=(0,))
    done(tmp_path, spec("pdrd", 0, [teacher], options={"weight": 1.0}), 0.4)
    missing = by_name(tmp_path)["pdrd-weight"]
    assert isinstance(missing, MissingFigure)
    assert str(missing).endswith("Run kdreid run --study pdrd-weight.")


def test_every_dataset_and_network_has_its_line(tmp_path):
    for dataset in ("market1501", "veri776"):
        teacher = done(tmp_path, teacher_spec(dataset=dataset), 0.6)
        for weight in (1.0, 3.0):
            made = spec("vrkd", 0, [teacher], dataset=dataset, options={"weight": weight})
            done(tmp_path, made, 0.5, options={"weight": weight})
    chart = by_name(tmp_path)["vrkd-weight"]
    assert isinstance(chart, Chart)
    lines = ["Market-1501, resnet18"] * 2 + ["VeRi-776, resnet18"] * 2
    assert chart.data["line"].tolist() == lines


def test_every_paper_figure_has_a_study():
    from harness.core.yaml import config_names

    assert set(PAPER_STUDIES.values()) <= set(config_names("study"))


@pytest.mark.parametrize(("values", "scale"), [((1.0, 2.0, 4.0), "linear"), ((1.0, 8.0), "log")])
def test_a_wide_range_of_values_has_a_logarithmic_axis(tmp_path, values, scale):
    done(tmp_path, teacher_spec(), 0.6)
    for value in values:
        done_pdrd(tmp_path, 0.4, weight=value)
    chart = by_name(tmp_path)["pdrd-weight"]
    for ax in chart.draw(chart.data).axes:
        assert ax.get_xscale() == scale
        assert [tick.get_text() for tick in ax.get_xticklabels()] == [f"{v:g}" for v in values]
