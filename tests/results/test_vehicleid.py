"""VehicleID's three tests in one table, each the mean of ten draws."""

import csv
import io
from statistics import stdev

import pytest
from made_records import cells, done, draw, record, spec, write

from results.gather import COLUMNS, gather
from results.published import load_published
from results.report import report
from results.tables import comparison

TESTS = ("test800", "test1600", "test2400")
OFFSETS = (0.02, -0.02, 0.01, -0.01, 0, 0, 0, 0, 0, 0)  # of ten draws, from their mean
SD = stdev(OFFSETS)


def scored(runs, made, accuracy, **fields):
    """A record whose three tests have mAP `accuracy`, 5 points less and 10 less; R1 is 10 lower."""
    evaluations = {
        name: [draw(mean + shift, mean - 0.1 + 2 * shift) for shift in OFFSETS]
        for name, mean in zip(TESTS, (accuracy, accuracy - 0.05, accuracy - 0.1), strict=True)
    }
    result = {"steps": 60, "model": "ab", "evaluations": evaluations}
    write(runs, record(made, result=result, **fields))
    return made


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
    (table,) = comparison(gather(runs)[0], "vehicleid", load_published())
    return table


def test_every_test_has_columns_of_its_own(table):
    shown = [f"{test} {score}" for test in ("Test800", "Test1600", "Test2400")
             for score in ("mAP", "R1")]  # fmt: skip
    front = ("Method", "Teacher", "Student")
    assert table.columns == (*front, *shown, "Gain in Test800 mAP", "Seeds", "Reference")
    assert table.title == "Distillation methods on VehicleID"
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_scores_are_means_over_draws_and_spreads_are_over_seeds(table):
    row, over_seeds = cells(table, "SP"), f" ± {100 * stdev([0.70, 0.74]):.2f}"
    means = ("72.00", "62.00", "67.00", "57.00", "62.00", "52.00")
    assert tuple(row.values())[3:9] == tuple(mean + over_seeds for mean in means)
    assert row["Gain in Test800 mAP"] == "+11.00" and row["Seeds"] == "2"
    assert cells(table, "Teacher")["Test2400 R1"] == "60.00"
    assert cells(table, "FitNet")["Test1600 mAP"] == "-"


def test_the_spread_over_draws_is_a_footnote(table):
    (note,) = [note for note in table.footnotes if "draws" in note]
    assert note == (
        "Scores are of the evaluations test800, test1600, test2400, each the mean of 10 draws; "
        f"standard deviation over draws up to {100 * SD:.2f} in mAP and {200 * SD:.2f} in R1."
    )
    assert any(note.startswith("Gain in Test800 mAP: points above") for note in table.footnotes)


def test_every_format_has_all_three(runs):
    text = report(runs).text
    for name in ("comparison-vehicleid.md", "comparison-vehicleid.tex", "comparison-vehicleid.csv"):
        written = (runs / "report" / name).read_text()
        assert all(
            f"Test{size} {s}" in written for size in (800, 1600, 2400) for s in ("mAP", "R1")
        )
        assert "67.00" in written
    assert "Test2400 R1" in text and "mean of 10 draws" in text
    rows = list(csv.DictReader(io.StringIO((runs / "report" / "runs.csv").read_text())))
    (teacher,) = [row for row in rows if row["network"] == "resnet101"]
    assert float(teacher["test1600 mAP"]) == pytest.approx(0.75)
    assert float(teacher["test2400 R1 sd"]) == pytest.approx(2 * SD)


def test_other_datasets_beside_it_keep_their_columns(runs):
    done(runs, spec(dataset="market1501"), 0.4)
    frame, problems = gather(runs)
    assert problems == [] and list(frame.columns)[: len(COLUMNS)] == list(COLUMNS)
    (table,) = comparison(frame, "market1501", load_published())
    assert table.columns[3:6] == ("mAP", "R1", "Gain in mAP")
    assert cells(table, "Student")["mAP"] == "40.00"
