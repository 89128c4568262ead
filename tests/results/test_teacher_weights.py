"""A teacher that is another one by now."""

import pytest

from results.collect import collect_runs
from results.report import all_tables, write_report
from tests.support.records import cells, done, draw, record, spec, teacher_spec, write


def taught(runs, weights, teacher_model="t1", seeds=(0,)):
    """PDRD, SP and FT, each with the digest of the weights that taught it, or None."""
    teacher = teacher_spec()
    if teacher_model:
        result = {"steps": 60, "model": teacher_model, "evaluations": {"test": [draw(0.6)]}}
        write(runs, record(teacher, draw(0.6), result=result, label="Teacher"))
    for seed in seeds:
        done(runs, spec(seed=seed), 0.4, label="Student")
        for method, digest in weights.items():
            fields = {} if digest is None else {"teachers": [digest]}
            done(runs, spec(method, seed, [teacher]), 0.5, label=method.upper(), **fields)


def others(runs):
    frame, problems = collect_runs(runs)
    assert problems == []
    return set(frame["label"][frame["other_teacher"]])


@pytest.mark.parametrize(
    ("model", "weights", "expected"),
    [
        ("t1", {"pdrd": "t1", "sp": "t1", "ft": "t1"}, set()),
        ("t2", {"pdrd": "t2", "sp": "t1", "ft": "t2"}, {"SP"}),
        ("t2", {"pdrd": "t1", "sp": "t1", "ft": "t1"}, {"PDRD", "SP", "FT"}),
        ("t2", {"pdrd": None, "sp": None, "ft": "t1"}, {"FT"}),
        ("", {"pdrd": "t1", "sp": "t1", "ft": "t2"}, {"FT"}),
        ("", {"pdrd": "t1", "sp": "t1", "ft": "t1"}, set()),
    ],
)
def test_students_of_other_weights_are_found(tmp_path, model, weights, expected):
    taught(tmp_path, weights, model)
    assert others(tmp_path) == expected


def test_they_are_noted_and_not_compared(tmp_path):
    taught(tmp_path, {"pdrd": "t2", "sp": "t1", "ft": "t2"}, "t2", seeds=(0, 1))
    (table,) = all_tables(collect_runs(tmp_path)[0])
    (note,) = [note for note in table.footnotes if note.startswith("Taught by other weights")]
    assert "folder holds now: SP (seed 0), SP (seed 1). These rows are not compared" in note
    assert cells(table, "SP")["Group"] == "other teacher"
    assert cells(table, "PDRD")["Group"] == cells(table, "FT")["Group"] == "a"
    assert cells(table, "SP")["mAP"] == "50.00 ± 0.00"


def test_the_page_and_the_list_of_runs_are_written(tmp_path):
    taught(tmp_path, {"pdrd": "t2", "sp": "t1"}, "t2")
    assert write_report(tmp_path).write_error is None
    assert "other_teacher" not in (tmp_path / "report" / "runs.csv").read_text()
