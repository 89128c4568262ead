from harness.benchmarks.collecting import time_collecting
from harness.cli.bench_printing import print_collecting


def test_both_ways_read_all_records():
    timing = time_collecting(40, 3)
    assert timing.records == 40
    assert 0.01 < timing.megabytes / timing.records < 0.1  # as large as records of 150 epochs
    assert timing.ratio == timing.collecting_seconds / timing.parsing_seconds > 0


def test_seconds_and_ratio_are_printed(capsys):
    print_collecting(5, 1)
    text = capsys.readouterr().out
    assert text.startswith("5 records, ") and "json.loads" in text and "x as long\n" in text
