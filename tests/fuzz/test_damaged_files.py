"""Files of a runs folder, damaged at random: no traceback, no hang, never another number."""

import pytest

from harness.runs.layout import (
    CONSISTENCY,
    CURVE,
    EMBEDDINGS,
    GROUPS,
    MODEL,
    PER_QUERY,
    PREPARED,
    RECORD,
    SPEC,
)
from tests.fuzz.mutate import assert_good, examine

# The clock of a case is SIGALRM, which the timeouts of pytest use, too.
pytestmark = pytest.mark.timeout(1200, method="thread")
OFTEN = (RECORD, PER_QUERY, SPEC)  # what every number depends on


def find_files(runs):
    """Files below a runs folder that the commands read which do not train."""
    files = [file for file in sorted(runs.folder.rglob("*")) if file.is_file()]
    skipped = {runs.folder / name for name in ("data", "cache", "report", "code")}
    files = [file for file in files if not skipped.intersection(file.parents)]
    files = [file for file in files if file.parent.name != PREPARED and file.name != CONSISTENCY]
    return [*files, *(file for file in files if file.name in OFTEN)]


def reading_commands(runs, path, out):
    """The commands that read a file, those that depend on it most or take least more often."""
    options = ("--runs", runs.folder)
    is_of_run = path.is_relative_to(runs.folder) and runs.folder / GROUPS not in path.parents
    key = str(path.parent.relative_to(runs.folder)) if is_of_run else runs.interrupted
    status, plan = ("status", *options), ("plan", *runs.study("kd", "kdpe", "sp", "pkt"))
    failures, clean, logs = ("failures", *options), ("clean", *options), ("logs", key, *options)
    if key not in runs.done:
        return (status, status, plan, failures, clean, logs if key == runs.interrupted else status)
    other = next(one for one in runs.done[1:] if one != key)
    diff, score = ("diff", key, other, *options), ("score", key, "--device", "cpu", *options)
    trace = ("trace", "comparison-synthetic:KD:mAP", *options)
    report = ("report", "--no-figures", *options)
    rankings = ("compare-rankings", key, other, "--queries", 1, *options, "--out", out)
    embeddings = ("export-embeddings", key, "--device", "cpu", *options, "--out", out)
    commands = {
        RECORD: (*2 * (status, plan, failures, score), *4 * (diff,), trace, report),
        SPEC: (status, status, diff, plan, clean, score),
        PER_QUERY: (*16 * (diff,), trace, trace, report, rankings),
        MODEL: (score, embeddings),
        CURVE: (diff,),
        EMBEDDINGS: (embeddings,),
    }
    return commands[path.name]


def test_reading(mixed_runs, cases, seed, tmp_path):
    def commands(path):
        return reading_commands(mixed_runs, path, tmp_path)

    assert_good(examine(find_files(mixed_runs), commands, cases, seed))
