"""`kdreid report` as typed: the paper's table, another reference, the options of a study."""

import subprocess
import sys

import pytest

from tests.support import tiny_grid
from tests.support.command_line import invoke
from tests.support.records import done, failed, spec, study


@pytest.fixture
def runs(tmp_path):
    study(tmp_path, dataset="msmt17")
    return tmp_path


def report(runs, *words):
    return invoke("report", "--runs", runs, "--no-figures", *words)


def test_the_papers_table_is_printed_and_written(runs):
    shown = report(runs, "--table", "paper", "--columns", "mAP,gain", "--style", "CVPR", "--sd")
    assert shown.returncode == 0 and shown.stderr == ""
    assert "MSMT17 mAP" in shown.stdout and "52.0 ± 2.6" in shown.stdout
    assert f"Written: {runs / 'report' / 'paper.tex'}" in shown.stdout
    text = (runs / "report" / "paper.tex").read_text()
    assert text.index("\\end{tabular}") < text.index("\\caption{")  # as at CVPR
    assert not (runs / "report" / "index.html").exists()


def test_wide_without_notes_elsewhere(runs, tmp_path):
    words = ("--table", "paper", "--wide", "--no-notes", "--digits", "2", "--out", tmp_path / "o")
    assert "Bold" not in report(runs, *words).stdout
    text = (tmp_path / "o" / "paper.tex").read_text()
    assert "\\begin{table*}" in text and "52.00" in text


def test_what_is_missing_is_named_with_its_command(runs):
    shown = report(runs, "--table", "paper", "--methods", "sp,pdrd", "--datasets", "msmt17,veri776")
    assert shown.returncode == 0 and "VeRi-776 mAP" in shown.stdout
    assert f"kdreid run --runs {runs} --dataset msmt17 --methods sp" in shown.stderr
    assert "VeRi-776 lacks Student (no run), SP (no run), PDRD (no run)" in shown.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--table", "papper"), "no table is called 'papper'. Did you mean 'paper'?"),
        (("--columns", "mAP", "--wide"), "--columns, --wide: only the paper's table has that."),
        (("--table", "paper", "--columns", "mPA"), "no column is called 'mPA'."),
        (("--table", "paper", "--style", "cpvr"), "Did you mean 'cvpr'?"),
        (("--table", "paper", "--digits", "-1"), "Invalid value for '--digits'"),
        (("--table", "paper", "--methods", "pdrdd"), "Did you mean 'pdrd'?"),
        (("--table", "paper", "--datasets", "msmt"), "Did you mean 'msmt17'?"),
        (("--against", "studnet"), "--against: no method is called 'studnet'."),
        (("--study", "pdrd-table"), "Did you mean 'pdrd-tables'?"),
    ],
)
def test_unknown_words_end_with_the_code_of_a_wrong_request(runs, words, said):
    shown = report(runs, *words)
    assert shown.returncode == 2 and said in shown.stderr and shown.stdout == ""
    assert not (runs / "report").exists()


def test_gains_are_measured_from_the_named_method(runs):
    shown = report(runs, "--against", "PDRD")
    assert shown.returncode == 0 and "points of mAP over PDRD" in shown.stdout
    assert "-10.00" in shown.stdout


def test_a_reference_without_runs_is_said(runs):
    shown = report(runs, "--against", "sp")
    assert shown.returncode == 0
    assert "No run of sp is done, so no gain is measured from it." in shown.stderr


def test_a_study_chooses_the_configurations(runs, tmp_path):
    teacher = spec(network="resnet101", dataset="msmt17")
    for seed in (0, 1, 2):
        made = spec("pdrd", seed, [teacher], dataset="msmt17", options={"weight": 3.0})
        done(runs, made, 0.6, label="PDRD")
    (tmp_path / "mine.yaml").write_text("options:\n  pdrd: {weight: 3}\n")
    words = ("--table", "paper", "--study", tmp_path / "mine.yaml")
    assert "PDRD (weight=3.0)" in report(runs, *words).stdout
    assert "(weight=3.0)" not in report(runs, "--table", "paper").stdout


def test_no_run_is_a_sentence_and_a_table_that_was_asked_for_names_the_command(tmp_path):
    shown = report(tmp_path, "--table", "paper")
    assert shown.returncode == 0 and "there is nothing to report" in shown.stdout
    failed(tmp_path, spec("sp", 0, dataset="msmt17"))
    assert "there is nothing to report" in report(tmp_path, "--table", "paper").stdout
    shown = report(tmp_path, "--table", "paper", "--datasets", "veri776", "--methods", "sp")
    assert shown.returncode == 0 and "VeRi-776 mAP" in shown.stdout
    assert "--dataset veri776 --methods sp --seeds 0,1,2" in shown.stderr
    assert "SP & -- & -- \\" in (tmp_path / "report" / "paper.tex").read_text()


def test_the_student_can_be_named_by_its_label(runs):
    assert report(runs, "--against", "student").returncode == 0


def test_a_study_is_read_without_torch():
    code = (
        "import sys; from results.study_options import load_study_options; "
        "load_study_options('pdrd-tables'); print('torch' in sys.modules)"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=tiny_grid.ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "False\n"
