"""VehicleID's three tests in one table, each the mean of ten draws."""

import csv
import io
from statistics import stdev

import pytest

from results.collect import COLUMNS, collect_runs
from results.published import load_published
from results.report import write_report
from results.tables.comparison import comparison_tables
from tests.support.records import (
    cells,
    done,
    spec,
    whole_cells,
)
from tests.support.vehicleid_records import OFFSETS, scored

SD = stdev(OFFSETS)


@pytest.fixture
def runs(tmp_path):
    """A teacher, and in two seeds a plain student and SP."""
    teacher = scored(tmp_path, spec(network="resnet101", dataset="vehicleid"), 0.8)
    for seed in (0, 1):
        student = spec(seed=seed, dataset="vehicleid")
        scored(tmp_path, student, 0.6 + 0.02 * seed, label="Student")
        scored(tmp_path, spec("sp", seed, [teacher], dataset="vehicleid"), 0.7 + 0.04 * seed)
    return tmp_path


@pytest.fixture
def table(runs):
    (table,) = comparison_tables(collect_runs(runs)[0], "vehicleid", load_published())
    return table


def test_every_test_has_columns_of_its_own(table):
    shown = [
        f"{test} {score}" for test in ("Test800", "Test1600", "Test2400") for score in ("mAP", "R1")
    ]
    front = ("Method", "Teacher", "Student")
    groups = ("Group Test800", "Group Test1600", "Group Test2400")
    back = ("Gain in Test800 mAP", *groups, "Seeds", "Reference")
    assert table.columns == (*front, *shown, *back)
    assert table.title == "Distillation methods on VehicleID"
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_scores_are_means_over_draws_and_spreads_are_over_seeds(table):
    row, over_seeds = cells(table, "SP"), f" ± {100 * stdev([0.70, 0.74]):.2f}"
    means = ("72.00", "62.00", "67.00", "57.00", "62.00", "52.00")
    assert tuple(row.values())[3:9] == tuple(mean + over_seeds for mean in means)
    assert row["Gain in Test800 mAP"].startswith("+11.00 [") and row["Seeds"] == "2"
    assert cells(table, "Teacher")["Test2400 R1"] == "60.00"


def test_every_test_is_compared_on_its_own_queries(runs):
    """SP gains 10 and 12 points in each test, FT always 0.1."""
    teacher = spec(network="resnet101", dataset="vehicleid")
    for seed in (0, 1):
        made = spec("ft", seed, [teacher], dataset="vehicleid")
        scored(runs, made, 0.601 + 0.02 * seed)
    (table,) = comparison_tables(collect_runs(runs)[0], "vehicleid", load_published())
    row = whole_cells(table, "FT")
    assert cells(table, "SP")["Gain in Test800 mAP"].startswith("+11.00 [")
    assert row["Gain in Test800 mAP"].text.startswith("+0.10 [")
    for size in (800, 1600, 2400):
        assert set(row[f"Group Test{size}"].text) & set(
            cells(table, "Student")[f"Group Test{size}"]
        )
    for test in ("test800", "test1600", "test2400"):
        for score in ("mAP", "R1"):
            (note,) = [n for n in table.footnotes if n.startswith(f"{score} of {test}:")]
            assert "1,000 queries of 10 identities" in note and "Smallest significant" in note


def test_the_spread_over_draws_is_a_footnote(table):
    (note,) = [note for note in table.footnotes if "draws" in note]
    assert note == (
        "Scores of the evaluations test800, test1600, test2400 are each the mean of 10 draws; the "
        f"standard deviation over draws is at most {100 * SD:.2f} points of mAP and "
        f"{200 * SD:.2f} points of R1."
    )
    assert any(note.startswith("Gain: points of mAP above Student") for note in table.footnotes)


def test_every_format_has_all_three(runs):
    text = write_report(runs).text
    for name in ("comparison-vehicleid.md", "comparison-vehicleid.tex", "comparison-vehicleid.csv"):
        written = (runs / "report" / name).read_text()
        assert all(
            f"Test{size} {s}" in written for size in (800, 1600, 2400) for s in ("mAP", "R1")
        )
        assert "67.00" in written
    assert "Test2400 R1" in text
    assert "mean of 10 draws" in (runs / "report" / "notes.md").read_text()
    rows = list(csv.DictReader(io.StringIO((runs / "report" / "runs.csv").read_text())))
    (teacher,) = [row for row in rows if row["network"] == "resnet101"]
    assert float(teacher["test1600 mAP"]) == pytest.approx(75)
    assert float(teacher["test2400 R1 sd"]) == pytest.approx(200 * SD)


def test_other_datasets_beside_it_keep_their_columns(runs):
    done(runs, spec(dataset="market1501"), 0.4)
    frame, problems = collect_runs(runs)
    assert problems == [] and list(frame.columns)[: len(COLUMNS)] == list(COLUMNS)
    (table,) = comparison_tables(frame, "market1501", load_published())
    assert table.columns[3:6] == ("mAP", "R1", "Gain in mAP")
    assert cells(table, "Student")["mAP"] == "40.00"
