import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.runs.layout import TRAINING_COST
from results.report import write_report
from tests.support.latex import compiled, needs_latex
from tests.support.records import cells, done, failed, spec, study, teacher_spec, texts
from tests.support.small_disks import needs_root, small_disk
from tests.support.unprivileged import as_nobody


def test_writes_every_table_in_three_forms(tmp_path):
    study(tmp_path)
    made = write_report(tmp_path)
    names = {path.name for path in made.files}
    single = {f"comparison-synthetic.{end}" for end in ("md", "tex", "csv")}
    assert names == single | {"tables.md", "tables.tex", "runs.csv", "index.html"}
    assert {path.parent for path in made.files} == {tmp_path / "report"}
    assert {path.name for path in (tmp_path / "report").iterdir()} == names
    assert "+10.00" in made.text and made.problems == ()
    with (tmp_path / "report" / "comparison-synthetic.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    (table,) = made.tables
    assert [tuple(row) for row in rows] == [table.columns, *map(texts, table.rows)]
    with (tmp_path / "report" / "runs.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 7


@needs_latex
def test_the_document_of_all_tables_compiles_as_it_is(tmp_path):
    for dataset in ("market1501", "msmt17"):
        study(tmp_path, dataset=dataset)
    made = write_report(tmp_path)
    compiled(tmp_path / "report", "tables.tex")
    labels = (tmp_path / "report" / "tables.aux").read_text()
    assert len(made.tables) == 2
    assert all(f"{{tab:{table.name}}}" in labels for table in made.tables)


def test_a_report_is_not_read_as_a_run(tmp_path):
    study(tmp_path)
    first = write_report(tmp_path)
    assert write_report(tmp_path) == first


def test_another_folder(tmp_path):
    study(tmp_path / "runs")
    made = write_report(tmp_path / "runs", tmp_path / "elsewhere" / "deep")
    assert (tmp_path / "elsewhere" / "deep" / "tables.md").exists()
    assert not (tmp_path / "runs" / "report").exists()
    assert all(path.parent == tmp_path / "elsewhere" / "deep" for path in made.files)


def test_a_folder_that_cannot_be_written_still_gives_the_tables(public_path):
    study(public_path / "runs")
    usual = write_report(public_path / "runs", public_path / "elsewhere", figures=True)
    with as_nobody():
        made = write_report(public_path / "runs", figures=True)
    assert made.text == usual.text and made.tables and made.files == made.figures == ()
    assert f"{public_path / 'runs'} belongs to" in str(made.write_error)
    assert not (public_path / "runs" / "report").exists()


@needs_root
def test_a_disk_that_fills_up_still_gives_the_tables(tmp_path):
    study(tmp_path / "runs")
    with small_disk(tmp_path / "disk", size="40k") as disk:
        made = write_report(tmp_path / "runs", disk / "report")
        assert "No space left on the disk of" in str(made.write_error)
    assert "+10.00" in made.text and made.files == ()


def test_measurements_are_read_where_they_are_written(tmp_path):
    runs = tmp_path / "runs"
    study(runs)
    here = write_report(runs, figures=True)
    measurement = runs / "report" / TRAINING_COST
    measurement.parent.mkdir()
    measurement.write_text("damaged")
    there = write_report(runs, tmp_path / "elsewhere", figures=True)
    assert any("no training step was timed" in line for line in here.absent)
    assert any(f"{TRAINING_COST} is damaged" in line for line in there.absent)


@pytest.mark.parametrize("make", [True, False])
def test_no_runs_is_a_sentence_and_no_file(tmp_path, make):
    runs = tmp_path / "runs"
    if make:
        runs.mkdir()
    made = write_report(runs)
    assert made.tables == () and made.files == () and made.problems == ()
    assert made.text == f"No run below {runs} is done yet, so there is nothing to report.\n"
    assert not (runs / "report").exists()


def test_failures_and_damage_are_problems(tmp_path):
    failed(tmp_path, spec("sp", 0, [teacher_spec()]), message="Loss is NaN.\nTraceback")
    (tmp_path / "stray.txt").write_text("")
    made = write_report(tmp_path)
    assert made.files == () and "nothing to report" in made.text
    assert any(p.endswith("failed (diverged). Loss is NaN.") for p in made.problems)
    assert any("stray.txt" in problem for problem in made.problems)


def test_files_are_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    study(tmp_path, seeds=(0,))
    write_report(tmp_path)
    folder = tmp_path / "report"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    done(tmp_path, spec("sp", 0, [teacher_spec()]), 0.5)

    def full(handle):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_report(tmp_path)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    monkeypatch.undo()
    table = write_report(tmp_path).tables[0]
    assert cells(table, "SP")["mAP"] == "50.00"
    assert (folder / "comparison-synthetic.md").read_bytes() != before["comparison-synthetic.md"]


def test_tables_of_an_earlier_report_are_named(tmp_path):
    study(tmp_path)
    write_report(tmp_path)
    (tmp_path / "report" / "comparison-old.md").write_text("")
    (problem,) = write_report(tmp_path).problems
    assert "comparison-old.md" in problem and "earlier report" in problem


def test_results_do_not_need_torch():
    code = "import sys, results.report; print(sorted({'torch', 'typer', 'PIL'} & {*sys.modules}))"
    root = Path(__file__).parents[2]
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert process.stdout == "[]\n"
