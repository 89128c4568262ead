import pytest

from results.collect import collect_runs
from results.figures.chart import MissingFigure, save_chart
from results.figures.model_size import size_charts
from tests.support.records import done, spec, teacher_spec


def done_with_size(runs, made, accuracy, parameters):
    done(runs, made, accuracy, operations={"parameters": parameters, "macs_with_rest": 1})


def only_chart(runs):
    (chart,) = size_charts(collect_runs(runs)[0])
    return chart


def test_methods_of_two_networks_are_points(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    for network, parameters, worse in (("resnet18", 11_000_000, 0.0), ("cnn5", 900_000, 0.1)):
        for seed in (0, 1):
            done_with_size(tmp_path, spec(seed=seed, network=network), 0.4 - worse, parameters)
            made = spec("pdrd", seed, [teacher], network=network)
            done_with_size(tmp_path, made, 0.5 + seed / 50 - worse, parameters)
    done_with_size(tmp_path, spec("sp", 0, [teacher]), 0.45, 11_000_000)  # of one network: no line
    chart = only_chart(tmp_path)
    assert chart.name == "size-synthetic"
    assert chart.data["method"].tolist() == ["Student", "Student", "PDRD", "PDRD"]
    assert chart.data["millions"].tolist() == [0.9, 11, 0.9, 11]
    assert chart.data["mAP"].tolist() == pytest.approx([30, 40, 41, 51])
    assert chart.data["seeds"].tolist() == [2, 2, 2, 2]
    assert len(save_chart(chart, tmp_path)) == 3


def test_other_recipes_and_options_are_not_compared(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    done_with_size(tmp_path, spec("pdrd", 0, [teacher]), 0.5, 11_000_000)
    done_with_size(
        tmp_path, spec("pdrd", 0, [teacher], network="cnn5", recipe={"epochs": 9}), 0.5, 900_000
    )
    done_with_size(
        tmp_path, spec("pdrd", 0, [teacher], network="cnn5", options={"a": 1}), 0.5, 900_000
    )
    missing = only_chart(tmp_path)
    assert isinstance(missing, MissingFigure)
    assert "kdreid run --dataset synthetic --student resnet34" in str(missing)


def test_generated_data_is_flagged_in_the_title(tmp_path):
    teacher = done(tmp_path, teacher_spec(dataset="market1501"), 0.6)
    notes = ["Generated data: drawn images in this dataset's layout, no photographs."]
    for network in ("resnet18", "cnn5"):
        made = spec("pdrd", 0, [teacher], network=network, dataset="market1501")
        counts = {"parameters": len(network), "macs_with_rest": 1}
        done(tmp_path, made, 0.5, operations=counts, notes=notes)
    chart = only_chart(tmp_path)
    title = chart.draw(chart.data).axes[0].get_title()
    assert title == "mAP and model size, Market-1501 (generated data)"
