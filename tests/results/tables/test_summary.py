"""The leaderboard over datasets, on records whose truth is known."""

import pytest

from results.collect import collect_runs
from results.report import write_report
from results.tables.dataset_ranks import rank_across_datasets
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


def test_rows_are_in_the_order_of_their_mean_gains(table):
    assert table.columns == (
        "Method",
        "Mean gain in mAP",
        *(f"Gain on {name}" for name in ("DukeMTMC-reID", "Market-1501", "MSMT17", "VeRi-776")),
        "Mean rank",
        "Datasets",
        "Against Student",
        "Against PDRD",
    )
    rows = [texts(row) for row in table.rows]
    assert [(row[0], *row[6:]) for row in rows] == [
        ("PDRD", "1.12", "4/4", "4 / 0 / 0", ""),
        ("SP", "1.88", "4/4", "4 / 0 / 0", "0 / 1 / 3"),
        ("AT", "3.00", "4/4", "0 / 4 / 0", "0 / 0 / 4"),
        ("FITNET", "4.00", "4/4", "0 / 0 / 4", "0 / 0 / 4"),
        ("KDPE", "-", "0/4", "-", "-"),
        ("Student", "", "", "", "0 / 0 / 4"),
    ]
    gains = {row[0]: row[1] for row in rows}
    assert gains["PDRD"].startswith("+27.5") and gains["PDRD"].endswith("*")
    assert not gains["AT"].endswith("*") and gains["FITNET"].startswith("-10.0")
    assert gains["KDPE"].startswith("+") and "[" not in gains["KDPE"]  # one seed
    assert gains["Student"] == ""


def test_the_mean_gain_adds_the_variances_of_the_datasets(runs, table):
    (ranking,) = rank_across_datasets(collect_runs(runs)[0])
    row = ("sp", "SP")
    gains = [one.tests.gain(row) for one in ranking.rankings]
    mean, _ = ranking.mean_gains[row]
    assert mean.mean == pytest.approx(sum(gain.mean for gain in gains) / 4)
    assert mean.error**2 == pytest.approx(sum(gain.error**2 for gain in gains) / 16)
    cell = whole_cells(table, "SP")["Mean gain in mAP"]
    low, high = (100 * bound for bound in mean.interval())
    assert cell.text == f"{100 * mean.mean:+.2f} [{low:.2f}, {high:.2f}]*"


def test_cells_know_their_runs_and_datasets(table):
    row = whole_cells(table, "SP")
    assert row["Mean rank"].value == pytest.approx(1.875)
    assert row["Mean rank"].detail == ("DukeMTMC-reID: 2; Market-1501: 2; MSMT17: 2; VeRi-776: 1.5")
    assert len(row["Mean rank"].runs) == 12 and len(row["Against PDRD"].runs) == 24
    assert row["Against PDRD"].detail == (
        "no difference on VeRi-776; worse on DukeMTMC-reID, Market-1501, MSMT17"
    )
    assert row["Datasets"].detail == ""
    reasons = "DukeMTMC-reID: -; Market-1501: -; MSMT17: -; VeRi-776: 1 of 3 seeds"
    assert whole_cells(table, "KDPE")["Datasets"].detail == reasons
    assert not any(cell.mark.place for line in table.rows for cell in line)


def test_the_notes_say_what_the_means_are(table):
    notes = " ".join(table.footnotes)
    assert "Friedman" not in notes and "Nemenyi" not in notes  # four datasets
    assert "It speaks of these datasets" in notes
    assert "Market-1501: 4 ranked methods, seeds 3, evaluation test" in notes
    assert "Not every method" not in notes


def test_missing_datasets_have_notes(tmp_path):
    dataset_of(tmp_path, "market1501", {"sp": 0.1, "at": 0.2, "pdrd": 0.3}, seeds=(0,))
    dataset_of(tmp_path, "veri776", {"sp": 0.3, "at": 0.1}, seeds=(0,))
    (table,) = summary_tables(collect_runs(tmp_path)[0])
    row = cells(table, "PDRD")
    assert (row["Mean rank"], row["Datasets"]) == ("1.00", "1/2")
    assert [line[0].text for line in table.rows] == ["SP", "AT", "PDRD", "Student"]
    assert cells(table, "SP")["Mean gain in mAP"].startswith("+20.")
    notes = " ".join(table.footnotes)
    assert "Not every method is ranked on every dataset" in notes
    assert any(text.startswith("One seed: nothing is tested") for text in table.caption)


def test_two_summaries_have_two_names(tmp_path):
    for dataset in FOUR[:2]:
        for big in ("resnet101", "resnet50"):
            dataset_of(tmp_path, dataset, {"sp": 0.1, "at": 0.2}, seeds=(0,), big=big)
    names = [table.name for table in summary_tables(collect_runs(tmp_path)[0])]
    assert sorted(names) == ["summary-resnet101-resnet18", "summary-resnet50-resnet18"]


def test_the_report_has_it_in_every_form(runs):
    made = write_report(runs)
    assert made.tables[0].name == "summary"
    for form in ("md", "tex", "csv"):
        written = (runs / "report" / f"summary.{form}").read_text()
        assert "4 / 0 / 0" in written and "1.88" in written
    assert made.text.startswith("Leaderboard, teacher resnet101, student resnet18")
