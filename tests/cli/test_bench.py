"""`kdreid bench`: every benchmark runs at a small size."""

import pytest

from harness.benchmarks import evaluation
from harness.cli.bench import parse_numbers, parse_sizes
from harness.cli.bench_printing import print_evaluation
from harness.core.errors import UsageError
from tests.support.command_line import invoke

SMALL = evaluation.TestSetSize(60, 3000, 100, 6, (4.0, 1.5))  # by module: it is not a test


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("consistency --queries 3 --gallery 20", "L_rank of 3 queries in a gallery of 20"),
        ("npdrk --images 128 --repeats 1 --threads 1", "by anchors takes"),
        ("loader --datasets market1501 --images 8 --rounds 1", "market1501 "),
        ("loader --dataset market1501 --images 8 --rounds 1", "market1501 "),
        ("gather --records 3 --repeats 1", "3 records"),
        ("tests --tables 3 --seeds 1,2 --rows 2", "| 0.2 to 0.8 | 2 | 2 |"),
        ("extract --network cnn5 --batch 1 --size 32x32 --repeats 1 --device cpu", "Saved in"),
        ("extract --networks cnn5 --batch 1 --size 32x32 --repeats 1 --device cpu", "Saved in"),
    ],
)
def test_a_small_benchmark(words, text, tmp_path):
    arguments = words.split()
    if arguments[0] == "extract":
        arguments += ["--runs", tmp_path]
    done = invoke("bench", *arguments)
    assert done.returncode == 0, done.stderr
    assert text in done.stdout


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("extract --head neck", "No head is called 'neck'. Did you mean 'bnneck'?"),
        ("extract --size 32", "--size is HEIGHTxWIDTH"),
        ("extract --size 32x4097", "--size is HEIGHTxWIDTH in pixels, at most 4,096 each"),
        (f"extract --size 32x{'9' * 5000}", "--size is HEIGHTxWIDTH"),
        ("tests --seeds three", "--seeds takes whole numbers such as 1,3,5"),
        ("evaluate --size market", "Did you mean 'market1501'?"),
        ("evaluate --width wide", "--width takes whole numbers such as 512,2048"),
        ("loader --dataset market", "No dataset is called 'market'"),
    ],
)
def test_a_wrong_option(words, text):
    done = invoke("bench", *words.split())
    assert done.returncode == 2 and text in done.stderr


def test_sizes_by_name():
    assert list(parse_sizes("both")) == ["market1501", "msmt17"]
    assert list(parse_sizes("msmt17")) == ["msmt17"]


def test_numbers():
    assert parse_numbers("512, 2048", "--width", "512") == [512, 2048]
    for text in ("", "wide", "0", "512,-1", "512,1000001", "9" * 5000):
        with pytest.raises(UsageError, match="--width takes whole numbers"):
            parse_numbers(text, "--width", "512")


def test_one_line_is_printed_for_each_kind_of_features(capsys):
    print_evaluation({"small": SMALL}, [64], 1, 1)
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines if line.startswith("  small")]
    assert len(rows) == 2
    for row in rows:
        assert row[:5] == ["small", "60", "x", "3,000", "64"]
        assert row[7] == row[9] == "s" and row[-1] == "MB"
