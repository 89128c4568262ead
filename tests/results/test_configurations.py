"""Which configuration of a method is compared."""

import pytest

from results.collect import collect_runs
from results.comparable import comparison_groups
from results.configurations import (
    TableChoice,
    compared_rows,
    reference_row,
    rows_by_method,
    variant_rows,
)
from results.published import load_published
from results.tables.comparison import comparison_tables
from results.tables.variants import variant_tables
from tests.support.records import cells, done, failed, spec, study, whole_cells


def only_group(runs):
    (group,) = comparison_groups(collect_runs(runs)[0], "synthetic")
    return group


def test_rows_by_method(tmp_path):
    teacher = study(tmp_path)
    done(tmp_path, spec("at", 0, [teacher], options={"weight": 2.0}), 0.5)
    done(tmp_path, spec("at", 0, [teacher]), 0.5)
    labels = {
        m: [row.label for row in rows] for m, rows in rows_by_method(only_group(tmp_path)).items()
    }
    assert labels == {"none": ["Student"], "at": ["AT", "AT (weight=2.0)"], "pdrd": ["PDRD"]}


def labels(runs, **choice):
    return [row.label for row in compared_rows(only_group(runs), TableChoice(**choice))]


def test_the_defaults_are_compared_however_good_a_variant_is(tmp_path):
    teacher = study(tmp_path)
    for seed in range(3):
        done(tmp_path, spec("pdrd", seed, [teacher], options={"weight": 2.5}), 0.9, label="PDRD")
    assert labels(tmp_path) == ["Student", "PDRD"]
    ((chosen, others),) = variant_rows(only_group(tmp_path))
    assert chosen.label == "PDRD" and [row.label for row in others] == ["PDRD (weight=2.5)"]


def test_a_studys_options_are_compared_if_they_have_runs(tmp_path):
    teacher = study(tmp_path)
    done(tmp_path, spec("pdrd", 0, [teacher], options={"weight": 2.5}), 0.9, label="PDRD")
    chosen = {"pdrd": {"weight": 2.5}}
    assert labels(tmp_path, options=chosen) == ["Student", "PDRD (weight=2.5)"]
    assert labels(tmp_path, options={"pdrd": {"weight": 7}}) == ["Student", "PDRD"]


def test_without_the_defaults_the_variant_with_most_seeds_is_compared(tmp_path):
    teacher = study(tmp_path)
    for weight, seeds in ((1.0, 1), (4.0, 3), (9.0, 3)):
        for seed in range(seeds):
            made = spec("at", seed, [teacher], options={"weight": weight})
            done(tmp_path, made, 0.45, label="AT")
    failed(tmp_path, spec("at", 0, [teacher]))  # the defaults, without a result
    assert labels(tmp_path)[1] == "AT (weight=4.0)"


@pytest.mark.parametrize(("method", "label"), [("none", "Student"), ("pdrd", "PDRD"), ("at", None)])
def test_the_reference_is_a_compared_row(tmp_path, method, label):
    study(tmp_path)
    rows = compared_rows(only_group(tmp_path))
    reference = reference_row(rows, TableChoice(against=method))
    assert reference == (label and (method, label))


def test_a_sweep_in_the_same_folder_moves_no_verdict(tmp_path):
    """Rows, p values, letters and marks are those of a folder without it."""
    folders = [tmp_path / "alone", tmp_path / "with"]
    tables = []
    for folder in folders:
        teacher = study(folder)
        for seed in range(3):
            done(folder, spec("at", seed, [teacher]), 0.46 + 0.001 * seed)
            if folder == folders[1]:
                for weight in (0.5, 1.5, 9.0):
                    made = spec("pdrd", seed, [teacher], options={"weight": weight})
                    done(folder, made, 0.2 + 0.05 * weight, label="PDRD")
        frame, _ = collect_runs(folder)
        (table,) = comparison_tables(frame, "synthetic", load_published())
        tables.append(table)
    for label in ("Student", "AT", "PDRD"):
        assert whole_cells(tables[0], label) == whole_cells(tables[1], label)
    assert [len(table.rows) for table in tables] == [4, 4]
    (variants,) = variant_tables(frame, "synthetic")
    assert [row[0].text for row in variants.rows] == [
        "PDRD",
        "PDRD (weight=0.5)",
        "PDRD (weight=1.5)",
        "PDRD (weight=9.0)",
    ]
    worst = cells(variants, "PDRD (weight=0.5)")
    assert worst["mAP"] == "22.50 ± 0.00" and worst["From the first row"].startswith("-29.50 [")
    assert cells(variants, "PDRD")["From the first row"] == ""
    assert cells(variants, "PDRD")["Gain in mAP"] == cells(tables[1], "PDRD")["Gain in mAP"]


def test_without_variants_there_is_no_table_of_them(tmp_path):
    study(tmp_path)
    assert variant_tables(collect_runs(tmp_path)[0], "synthetic") == []
