import json

import pytest

from results.collect import COLUMNS, collect_runs
from tests.support.records import (
    PAPER,
    done,
    draw,
    failed,
    record,
    spec,
    study,
    teacher_spec,
    write,
)


def test_one_row_per_run(tmp_path):
    teacher = study(tmp_path, seeds=(0,))
    frame, problems = collect_runs(tmp_path)
    assert problems == []
    assert list(frame.columns) == list(COLUMNS)
    assert sorted(zip(frame["method"], frame["network"], strict=True)) == [
        ("none", "resnet101"),
        ("none", "resnet18"),
        ("pdrd", "resnet18"),
    ]
    row = frame.set_index("method").loc["pdrd"]
    assert row["mAP"] == 0.5 and row["mINP"] == 0.25
    assert row["R1"] == row["R5"] == row["R10"] == 0.7
    assert row["teacher"] == "resnet101" and row["teacher_key"] == teacher["key"]
    assert row["status"] == "done" and row["failure"] == ""
    assert row["reference"] == f"{PAPER['year']} {PAPER['venue']}"
    assert row["label"] == "PDRD" and row["seed"] == 0 and row["device"] == "cpu"


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


def test_a_record_outweighs_an_old_failure(tmp_path):
    made = spec("sp")
    failed(tmp_path, made)
    done(tmp_path, made, 0.5)
    frame, _ = collect_runs(tmp_path)
    assert frame["status"].tolist() == ["done"]


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


def test_bytes_that_are_no_text(tmp_path):
    folder = write(tmp_path, record(spec(), draw(0.5)))
    (folder / "record.json").write_bytes(b"\xff\xfe\x00")
    frame, problems = collect_runs(tmp_path)
    assert frame.empty and len(problems) == 1


def test_foreign_files_are_named_and_skipped(tmp_path):
    done(tmp_path, spec(), 0.5)
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "synthetic" / "record.json").write_text("{}")
    (tmp_path / ".lock").write_text("")
    frame, problems = collect_runs(tmp_path)
    assert len(frame) == 1
    assert [problem.partition(":")[0] for problem in problems] == [
        str(tmp_path / "notes.txt"),
        str(tmp_path / "synthetic" / "record.json"),
    ]


@pytest.mark.parametrize("name", ["data", "cache", "report"])
def test_folders_that_hold_no_runs(tmp_path, name):
    folder = tmp_path / name / "a" / "b" / "c"
    folder.mkdir(parents=True)
    (folder / "record.json").write_text("broken")
    frame, problems = collect_runs(tmp_path)
    assert frame.empty and problems == []


@pytest.mark.parametrize("make", [True, False])
def test_no_runs_at_all(tmp_path, make):
    runs = tmp_path / "runs"
    if make:
        runs.mkdir()
    frame, problems = collect_runs(runs)
    assert frame.empty and problems == []
    assert list(frame.columns) == list(COLUMNS)


def test_a_thousand_records(tmp_path):
    teacher = teacher_spec()
    for seed in range(100):
        for method in "abcdefghij":
            done(tmp_path, spec(method, seed, [teacher]), 0.5)
    frame, problems = collect_runs(tmp_path)
    assert len(frame) == 1000 and problems == []
    assert frame["setting"].nunique() == 1
