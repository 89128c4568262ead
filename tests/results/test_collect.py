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


def test_labels_are_the_records_then_the_given_ones(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    done(tmp_path, spec("sp", 0, [teacher]), 0.5, label="SP of the record")
    failed(tmp_path, spec("at", 0, [teacher]))
    failed(tmp_path, spec("mine", 0, [teacher]))
    labels = {"none": "Student", "at": "AT", "sp": "SP"}
    frame = collect_runs(tmp_path, labels)[0].set_index("method")
    assert frame["label"].to_dict() == {
        "none": "NONE",
        "at": "AT",
        "mine": "mine",
        "sp": "SP of the record",
    }
    assert frame["order"].to_dict() == {"none": 0, "at": 1, "sp": 2, "mine": 3}
    assert set(collect_runs(tmp_path)[0]["order"]) == {0}


def test_flags_of_the_data_are_a_column(tmp_path):
    done(tmp_path, spec("sp"), 0.5, data_flags=["partial"])
    done(tmp_path, spec("at"), 0.5, notes=["Generated data: drawn."])
    failed(tmp_path, spec("ft"))
    frame = collect_runs(tmp_path)[0].set_index("method")
    assert frame["data_flags"].to_dict() == {"at": ("generated",), "ft": (), "sp": ("partial",)}


def test_warnings_about_a_training_are_notes_that_name_the_run(tmp_path):
    key = done(tmp_path, spec("ft"), 0.5, notes=["One."], warnings=["Two."])["key"]
    frame = collect_runs(tmp_path)[0]
    assert frame["notes"].to_list() == [("One.", f"{key}: Two.")]


def test_a_record_outweighs_an_old_failure(tmp_path):
    made = spec("sp")
    failed(tmp_path, made)
    done(tmp_path, made, 0.5)
    frame, _ = collect_runs(tmp_path)
    assert frame["status"].tolist() == ["done"]


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
