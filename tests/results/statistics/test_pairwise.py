"""Rows that are compared, and the reasons for the others."""

import shutil

import numpy as np
import pytest
from scipy import stats as witness

from results.collect import collect_runs
from results.comparable import comparison_groups
from results.configurations import DEFAULT_CHOICE, TableChoice, compared_rows
from results.lines import table_rows
from results.published import load_published
from results.statistics.letter_display import Mark
from results.statistics.paired_test import holm
from results.statistics.pairwise import compare_with
from results.tables.comparison import comparison_tables
from results.tables.significance import group_tests
from tests.support.records import (
    cells,
    done,
    done_by_query,
    draw,
    per_query,
    spec,
    study,
    teacher_spec,
    write_per_query,
    write_scores,
)

IDENTITY = np.arange(40) // 2
RANDOM = np.random.default_rng(11)


def study_with_at(runs, **fields):
    """A study, and AT with every seed of it; the specs of AT, whose records have `fields`."""
    teacher = study(runs)
    return [done(runs, spec("at", seed, [teacher]), 0.46, **fields) for seed in range(3)]


def compared(runs, change=None, choice=DEFAULT_CHOICE):
    """The tests of mAP between the compared rows of the only group.

    Args:
        runs: The runs folder.
        change: What happens to its files after they were gathered, which checks them.
        choice: What is compared.
    """
    (group,) = comparison_groups(collect_runs(runs)[0], "synthetic")
    if change is not None:
        change()
    return group_tests(group, compared_rows(group, choice), choice)[0]


def random_runs(runs, gains, seeds=(0, 1, 2)):
    """Plain student and methods whose precision is above it by their gain, with noise."""
    teacher = done(runs, teacher_spec(), 0.6)
    base = RANDOM.uniform(0.2, 0.6, 40)
    made = {}
    for seed in seeds:
        for method, gain in {"none": 0.0, **gains}.items():
            precision = np.clip(base + gain + RANDOM.normal(0, 0.01, 40), 0, 1)
            teachers = [] if method == "none" else [teacher]
            made[method, seed] = precision
            done_by_query(runs, spec(method, seed, teachers), precision, IDENTITY)
    return teacher, made


SP, AT, NONE = ("sp", "SP"), ("at", "AT"), ("none", "Student")


def test_all_pairs_are_tested_and_the_gain_is_the_records(tmp_path):
    _, made = random_runs(tmp_path, {"sp": 0.1, "at": 0.0})
    tests = compared(tmp_path)
    assert len(tests.differences) == 3 and tests.reasons == {} and tests.problems == ()
    assert (tests.seed_counts, tests.queries, tests.identities) == ((3,), 40, 20)
    difference, adjusted = tests.between(SP, NONE)
    gaps = [made["sp", seed].mean() - made["none", seed].mean() for seed in range(3)]
    assert difference.mean == pytest.approx(np.mean(gaps))
    assert difference.p < adjusted < 0.05
    back, same = tests.between(NONE, SP)
    assert back.mean == -difference.mean and same == adjusted
    assert (tests.verdict(SP, NONE), tests.verdict(NONE, SP), tests.verdict(AT, NONE)) == (1, -1, 0)


def test_the_seeds_part_is_the_larger_of_the_pooled_and_the_rows_own_variance(tmp_path):
    _, made = random_runs(tmp_path, {"sp": 0.1, "at": 0.0})
    tests = compared(tmp_path)
    x = np.array([[made[m, s].mean() for s in range(3)] for m in ("none", "at", "sp")])
    r = x - x.mean(axis=1, keepdims=True) - x.mean(axis=0) + x.mean()
    pooled, own = (r**2).sum() / 4, (r**2).sum(axis=1) / 2 * 3 / 2
    for first, second in ((0, 1), (0, 2), (1, 2)):
        ours, theirs = ((NONE, AT, SP)[place] for place in (first, second))
        difference, _ = tests.between(ours, theirs)
        expected = max(2 * pooled, own[first] + own[second]) / 3
        assert difference.seed_variance == pytest.approx(expected)
        seeds, queries = difference.seed_variance, difference.query_variance
        degrees = (seeds + queries) ** 2 / (seeds**2 / 4 + queries**2 / 19)
        assert difference.degrees == pytest.approx(min(degrees, 2 * 4))


def test_two_families_have_corrections_of_their_own(tmp_path):
    random_runs(tmp_path, {"sp": 0.002, "at": 0.0, "ft": 0.004})
    tests = compared(tmp_path)
    pairs = {pair: one.p for pair, one in tests.differences.items()}
    assert len(pairs) == 6
    assert tests.adjusted == pytest.approx(dict(zip(pairs, holm([*pairs.values()]), strict=True)))
    of_student = {
        (pair[0] if pair[1] == NONE else pair[1]): p for pair, p in pairs.items() if NONE in pair
    }
    expected = dict(zip(of_student, holm([*of_student.values()]), strict=True))
    assert tests.reference == NONE
    assert tests.against == pytest.approx(expected) and len(expected) == 3


def test_the_reference_is_a_choice(tmp_path):
    random_runs(tmp_path, {"sp": 0.1, "at": 0.05})
    tests = compared(tmp_path, choice=TableChoice(against="sp"))
    assert tests.reference == SP and set(tests.against) == {AT, NONE}
    assert tests.gain(AT).mean == -tests.between(SP, AT)[0].mean
    assert compared(tmp_path, choice=TableChoice(against="kdpe")).reference is None


def test_one_seed_claims_nothing(tmp_path):
    random_runs(tmp_path, {"sp": 0.3}, seeds=(0,))
    tests = compared(tmp_path)
    assert (tests.differences, tests.letters, tests.marks, tests.against) == ({}, {}, {}, {})
    assert tests.reasons == {} and tests.seed_counts == (1,)
    assert np.isnan(tests.resolution)


def test_a_row_with_one_seed_among_three_is_not_compared(tmp_path):
    teacher, _ = random_runs(tmp_path, {"sp": 0.1})
    done_by_query(tmp_path, spec("at", 0, [teacher]), RANDOM.uniform(0, 1, 40), IDENTITY)
    tests = compared(tmp_path)
    assert tests.reasons == {AT: "1 of 3 seeds"}
    assert len(tests.differences) == 1
    assert tests.between(AT, SP) is None and tests.verdict(AT, SP) is None


def test_every_pair_is_compared_on_the_seeds_that_both_have(tmp_path):
    """SP has five seeds, AT lost one of three; the others have three."""
    teacher, made = random_runs(tmp_path, {"sp": 0.1, "at": 0.05, "ft": 0.0})
    shutil.rmtree(tmp_path / spec("at", 1, [teacher])["key"])
    for seed in (3, 4):
        done_by_query(tmp_path, spec("sp", seed, [teacher]), made["sp", 0], IDENTITY)
    tests = compared(tmp_path)
    assert tests.reasons == {} and len(tests.differences) == 6
    counts = {pair: one.seeds for pair, one in tests.differences.items()}
    assert all(n == (2 if AT in pair else 3) for pair, n in counts.items())
    gaps = [made["sp", seed].mean() - made["at", seed].mean() for seed in (0, 2)]
    assert tests.between(SP, AT)[0].mean == pytest.approx(np.mean(gaps))
    assert tests.scores[SP].mean == pytest.approx(
        np.mean([made["sp", s].mean() for s in (0, 1, 2, 0, 0)])
    )


def test_rows_without_common_seeds_are_left_out_as_few_as_possible(tmp_path):
    teacher, made = random_runs(tmp_path, {"sp": 0.1, "at": 0.05})
    for seed in (7, 8, 9):
        done_by_query(tmp_path, spec("ft", seed, [teacher]), made["sp", 0], IDENTITY)
    tests = compared(tmp_path)
    assert tests.reasons == {("ft", "FT"): "other seeds"} and len(tests.differences) == 3


def test_a_selection_keeps_every_p_value(tmp_path):
    random_runs(tmp_path, {"sp": 0.1, "at": 0.0, "ft": 0.004})
    tests = compared(tmp_path)
    some = tests.select([NONE, SP, AT])
    assert len(some.differences) == 3 and some.noise == tests.noise
    for pair, p in some.adjusted.items():
        assert p == tests.adjusted[pair]
    assert some.against == {row: tests.against[row] for row in (SP, AT)}
    assert some.letters[SP] != some.letters[AT] == some.letters[NONE]


def test_a_row_outside_the_table_is_compared_by_the_tables_noise_and_its_own(tmp_path):
    teacher, made = random_runs(tmp_path, {"sp": 0.1, "at": 0.0})
    for seed in range(3):
        other = spec("sp", seed, [teacher], options={"weight": 9})
        precision = made["sp", seed] + (0.2 if seed == 1 else 0.0)
        done_by_query(tmp_path, other, np.clip(precision, 0, 1), IDENTITY)
    (group,) = comparison_groups(collect_runs(tmp_path)[0], "synthetic")
    tests = compared(tmp_path)
    assert set(tests.compared) == {NONE, SP, AT}
    variant = next(row for row in table_rows(group, "sp") if "weight" in row.label)
    difference = compare_with(tests, variant, SP)
    assert difference.mean == pytest.approx(0.2 / 3, abs=0.01)
    assert difference.seed_variance > tests.between(SP, AT)[0].seed_variance
    assert compare_with(tests, variant, ("kdpe", "KDPE")) is None


def problems_of(runs, change=None):
    tests = compared(runs, change)
    return tests.reasons, tests.problems


def folder_of(runs, made):
    return runs / made["key"]


@pytest.mark.parametrize("damage", ["missing", "damaged", "emptied"])
def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_compared(tmp_path, damage):
    *_, made = study_with_at(tmp_path)
    path = folder_of(tmp_path, made) / "per_query.npz"
    frame, _ = collect_runs(tmp_path)

    def change():
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:500] if damage == "damaged" else b"")

    reasons, problems = problems_of(tmp_path, change)
    assert reasons == {("at", "AT"): "not compared"}
    kind = "missing" if damage == "missing" else "damaged"
    assert problems == (f"AT is not compared: per_query.npz is {kind} ({made['key']}).",)
    (table,) = comparison_tables(frame, "synthetic", load_published())
    assert problems[0] in table.footnotes
    row = cells(table, "AT")
    assert (row["mAP"], row["Gain in mAP"], row["Group"]) == (
        "46.00 ± 0.00",
        "+4.00",
        "not compared",
    )
    assert cells(table, "PDRD")["Group"] == "a"


def write_other_queries(runs, made):
    """Let a run have been scored on fewer queries than the others."""
    columns = per_query(np.full(50, 0.46), np.arange(50) // 2, first=0.66)
    write_per_query(folder_of(runs, made), {"test": [columns]})


def test_rows_with_other_queries_are_not_compared(tmp_path):
    for made in study_with_at(tmp_path):
        write_other_queries(tmp_path, made)
    reasons, problems = problems_of(tmp_path)
    assert reasons == {("at", "AT"): "other queries"}
    assert problems == ("AT is not compared: it was scored on other queries than most rows.",)


def test_seeds_of_one_row_must_have_the_same_queries(tmp_path):
    *_, made = study_with_at(tmp_path)
    write_other_queries(tmp_path, made)
    reasons, problems = problems_of(tmp_path)
    assert reasons == {("at", "AT"): "not compared"}
    assert "its seeds were scored by different protocols or on different queries" in problems[0]


def test_rows_with_another_scoring_are_not_compared(tmp_path):
    study_with_at(tmp_path, scoring_version=2)
    reasons, problems = problems_of(tmp_path)
    assert reasons == {("at", "AT"): "other scoring"}
    assert "scored by another protocol than most rows" in problems[0]


def test_a_file_of_another_scoring_does_not_pass_for_the_records(tmp_path):
    *_, made = study_with_at(tmp_path)

    def change():
        write_scores(folder_of(tmp_path, made), {"test": [draw(0.4599)]})

    reasons, problems = problems_of(tmp_path, change)
    assert reasons == {("at", "AT"): "not compared"}
    assert "its mAP is 45.9900, the record's 46.0000" in problems[0]


def test_an_evaluation_that_the_file_lacks_is_named(tmp_path):
    made = study_with_at(tmp_path)

    def change():
        for one in made:
            write_per_query(folder_of(tmp_path, one), {"other": [per_query([0.46], [1])]})

    assert "has no evaluation test" in problems_of(tmp_path, change)[1][0]


def test_partial_data_is_never_ranked(tmp_path):
    note = "Partial data: train has 12 images where 12,936 are expected."
    teacher = done(tmp_path, teacher_spec(), 0.6, notes=[note])
    done(tmp_path, spec(), 0.4, notes=[note])
    done(tmp_path, spec("sp", 0, [teacher]), 0.5, notes=[note])
    tests = compared(tmp_path)
    assert set(tests.reasons.values()) == {"partial data"} and tests.differences == {}


def test_queries_of_one_identity_compare_nothing(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    done_by_query(tmp_path, spec(), np.full(4, 0.5), np.ones(4, int))
    done_by_query(tmp_path, spec("sp", 0, [teacher]), np.full(4, 0.6), np.ones(4, int))
    tests = compared(tmp_path)
    assert tests.differences == {} and set(tests.reasons.values()) == {"not compared"}
    assert tests.problems == ("Nothing is compared: all queries show one identity.",)


def test_alone_there_is_nothing_to_compare(tmp_path):
    done(tmp_path, spec(), 0.4)
    tests = compared(tmp_path)
    assert (tests.differences, tests.letters, tests.marks) == ({}, {}, {})
    (table,) = comparison_tables(collect_runs(tmp_path)[0], "synthetic", load_published())
    assert "Group" not in table.columns
    assert not any("Group" in note or "significant" in note for note in table.footnotes)


def test_rank_1_has_tests_of_its_own(tmp_path):
    """SP has the better mAP, AT the better R1, under every seed and for all but one query in 40."""
    teacher = done(tmp_path, teacher_spec(), 0.6)
    for seed, jitter in enumerate((0.0, 0.001, 0.002)):
        for method, accuracy, first in (("sp", 0.5, 0.1), ("at", 0.4, 0.9)):
            done(tmp_path, spec(method, seed, [teacher]), accuracy + jitter, first)
    (group,) = comparison_groups(collect_runs(tmp_path)[0], "synthetic")
    by_score = {one.score: one for one in group_tests(group, compared_rows(group))}
    assert by_score["mAP"].marks == {AT: Mark("second"), SP: Mark("best")}
    assert by_score["R1"].between(SP, AT)[0].mean == pytest.approx(-0.8)
    assert by_score["R1"].marks == {AT: Mark("best"), SP: Mark("second")}


def test_nothing_is_marked_where_less_than_the_range_is_resolved(tmp_path):
    random_runs(tmp_path, {"sp": 0.002, "at": 0.0, "ft": 0.001})
    tests = compared(tmp_path)
    means = [one.mean for row, one in tests.scores.items() if row != NONE]
    assert tests.resolution > max(means) - min(means)
    assert tests.marks == {} and set(tests.letters.values()) == {"a"}


def test_the_resolution_is_that_of_the_strictest_step(tmp_path):
    random_runs(tmp_path, {"sp": 0.1, "at": 0.05})
    tests = compared(tmp_path)
    errors = [
        witness.t.isf(0.05 / 3 / 2, one.degrees) * one.error for one in tests.differences.values()
    ]
    assert tests.resolution == pytest.approx(np.median(errors))
