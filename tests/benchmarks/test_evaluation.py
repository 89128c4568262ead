import pytest
import torch

from harness.benchmarks.evaluation import SIZES, EvaluationSize, draw, evaluation, product
from harness.cli.bench import chosen_numbers, chosen_sizes, show_evaluate
from harness.core.errors import UsageError
from harness.evaluation.metrics import evaluate

SMALL = EvaluationSize(60, 3000, 100, 6, (4.0, 1.5))


def test_a_measurement_tells_the_score_of_its_features_and_what_they_cost():
    found = evaluation(SMALL, 64, 3.0, 2, 1)
    assert found.mean_average_precision == pytest.approx(evaluate(*draw(SMALL, 64, 3.0)).mAP)
    assert found.seconds > 0 and found.product_seconds > 0
    assert 0 < found.least_ratio <= found.ratio <= found.greatest_ratio
    assert 0 <= found.megabytes < 200


@pytest.mark.parametrize("width", [256, 1024])
def test_separation_and_not_width_decides_the_score(width):
    near, far = (evaluate(*draw(SMALL, width, separation)).mAP for separation in (4.0, 1.5))
    assert 0.85 < near < 0.98
    assert far < 0.2


def test_the_features_of_the_sizes_score_as_the_size_says():
    """A few queries in the whole gallery, by which the separations were chosen."""
    market = SIZES["market1501"]
    few = EvaluationSize(200, market.rows, market.identities, market.cameras, ())
    found = [evaluate(*draw(few, 128, separation)).mAP for separation in market.separations]
    assert found == pytest.approx([0.6, 0.06], rel=0.2)


def test_the_product_is_every_product():
    query, gallery = (torch.randn(count, 8) for count in (30, 50))
    buffer = torch.empty(512, 50)
    product(query, gallery, buffer)
    torch.testing.assert_close(buffer[:30], query @ gallery.T)


def test_what_is_printed(capsys):
    show_evaluate({"small": SMALL}, [64], 1, 1)
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines if line.startswith("  small")]
    assert len(rows) == 2
    for row in rows:
        assert row[:5] == ["small", "60", "x", "3,000", "64"]
        assert row[7] == row[9] == "s" and row[-1] == "MB"


def test_sizes_by_name():
    assert list(chosen_sizes("both")) == ["market1501", "msmt17"]
    assert list(chosen_sizes("msmt17")) == ["msmt17"]
    with pytest.raises(UsageError, match="--size is 'market'.* Did you mean 'market1501'"):
        chosen_sizes("market")


def test_widths_are_whole_numbers():
    assert chosen_numbers("512, 2048", "--width", "512") == [512, 2048]
    for text in ("", "wide", "0", "512,-1"):
        with pytest.raises(UsageError, match="--width takes whole numbers"):
            chosen_numbers(text, "--width", "512")
