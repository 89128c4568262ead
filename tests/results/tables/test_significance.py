"""Letters, groups, intervals and footnotes of records whose truth is known."""

import numpy as np
import pytest

from results.collect import collect_runs
from results.published import load_published
from results.tables.comparison import comparison_tables
from results.tables.formats import to_latex, to_markdown, to_terminal
from tests.support.records import (
    cells,
    done,
    done_by_query,
    failed,
    spec,
    teacher_spec,
    whole_cells,
)

# what each method truly adds to the plain student, in fractions of mAP
TRUTH = {"fitnet": -0.08, "at": 0.0, "ft": 0.10, "sp": 0.10, "rkd": 0.20, "pdrd": 0.20}
IDENTITIES, EACH = 150, 4


def made(runs, seeds, seed_noise=0.004):
    """Records of `TRUTH` for S seeds: noise of seeds, of queries, and of both together."""
    random = np.random.default_rng(7)
    identity = np.repeat(np.arange(IDENTITIES), EACH)
    base = random.uniform(0.25, 0.75, IDENTITIES)[identity]
    hard = random.normal(0, 0.01, (len(TRUTH) + 1, IDENTITIES))[:, identity]
    teacher = done(runs, teacher_spec(dataset="veri776"), 0.9)
    for number, (method, gain) in enumerate({"none": 0.0, **TRUTH}.items()):
        teachers = [] if method == "none" else [teacher]
        for seed in range(seeds):
            noise = random.normal(0, seed_noise) + random.normal(0, 0.02, len(identity))
            precision = np.clip(base + gain + hard[number] + noise, 0, 1)
            run = spec(method, seed, teachers, dataset="veri776")
            done_by_query(runs, run, precision, identity)
    return teacher


def table_of(runs):
    frame, _ = collect_runs(runs, {"vid": "VID"})  # which only failed
    (table,) = comparison_tables(frame, "veri776", load_published())
    return table


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    teacher = made(folder, 5)
    failed(folder, spec("vid", 0, [teacher], dataset="veri776"))
    done(folder, spec("kdpe", 0, [teacher], dataset="veri776"), 0.99)
    return folder


@pytest.fixture(scope="module")
def table(runs):
    return table_of(runs)


def test_letters_are_the_truth(table):
    letters = {row[0].text: cells(table, row[0].text)["Group"] for row in table.rows}
    assert letters["RKD"] == letters["PDRD"] == "a"
    assert letters["FT"] == letters["SP"] == "b"
    assert letters["Student"] == letters["AT"] == "c"
    assert letters["FITNET"] == "d"


def marks(table, score):
    by_label = {row[0].text: whole_cells(table, row[0].text)[score].mark for row in table.rows}
    return {label: mark for label, mark in by_label.items() if mark.place or mark.is_tied}


@pytest.mark.parametrize("score", ["mAP", "R1"])
def test_the_best_is_bold_the_second_underlined_and_ties_have_a_dagger(table, score):
    """RKD and PDRD are equally good in truth, FT and SP truly worse than both."""
    marked = marks(table, score)
    assert set(marked) == {"RKD", "PDRD"}
    assert sorted(mark.place for mark in marked.values()) == ["best", "second"]
    assert [mark.is_tied for mark in marked.values()] == [
        mark.place == "second" for mark in marked.values()
    ]


def test_every_format_has_the_marks(table):
    rows = {
        line.split("|")[1].strip(): line
        for line in to_markdown(table).splitlines()
        if line.startswith("|")
    }
    best, second = (
        next(label for label, mark in marks(table, "mAP").items() if mark.place == place)
        for place in ("best", "second")
    )
    assert "**" in rows[best] and "<ins>" in rows[second] and "</ins>†" in rows[second]
    assert not any("**" in rows[label] for label in ("KDPE", "Teacher", "Student", "AT", "SP"))
    assert to_latex(table).count(r"\textbf{") == 2 and to_latex(table).count(r"\dag{}") >= 2
    assert "**" not in to_terminal(table)


def test_short_and_failed_rows_are_shown_and_never_marked(table):
    """KDPE's one seed has the highest mAP of all."""
    assert cells(table, "KDPE")["mAP"] == "99.00"
    assert cells(table, "KDPE")["Seeds"] == "1 of 5"
    assert cells(table, "KDPE")["Group"] == "other queries"
    assert cells(table, "VID")["Group"] == "failed: diverged"
    for label in ("KDPE", "VID", "Teacher", "Student"):
        assert label not in marks(table, "mAP")
    assert cells(table, "Teacher")["Group"] == ""


def test_gains_hold_the_truth(table):
    for method, truth in TRUTH.items():
        cell = whole_cells(table, method.upper())["Gain in mAP"]
        low, high = map(float, cell.text.partition("[")[2].rstrip("]*").split(","))
        assert low <= 100 * truth <= high and high - low < 5
        assert low < cell.value < high
        assert cell.text.endswith("*") == (truth != 0)
        assert "after Holm" in cell.detail and "5 seeds" in cell.detail
        assert len(cell.runs) == 10


def test_a_gain_that_cannot_be_tested_has_no_interval(table):
    cell = whole_cells(table, "KDPE")["Gain in mAP"]
    assert "[" not in cell.text and "*" not in cell.text and cell.detail == ""


def test_a_letter_has_the_significant_differences_as_its_detail(table):
    cell = whole_cells(table, "FT")["Group"]
    assert "better than FITNET" in cell.detail and "worse than PDRD" in cell.detail
    assert "SP" not in cell.detail


def test_notes_describe_the_tests_and_their_resolution(table):
    assert any("two families by themselves" in note for note in table.footnotes)
    for score in ("mAP", "R1"):
        (note,) = [note for note in table.footnotes if note.startswith(f"{score}: ")]
        for words in ("7 rows of 5 seeds", "600 queries of 150 identities", "24 degrees of free"):
            assert words in note
        points = float(note.partition("Smallest significant difference: ")[2].split()[0])
        assert 0.5 < points < 15 and "median over 21 pairs" in note
    assert any("95 % confidence interval" in note for note in table.footnotes)
    assert any(note.startswith("Not tested:") and "KDPE" in note for note in table.footnotes)
    assert not any("No pair" in text for text in table.caption)


def test_one_seed_claims_nothing(tmp_path):
    made(tmp_path, 1)
    table = table_of(tmp_path)
    assert "Group" not in table.columns and marks(table, "mAP") == {}
    gain = whole_cells(table, "SP")["Gain in mAP"]
    assert "[" not in gain.text and "*" not in gain.text
    (text,) = [text for text in table.caption if text.startswith("One seed")]
    assert "nothing is tested" in text and "--seeds 0,1,2" in text
    assert not any("Tests:" in note for note in table.footnotes)


def test_noise_alone_is_not_significant(tmp_path):
    """Seeds that differ by more than the methods do: one group, no mark, and a sentence."""
    made(tmp_path, 3, seed_noise=0.3)
    table = table_of(tmp_path)
    compared = ["Student", "FITNET", "AT", "FT", "SP", "RKD", "PDRD"]
    assert {cells(table, label)["Group"] for label in compared} == {"a"}
    assert marks(table, "mAP") == {}
    assert "No pair of rows differs significantly." in table.caption
    assert any(text.startswith("Nothing is marked") for text in table.caption)


def test_three_seeds_tell_methods_apart(tmp_path):
    """What the table is for: noise of 0.4 points between seeds, methods 10 points apart or more."""
    made(tmp_path, 3)
    table = table_of(tmp_path)
    assert cells(table, "SP")["Gain in mAP"].endswith("*")
    assert cells(table, "SP")["Group"] != cells(table, "Student")["Group"]
    (note,) = [note for note in table.footnotes if note.startswith("mAP: ")]
    assert float(note.partition("Smallest significant difference: ")[2].split()[0]) < 4


def test_few_identities_have_a_note(tmp_path):
    teacher = done(tmp_path, teacher_spec(dataset="veri776"), 0.9)
    for seed in range(2):
        done(tmp_path, spec(seed=seed, dataset="veri776"), 0.4)
        done(tmp_path, spec("sp", seed, [teacher], dataset="veri776"), 0.5)
    assert any("show only 10 identities" in note for note in table_of(tmp_path).footnotes)


def test_an_undistilled_student_above_all_is_not_marked(tmp_path):
    teacher = done(tmp_path, teacher_spec(dataset="veri776"), 0.9)
    for seed, jitter in enumerate((0.0, 0.004, -0.003)):
        done(tmp_path, spec(seed=seed, dataset="veri776"), 0.6)
        for method, accuracy in {"at": 0.5, "sp": 0.4, "rkd": 0.3}.items():
            run = spec(method, seed, [teacher], dataset="veri776")
            done(tmp_path, run, accuracy + jitter * (1 if method == "at" else -1))
    table = table_of(tmp_path)
    assert {label: mark.place for label, mark in marks(table, "mAP").items()} == {
        "AT": "best",
        "SP": "second",
    }
    assert cells(table, "Student")["Group"] == "a" and cells(table, "AT")["Group"] == "b"
