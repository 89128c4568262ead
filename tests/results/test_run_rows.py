"""Values of a run's row, and records that cannot have one."""

import json

import pytest

from results.collect import collect_runs
from tests.support.records import done, draw, failed, record, spec, teacher_spec, write


def test_draws_are_averaged_and_the_first_evaluation_counts(tmp_path):
    made = spec()
    content = record(made)
    content["result"]["evaluations"] = {
        "test800": [draw(0.2, 0.4), draw(0.6, 0.9)],
        "test1600": [draw(0.1)],
    }
    write(tmp_path, content)
    row = collect_runs(tmp_path)[0].iloc[0]
    assert row["mAP"] == pytest.approx(0.4) and row["R1"] == pytest.approx(0.65)
    assert row["evaluation"] == "test800" and row["draws"] == 2


def test_options_are_text(tmp_path):
    done(tmp_path, spec("ft", options={"weight": 2.0, "steps": 4}), 0.5)
    assert collect_runs(tmp_path)[0]["options"].tolist() == ["steps=4, weight=2.0"]


@pytest.mark.parametrize(
    "change",
    [
        {"fingerprint": "00"},
        {"network": "densenet"},
        {"head": "fc256"},
        {"weights": "ab"},
        {"device": "cuda"},
        {"threads": 4},
        {"recipe": {"epochs": 4}},
        {"recipe": {"precision": "fp16"}},
    ],
)
def test_what_changes_numbers_changes_the_setting(tmp_path, change):
    done(tmp_path, spec(), 0.5)
    done(tmp_path, spec(**change), 0.5)
    assert collect_runs(tmp_path)[0]["student_setting"].nunique() == 2


def test_method_options_and_seed_share_a_setting(tmp_path):
    teacher = teacher_spec()
    for made in (
        spec("sp", 0, [teacher]),
        spec("ft", 1, [teacher], options={"steps": 4}),
    ):
        done(tmp_path, made, 0.5)
    done(tmp_path, spec("sp", 0, [teacher_spec(seed=1)]), 0.5)
    done(tmp_path, spec(), 0.5)
    frame, _ = collect_runs(tmp_path)
    assert frame["student_setting"].nunique() == 1
    assert frame.groupby("setting").size().tolist() in ([1, 1, 2], [1, 2, 1], [2, 1, 1])


def test_a_failed_run_has_a_kind_and_no_scores(tmp_path):
    failed(tmp_path, spec("sp"), "memory", "Out of memory.")
    frame, problems = collect_runs(tmp_path)
    row = frame.iloc[0]
    assert problems == []
    assert (row["status"], row["failure"], row["message"]) == ("failed", "memory", "Out of memory.")
    assert frame["mAP"].isna().all()


def damaged(**fields):
    return json.dumps(record(spec(), draw(0.5), **fields))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"format": 1, "key"', "ignored"),
        ("", "ignored"),
        ("[1, 2]", "not a JSON object"),
        ("{}", "no 'key'"),
        (damaged(key="a/b/c/d"), "of the run a/b/c/d"),
        (damaged(format=2), "format is 2"),
        (damaged(spec={"dataset": "x"}), "it has no"),
        (damaged(result={"evaluations": {}}), "no evaluation"),
        (damaged(result={"evaluations": {"test": []}}), "ignored"),
        (damaged(result={"evaluations": {"test": [draw(53.0, 0.5)]}}), "mAP is not a fraction"),
        (damaged(result={"evaluations": {"test": [draw(float("nan"), 0.5)]}}), "mAP is not a"),
        (damaged(result={"evaluations": {"test": [{"mAP": 0.5}]}}), "no 'mINP'"),
        (damaged(result={"evaluations": {"test": [draw(0.5) | {"mAP": "0.5"}]}}), "mAP is not a"),
        (damaged(result={"evaluations": {"test": [draw(0.5) | {"mAP": True}]}}), "mAP is not a"),
        (damaged(result={"evaluations": {"test": [draw(0.5) | {"queries": 1e999}]}}), "queries"),
        (damaged(result={"evaluations": [1]}), "not have the form of a record"),
        (damaged(result=None), "ignored"),
        (damaged().replace('"notes": []', '"notes": "one"'), "its notes are not a list"),
        (damaged(paper="one"), "not have the form of a record"),
        (damaged(data_flags=["other"]), "known are generated, partial"),
        (damaged(spec=spec() | {"seed": 1.5}), "seed is not a whole number: 1.5"),
        (damaged().replace('"seed": 0', f'"seed": {"9" * 5000}'), "not JSON"),
        (damaged(spec=spec() | {"key": "a/b/c/d"}), "its spec is of the run a/b/c/d"),
        (damaged(spec=spec() | {"options": 3}), "not have the form of a record"),
        (damaged(spec=None), "ignored"),
    ],
)
def test_damaged_records_are_named_and_skipped(tmp_path, text, reason):
    done(tmp_path, spec("sp"), 0.5)
    folder = write(tmp_path, record(spec(), draw(0.5)))
    (folder / "record.json").write_text(text)
    frame, problems = collect_runs(tmp_path)
    assert frame["method"].tolist() == ["sp"]
    assert len(problems) == 1
    assert str(folder) in problems[0] and reason in problems[0]
