import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from results.collect import collect_runs
from results.configurations import TableChoice
from results.figures.chart import Chart, MissingFigure, save_chart
from results.figures.gains import gain_charts
from results.tables.dataset_ranks import rank_across_datasets
from results.tables.summary import summary_tables
from tests.support.dataset_records import dataset_of
from tests.support.made_grid import drop, write_grid
from tests.support.records import done, spec

METHODS = ["at", "sp", "pdrd"]


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """Three methods on two datasets, three seeds each."""
    runs = tmp_path_factory.mktemp("gains")
    write_grid(runs, ("veri776", "dukemtmc"), methods=METHODS)
    return collect_runs(runs)[0]


def charts(frame, choice=None):
    return {one.name: one for one in gain_charts(frame, *([choice] if choice else []))}


def marks(chart, dataset):
    return chart.data[chart.data["dataset"] == dataset].set_index("method")


def drawn(chart):
    """Figure, panel and the drawn points by the label of their dataset."""
    figure = chart.draw(chart.data)
    ax = figure.axes[0]
    points = {line.get_label(): line for line in ax.get_lines() if line.get_linestyle() == "None"}
    return figure, ax, points


def test_gains_intervals_and_stars_are_those_of_the_tests(grid):
    (ranking,) = rank_across_datasets(grid)
    data = charts(grid)["gains"]
    assert set(data.data["dataset"]) == {"mean", "DukeMTMC-reID", "VeRi-776"}
    for one in ranking.rankings:
        of_dataset = marks(data, one.name)
        for row_id, p in one.tests.against.items():
            gain, mark = one.tests.gain(row_id), of_dataset.loc[row_id[1]]
            expected = [100 * value for value in (gain.mean, *gain.interval())]
            assert mark[["gain", "low", "high"]].tolist() == pytest.approx(expected)
            assert mark["p_holm"] == p and mark["significant"] == (p <= 0.05)
            assert (mark["seeds"], mark["datasets"]) == (3, 1)
    means = marks(data, "mean")
    for row_id, (gain, p) in ranking.mean_gains.items():
        assert means.loc[row_id[1], "gain"] == pytest.approx(100 * gain.mean)
        assert means.loc[row_id[1], "p_holm"] == p and means.loc[row_id[1], "datasets"] == 2


def test_methods_are_in_the_order_of_the_leaderboard(grid):
    (table,) = summary_tables(grid)
    order = [row[0].text for row in table.rows if row[0].text != "Student"]
    for name in ("gains", "heatmap"):
        chart = charts(grid)[name]
        assert list(dict.fromkeys(chart.data["method"])) == order
        ax = chart.draw(chart.data).axes[0]
        assert [tick.get_text() for tick in ax.get_yticklabels()] == order
    _, ax, _ = drawn(charts(grid)["gains"])
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first is at the top


def test_a_forest_plot_draws_every_dataset_and_the_mean(grid):
    chart = charts(grid)["gains"]
    figure, ax, points = drawn(chart)
    assert list(points) == ["mean", "DukeMTMC-reID", "VeRi-776"]
    for name, line in points.items():
        assert list(line.get_xdata()) == marks(chart, name)["gain"].tolist()
    assert [round(y, 6) for y in points["mean"].get_ydata()] < list(points["VeRi-776"].get_ydata())
    assert to_rgb(points["mean"].get_color()) == (0, 0, 0)
    ends = [tuple(part[:, 0]) for bars in ax.collections for part in bars.get_segments()]
    assert set(ends) == set(zip(chart.data["low"], chart.data["high"], strict=True))
    texts = [text.get_text() for text in ax.texts]
    of_datasets = chart.data[chart.data["dataset"] != "mean"]
    assert texts.count("*") == of_datasets["significant"].sum() > 0
    best = marks(chart, "mean").iloc[0]
    assert f"{best['gain']:+.2f}*" in texts
    assert figure.get_suptitle() == (
        "Gain in mAP over Student\nteacher resnet101, student resnet18"
    )
    assert "mean over these datasets" in figure.get_supxlabel().replace("\n", " ")


def test_a_heat_map_has_a_cell_per_method_and_dataset(grid):
    chart = charts(grid)["heatmap"]
    ax = chart.draw(chart.data).axes[0]
    columns = [tick.get_text() for tick in ax.get_xticklabels()]
    assert columns == ["DukeMTMC-reID", "VeRi-776", "mean"]
    values = ax.images[0].get_array()
    for column, name in enumerate(columns):
        assert list(values[:, column]) == marks(chart, name)["gain"].tolist()
    texts = [text.get_text() for text in ax.texts]
    expected = [
        f"{mark['gain']:+.2f}{'*' * bool(mark['significant'])}".replace("-", "\N{MINUS SIGN}")
        for method in dict.fromkeys(chart.data["method"])
        for mark in (marks(chart, name).loc[method] for name in columns)
    ]
    assert texts == expected
    low, high = ax.images[0].get_clim()
    assert low == -high  # white is no gain


def test_every_dataset_has_a_forest_plot_of_its_own(grid, tmp_path):
    chart = charts(grid)["gains-veri776"]
    assert set(chart.data["dataset"]) == {"VeRi-776"}
    assert chart.data["gain"].is_monotonic_decreasing
    _, ax, points = drawn(chart)
    assert list(points) == ["VeRi-776"] and ax.get_legend() is None
    numbers = [text.get_text() for text in ax.texts]
    assert len(numbers) == len(METHODS) and numbers[0].startswith("+")
    paths = save_chart(chart, tmp_path)
    kept = pd.read_csv(paths[0])
    assert kept["gain"].tolist() == pytest.approx(chart.data["gain"])
    assert kept["significant"].dtype == bool


def test_one_seed_has_no_interval_and_the_picture_says_so(tmp_path):
    write_grid(tmp_path, ("veri776", "dukemtmc"), (0,), METHODS)
    of_seed = charts(collect_runs(tmp_path)[0])
    for name in ("gains", "heatmap", "gains-veri776"):
        chart = of_seed[name]
        assert chart.data[["low", "high", "p_holm"]].isna().all(axis=None)
        assert not chart.data["significant"].any() and chart.data["gain"].notna().all()
        figure = chart.draw(chart.data)
        assert "One seed: no interval" in figure.get_supxlabel().replace("\n", " ")
        assert not any("*" in text.get_text() for text in figure.axes[0].texts)
    _, ax, _ = drawn(of_seed["gains"])
    assert not any(len(segment) for bars in ax.collections for segment in bars.get_segments())


def test_a_method_that_misses_a_dataset_says_how_many_its_mean_has(tmp_path):
    made = write_grid(tmp_path, ("veri776", "dukemtmc"), methods=METHODS)
    for seed in (0, 1, 2):
        drop(tmp_path, made["veri776", "sp", seed])
    of_grid = charts(collect_runs(tmp_path)[0])
    chart = of_grid["gains"]
    assert marks(chart, "mean").loc["SP", "datasets"] == 1
    assert list(dict.fromkeys(chart.data["method"]))[-1] == "SP"
    _, ax, _ = drawn(chart)
    (text,) = (text.get_text() for text in ax.texts if "of 2" in text.get_text())
    assert text.endswith("(1 of 2)")
    cells = [text.get_text() for text in of_grid["heatmap"].draw(chart.data).axes[0].texts]
    assert cells.count("-") == 1


def test_gains_are_measured_from_the_chosen_method(grid):
    chosen = charts(grid, TableChoice(against="pdrd"))["gains"]
    assert set(chosen.data["method"]) == {"Student", "AT", "SP"}
    assert (marks(chosen, "mean")["gain"] < 0).all()
    title = chosen.draw(chosen.data).get_suptitle()
    assert title.startswith("Gain in mAP over PDRD\n")


def test_variants_do_not_enter(tmp_path):
    teacher = dataset_of(tmp_path, "market1501", {"sp": 0.1, "pdrd": 0.2})
    for seed in (0, 1, 2):
        made = spec("pdrd", seed, [teacher], dataset="market1501", options={"weight": 9})
        done(tmp_path, made, 0.9, label="PDRD")
    chart = charts(collect_runs(tmp_path)[0])["gains-market1501"]
    assert dict(zip(chart.data["method"], chart.data["gain"], strict=True)) == pytest.approx(
        {"PDRD": 20, "SP": 10}
    )


def test_labels_are_literal_and_fit(tmp_path):
    label = "$A_{1}$ with a very long label of a user, as runs may have one"
    teacher = dataset_of(tmp_path, "market1501", {"sp": 0.1})
    for seed in (0, 1, 2):
        made = spec("x:Y", seed, [teacher], dataset="market1501")
        done(tmp_path, made, 0.6 + seed / 100, label=label)
    chart = charts(collect_runs(tmp_path)[0])["gains-market1501"]
    figure, ax, _ = drawn(chart)
    texts = [tick.get_text() for tick in ax.get_yticklabels()]
    assert texts[0].replace("\n", " ").startswith("$A_{1}$ with a very long")
    figure.draw_without_rendering()
    upper, lower = (tick.get_window_extent() for tick in ax.get_yticklabels())
    assert lower.y1 < upper.y0
    assert chart.data["method"].iloc[0] == label  # whole in the CSV


def test_missing_figures_say_what_they_need(tmp_path):
    teacher = done(tmp_path, spec(network="resnet101"), 0.6)
    done(tmp_path, spec("sp", 0, [teacher]), 0.5)
    missing = charts(collect_runs(tmp_path)[0])
    assert set(missing) == {"gains", "heatmap", "gains-synthetic"}
    assert all(isinstance(one, MissingFigure) for one in missing.values())
    assert "Run another dataset with the same networks" in str(missing["gains"])
    assert "kdreid run --dataset synthetic" in str(missing["gains-synthetic"])
    assert not any(isinstance(one, Chart) for one in missing.values())
