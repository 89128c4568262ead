"""A cell's text, and what it says of where it came from."""

import pytest

from results.collect import collect_runs
from results.published import load_published
from results.tables.cells import Cell
from results.tables.comparison import comparison_tables
from tests.support.records import done, failed, spec, study, texts, whole_cells


def only_table(runs, dataset="synthetic"):
    (table,) = comparison_tables(collect_runs(runs)[0], dataset, load_published())
    return table


def keys(runs, method):
    frame, _ = collect_runs(runs)
    return set(frame[(frame["method"] == method) & (frame["network"] == "resnet18")]["key"])


def test_a_score_knows_its_runs_and_seeds(tmp_path):
    study(tmp_path)
    row = whole_cells(only_table(tmp_path), "PDRD")
    assert set(row["mAP"].runs) == set(row["Method"].runs) == keys(tmp_path, "pdrd")
    assert len(row["mAP"].runs) == 3
    assert row["mAP"].value == pytest.approx(52)
    assert row["mAP"].detail == "seed 0: 50.00, seed 1: 51.00, seed 2: 55.00"
    assert row["Seeds"].value == 3


def test_a_gain_is_made_from_both_methods_runs(tmp_path):
    teacher = study(tmp_path)
    done(tmp_path, spec("sp", 1, [teacher]), 0.45)
    row = whole_cells(only_table(tmp_path), "SP")
    assert len(row["Gain in mAP"].runs) == 2  # of seed 1 alone
    assert row["Gain in mAP"].value == pytest.approx(3)
    gained = whole_cells(only_table(tmp_path), "PDRD")["Gain in mAP"]
    assert set(gained.runs) == keys(tmp_path, "pdrd") | keys(tmp_path, "none")


def test_a_failed_run_stands_behind_its_cell(tmp_path):
    teacher = study(tmp_path)
    made = failed(tmp_path, spec("sp", 0, [teacher]))
    row = whole_cells(only_table(tmp_path), "sp")
    assert row["mAP"] == Cell("failed: diverged", (made["key"],))
    assert row["Method"].runs == (made["key"],)


def test_published_numbers_have_no_runs_but_a_value(tmp_path):
    recipe = {"epochs": 120, "height": 256, "width": 256, "identities": 16}
    study(tmp_path, dataset="veri776", recipe=recipe)
    table = only_table(tmp_path, "veri776")
    row = whole_cells(table, "PDRD")
    assert row["Published mAP"] == Cell("77.60", value=77.6)
    assert all(len(texts(row)) == len(table.columns) for row in table.rows)
