"""Scoring finished runs by other rules; no file changes."""

import json
import shutil

import pytest

from harness.analysis import rescoring
from harness.analysis.rescoring import ScoringOptions, rescore_runs
from harness.core.errors import ExitCode, SetupError
from harness.core.progress import Reporter
from harness.core.session import RunContext
from harness.data.synthetic.generator import SyntheticSettings, generate
from harness.evaluation.reranking import RerankingOptions
from tests.support import tiny_grid
from tests.support.command_line import call, invoke


@pytest.fixture(scope="module")
def key(shared_runs):
    return tiny_grid.grid(shared_runs, "kd").cohorts[-1][-1].key


@pytest.fixture
def scored(shared_runs, key):
    """Function that scores the student by some rules and returns the only row."""

    def score(root=None, runs=shared_runs, **rules):
        context = RunContext(runs=runs, reporter=Reporter(quiet=True))
        (row,) = rescore_runs([key], ScoringOptions(**rules), context, root)
        return row

    return score


def test_the_rules_of_the_tables_give_the_recorded_scores(shared_runs, key, scored):
    folder = shared_runs / key
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    row = scored()
    assert row["scores"] == row["recorded"]
    assert row["rules"] == "cosine, pessimistic ties"
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    "rules", [{"metric": "euclidean"}, {"flip": True}, {"reranking": RerankingOptions(k1=4, k2=2)}]
)
def test_other_rules_give_other_scores(scored, rules):
    row = scored(**rules)
    (draw,), (recorded,) = row["scores"], row["recorded"]
    assert draw != recorded
    assert draw["queries"] == recorded["queries"]
    assert 0 < draw["mAP"] <= 1


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_reranking_with_the_original_distance_alone_changes_no_score(scored, metric):
    (plain,) = scored(metric=metric)["scores"]
    (again,) = scored(metric=metric, reranking=RerankingOptions(lambda_=1.0))["scores"]
    assert again["mAP"] == pytest.approx(plain["mAP"])
    assert again["cmc"] == plain["cmc"]


def test_other_images_are_refused(tmp_path, shared_runs, scored):
    other = generate(
        tmp_path / "other", SyntheticSettings(train_identities=2, test_identities=2, seed=9)
    )
    sentence = rf"\w+ were not found. {other} holds other images \(\w+\)"
    with pytest.raises(SetupError, match=sentence):
        scored(root=other)
    with pytest.raises(SetupError, match=f"were not found.*{tmp_path}/absent.*Name their folder"):
        scored(root=tmp_path / "absent")
    (own,) = (path for path in (shared_runs / "data").iterdir() if (path / "query").is_dir())
    moved = shutil.copytree(own, tmp_path / "moved")
    assert scored(root=moved)["scores"] == scored()["scores"]


def test_memory_is_announced_and_too_little_is_refused_before_starting(scored, monkeypatch, capsys):
    monkeypatch.setattr(rescoring, "memory_available", lambda device: 1_000_000)
    monkeypatch.setattr(
        rescoring, "extract_features", lambda *_, **__: pytest.fail("scoring started")
    )
    sentence = (
        r"Re-ranking of 6 x \d+ needs up to \d\.\d GB, but only 0.0 GB are free on cpu\. Free"
    )
    with pytest.raises(SetupError, match=sentence):
        scored(reranking=RerankingOptions())


def test_the_command(shared_runs, key):
    done = call(
        "kdreid",
        "score",
        key,
        "--runs",
        shared_runs,
        "--flip",
        "--rerank",
        "--k1",
        "5",
        "--k2",
        "2",
        "--lambda",
        "0.5",
        "--device",
        "cpu",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        "Not in the tables; no record changes: cosine, pessimistic ties, flip test, re-ranked "
        "(k1 5, k2 2, lambda 0.5).\n"
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[1] == [key, "(test)"]
    assert lines[2] == ["mAP", "R1", "R5", "R10", "R20", "mINP"]
    assert lines[3][:2] == ["these", "rules"] and len(lines[3]) == 8
    record = json.loads((shared_runs / key / "record.json").read_text())
    (draw,) = record["result"]["evaluations"]["test"]
    assert lines[4][2] == f"{100 * draw['mAP']:.2f}"
    assert "Re-ranking of 6 x " in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--metric", "cosin"], "Did you mean 'cosine'?"),
        (["--ties", "x"], "--ties is 'x'. Known:"),
        (["--rerank", "--k2", "50"], "k2 between 1 and k1 + 1"),
    ],
)
def test_wrong_options_are_one_sentence(shared_runs, options, words):
    done = call("kdreid", "score", "abc", "--runs", shared_runs, *options)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("draw", "reason"),
    [
        ({"cmc": {"1": 0.9123}}, "R1 91.2300 in the record"),
        ({"mINP": "x"}, "it does not have the form of a record"),
        ({"cmc": {"20": None}}, "it does not have the form of a record"),
    ],
)
def test_scores_that_are_not_those_of_the_queries_are_named(with_teacher, draw, reason):
    key = tiny_grid.grid(with_teacher, "kd").cohorts[0][0].key
    path = with_teacher / key / "record.json"
    record = json.loads(path.read_text())
    recorded = record["result"]["evaluations"]["test"][0]
    recorded |= draw | ({"cmc": recorded["cmc"] | draw["cmc"]} if "cmc" in draw else {})
    path.write_text(json.dumps(record))
    done = invoke("score", key, "--runs", with_teacher, "--device", "cpu")
    assert done.returncode == ExitCode.ENVIRONMENT
    assert f"{key} cannot be compared with its record: " in done.stderr and reason in done.stderr
    assert "its record" not in done.stdout


def test_scores_of_another_evaluation_or_without_a_rank_are_named(with_teacher):
    key = tiny_grid.grid(with_teacher, "kd").cohorts[0][0].key
    path = with_teacher / key / "record.json"
    record = json.loads(path.read_text())
    (draw,) = record["result"]["evaluations"]["test"]
    del draw["cmc"]["20"]
    for evaluations, name in (({"test": [draw]}, "20"), ({}, "test")):
        record["result"]["evaluations"] = evaluations
        path.write_text(json.dumps(record))
        done = invoke("score", key, "--runs", with_teacher, "--device", "cpu")
        assert done.returncode == ExitCode.ENVIRONMENT
        assert f"cannot be compared with its record: it has no '{name}'" in done.stderr
