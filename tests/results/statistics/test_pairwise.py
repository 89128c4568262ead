"""Rows that are compared, and the reasons for the others."""

import numpy as np
import pytest
from scipy import stats as witness

from results.collect import collect_runs
from results.comparable import comparison_groups
from results.lines import table_rows
from results.published import load_published
from results.statistics.pairwise import paired_difference, pairwise_tests
from results.tables.comparison import comparison_tables
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


def compared(runs, change=None):
    """The tests between all rows of the only group, and its rows by label.

    Args:
        runs: The runs folder.
        change: What happens to its files after they were gathered, which checks them.
    """
    (group,) = comparison_groups(collect_runs(runs)[0], "synthetic")
    if change is not None:
        change()
    methods = dict.fromkeys(group.students["method"])
    rows = [row for method in methods for row in table_rows(group, method)]
    return pairwise_tests(group, rows, group.evaluations[0]), {row.label: row for row in rows}


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


def test_all_pairs_are_tested_and_the_gain_is_the_records(tmp_path):
    _, made = random_runs(tmp_path, {"sp": 0.1, "at": 0.0})
    tests, by_label = compared(tmp_path)
    assert len(tests.differences) == 3 and tests.reasons == {} and tests.problems == ()
    assert (tests.seeds, tests.queries, tests.identities) == ((0, 1, 2), 40, 20)
    difference, adjusted = tests.between(by_label["SP"], by_label["NONE"])
    gaps = [made["sp", seed].mean() - made["none", seed].mean() for seed in range(3)]
    assert difference.mean == pytest.approx(np.mean(gaps))
    assert difference.seed_variance == pytest.approx(np.var(gaps, ddof=1) / 3)
    assert difference.p < adjusted < 0.05
    back, same = tests.between(by_label["NONE"], by_label["SP"])
    assert back.mean == -difference.mean and same == adjusted
    assert tests.verdict(by_label["SP"], by_label["NONE"]) == 1
    assert tests.verdict(by_label["NONE"], by_label["SP"]) == -1
    assert tests.verdict(by_label["AT"], by_label["NONE"]) == 0


def test_holm_covers_every_pair_of_the_table(tmp_path):
    random_runs(tmp_path, {"sp": 0.002, "at": 0.0, "ft": 0.004})
    tests, _ = compared(tmp_path)
    p = sorted(one.p for one in tests.differences.values())
    assert len(p) == 6
    assert min(tests.adjusted.values()) == pytest.approx(min(1, 6 * p[0]))


def test_one_seed_is_the_clustered_test_over_queries(tmp_path):
    _, made = random_runs(tmp_path, {"sp": 0.01}, seeds=(0,))
    tests, by_label = compared(tmp_path)
    difference, _ = tests.between(by_label["SP"], by_label["NONE"])
    by_identity = (made["sp", 0] - made["none", 0]).reshape(20, 2).mean(axis=1)
    assert difference.p == pytest.approx(witness.ttest_1samp(by_identity, 0).pvalue)
    assert difference.degrees == 19


def test_incomplete_rows_are_not_compared(tmp_path):
    teacher, _ = random_runs(tmp_path, {"sp": 0.1})
    done(tmp_path, spec("at", 0, [teacher]), 0.9)
    tests, by_label = compared(tmp_path)
    assert tests.reasons == {("at", "AT"): "1/3 seeds"}
    assert len(tests.differences) == 1
    assert tests.between(by_label["AT"], by_label["SP"]) is None
    assert tests.verdict(by_label["AT"], by_label["SP"]) is None
    assert paired_difference(by_label["AT"], by_label["SP"], "test") is None  # and on other queries


def test_an_incomplete_row_is_compared_over_the_seeds_of_both(tmp_path):
    teacher = study(tmp_path)
    for seed in (0, 2):
        done(tmp_path, spec("at", seed, [teacher]), 0.46 + 0.01 * seed)
    _, by_label = compared(tmp_path)
    difference = paired_difference(by_label["AT"], by_label["Student"], "test")
    assert difference.mean == pytest.approx(0.05) and (difference.seeds, difference.degrees) == (
        2,
        1,
    )


def problems_of(runs, change=None):
    tests, _ = compared(runs, change)
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
    assert cells(table, "AT")["Group"] == "not compared"
    assert (cells(table, "AT")["mAP"], cells(table, "AT")["Gain in mAP"]) == (
        "46.00 ± 0.00",
        "+4.00",
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
    tests, _ = compared(tmp_path)
    assert set(tests.reasons.values()) == {"partial data"} and tests.differences == {}


def test_queries_of_one_identity_compare_nothing(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6)
    done_by_query(tmp_path, spec(), np.full(4, 0.5), np.ones(4, int))
    done_by_query(tmp_path, spec("sp", 0, [teacher]), np.full(4, 0.6), np.ones(4, int))
    tests, _ = compared(tmp_path)
    assert tests.differences == {} and set(tests.reasons.values()) == {"not compared"}
    assert tests.problems == ("Nothing is compared: all queries show one identity.",)


def test_alone_there_is_nothing_to_compare(tmp_path):
    done(tmp_path, spec(), 0.4)
    tests, by_label = compared(tmp_path)
    assert (tests.differences, tests.letters, tests.groups) == ({}, {}, {})
    (table,) = comparison_tables(collect_runs(tmp_path)[0], "synthetic", load_published())
    assert cells(table, "Student")["Group"] == ""
    assert not any("Group" in note or "Minimum" in note for note in table.footnotes)


def test_rank_1_has_tests_of_its_own(tmp_path):
    """SP has the better mAP, AT the better R1, under every seed and for all but one query in 40."""
    teacher = done(tmp_path, teacher_spec(), 0.6)
    for seed, jitter in enumerate((0.0, 0.001, 0.002)):
        for method, accuracy, first in (("sp", 0.5, 0.1), ("at", 0.4, 0.9)):
            done(tmp_path, spec(method, seed, [teacher]), accuracy + jitter, first)
    (group,) = comparison_groups(collect_runs(tmp_path)[0], "synthetic")
    sp, at = (table_rows(group, method)[0] for method in ("sp", "at"))
    by_score = {score: pairwise_tests(group, [sp, at], "test", score) for score in ("mAP", "R1")}
    assert by_score["mAP"].groups == {sp.row_id: "best", at.row_id: "second"}
    assert by_score["R1"].between(sp, at)[0].mean == pytest.approx(-0.8)
    assert by_score["R1"].groups == {sp.row_id: "second", at.row_id: "best"}
