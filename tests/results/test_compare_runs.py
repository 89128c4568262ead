import json

import numpy as np
import pytest
from scipy import stats

from harness.runs.reader import load_run
from results.compare_runs import compare_curves, diff_runs
from tests.support.records import (
    done,
    done_by_query,
    failed,
    per_query,
    spec,
    teacher_spec,
    write_per_query,
)


def compare(runs, one, two):
    return diff_runs(load_run(runs, one["key"]), load_run(runs, two["key"]))


def named(diff, section):
    return {field.name: (field.first, field.second) for field in diff.sections[section]}


def test_each_cause_stands_in_its_section(tmp_path):
    ours, theirs = teacher_spec(), teacher_spec(recipe={"epochs": 4}, seed=1)
    environment = {"commit": "aa", "dirty": False, "torch": "2.15.0", "host": "x", "command": "c"}
    one = done(
        tmp_path,
        spec("sp", 0, [ours], options={"weight": 2.0}),
        0.5,
        environment=environment,
        teachers=["t1"],
    )
    two = done(
        tmp_path,
        spec(
            "sp",
            0,
            [theirs],
            recipe={"lr": 0.1},
            source="other",
            fingerprint="77",
            device="cuda",
            threads=0,
        ),
        0.6,
        teachers=["t2"],
        environment=environment | {"patch": "p", "dirty": True, "torch": "2.16.0", "command": "d"},
    )
    diff = compare(tmp_path, one, two)
    assert (diff.first, diff.second) == (one["key"], two["key"])
    assert named(diff, "config") == {"options.weight": (2.0, None), "recipe.lr": (None, 0.1)}
    assert named(diff, "code") == {
        "source": ("code of sp", "other"),
        "dirty": (False, True),
        "patch": (None, "p"),
    }
    assert named(diff, "data") == {"fingerprint": ("9f12", "77")}
    assert named(diff, "teacher") == {
        "seed": (0, 1),
        "recipe.epochs": (3, 4),
        "key": (ours["key"], theirs["key"]),
        "weights after training": ("t1", "t2"),
    }
    assert named(diff, "environment") == {
        "device of the spec": ("cpu", "cuda"),
        "threads of the spec": (2, 0),
        "torch": ("2.15.0", "2.16.0"),
    }
    assert named(diff, "result") == {"test mAP": (50, 60), "test R1": (70, 80)}


def test_equal_runs_differ_in_nothing(tmp_path):
    made = done(tmp_path / "a", spec(), 0.5)
    done(tmp_path / "b", spec(), 0.5)
    diff = diff_runs(*(load_run(tmp_path / side, made["key"]) for side in "ab"))
    assert not any(diff.sections.values())
    (verdict,) = diff.verdicts
    assert verdict.mean == 0 and not verdict.is_significant and verdict.p == 1


def test_the_verdict_is_a_paired_t_test_where_every_query_is_its_own_identity(tmp_path):
    random = np.random.default_rng(0)
    theirs = random.uniform(0.2, 0.6, 60)
    for gap, real in ((0.0, False), (0.05, True)):
        ours = theirs + gap + random.normal(0, 0.08, 60)
        one = done_by_query(tmp_path, spec("sp", fingerprint=str(gap)), ours, np.arange(60))
        two = done_by_query(tmp_path, spec(fingerprint=str(gap)), theirs, np.arange(60))
        (verdict,) = compare(tmp_path, one, two).verdicts
        known = stats.ttest_rel(ours, theirs)
        assert verdict.is_significant is real == (known.pvalue < 0.05)
        assert verdict.p == pytest.approx(known.pvalue)
        interval = known.confidence_interval()
        assert verdict.interval == pytest.approx((100 * interval.low, 100 * interval.high))
        assert verdict.mean == pytest.approx(100 * (ours - theirs).mean())
        assert (verdict.queries, verdict.identities) == (60, 60)


def test_without_the_same_queries_there_is_no_test(tmp_path):
    one, two = done(tmp_path, spec("sp"), 0.5), done(tmp_path, spec(), 0.4)
    (folder := tmp_path / two["key"]).joinpath("per_query.npz").unlink()
    (verdict,) = compare(tmp_path, one, two).verdicts
    assert verdict.interval is None and not verdict.is_significant and "missing" in verdict.problem
    assert verdict.mean is None and verdict.problem.startswith(two["key"])
    write_per_query(folder, {"test": [per_query(np.full(20, 0.4), np.arange(20), first=0.6)]})
    (verdict,) = compare(tmp_path, one, two).verdicts
    assert verdict.problem == "they were scored on different queries"
    assert verdict.mean == pytest.approx(10)
    write_per_query(folder, {"other": [per_query(np.full(20, 0.4), np.arange(20) // 2)]})
    (verdict,) = compare(tmp_path, one, two).verdicts
    assert "test has 1 draws in the record, 0 in the file" in verdict.problem


def test_a_score_that_the_queries_do_not_have_is_not_compared(tmp_path):
    one, two = done(tmp_path, spec("sp"), 0.5), done(tmp_path, spec(), 0.4)
    path = tmp_path / one["key"] / "record.json"
    path.write_text(path.read_text().replace('"mAP": 0.5', '"mAP": 0.9'))
    (verdict,) = compare(tmp_path, one, two).verdicts
    assert verdict.mean is None and not verdict.is_significant
    assert "mAP 90.0000 in the record, 50.0000 recomputed" in verdict.problem
    alone = compare(tmp_path, one, failed(tmp_path, spec("at")))
    assert named(alone, "result")["test mAP"] == ("90.0000 (not that of its queries)", None)


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.pop("result"),
        lambda record: record["result"].pop("evaluations"),
        lambda record: record["result"]["evaluations"]["test"][0].pop("mINP"),
        lambda record: record["result"]["evaluations"]["test"][0].update(mINP="0.5"),
        lambda record: record["result"]["evaluations"].update(test=[]),
    ],
)
def test_a_record_of_another_form_is_not_compared(tmp_path, change):
    one, two = done(tmp_path, spec("sp"), 0.5), done(tmp_path, spec(), 0.4)
    path = tmp_path / one["key"] / "record.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    try:
        verdicts = compare(tmp_path, one, two).verdicts
    except ValueError as error:
        assert one["key"] in str(error)
    else:
        assert all(verdict.mean is None for verdict in verdicts)


def test_a_run_without_scores_can_be_compared(tmp_path):
    diff = compare(tmp_path, done(tmp_path, spec("sp"), 0.5), failed(tmp_path, spec()))
    assert named(diff, "result")["status"] == ("done", "failed")
    assert named(diff, "result")["failure"] == (None, "diverged")
    assert diff.verdicts == ()


@pytest.fixture
def pair(tmp_path):
    one, two = done(tmp_path, spec("sp"), 0.5), done(tmp_path, spec(), 0.4)
    return [load_run(tmp_path, made["key"]) for made in (one, two)]


def curves(pair, *texts):
    for run, text in zip(pair, texts, strict=True):
        (run.folder / "curve.csv").write_text(text)
    return compare_curves(*pair)


def test_the_first_step_that_differs_by_part(pair):
    diff = curves(
        pair,
        "step,lr,loss,triplet,own\n1,0.1,5,1,9\n4,0.1,4,1,9\n7,0.1,3,nan,9\n",
        "step,lr,loss,triplet\n1,0.1,5,1\n4,0.1,4.5,1\n7,0.1,2,nan\n10,0.1,1,1\n",
    )
    assert diff.steps == 3 and diff.last_equal == 1 and diff.problem == ""
    (part,) = diff.partings
    assert (part.column, part.step, part.first, part.second) == ("loss", 4, 4.0, 4.5)


def test_curves_that_differ_at_once_or_never(pair):
    diff = curves(pair, "step,loss,lr\n1,5,1\n2,1,2\n", "step,loss,lr\n1,6,1\n2,1,3\n")
    assert diff.last_equal is None
    assert [(part.column, part.step) for part in diff.partings] == [("loss", 1), ("lr", 2)]
    diff = curves(pair, "step,loss\n1,5\n3,4\n", "step,loss\n1,5\n2,4\n")
    assert diff.partings == () and diff.steps == 1 and diff.last_equal == 1


def test_curves_that_cannot_be_compared(pair):
    assert "curve.csv is missing" in compare_curves(*pair).problem
    diff = curves(pair, "step,loss\n1,5\n", "step,loss\n2,5\n")
    assert diff.problem == "the curves have no step in common"
