"""`kdreid score` and other commands on finished runs; tests/analysis tests what they compute."""

from harness.cli.evaluation import print_scores
from tests.support import tiny_grid
from tests.support.command_line import invoke

DRAW = {"mAP": 0.5, "cmc": {"1": 0.4, "5": 0.6, "10": 0.7, "20": 0.8}, "mINP": 0.25}
OTHER = {"mAP": 0.7, "cmc": {"1": 0.6, "5": 0.8, "10": 0.9, "20": 1.0}, "mINP": 0.35}


def test_scores_are_means_over_the_draws(capsys, monkeypatch):
    monkeypatch.setattr("harness.evaluation.scoring.tie_warnings", lambda *_: ["ties"])
    row = {"key": "k", "evaluation": "test800", "scores": [DRAW, OTHER], "recorded": [DRAW, DRAW]}
    print_scores([row], "cosine, pessimistic ties")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0][-3:] == ["cosine,", "pessimistic", "ties."]
    assert lines[1] == ["k", "(test800,", "mean", "of", "2", "draws)"]
    assert lines[2] == ["mAP", "R1", "R5", "R10", "R20", "mINP"]
    assert lines[3] == ["these", "rules", "60.00", "50.00", "70.00", "80.00", "90.00", "30.00"]
    assert lines[4] == ["its", "record", "50.00", "40.00", "60.00", "70.00", "80.00", "25.00"]
    assert lines[5] == ["ties"]


def test_commands_write_where_the_report_finds_it(shared_runs):
    keys = [spec.key for spec in tiny_grid.grid(shared_runs, "kd").specs]
    where = ("--runs", shared_runs, "--device", "cpu", "--quiet")
    done = invoke("measure-consistency", keys[-1], *where)
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    assert first.startswith(f"{keys[-1]}: L_rank ") and last.startswith("Next: kdreid report")
    done = invoke("export-embeddings", keys[0], *where)
    assert done.stdout.splitlines()[0] == str(shared_runs / keys[0] / "embeddings.npz")
    done = invoke("compare-rankings", keys[1], keys[2], *where[:2])
    assert all("report/figures/ranked-" in line for line in done.stdout.splitlines())
    assert done.returncode == 0, done.stderr
