"""Values of a run's row, and records that cannot have one."""

import copy
import json
import shutil

import numpy as np
import pytest

from results.collect import collect_runs
from tests.support.random_values import generators, paths, put, random_json
from tests.support.records import (
    PAPER,
    done,
    draw,
    failed,
    per_query,
    record,
    spec,
    study,
    summary,
    teacher_spec,
    write,
    write_per_query,
    write_scores,
)


def test_draws_are_averaged_and_the_first_evaluation_counts(tmp_path):
    made = spec()
    content = record(made)
    evaluations = {
        "test800": [draw(0.2, 0.4), draw(0.6, 0.9)],
        "test1600": [draw(0.1)],
    }
    content["result"]["evaluations"] = evaluations
    write_scores(write(tmp_path, content), evaluations)
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
        (damaged(spec={"dataset": "x"}), "its spec has no 'method'"),
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
        (damaged().replace('"notes": []', '"warnings": "one"'), "its warnings are not a list"),
        (damaged(paper="one"), "not have the form of a record"),
        (damaged(data_flags=["other"]), "known are generated, partial"),
        (damaged(spec=spec() | {"seed": 1.5}), "seed in its spec is not a whole number: 1.5"),
        (damaged().replace('"seed": 0', f'"seed": {"9" * 5000}'), "not JSON"),
        (damaged(spec=spec() | {"key": "a/b/c/d"}), "its spec is of the run a/b/c/d"),
        (damaged(spec=spec() | {"options": 3}), "the options in its spec are not a JSON object"),
        (damaged(spec=spec() | {"dataset": "../../thesis/main"}), "dataset in its spec cannot be"),
        (damaged(spec=spec() | {"fingerprint": "other"}), "its spec was changed"),
        (damaged(spec=spec(recipe={"lr": -1})), "lr is -1"),
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


def change(folder, *place, to):
    """Change one value of a record."""
    path = folder / "record.json"
    content = json.loads(path.read_text())
    put(content, place, to)
    path.write_text(json.dumps(content, sort_keys=True))


@pytest.mark.parametrize("score", ["mAP", "mINP", "R1", "R5", "R10", "R20"])
@pytest.mark.parametrize("role", ["student", "teacher"])
def test_every_score_has_to_be_that_of_the_queries(tmp_path, score, role):
    """Changed by a thousandth of a point, in the record of a student or of a teacher."""
    teacher = study(tmp_path, seeds=(0,))
    frame, _ = collect_runs(tmp_path)
    key = teacher["key"] if role == "teacher" else frame.set_index("method")["key"]["pdrd"]
    names = ("cmc", score[1:]) if score.startswith("R") else (score,)
    change(tmp_path / key, "result", "evaluations", "test", 0, *names, to=0.51001)
    frame, problems = collect_runs(tmp_path)
    assert key not in set(frame["key"]) and len(frame) == 2
    (problem,) = problems
    assert problem.startswith(
        f"{tmp_path / key / 'record.json'}: ignored, its scores are not those"
    )
    assert f"{score} 51.0010 in the record, " in problem and "recomputed" in problem


def test_each_draw_of_each_evaluation_counts(tmp_path):
    evaluations = {"test800": [draw(0.2, 0.4), draw(0.6, 0.9)], "test1600": [draw(0.1)]}
    content = record(spec())
    content["result"]["evaluations"] = evaluations
    folder = write(tmp_path, content)
    write_scores(folder, evaluations)
    assert len(collect_runs(tmp_path)[0]) == 1
    change(folder, "result", "evaluations", "test800", 1, "cmc", "5", to=0.95)
    (problem,) = collect_runs(tmp_path)[1]
    assert "R5 of test800, draw 2 95.0000 in the record, 90.0000 recomputed" in problem
    write_scores(folder, {"test800": evaluations["test800"]})
    (problem,) = collect_runs(tmp_path)[1]
    assert "test1600 has 1 draws in the record, 0 in the file" in problem


def test_rounding_is_no_difference(tmp_path):
    """The harness sums in another order than numpy."""
    precision = np.random.default_rng(0).uniform(size=9999)
    columns = per_query(precision, np.arange(9999))
    scores = summary(columns) | {"mAP": float(precision[::-1].cumsum()[-1] / 9999)}
    assert scores["mAP"] != precision.mean()
    write_per_query(write(tmp_path, record(spec(), scores)), {"test": [columns]})
    assert collect_runs(tmp_path)[1] == []


def test_queries_that_are_missing_damaged_or_of_another_run(tmp_path):
    for number, message in enumerate(("is missing", "is damaged", "R1 60.0000 in the record, 70")):
        folder = tmp_path / done(tmp_path, spec(seed=number), 0.4)["key"]
        path = folder / "per_query.npz"
        if number == 0:
            path.unlink()
        elif number == 1:
            path.write_bytes(path.read_bytes()[:-100])
        else:
            other = done(tmp_path / "other", spec("sp"), 0.4, 0.7)
            shutil.copy(tmp_path / "other" / other["key"] / "per_query.npz", path)
        assert sum(message in problem for problem in collect_runs(tmp_path)[1]) == 1
    assert collect_runs(tmp_path)[0]["method"].tolist() == []


def test_texts_are_as_they_may_be_printed(tmp_path):
    done(
        tmp_path,
        spec("sp"),
        0.5,
        label="\x1b]52;c;cm0=\x07SP\nthe best\u202e",
        notes=["\x1b[2J"],
        paper=PAPER | {"venue": "IC\rCV"},
    )
    failed(tmp_path, spec("at"), message="\x1b[31mno\nTraceback", kind="x\x07")
    done(tmp_path, spec("ft"), 0.5, label="f" * 500)
    frame, _ = collect_runs(tmp_path)
    rows = frame.set_index("method")
    assert rows["label"]["sp"] == r"\x1b]52;c;cm0=\x07SP\nthe best\u202e"
    assert rows["notes"]["sp"] == (r"\x1b[2J",) and rows["reference"]["sp"] == r"2019 IC\rCV"
    assert rows["message"]["at"] == "\\x1b[31mno\nTraceback" and rows["failure"]["at"] == r"x\x07"
    assert rows["label"]["ft"] == "f" * 97 + "..."


def test_random_records_are_read_or_named(tmp_path):
    """Values of any kind at any place: no traceback, and never another score."""
    folder = tmp_path / done(tmp_path, spec("sp", 0, [teacher_spec()]), 0.5)["key"]
    whole = json.loads((folder / "record.json").read_text())
    places = list(paths(whole))
    for source in generators(300):
        content = copy.deepcopy(whole)
        put(content, source.choice(places), random_json(source))
        (folder / "record.json").write_text(json.dumps(content))
        frame, problems = collect_runs(tmp_path)
        assert len(frame) + len(problems) == 1
        assert all(problem.isprintable() for problem in problems)
        for _, row in frame.iterrows():
            assert (row["mAP"], row["R1"], row["key"]) == (0.5, 0.7, whole["key"])
            assert row["label"].isprintable() and row["reference"].isprintable()
