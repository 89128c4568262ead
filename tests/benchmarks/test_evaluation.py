import pytest
import torch

from harness.benchmarks import evaluation
from harness.benchmarks.evaluation import (
    TEST_SET_SIZES,
    compute_products,
    sample_features,
    time_evaluation,
)
from harness.cli.bench import parse_numbers, parse_sizes
from harness.cli.bench_printing import print_evaluation
from harness.core.errors import UsageError
from harness.evaluation.metrics import evaluate

SMALL = evaluation.TestSetSize(60, 3000, 100, 6, (4.0, 1.5))  # by module: it is not a test


def mean_average_precision(size, width, separation):
    return evaluate(*sample_features(size, width, separation)).mAP


def test_a_timing_has_the_score_of_its_features_and_the_cost():
    timing = time_evaluation(SMALL, 64, 3.0, 2, 1)
    expected = mean_average_precision(SMALL, 64, 3.0)
    assert timing.mean_average_precision == pytest.approx(expected)
    assert timing.seconds > 0 and timing.product_seconds > 0
    assert 0 < timing.least_ratio <= timing.ratio <= timing.greatest_ratio
    assert 0 <= timing.megabytes < 200


@pytest.mark.parametrize("width", [256, 1024])
def test_the_separation_and_not_the_width_decides_the_score(width):
    assert 0.85 < mean_average_precision(SMALL, width, 4.0) < 0.98
    assert mean_average_precision(SMALL, width, 1.5) < 0.2


def test_the_listed_sizes_are_those_of_the_real_test_sets():
    sizes = {
        name: (size.queries, size.rows, size.identities, size.cameras)
        for name, size in TEST_SET_SIZES.items()
    }
    assert sizes == {"market1501": (3368, 19_732, 751, 6), "msmt17": (11_659, 82_161, 3060, 15)}


def test_features_of_the_listed_sizes_have_the_documented_scores():
    """A few queries in the whole gallery, by which the separations were chosen."""
    market = TEST_SET_SIZES["market1501"]
    few = evaluation.TestSetSize(200, market.rows, market.identities, market.cameras, ())
    scores = [mean_average_precision(few, 128, separation) for separation in market.separations]
    assert scores == pytest.approx([0.6, 0.06], rel=0.2)


def test_the_baseline_computes_every_product():
    query, gallery = (torch.randn(count, 8) for count in (30, 50))
    buffer = torch.empty(512, 50)
    compute_products(query, gallery, buffer)
    torch.testing.assert_close(buffer[:30], query @ gallery.T)


def test_one_line_is_printed_for_each_kind_of_features(capsys):
    print_evaluation({"small": SMALL}, [64], 1, 1)
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines if line.startswith("  small")]
    assert len(rows) == 2
    for row in rows:
        assert row[:5] == ["small", "60", "x", "3,000", "64"]
        assert row[7] == row[9] == "s" and row[-1] == "MB"


def test_sizes_by_name():
    assert list(parse_sizes("both")) == ["market1501", "msmt17"]
    assert list(parse_sizes("msmt17")) == ["msmt17"]
    with pytest.raises(UsageError, match="--size is 'market'.* Did you mean 'market1501'"):
        parse_sizes("market")


def test_widths_are_whole_numbers():
    assert parse_numbers("512, 2048", "--width", "512") == [512, 2048]
    for text in ("", "wide", "0", "512,-1"):
        with pytest.raises(UsageError, match="--width takes whole numbers"):
            parse_numbers(text, "--width", "512")
