import pytest

from results.collect import collect_runs
from results.figures.chart import MissingFigure, save
from results.figures.model_size import charts
from tests.support.records import done, spec, teacher_spec


def sized(runs, made, accuracy, parameters):
    done(runs, made, accuracy, operations={"parameters": parameters, "macs_with_rest": 1})


def only(runs):
    (chart,) = charts(collect_runs(runs)[0])
    return chart


def test_methods_of_two_networks_are_points(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    for network, parameters, worse in (("resnet18", 11_000_000, 0.0), ("cnn5", 900_000, 0.1)):
        for seed in (0, 1):
            sized(tmp_path, spec(seed=seed, network=network), 0.4 - worse, parameters)
            made = spec("pdrd", seed, [teacher], network=network)
            sized(tmp_path, made, 0.5 + seed / 50 - worse, parameters)
    sized(tmp_path, spec("sp", 0, [teacher]), 0.45, 11_000_000)  # of one network: no line
    chart = only(tmp_path)
    assert chart.name == "size-synthetic"
    assert chart.data["method"].tolist() == ["Student", "Student", "PDRD", "PDRD"]
    assert chart.data["millions"].tolist() == [0.9, 11, 0.9, 11]
    assert chart.data["mAP"].tolist() == pytest.approx([30, 40, 41, 51])
    assert chart.data["seeds"].tolist() == [2, 2, 2, 2]
    assert len(save(chart, tmp_path)) == 3


def test_other_recipes_and_other_options_are_no_other_size(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    sized(tmp_path, spec("pdrd", 0, [teacher]), 0.5, 11_000_000)
    sized(tmp_path, spec("pdrd", 0, [teacher], network="cnn5", recipe={"epochs": 9}), 0.5, 900_000)
    sized(tmp_path, spec("pdrd", 0, [teacher], network="cnn5", options={"a": 1}), 0.5, 900_000)
    absent = only(tmp_path)
    assert isinstance(absent, MissingFigure)
    assert "kdreid run --dataset synthetic --student resnet34" in str(absent)


def test_generated_data_is_called_so(tmp_path):
    teacher = done(tmp_path, teacher_spec(dataset="market1501"), 0.6)
    notes = ["Generated data: drawn images in this dataset's layout, no photographs."]
    for network in ("resnet18", "cnn5"):
        made = spec("pdrd", 0, [teacher], network=network, dataset="market1501")
        counts = {"parameters": len(network), "macs_with_rest": 1}
        done(tmp_path, made, 0.5, operations=counts, notes=notes)
    chart = only(tmp_path)
    title = chart.draw(chart.data).axes[0].get_title()
    assert title == "Accuracy against size, Market-1501 (generated data)"
