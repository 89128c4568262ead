"""The summary over datasets as a table, on records whose truth is known."""

import pytest

from results.collect import collect_runs
from results.report import write_report
from results.tables.summary import summary_tables
from tests.support.dataset_records import FOUR, dataset_of
from tests.support.records import cells, done, spec, texts, whole_cells

# PDRD wins on three datasets and is level with SP on the fourth; AT never differs from the student
GAINS = {"fitnet": -0.1, "at": 0.0, "sp": 0.2, "pdrd": 0.3}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    for dataset in FOUR:
        level = {"pdrd": 0.2} if dataset == "veri776" else {}
        teacher = dataset_of(folder, dataset, GAINS | level)
    done(folder, spec("kdpe", 0, [teacher], dataset="veri776"), 0.99)
    return folder


@pytest.fixture(scope="module")
def table(runs):
    (table,) = summary_tables(collect_runs(runs)[0])
    return table


def test_rows_are_in_the_order_of_their_mean_ranks(table):
    assert table.columns == (
        "Method",
        "Mean rank",
        "Ranks of seeds",
        "Datasets",
        "Against Student",
        "Against PDRD",
    )
    assert [texts(row) for row in table.rows] == [
        ("PDRD", "1.12 ± 0.25", "1 to 2", "4/4", "4 / 0 / 0", ""),
        ("SP", "1.88 ± 0.25", "1 to 2", "4/4", "4 / 0 / 0", "0 / 1 / 3"),
        ("AT", "3.00 ± 0.00", "3 to 3", "4/4", "0 / 4 / 0", "0 / 0 / 4"),
        ("FITNET", "4.00 ± 0.00", "4 to 4", "4/4", "0 / 0 / 4", "0 / 0 / 4"),
        ("Student", "", "", "", "", "0 / 0 / 4"),
        ("KDPE", "-", "-", "0/4", "-", "-"),
    ]


def test_cells_know_their_runs_and_datasets(table):
    row = whole_cells(table, "SP")
    assert row["Mean rank"].value == pytest.approx(1.875)
    assert row["Mean rank"].detail == ("DukeMTMC-reID: 2; Market-1501: 2; MSMT17: 2; VeRi-776: 1.5")
    assert len(row["Mean rank"].runs) == 12 and len(row["Against PDRD"].runs) == 24
    assert row["Against PDRD"].detail == (
        "no difference on VeRi-776; worse on DukeMTMC-reID, Market-1501, MSMT17"
    )
    assert row["Datasets"].detail == ""
    reasons = "DukeMTMC-reID: -; Market-1501: -; MSMT17: -; VeRi-776: 1/3 seeds"
    assert whole_cells(table, "KDPE")["Datasets"].detail == reasons
    assert not any(cell.group for line in table.rows for cell in line)


def test_footnotes_warn_of_few_datasets(table):
    notes = " ".join(table.footnotes)
    assert "4 datasets are few" in notes and "Friedman" in notes and "2.35" in notes
    assert "Market-1501: 4 ranked methods, 3 seeds, evaluation test" in notes
    assert "Not every method" not in notes


def test_missing_datasets_have_footnotes(tmp_path):
    dataset_of(tmp_path, "market1501", {"sp": 0.1, "at": 0.2, "pdrd": 0.3}, seeds=(0,))
    dataset_of(tmp_path, "veri776", {"sp": 0.3, "at": 0.1}, seeds=(0,))
    (table,) = summary_tables(collect_runs(tmp_path)[0])
    row = cells(table, "PDRD")
    assert (row["Mean rank"], row["Datasets"]) == ("1.00", "1/2")
    assert [line[0].text for line in table.rows] == ["AT", "SP", "PDRD", "Student"]
    notes = " ".join(table.footnotes)
    assert "Not every method is ranked on every dataset" in notes
    assert "Market-1501 has one seed: its ranks and tests do not cover variation" in notes


def test_two_summaries_have_two_names(tmp_path):
    for dataset in FOUR[:2]:
        for big in ("resnet101", "resnet50"):
            dataset_of(tmp_path, dataset, {"sp": 0.1, "at": 0.2}, seeds=(0,), big=big)
    names = [table.name for table in summary_tables(collect_runs(tmp_path)[0])]
    assert sorted(names) == ["summary-resnet101-resnet18", "summary-resnet50-resnet18"]


def test_the_report_has_it_in_every_form(runs):
    made = write_report(runs)
    assert made.tables[-1].name == "summary"
    for form in ("md", "tex", "csv"):
        written = (runs / "report" / f"summary.{form}").read_text()
        assert "4 / 0 / 0" in written and "1.88" in written
    assert "Ranks over datasets, teacher resnet101, student resnet18" in made.text
