"""Benchmark of collecting the records below a runs folder against only parsing the same files."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count, islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from harness.runs.layout import CURVE, PER_QUERY, RECORD
from harness.runs.per_query import CMC_RANKS
from harness.runs.record import RECORD_FORMAT
from harness.runs.spec import SCORING_VERSION, Recipe, RunSpec
from harness.training.environment import PACKAGES
from methods import METHODS
from results.collect import collect_runs


@dataclass(frozen=True, slots=True)
class CollectTiming:
    """Median times over the same files, in turns.

    Attributes:
        records: Number of records.
        megabytes: Size of all records.
        collecting_seconds: Time of `collect_runs`.
        parsing_seconds: Time of `json.loads` of every file.
    """

    records: int
    megabytes: float
    collecting_seconds: float
    parsing_seconds: float

    @property
    def ratio(self) -> float:
        """Time of collecting divided by that of parsing."""
        return self.collecting_seconds / self.parsing_seconds


def time_collecting(records: int, repeats: int) -> CollectTiming:
    """Write records as training does, into a temporary folder, and time both ways to read them.

    Their files of scores have three queries each, so the time is that of the records.

    Args:
        records: Number of records.
        repeats: Number of turns.

    Raises:
        RuntimeError: A record was not collected, so that the times cannot be compared.
    """
    with TemporaryDirectory() as folder:
        runs = Path(folder)
        files = [_write_record(runs, spec) for spec in islice(_specs(), records)]
        collecting, parsing = [], []
        for _ in range(repeats):
            start = time.perf_counter()
            for path in files:
                json.loads(path.read_bytes())
            middle = time.perf_counter()
            frame, problems = collect_runs(runs)
            end = time.perf_counter()
            parsing.append(middle - start)
            collecting.append(end - middle)
            if len(frame) != records or problems:
                raise RuntimeError(f"{len(frame)} of {records} records were collected: {problems}")
        megabytes = sum(path.stat().st_size for path in files) / 1e6
    return CollectTiming(records, megabytes, median(collecting), median(parsing))


def _specs() -> Iterator[RunSpec]:
    """Yield a teacher and then, seed by seed without end, a run of every method."""
    recipe = Recipe()
    teacher = RunSpec("msmt17", "none", "resnet101", (), 0, recipe, fingerprint="f" * 16)
    yield teacher
    for seed in count():
        for method in METHODS:
            yield RunSpec(
                "msmt17",
                method,
                "resnet18",
                (teacher,),
                seed,
                recipe,
                fingerprint="f" * 16,
                weights="w" * 16,
                source="s" * 16,
                device="cuda",
            )


def _write_record(runs: Path, spec: RunSpec) -> Path:
    path = runs / spec.key / RECORD
    path.parent.mkdir(parents=True)
    content = {"format": RECORD_FORMAT, "key": spec.key, "spec": spec.as_json(), **_content(spec)}
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    (scores,) = content["result"]["evaluations"]["test"]
    columns = {
        "query": np.array(["1.jpg", "2.jpg", "3.jpg"]),
        "identity": np.arange(3),
        "average_precision": np.full(3, scores["mAP"]),
        "inverse_negative_penalty": np.full(3, scores["mINP"]),
        "first_rank": np.array([1, 99, 99]),
    }
    arrays: dict[str, Any] = {f"test.0.{name}": values for name, values in columns.items()}
    np.savez(path.with_name(PER_QUERY), **arrays)
    return path


def _content(spec: RunSpec) -> dict[str, Any]:
    """Return as much as the record of a long training contains, with numbers of full length."""
    parts = ("cross_entropy", "triplet", "distillation")
    curve = [
        {"step": 339 * epoch + 1, "lr": 0.02 / (3 + epoch), "loss": 7 / (3 + epoch)}
        | dict.fromkeys(parts, 1 / (3 + epoch))
        for epoch in range(spec.recipe.epochs)
    ]
    scores = {
        "mAP": 1 / (3 + spec.seed),
        "mINP": 1 / (7 + spec.seed),
        "queries": 11659,
        "scored": 11659,
        "cmc": {str(rank): 1 / 3 for rank in CMC_RANKS},
        "ties": {"optimistic": {"mAP": 1 / 3, "R1": 1 / 3}, "flagged": False},
    }
    paper = METHODS[spec.method].paper if spec.teachers else None
    return {
        "label": spec.method,
        "scoring_version": SCORING_VERSION,
        "notes": [],
        "result": {"steps": 50850, "model": "0" * 64, "evaluations": {"test": [scores]}},
        "curve": {"file": CURVE, "thinned": curve},
        "teachers": ["0" * 64],
        "environment": dict.fromkeys(PACKAGES, "1.0.0") | {"commit": "0" * 40, "dirty": False},
        "timings": dict.fromkeys(("training", "scoring", "preparing"), 1 / 3),
        "paper": asdict(paper) if paper else None,
    }
