import torch

from harness.benchmarks import ranking_consistency
from harness.benchmarks.ranking_consistency import (
    compare_all_pairs,
    sample_features,
    time_consistency,
)
from harness.cli.bench_printing import print_consistency
from harness.evaluation.ranking_consistency import ranking_inconsistency_from_features


def test_both_implementations_give_the_same_terms(monkeypatch):
    monkeypatch.setattr(ranking_consistency, "ROWS_AT_ONCE", 7)
    teacher, student = sample_features(queries=3, gallery=30)
    terms = compare_all_pairs(teacher, student)
    assert (terms > 0).all()
    torch.testing.assert_close(terms, ranking_inconsistency_from_features(teacher, student))


def test_kendalls_tau_is_faster_than_all_pairs():
    timing = time_consistency(queries=4, gallery=4000)
    assert timing.ratio == timing.baseline_seconds / timing.seconds > 2


def test_times_and_ratio_are_printed(capsys):
    print_consistency(2, 50)
    text = capsys.readouterr().out
    assert text.startswith("L_rank of 2 queries in a gallery of 50, time per query\n")
    assert "Kendall's tau" in text and "all pairs" in text and "x as long\n" in text
