import pytest

from results.collect import collect_runs
from results.figures.chart import MissingFigure, save_chart
from results.figures.critical_difference import find_cliques, rank_charts
from tests.support.dataset_records import FOUR, dataset_of

SIX = (*FOUR, "cuhk03", "viper")


def texts(figure):
    annotations = [text.get_text() for ax in figure.axes for text in ax.texts]
    return " ".join([*annotations, figure.get_supxlabel()]).replace("\n", " ")


def test_mean_ranks_and_the_warning_that_datasets_are_few(tmp_path):
    for dataset in SIX:
        dataset_of(tmp_path, dataset, {"sp": 0.1, "at": 0.2, "pdrd": 0.3})
    (chart,) = rank_charts(collect_runs(tmp_path)[0])
    assert chart.name == "ranks"
    assert chart.data["method"].tolist() == ["PDRD", "AT", "SP"]
    assert chart.data["mean_rank"].tolist() == [1, 2, 3]
    # q = 2.343 for three methods at 5 % (Demsar 2006, Table 5), times sqrt(3 * 4 / (6 * 6))
    assert chart.data["critical_difference"].tolist() == pytest.approx([2.343 / 3**0.5] * 3, 1e-3)
    text = texts(chart.draw(chart.data))
    assert "WARNING: 6 datasets are few" in text and "PDRD  1.00" in text
    assert len(save_chart(chart, tmp_path)) == 3


def test_fewer_than_six_datasets_have_no_diagram(tmp_path):
    for dataset in SIX[:5]:
        dataset_of(tmp_path, dataset, {"sp": 0.1, "at": 0.2})
    (missing,) = rank_charts(collect_runs(tmp_path)[0])
    assert isinstance(missing, MissingFigure)
    assert str(missing).startswith("figure ranks: it needs 6 datasets")


@pytest.mark.parametrize(
    ("ranks", "difference", "groups"),
    [
        ([1.0, 2.0, 3.0], 1.5, [(0, 1), (1, 2)]),
        ([1.0, 2.0, 3.0], 2.5, [(0, 2)]),
        ([1.0, 2.0, 3.0], 0.5, []),
        ([1.0, 1.2, 5.0], 1.0, [(0, 1)]),
    ],
)
def test_bars_join_the_longest_ranges_within_the_difference(ranks, difference, groups):
    assert find_cliques(ranks, difference) == groups
