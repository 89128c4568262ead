"""`kdreid trace` on runs that were really trained; its command is typed again and planned."""

import json
import re
import shlex
import shutil
from contextlib import redirect_stdout
from io import StringIO

import pytest
from typer.testing import CliRunner

from harness.cli.app import app
from harness.cli.results import print_trace
from harness.core.errors import SetupError, UsageError
from harness.runs.stored_spec import recorded_keys
from tests.support import run_folders as made_runs
from tests.support import tiny_grid


@pytest.fixture
def runs(shared_runs, tmp_path):
    return shutil.copytree(shared_runs, tmp_path / "runs")


def shown(cell, runs, as_json=False):
    with redirect_stdout(StringIO()) as output:
        print_trace(cell, runs, as_json=as_json)
    return output.getvalue().rstrip()


def test_the_printed_command_plans_the_same_keys_from_nothing(runs):
    """It is planned in the folder it names, with images drawn anew."""
    specs = tiny_grid.grid(runs, "kd").specs
    found = json.loads(shown("comparison-synthetic:kd:mAP", runs, as_json=True))
    (run,) = found["runs"]
    assert run["key"] == found["runs"][0]["key"] == next(s.key for s in specs if s.teachers)
    assert found["reproduce"]["exact"] is True
    (line,) = found["reproduce"]["commands"]
    program, *words = shlex.split(line)
    assert program == "kdreid" and words[-2:] == ["--runs", str(runs.with_name("runs-again"))]
    done = CliRunner().invoke(app, [*words, "--dry-run", "--json"])
    assert done.exit_code == 0, done.output
    assert {row["key"] for row in json.loads(done.stdout)} == {spec.key for spec in specs}


def test_what_a_reviewer_reads(runs):
    specs = tiny_grid.grid(runs, "kd").specs
    student = next(s for s in specs if s.teachers)
    record = json.loads((runs / student.key / "record.json").read_text())
    said = shown("comparison-synthetic:KD", runs)
    assert f"\n{student.key}\n  seed 0: test mAP " in said
    assert f"torch {record['environment']['torch']}" in said
    assert f"data: synthetic {student.fingerprint} in {record['environment']['data']}" in said
    assert f"teacher: {student.teachers[0].key}, weights {record['teachers'][0][:12]}" in said
    assert f"trained: {record['environment']['finished']} on " in said
    assert "With the present code this plans the same keys." in said


def test_changed_code_and_commit_are_told(runs):
    key = next(s.key for s in tiny_grid.grid(runs, "kd").specs if s.teachers)
    record = json.loads((runs / key / "record.json").read_text())
    told = record["environment"] | {"commit": "0" * 40, "dirty": True, "patch": "77"}
    made_runs.change(runs / key / "record.json", environment=told)
    said = shown("comparison-synthetic:kd:R1", runs)
    assert f"git checkout {'0' * 40}" in said
    assert "edited and not committed (digest 77)" in said and "edited (77)" in said
    spec = record["spec"] | {"training_version": 0}  # of an earlier version, under its own key
    (older,) = recorded_keys(spec)
    (runs / key).rename(runs / older)
    made_runs.change(runs / older / "record.json", spec=spec | {"key": older}, key=older)
    found = json.loads(shown("comparison-synthetic:kd:R1", runs, as_json=True))["reproduce"]
    assert found["exact"] is False and found["commands"] == []
    assert any("made by another version of this program" in said for said in found["remarks"])
    assert any("It was started by: " in said for said in found["remarks"])


def test_images_that_are_gone_are_told(runs):
    key = next(s.key for s in tiny_grid.grid(runs, "kd").specs if s.teachers)
    told = json.loads((runs / key / "record.json").read_text())["environment"]
    made_runs.change(runs / key / "record.json", environment=told | {"data": str(runs / "gone")})
    shutil.rmtree(runs / "data")
    said = shown("comparison-synthetic:kd:R1", runs)
    assert "add --data-root DIR or the --set data.NAME=VALUE of their generation" in said


def test_the_page_of_the_report_has_the_same_command(runs, capsys):
    from harness.cli.printing import print_report

    print_report(runs)
    assert f"For a browser: {runs}/report/index.html" in capsys.readouterr().out
    text = (runs / "report" / "index.html").read_text()
    (data,) = re.findall(r'<script type="application/json" id="provenance">(.*?)</script>', text)
    behind = json.loads(data)
    keys = [run[0] for run in behind["runs"]]
    cells = re.findall(r'data-runs="([\d ]+)"', text)
    found = json.loads(shown("comparison-synthetic:kd:mAP", runs, as_json=True))
    (number,) = [str(keys.index(run["key"])) for run in found["runs"]]
    assert number in cells
    lines, remarks = behind["commands"][number]
    texts = behind["texts"]
    assert [texts[line] for line in lines] == found["reproduce"]["commands"]
    assert [texts[remark] for remark in remarks] == found["reproduce"]["remarks"]


def test_a_cell_without_runs_and_wrong_names(runs):
    gain = shown("comparison-synthetic:Student:Gain in mAP", runs)
    assert gain.endswith("This cell comes from no run.")
    with pytest.raises(UsageError, match="No table is called 'comparison'. Did you mean 'compar"):
        shown("comparison:KD:mAP", runs)
    with pytest.raises(SetupError, match="There is no runs folder"):
        shown("comparison-synthetic:KD:mAP", runs / "absent")
    (runs / "empty").mkdir()
    with pytest.raises(SetupError, match="no table to trace"):
        shown("comparison-synthetic:KD:mAP", runs / "empty")


def test_the_command_line_says_a_wrong_name_in_one_sentence_and_exits_with_2(
    runs, monkeypatch, capsys
):
    from harness.cli.printing import run_application

    words = ["kdreid", "trace", "comparison-synthetic:nobody:mAP", "--runs", str(runs)]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as ended:
        run_application(app)
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("kdreid: No row of comparison-synthetic is called")
