from harness.benchmarks.collecting import time_collecting
from harness.cli.bench_printing import print_collecting


def test_both_ways_read_all_records():
    found = time_collecting(40, 3)
    assert found.records == 40
    assert 0.01 < found.megabytes / found.records < 0.1  # as large as records of 150 epochs are
    assert found.ratio == found.gathering / found.parsing > 0


def test_the_output_tells_seconds_and_ratio(capsys):
    print_collecting(5, 1)
    said = capsys.readouterr().out
    assert said.startswith("5 records, ") and "json.loads" in said and "x as long\n" in said
