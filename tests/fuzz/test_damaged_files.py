"""Files of a runs folder, damaged at random: no traceback, no hang, never another number."""

import pytest

from harness.core.lease import LEASE
from harness.runs.layout import (
    CHECKPOINT,
    CONSISTENCY,
    CURVE,
    EMBEDDINGS,
    FAILURE,
    GROUP,
    JOB,
    MODEL,
    PER_QUERY,
    RECORD,
    SPEC,
)
from tests.fuzz.mutate import (
    assert_good,
    examine,
)

# The clock of a case is SIGALRM, which the timeouts of pytest use, too.
pytestmark = pytest.mark.timeout(1200, method="thread")
KINDS = (RECORD, SPEC, PER_QUERY, FAILURE, JOB, GROUP, LEASE, MODEL, CURVE, CHECKPOINT)


def find_files(runs):
    """Files below a runs folder that its commands read, those that matter most more often."""
    files = [file for file in sorted(runs.folder.rglob("*")) if file.is_file()]
    skipped = {runs.folder / name for name in ("data", "cache", "report", "code")}
    files = [file for file in files if not skipped.intersection(file.parents)]
    often = [file for file in files if file.name in (RECORD, PER_QUERY, SPEC)]
    return [*files, *often]


def test_reading(mixed_runs, cases, seed, tmp_path):
    runs, options = mixed_runs, ("--runs", mixed_runs.folder)
    teacher, plain, first, second = runs.done
    status, plan = ("status", *options), ("plan", *runs.study("kd", "kdpe", "sp", "pkt"))
    diff, score = ("diff", first, plain, *options), ("score", first, "--device", "cpu", *options)
    trace = ("trace", "comparison-synthetic:KD:mAP", *options)
    report = ("report", "--no-figures", *options)
    failures, clean = ("failures", *options), ("clean", *options)
    logs = ("logs", runs.interrupted, *options)
    out = ("--runs", runs.folder, "--out", tmp_path)
    rankings = ("compare-rankings", first, plain, "--queries", 1, *out)
    embeddings = ("export-embeddings", first, "--device", "cpu", *out)
    commands = {
        "": (status, failures, logs, clean, plan),
        RECORD: (status, diff, diff, trace, trace, score, plan, rankings),
        SPEC: (status, diff, trace, plan, logs, score, clean),
        PER_QUERY: (diff, diff, trace, trace, rankings, score),
        MODEL: (score, score, embeddings, status),
        CURVE: (diff, diff, trace),
        FAILURE: (status, failures, plan),
        EMBEDDINGS: (report, embeddings),
        CONSISTENCY: (report,),
    }
    assert_good(examine(find_files(runs), commands, cases, seed))
