import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.core.errors import SetupError
from harness.runs.layout import TRAINING_COST
from harness.runs.report_folder import report_file
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
    data = {"results.csv", "pairs.csv", "runs.csv", "results.json"}
    assert names == single | data | {"tables.md", "tables.tex", "notes.md", "index.html"}
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
    made = write_report(tmp_path)
    assert "no space" in str(made.write_error) and made.files == () and made.tables
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


def test_tables_are_written_before_the_first_figure(tmp_path, monkeypatch):
    """Whatever happens while figures are drawn: a kill, a library that ends the process."""
    study(tmp_path)

    def draw_all(*_):
        assert (tmp_path / "report" / "tables.md").exists()
        raise KeyboardInterrupt

    monkeypatch.setattr("results.figures.all.draw_all", draw_all)
    with pytest.raises(KeyboardInterrupt):
        write_report(tmp_path, figures=True)


def test_refused_runs_are_listed_once_and_the_rest_is_reported(tmp_path):
    study(tmp_path)
    wrong = tmp_path / done(tmp_path, spec("sp", 0, [teacher_spec()]), 0.5)["key"] / "record.json"
    wrong.write_text(wrong.read_text().replace('"mAP": 0.5', '"mAP": 0.9'))
    (tmp_path / "stray.txt").write_text("")
    made = write_report(tmp_path)
    (sentence,) = made.refused
    assert sentence.startswith(f"{wrong}: ignored, its scores are not those of its per_query.npz")
    assert made.problems.count(sentence) == 1 and len(made.problems) == 2
    assert "SP" not in made.text and "PDRD" in made.text
    assert "its scores are not those" in (tmp_path / "report" / "index.html").read_text()


NAMES = ["../../thesis/main", "/etc/passwd", "..", "", ".hidden", "a/b", "a\nb", "a" * 300]


@pytest.mark.parametrize("name", NAMES)
def test_no_file_of_a_report_leaves_its_folder(tmp_path, name):
    with pytest.raises(SetupError, match="No file of a report can be called"):
        report_file(tmp_path, f"{name}.tex" if name else name)


@pytest.mark.parametrize("link", ["report", "report/figures", "report/tables.tex"])
def test_links_are_not_followed(tmp_path, link):
    """A folder of others may hold links to files of one's own."""
    runs, thesis = tmp_path / "runs", tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "tables.tex").write_text("mine")
    study(runs)
    (runs / link).parent.mkdir(exist_ok=True)
    (runs / link).symlink_to(thesis / "tables.tex" if link.endswith("tex") else thesis)
    made = write_report(runs, figures=True)
    assert [path.name for path in thesis.iterdir()] == ["tables.tex"]
    assert (thesis / "tables.tex").read_text() == "mine"
    if link.endswith("tex"):
        assert made.write_error is None and not (runs / link).is_symlink()
    else:
        assert f"{runs / link} cannot be written (it is a link to {thesis}" in str(made.write_error)
        assert "PDRD" in made.text
        elsewhere = write_report(runs, tmp_path / "out")
        assert elsewhere.write_error is None and (tmp_path / "out" / "tables.tex").exists()


def test_a_folder_that_the_user_names_may_be_a_link(tmp_path):
    study(tmp_path / "runs")
    (tmp_path / "there").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "there")
    assert write_report(tmp_path / "runs", tmp_path / "out").write_error is None
    assert (tmp_path / "there" / "tables.tex").exists()
