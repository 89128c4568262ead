from results.collect import collect_runs
from results.page import details
from results.page.details import (
    join_run_numbers,
    number_runs,
    provenance_data,
    training_seconds,
)
from results.report import all_tables
from results.tables.cells import Cell
from results.tables.table import Table
from tests.support.records import done, done_with_facts, failed, spec, study


def table_of(*rows):
    return Table("t", "T", ("A", "B"), tuple(rows), (), ())


def read(data, key):
    """Headline of a run, and its facts with texts in place of their numbers."""
    (run,) = [run for run in data["runs"] if run[0] == key]
    return run[1], [(data["texts"][label], data["texts"][text]) for label, text in run[2]]


def test_runs_are_numbered_in_the_order_of_their_cells():
    one = table_of((Cell("x", ("b", "a")), Cell("-")), (Cell("y", ("a",)), Cell("z", ("c",))))
    numbers = number_runs([one, one])
    assert numbers == {"b": 0, "a": 1, "c": 2}
    assert join_run_numbers(("c", "b"), numbers) == "2 0" and join_run_numbers((), numbers) == ""


def test_every_run_behind_a_cell_is_described_once(tmp_path):
    study(tmp_path)
    tables = all_tables(collect_runs(tmp_path)[0])
    numbers = number_runs(tables)
    data = provenance_data(tables, tmp_path, numbers, None)
    assert len(numbers) == 7 and [run[0] for run in data["runs"]] == list(numbers)
    assert len(data["texts"]) == len(set(data["texts"])) and data["commands"] == {}


def test_the_facts_of_a_run(tmp_path):
    made = done_with_facts(tmp_path, 3.6)
    one = table_of((Cell("x"), Cell("50", (made["key"],))))
    headline, facts = read(provenance_data([one], tmp_path, number_runs([one]), None), made["key"])
    assert headline == "Seed 1 · test: mAP 50.00, R1 70.00"
    assert {
        ("Commit", "abc"),
        ("Uncommitted changes", "yes, digest 77"),
        ("Versions", "torch 2.15.0"),
        ("Teacher", f"{made['teachers'][0]['key']}, weights fe"),
        ("Host", "node1"),
        ("Device", "not recorded"),
        ("Fingerprint of the images", "9f12"),
        ("Training time (this run only)", "4 s"),
        ("Note", "One."),
    } <= set(facts)


def test_seconds_in_training_steps_by_run(tmp_path):
    made = done_with_facts(tmp_path, 3.6)
    other = done(tmp_path, spec(seed=0), 0.5)  # it has recorded none
    one = table_of((Cell("x"), Cell("50", (made["key"], other["key"]))))
    data = provenance_data([one], tmp_path, number_runs([one]), None)
    assert training_seconds(data) == {made["key"]: 3.6}


def test_a_failed_run_and_one_that_disappeared(tmp_path):
    lost = failed(tmp_path, spec("sp", 2))
    one = table_of((Cell("SP", (lost["key"], "a/b/c/d")), Cell("-")))
    data = provenance_data([one], tmp_path, number_runs([one]), lambda group: (["go"], []))
    assert read(data, lost["key"])[0] == "Seed 2 · diverged"
    headline, facts = read(data, "a/b/c/d")
    assert headline.startswith("cannot be read:") and facts == []
    assert list(data["commands"]) == ["0 1"]


def test_cells_of_the_same_runs_share_their_commands(tmp_path, monkeypatch):
    keys = [done(tmp_path, spec(seed=seed), 0.5)["key"] for seed in (0, 1)]
    one, both = Cell("50", (keys[0],)), Cell("50 ± 0", tuple(keys))
    groups = []

    def reproduce(group):
        groups.append([run.key for run in group])
        return [f"make {len(group)}"], ["Mind."]

    tables = [table_of((both, one), (one, both), (Cell("-"), Cell("")))]
    data = provenance_data(tables, tmp_path, number_runs(tables), reproduce)
    assert groups == [keys, keys[:1]]
    commands = {
        name: [[data["texts"][number] for number in part] for part in parts]
        for name, parts in data["commands"].items()
    }
    assert commands == {"0 1": [["make 2"], ["Mind."]], "0": [["make 1"], ["Mind."]]}
    monkeypatch.setattr(details, "MAX_COMMAND_GROUPS", 1)
    assert list(provenance_data(tables, tmp_path, number_runs(tables), reproduce)["commands"]) == [
        "0 1"
    ]


def test_texts_of_records_are_shown_escaped(tmp_path):
    """A bidirectional override would turn what a reader of the page sees around."""
    made = done_with_facts(tmp_path, 3.6, host="node\u202eelpmaxe\x1b[5m", command="a\nb\x07")
    tables = all_tables(collect_runs(tmp_path)[0])
    found = provenance_data(tables, tmp_path, number_runs(tables), None)
    assert r"node\u202eelpmaxe\x1b[5m" in found["texts"] and "a\nb\\x07" in found["texts"]
    assert made["key"] in {run[0] for run in found["runs"]}
