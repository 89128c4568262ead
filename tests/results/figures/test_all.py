import shutil
import subprocess
import sys
from pathlib import Path

from results.report import write_report
from tests.support.records import spec, study

ROOT = Path(__file__).parents[3]


def test_a_report_draws_what_the_runs_allow_and_lists_what_other_figures_need(tmp_path):
    teacher = study(tmp_path)
    for path in tmp_path.rglob("record.json"):
        path.with_name("curve.csv").write_text("step,lr,loss\n1,0.1,9.0\n5,0.1,8.0\n")
    made = write_report(tmp_path, figures=True)
    folder = tmp_path / "report" / "figures"
    assert folder / "learning-synthetic.png" in made.figures
    assert set(made.figures) == set(folder.iterdir())
    assert made.absent and all(line.startswith("figure ") for line in made.absent)
    assert made.problems == ()
    best, worst = (spec(*of)["key"].rpartition("-")[2] for of in (("pdrd", 0, [teacher]), ()))
    assert f"Run kdreid compare-rankings {best} {worst}." in made.absent[-1]
    for name in ("ranked-a-b.png", "gone.png"):
        shutil.copy(folder / "learning-synthetic.png", folder / name)
    again = write_report(tmp_path, figures=True)
    (problem,) = again.problems
    assert "gone.png is from an earlier report" in problem
    assert not any("ranked" in line for line in again.absent)


def test_tables_alone_do_not_import_matplotlib(tmp_path):
    study(tmp_path)
    code = (
        "import sys; from pathlib import Path; from results.report import write_report;"
        f"write_report(Path({str(tmp_path)!r}));"
        "print(sorted({'matplotlib', 'seaborn', 'sklearn'} & {*sys.modules}))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"
    assert not (tmp_path / "report" / "figures").exists()
