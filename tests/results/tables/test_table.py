"""Parts that several tables share."""

import pytest

from results.collect import collect_runs
from results.comparable import comparison_groups
from results.configurations import rows_by_method
from results.tables.table import qualify_title, score_cells, score_heading
from tests.support.records import done, draw, record, spec, study, write


def only_group(runs):
    (group,) = comparison_groups(collect_runs(runs)[0], "synthetic")
    return group


def test_score_cells_are_in_percent(tmp_path):
    study(tmp_path, seeds=(0,))
    group = only_group(tmp_path)
    (row,) = rows_by_method(group)["pdrd"]
    assert [cell.text for cell in score_cells(row, group)] == ["50.00", "70.00"]


@pytest.mark.parametrize(
    ("flags", "heading", "title"),
    [([], "mAP", "T"), (["partial"], "mAP (partial)", "T (partial data)")],
)
def test_headings_and_titles_have_the_flags_of_the_data(tmp_path, flags, heading, title):
    done(tmp_path, spec(), 0.4, data_flags=flags)
    group = only_group(tmp_path)
    assert score_heading("mAP", group) == heading and qualify_title("T", group) == title


def test_headings_of_several_evaluations_begin_with_a_capital(tmp_path):
    evaluations = {"test800": [draw(0.5)], "test1600": [draw(0.4)]}
    write(tmp_path, record(spec(), result={"steps": 1, "evaluations": evaluations}))
    assert score_heading("test800 mAP", only_group(tmp_path)) == "Test800 mAP"


def test_titles_have_the_settings_that_distinguish_groups(tmp_path):
    for epochs in (3, 9):
        done(tmp_path, spec(recipe={"epochs": epochs}), 0.4)
    groups = comparison_groups(collect_runs(tmp_path)[0], "synthetic")
    assert sorted(qualify_title("T", group) for group in groups) == ["T (epochs 3)", "T (epochs 9)"]
