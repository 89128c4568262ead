from results.collect import collect_runs
from results.page import details
from results.page.details import named, number_runs, provenance_data
from results.report import all_tables
from results.tables.cells import Cell, plain
from results.tables.table import Table
from tests.support.records import done, draw, failed, record, spec, study, teacher_spec, write


def table_of(*rows):
    return Table("t", "T", ("A", "B"), tuple(rows), ())


def read(found, key):
    """A run of the JSON values with its texts in place of their numbers."""
    (run,) = [run for run in found["runs"] if run[0] == key]
    return run[1], [(found["texts"][label], found["texts"][text]) for label, text in run[2]]


def test_runs_are_numbered_in_the_order_of_their_cells():
    one = table_of((Cell("x", ("b", "a")), plain("-")), (Cell("y", ("a",)), Cell("z", ("c",))))
    numbers = number_runs([one, one])
    assert numbers == {"b": 0, "a": 1, "c": 2}
    assert named(("c", "b"), numbers) == "2 0" and named((), numbers) == ""


def test_every_run_behind_a_cell_is_described_once(tmp_path):
    study(tmp_path)
    tables = all_tables(collect_runs(tmp_path)[0])
    numbers = number_runs(tables)
    found = provenance_data(tables, tmp_path, numbers, None)
    assert len(numbers) == 7 and [run[0] for run in found["runs"]] == list(numbers)
    assert len(found["texts"]) == len(set(found["texts"])) and found["again"] == {}


def test_what_is_said_of_a_run(tmp_path):
    teacher = teacher_spec()
    made = spec("pdrd", 1, [teacher])
    told = {"commit": "abc", "dirty": True, "patch": "77", "torch": "2.15.0", "host": "node1"}
    write(
        tmp_path,
        record(
            made,
            draw(0.5),
            environment=told,
            teachers=["fe"],
            notes=["One."],
            timings={"training": 3.6},
        ),
    )
    one = table_of((plain("x"), Cell("50", (made["key"],))))
    headline, facts = read(provenance_data([one], tmp_path, number_runs([one]), None), made["key"])
    assert headline == "Seed 1 · test: mAP 50.00, R1 70.00"
    assert {
        ("Commit", "abc"),
        ("Uncommitted changes", "yes, digest 77"),
        ("Versions", "torch 2.15.0"),
        ("Teacher", f"{teacher['key']}, weights fe"),
        ("Machine", "node1"),
        ("Device", "not recorded"),
        ("Fingerprint of the images", "9f12"),
        ("Own training steps", "4 s"),
        ("Note", "One."),
    } <= set(facts)


def test_a_failed_run_and_one_that_is_gone(tmp_path):
    lost = failed(tmp_path, spec("sp", 2))
    one = table_of((Cell("SP", (lost["key"], "a/b/c/d")), plain("-")))
    found = provenance_data([one], tmp_path, number_runs([one]), lambda members: (["go"], []))
    assert read(found, lost["key"])[0] == "Seed 2 · diverged"
    headline, facts = read(found, "a/b/c/d")
    assert headline.startswith("cannot be read now:") and facts == []
    assert list(found["again"]) == ["0 1"]


def test_cells_of_the_same_runs_share_their_commands(tmp_path, monkeypatch):
    keys = [done(tmp_path, spec(seed=seed), 0.5)["key"] for seed in (0, 1)]
    one, both = Cell("50", (keys[0],)), Cell("50 ± 0", tuple(keys))
    asked = []

    def again(members):
        asked.append([run.key for run in members])
        return [f"make {len(members)}"], ["Mind."]

    tables = [table_of((both, one), (one, both), (plain("-"), plain("")))]
    found = provenance_data(tables, tmp_path, number_runs(tables), again)
    assert asked == [keys, keys[:1]]
    said = {
        name: [[found["texts"][number] for number in part] for part in parts]
        for name, parts in found["again"].items()
    }
    assert said == {"0 1": [["make 2"], ["Mind."]], "0": [["make 1"], ["Mind."]]}
    monkeypatch.setattr(details, "MOST", 1)
    assert list(provenance_data(tables, tmp_path, number_runs(tables), again)["again"]) == ["0 1"]
