"""The queries on which two runs differ most, with the ten nearest images that each run found.

What the runs found stands in their `per_query.npz`; only the images are opened again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import SetupError, UsageError
from harness.core.session import RunContext
from harness.data.dataset import QueryGallerySplit
from harness.data.datasets import Dataset
from harness.data.decoding import UnreadableError, read_image
from harness.planning.reopen import open_own
from harness.runs.lookup import find_run
from harness.runs.record import PER_QUERY, read_record
from harness.runs.spec import RunSpec
from results.figures.ranked_lists import QueryExample, RankedList, Thumbnail, write

SIZE = {True: (128, 64), False: (96, 96)}  # height and width shown; of upright images and others
Pixels = NDArray[np.uint8]


def show_ranked(
    words: Sequence[str], queries: int, context: RunContext, root: Path | None
) -> list[Path]:
    """Draw the ranked lists of two runs into the report's figures; the files.

    Raises:
        UsageError: a word names no run or several, or the two runs were not asked the same.
        SetupError: a run is not done, or its files or images are not there.
    """
    first, second = (find_run(context.runs, word) for word in words)
    if first == second:
        raise UsageError(f"Both words name the run {first.key}. Give two different runs.")
    if first.fingerprint != second.fingerprint:
        raise UsageError(f"{first.key} and {second.key} were scored on different images.")
    dataset = open_own(first, root, context).dataset
    name, (draw, *_) = next(iter(dataset.test_splits.items()))
    columns = [_columns(spec, f"{name}.0", context.runs) for spec in (first, second)]
    if not np.array_equal(columns[0]["query"], columns[1]["query"]):
        raise UsageError(f"{first.key} and {second.key} were asked different queries.")
    precisions = [found["average_precision"] for found in columns]
    rows = most_different_queries(precisions[0], precisions[1], queries)
    if not len(rows):
        raise UsageError(f"{first.key} and {second.key} score every query alike: none to draw.")
    upright = first.recipe.height > first.recipe.width
    questions = [_question(int(row), dataset, draw, columns, upright) for row in rows]
    titles = _titles(first, second, context.runs)
    stem = "-".join(["ranked", _digest(first), _digest(second)])
    return write(stem, titles, questions, context.runs / "report" / "figures")


def most_different_queries(
    first: NDArray[np.float64], second: NDArray[np.float64], count: int
) -> NDArray[np.int64]:
    """The queries whose average precisions lie furthest apart, (Q,), (Q,) -> (count or fewer,).

    Half of them are the first run's best and half the second's, where there are as many; queries
    without a match are none.
    """
    gap = np.nan_to_num(first - second)
    order = np.argsort(-gap, kind="stable")
    better = [int(row) for row in order if gap[row] > 0]
    worse = [int(row) for row in order[::-1] if gap[row] < 0]
    half = count // 2
    few = max(half, count - len(better))
    chosen = [*better[: count - min(few, len(worse))], *worse[:few]]
    return np.array(chosen[:count], dtype=np.int64)


def _columns(spec: RunSpec, prefix: str, runs: Path) -> dict[str, NDArray[Any]]:
    path = runs / spec.key / PER_QUERY
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = ("query", "identity", "average_precision", "nearest")
            return {name: arrays[f"{prefix}.{name}"] for name in names}
    except (OSError, KeyError, ValueError) as error:
        raise SetupError(
            f"{path} cannot be read ({error}). Remove the run's folder to make it again."
        ) from error


def _question(
    row: int,
    dataset: Dataset,
    draw: QueryGallerySplit,
    columns: Sequence[dict[str, NDArray[Any]]],
    upright: bool,
) -> QueryExample:
    request = dataset.test[draw.query[row]]

    def picture(file: str) -> Thumbnail:
        height, width = SIZE[upright]
        return Thumbnail(file, _small(dataset.root / file, height, width))

    answers = []
    for found in columns:
        images = [
            dataset.test[draw.gallery[place]] for place in found["nearest"][row] if place >= 0
        ]
        right = tuple(image.identity == request.identity for image in images)
        pictures = tuple(picture(image.file) for image in images)
        answers.append(RankedList(float(found["average_precision"][row]), pictures, right))
    return QueryExample(picture(request.file), request.identity, (answers[0], answers[1]))


def _small(path: Path, height: int, width: int) -> Pixels:
    """An image file at the size shown, (H, W, 3)."""
    try:
        return read_image(path, (height, width)).transpose(1, 2, 0)
    except UnreadableError as error:
        raise SetupError(f"{path} cannot be read: {error}.") from error


def _titles(first: RunSpec, second: RunSpec, runs: Path) -> tuple[str, str]:
    """What the runs are called; by their digests, too, if that would be the same."""
    titles = _title(first, runs), _title(second, runs)
    if titles[0] != titles[1]:
        return titles
    return f"{titles[0]}, {_digest(first)}", f"{titles[1]}, {_digest(second)}"


def _title(spec: RunSpec, runs: Path) -> str:
    label = "plain" if spec.method == "none" else read_record(runs, spec)["label"]
    options = ", ".join(f"{name}={value}" for name, value in spec.options)
    return f"{label}{f' ({options})' if options else ''}, {spec.network}, seed {spec.seed}"


def _digest(spec: RunSpec) -> str:
    return spec.key.rpartition("-")[2]
