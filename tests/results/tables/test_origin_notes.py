"""Tables whose runs were made by different code, versions or devices say so, once."""

import pytest

from results.collect import collect_runs
from results.published import load_published
from results.report import all_tables
from results.tables.comparison import comparison_tables
from results.tables.formats import to_latex, to_markdown, to_terminal
from results.tables.vrkd import network_tables
from tests.support.dataset_records import dataset_of
from tests.support.records import done, failed, spec, teacher_spec
from tests.support.run_folders import change
from tests.support.vehicle_records import pair

CODE = {"training": "a", "models": "b", "data": "c", "evaluation": "d", "methods": "e"}
VERSIONS = {"python": "3.11.7", "torch": "2.15.0", "torchvision": "0.29.2", "pillow": "13.0.0"}
MARK = "not all made by the same"


def made_by(code=CODE, **versions):
    """The fields of a record that say what made it."""
    return {"environment": VERSIONS | versions, **({"code": code} if code else {})}


def grid(runs, *students, teacher=None):
    """A teacher, and SP with one seed for each of the given origins; the notes on origins."""
    big = done(runs, teacher_spec(), 0.6, **(teacher or students[0]))
    for seed, origin in enumerate(students):
        done(runs, spec("sp", seed, [big]), 0.5 + seed / 100, **origin)
    (table,) = comparison_tables(collect_runs(runs)[0], "synthetic", load_published())
    return [note for note in table.caption if MARK in note]


DIFFERENT = {
    "training": (made_by(CODE | {"training": "x"}), "they differ in training code."),
    "models and data": (
        made_by(CODE | {"models": "x", "data": "x"}),
        "they differ in models and data code.",
    ),
    "torch": (made_by(torch="1.13.0"), "they differ in torch (1.13.0, 2.15.0)."),
    "torchvision": (made_by(torchvision="0.14"), "they differ in torchvision (0.14, 0.29.2)."),
    "pillow": (made_by(pillow="10.3"), "they differ in Pillow (10.3, 13.0.0)."),
    "python": (made_by(python="3.13.1"), "they differ in Python (3.11, 3.13)."),
    "all of an older record": (made_by(code=None, torch="1.13.0"), "torch (1.13.0, 2.15.0)."),
}


@pytest.mark.parametrize(("other", "expected"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_differs_is_named_and_the_row_that_averages_over_it(tmp_path, other, expected):
    (note,) = grid(tmp_path, made_by(), other)
    assert expected in note
    assert note.endswith("Means over seeds that were not made alike: SP.")


@pytest.mark.parametrize(
    "other",
    [made_by(), made_by(code=None), made_by(python="3.11.9"), made_by(host="other"),
     {"environment": {}}, {"environment": None}, {"code": []}],
)  # fmt: off
def test_what_is_alike_or_unknown_has_no_note(tmp_path, other):
    assert grid(tmp_path, made_by(), other) == []


def test_a_teacher_of_other_code_is_said_without_a_mean(tmp_path):
    (note,) = grid(tmp_path, made_by(), made_by(), teacher=made_by(CODE | {"training": "x"}))
    assert "training code" in note and "Means over" not in note


def test_another_gpu_is_another_device(tmp_path):
    big = done(tmp_path, teacher_spec(device="cuda"), 0.6, **made_by(device_name="H100"))
    done(tmp_path, spec("sp", 0, [big], device="cuda"), 0.5, **made_by(device_name="A100"))
    (table,) = comparison_tables(collect_runs(tmp_path)[0], "synthetic", load_published())
    assert any("they differ in device (A100, H100)." in note for note in table.caption)


def test_failed_runs_have_no_origin(tmp_path):
    big = done(tmp_path, teacher_spec(), 0.6, **made_by())
    failed(tmp_path, spec("sp", 0, [big]))
    (table,) = comparison_tables(collect_runs(tmp_path)[0], "synthetic", load_published())
    assert not any(MARK in note for note in table.caption)


def test_the_note_is_in_every_table_and_format(tmp_path):
    for dataset in ("dukemtmc", "veri776"):
        dataset_of(tmp_path, dataset, {"pdrd": 0.1, "pairwise": 0.05})
    for path in tmp_path.glob("dukemtmc/*/*/seed*/record.json"):
        change(path, **made_by(torch="1.13.0" if "seed0" in path.parent.name else "2.15.0"))
    tables = {table.name: table for table in all_tables(collect_runs(tmp_path)[0])}
    assert tables.keys() == {"ablation", "comparison-dukemtmc", "comparison-veri776", "summary"}
    for name, table in tables.items():
        notes = [note for note in table.caption if MARK in note]
        assert len(notes) == (name != "comparison-veri776"), name
        for text in (to_markdown(table), to_latex(table), to_terminal(table)):
            assert ("1.13.0, 2.15.0" in " ".join(text.split())) == bool(notes)
    assert tables["ablation"].caption[0].startswith("The runs on dukemtmc were not all")


def test_the_note_is_in_tables_of_networks(tmp_path):
    pair(tmp_path)
    for path in tmp_path.glob("veri776/*/*/seed*/record.json"):
        change(path, **made_by(torch="1.13.0" if "none" in path.parts else "2.15.0"))
    tables = network_tables(collect_runs(tmp_path)[0], load_published())
    notes = {t.name: [note for note in t.caption if MARK in note] for t in tables}
    assert notes["vrkd-role"][0].startswith("The runs on veri776 were not all")
    assert notes["vrkd-models"] == [], "one run is in it"


def test_text_of_a_record_is_escaped(tmp_path):
    (note,) = grid(tmp_path, made_by(), made_by(torch="\x1b]52;c;x\x07"))
    assert "\x1b" not in note and r"\x1b]52" in note
