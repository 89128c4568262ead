"""Letters, groups, intervals and footnotes of records whose truth is known."""

import numpy as np
import pytest

from results.collect import collect_runs
from results.published import load_published
from results.tables.comparison import comparison_tables
from results.tables.formats import to_latex, to_markdown, to_terminal
from results.tables.significance import false_positive_rate
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


@pytest.mark.parametrize("score", ["mAP", "R1"])
def test_the_top_group_is_bold_and_the_next_underlined(table, score):
    groups = {row[0].text: whole_cells(table, row[0].text)[score].group for row in table.rows}
    marked = {label: group for label, group in groups.items() if group}
    assert marked == {"RKD": "best", "PDRD": "best", "FT": "second", "SP": "second"}


def test_every_format_marks_the_groups(table):
    rows = {
        line.split("|")[1].strip(): line
        for line in to_markdown(table).splitlines()
        if line.startswith("|")
    }
    assert "**" in rows["RKD"] and "**" in rows["PDRD"] and "<u>" in rows["SP"]
    assert "**" not in rows["KDPE"] + rows["Teacher"] + rows["Student"] + rows["AT"]
    assert to_latex(table).count(r"\textbf{") == 4 and to_latex(table).count(r"\underline{") == 4
    assert "**" not in to_terminal(table)


def test_incomplete_failed_and_printed_rows_are_shown_and_never_ranked(table):
    """KDPE's one seed has the highest mAP of all."""
    assert cells(table, "KDPE")["mAP"] == "99.00" and cells(table, "KDPE")["Group"] == "1/5 seeds"
    assert cells(table, "VID")["Group"] == "failed: diverged"
    assert cells(table, "UMTS")["Group"] == cells(table, "CSD")["Group"] == "-"
    for label in ("KDPE", "VID", "UMTS", "CSD", "Teacher", "Student"):
        assert not any(cell.group for cell in whole_cells(table, label).values())
    assert cells(table, "Teacher")["Group"] == ""


def test_gains_hold_the_truth(table):
    for method, truth in TRUTH.items():
        cell = whole_cells(table, method.upper())["Gain in mAP"]
        low, high = map(float, cell.text.partition("[")[2].rstrip("]").split(","))
        assert low <= 100 * truth <= high and high - low < 5
        assert low < cell.value < high
        assert "after Holm" in cell.detail and "5 seeds" in cell.detail
        assert len(cell.runs) == 10


def test_an_incomplete_gain_has_its_interval_on_demand_only(table):
    cell = whole_cells(table, "KDPE")["Gain in mAP"]
    assert "[" not in cell.text and cell.detail == ""  # and its queries are others


def test_a_letter_has_the_significant_differences_as_its_detail(table):
    cell = whole_cells(table, "FT")["Group"]
    assert "better than FITNET" in cell.detail and "worse than PDRD" in cell.detail
    assert "SP" not in cell.detail
    assert len(cell.runs) == 5


def test_footnotes_describe_the_tests_and_their_resolution(table):
    (method,) = [note for note in table.footnotes if note.startswith("Group:")]
    for words in ("600 queries of 150 identities", "5 seeds", "4 degrees", "all 21 pairs"):
        assert words in method
    assert "No pair" not in method
    (finest,) = [note for note in table.footnotes if note.startswith("Minimum significant")]
    for score in ("mAP", "R1"):
        points = float(finest.partition(f" {score} ")[2].split()[0])
        assert 0.5 < points < 25 and "median over 21 pairs" in finest
    (caution,) = [note for note in table.footnotes if "conservative" in note]
    assert "With 5 seeds" in caution and "in 0.55 % if all of it is between queries" in caution
    assert any("95 % confidence interval" in note for note in table.footnotes)


@pytest.mark.parametrize(("seeds", "share"), [(3, 1.69e-5), (5, 0.0055), (10, 0.0237)])
def test_false_positive_rate(seeds, share):
    """2 Phi(-4.3027), 2 Phi(-2.7764), 2 Phi(-2.2622) from tables of the normal distribution."""
    assert false_positive_rate(seeds) == pytest.approx(share, rel=0.02)


def test_with_one_seed_variation_between_seeds_is_not_covered(tmp_path):
    made(tmp_path, 1)
    table = table_of(tmp_path)
    assert cells(table, "PDRD")["Group"] == cells(table, "RKD")["Group"] == "a"
    (method,) = [note for note in table.footnotes if note.startswith("Group:")]
    assert "identities and one seed, corrected" in method and "149 degrees" in method
    caution = (
        "With one seed the tests cover sampling of queries only (5 % false positives per "
        "comparison); variation between seeds is not covered."
    )
    assert caution in table.footnotes
    gain = whole_cells(table, "SP")["Gain in mAP"]
    assert "one seed; variation between seeds is not covered" in gain.detail


def test_noise_alone_is_not_significant(tmp_path):
    """Seeds that differ by more than the methods do: one group, all bold, and a footnote."""
    made(tmp_path, 3, seed_noise=0.3)
    table = table_of(tmp_path)
    compared = ["Student", "FITNET", "AT", "FT", "SP", "RKD", "PDRD"]
    assert {cells(table, label)["Group"] for label in compared} == {"a"}
    assert {whole_cells(table, label)["mAP"].group for label in compared[1:]} == {"best"}
    assert any("No pair of rows differs significantly" in note for note in table.footnotes)


def test_few_identities_have_a_footnote(tmp_path):
    teacher = done(tmp_path, teacher_spec(dataset="veri776"), 0.9)
    done(tmp_path, spec(dataset="veri776"), 0.4)
    done(tmp_path, spec("sp", 0, [teacher], dataset="veri776"), 0.5)
    assert any("show only 10 identities" in note for note in table_of(tmp_path).footnotes)


def test_an_undistilled_student_above_all_is_not_ranked(tmp_path):
    teacher = done(tmp_path, teacher_spec(dataset="veri776"), 0.9)
    for seed, jitter in enumerate((0.0, 0.004, -0.003)):
        done(tmp_path, spec(seed=seed, dataset="veri776"), 0.6)
        for method, accuracy in {"at": 0.5, "sp": 0.4, "rkd": 0.3}.items():
            made = spec(method, seed, [teacher], dataset="veri776")
            done(tmp_path, made, accuracy + jitter * (1 if method == "at" else -1))
    table = table_of(tmp_path)
    groups = {row[0].text: whole_cells(table, row[0].text)["mAP"].group for row in table.rows}
    assert {label: group for label, group in groups.items() if group} == {
        "AT": "best",
        "SP": "second",
    }
    assert cells(table, "Student")["Group"] == "a" and cells(table, "AT")["Group"] == "b"


def test_the_minimum_significant_difference_is_at_holms_strictest_step(tmp_path):
    """Gaps of 10, 9 and 11 points, and of 0, 3 and 3, and their difference; t at 0.05 / 3."""
    teacher = done(tmp_path, teacher_spec(dataset="veri776"), 0.9)
    for seed, (first, second) in enumerate([(0.10, 0.0), (0.09, 0.03), (0.11, 0.03)]):
        done(tmp_path, spec(seed=seed, dataset="veri776"), 0.4)
        done(tmp_path, spec("at", seed, [teacher], dataset="veri776"), 0.4 + first)
        done(tmp_path, spec("sp", seed, [teacher], dataset="veri776"), 0.4 + second)
    (finest,) = [note for note in table_of(tmp_path).footnotes if note.startswith("Minimum")]
    strict = 7.6488  # t of 2 degrees: (1 - p) sqrt(2 / (p (2 - p))) at p = 0.05 / 3
    # standard deviations over seeds are 1 (AT), sqrt 3 (SP) and 2 (AT minus SP: 10, 6, 8)
    middle, most = strict * 3**0.5 / 3**0.5, strict * 2 / 3**0.5
    assert f"in this table: mAP {middle:.2f} points" in finest
    assert f"{most:.2f} for the noisiest pair" in finest
