from itertools import pairwise

import pytest
from matplotlib.text import Text

from results.collect import collect_runs
from results.figures.chart import MissingFigure, save_chart
from results.figures.model_size import size_charts, spread
from tests.support.records import done, spec, teacher_spec


def done_with_size(runs, made, accuracy, parameters, macs=1):
    counts = {"parameters": parameters, "macs_with_rest": macs}
    done(runs, made, accuracy, operations=counts)


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
    title = chart.draw(chart.data).get_suptitle()
    assert title == "mAP and model size, Market-1501 (generated data)"


def test_macs_have_a_panel_where_they_differ(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    for network, macs in (("resnet18", 1_200_000_000), ("cnn5", 80_000_000)):
        made = spec("pdrd", 0, [teacher], network=network)
        done_with_size(tmp_path, made, 0.5, macs // 100, macs)
    chart = only_chart(tmp_path)
    assert chart.data["giga_macs"].tolist() == [0.08, 1.2]
    figure = chart.draw(chart.data)
    assert [ax.get_xlabel() for ax in figure.axes] == [
        "parameters (millions)",
        "MACs for one image (billions)",
    ]
    for ax, column in zip(figure.axes, ("millions", "giga_macs"), strict=True):
        assert list(ax.get_lines()[0].get_xdata()) == chart.data[column].tolist()
    assert "One seed: no bars" in figure.get_supxlabel()
    equal = chart.data.assign(giga_macs=1.0)
    assert len(chart.draw(equal).axes) == 1


def test_names_of_networks_of_nearly_one_size_do_not_overlap(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    sizes = {"resnet18": 11.7, "resnet18-ibn": 11.8, "resnet34": 12.0, "cnn5": 0.9}
    for network, millions in sizes.items():
        made = spec("pdrd", 0, [teacher], network=network)
        done_with_size(tmp_path, made, 0.5, int(millions * 1e6))
    figure = (chart := only_chart(tmp_path)).draw(chart.data)
    figure.draw_without_rendering()
    (ax,) = figure.axes
    extents = [(Text.get_window_extent(text), text.get_text()) for text in ax.texts]
    boxes = sorted((box.x0, box.x1, name) for box, name in extents)
    assert [name for _, _, name in boxes] == ["cnn5", "resnet18", "resnet18-ibn", "resnet34"]
    assert all(left[1] < right[0] for left, right in pairwise(boxes))


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], []),
        ([0.1, 0.5], [0.1, 0.5]),
        ([0.5, 0.5], [0.45, 0.55]),
        ([0.2, 0.5, 0.5, 0.52], [0.2, 0.4067, 0.5067, 0.6067]),
        ([0.0, 0.05, 0.16], [-0.03, 0.07, 0.17]),
    ],
)
def test_positions_are_moved_apart_as_little_as_possible(places, expected):
    assert spread(places, 0.1) == pytest.approx(expected, abs=1e-4)
