"""Which configuration of a method a study means."""

import pandas as pd
import pytest

from harness.core.errors import UsageError
from results.collect import collect_runs
from results.configurations import TableChoice
from results.report import all_tables
from results.study_options import fit_options, load_study_options
from tests.support.records import cells, done, spec, study


def chosen(ran, stated, method="pdrd"):
    frame = pd.DataFrame({"method": [method] * len(ran), "options": ran})
    return fit_options(TableChoice(options={"pdrd": stated}), frame).options.get(method)


@pytest.mark.parametrize(
    ("ran", "stated", "expected"),
    [
        (["", "weight=3.0", "weight=2.0"], {"weight": 3}, {"weight": "3.0"}),
        # A default that the study states is in no record.
        (["", "weight=3.0"], {"weight": 3.0, "variant": "paper"}, {"weight": "3.0"}),
        (["", "weight=2.0"], {"weight": 3}, {}),
        (["weight=2.0"], {"weight": 3}, None),
        # What the dataset's file adds does not matter, but the fewest others count.
        (["variant=x, weight=3.0"], {"weight": 3}, {"variant": "x", "weight": "3.0"}),
        (["a=1, weight=3.0", "weight=3.0"], {"weight": 3}, {"weight": "3.0"}),
        (["flag=True", "flag=False"], {"flag": True}, {"flag": "True"}),
    ],
)
def test_the_configuration_that_agrees_most_counts(ran, stated, expected):
    assert chosen(ran, stated) == expected


def test_options_of_a_method_from_outside_stand_under_its_class():
    frame = pd.DataFrame({"method": ["mine:Mine"], "options": ["weight=3.0"]})
    choice = fit_options(TableChoice(options={"Mine": {"weight": 3}}), frame)
    assert choice.options == {"mine:Mine": {"weight": "3.0"}}


def test_tables_compare_the_configuration_of_the_study(tmp_path):
    teacher = study(tmp_path / "runs")
    for seed in (0, 1, 2):
        made = spec("pdrd", seed, [teacher], options={"weight": 3.0})
        done(tmp_path / "runs", made, 0.6 + 0.01 * seed, label="PDRD")
    path = tmp_path / "mine.yaml"
    path.write_text("seeds: [0, 1, 2]\noptions:\n  pdrd: {weight: 3}\n")
    frame = collect_runs(tmp_path / "runs")[0]
    choice = fit_options(TableChoice(options=load_study_options(str(path))), frame)
    (compared, *_) = all_tables(frame, choice)
    assert cells(compared, "PDRD (weight=3.0)")["mAP"].startswith("61.00")
    (usual, *_) = all_tables(frame)
    assert cells(usual, "PDRD")["mAP"].startswith("52.00")


def test_our_studies_can_be_read_and_others_are_named(tmp_path):
    assert load_study_options("pdrd-tables")["fitnet"]
    with pytest.raises(UsageError, match="No study is called 'pdrd-table'. Did you mean 'pdrd-t"):
        load_study_options("pdrd-table")
    (tmp_path / "wrong.yaml").write_text("options:\n  sp: 3\n")
    with pytest.raises(UsageError, match=r"wrong.yaml:2: "):
        load_study_options(str(tmp_path / "wrong.yaml"))
