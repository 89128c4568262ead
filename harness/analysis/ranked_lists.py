"""Draw the queries on which two runs differ most, with the nearest gallery images of each run.

The rankings are those in the runs' `per_query.npz`; only the images are read again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import SetupError, UsageError
from harness.core.session import RunContext
from harness.data.dataset import QueryGallerySplit
from harness.data.datasets import Dataset
from harness.data.decoding import UnreadableError, read_image
from harness.planning.request import BASELINE
from harness.planning.run_data import open_run_data
from harness.runs.arrays import read_arrays
from harness.runs.layout import FIGURES, PER_QUERY
from harness.runs.lookup import resolve_specs, short_id
from harness.runs.record import read_record
from harness.runs.report_folder import report_folder
from harness.runs.spec import RunSpec
from results.figures import RANKED_PREFIX
from results.figures.ranked_lists import QueryExample, RankedList, Thumbnail, save_ranked_lists

UPRIGHT_SIZE, SQUARE_SIZE = (128, 64), (96, 96)  # of thumbnails: height and width in pixels
COLUMNS = ("query", "identity", "average_precision", "nearest")  # of per_query.npz
Columns = Mapping[str, NDArray[Any]]


def draw_ranked_lists(
    handles: Sequence[str],
    queries: int,
    context: RunContext,
    data_root: Path | None,
    target: Path | None = None,
) -> list[Path]:
    """Draw the ranked lists of two runs into the report's folder of figures.

    The lists are those of the first split of the first evaluation.

    Args:
        handles: Names of two finished runs, as `harness.runs.lookup` resolves them.
        queries: Number of queries to draw.
        context: The runs folder, and the workers and the reporter of decoding.
        data_root: Folder that contains the dataset; None to find it as in training.
        target: Folder of the figure; by default that of the report's figures.

    Returns:
        The paths of the figure's files.

    Raises:
        UsageError: The handles do not name two runs with the same queries, or all queries have
            equal average precision.
        SetupError: A run is not done, or its files or images are not found.
        UnwritableFileError: The files cannot be written.
    """
    first, second = _resolve_pair(handles, context.runs)
    dataset = open_run_data(first, data_root, context).dataset
    evaluation, (split, *_) = next(iter(dataset.test_splits.items()))
    columns = [_load_columns(spec, f"{evaluation}.0", context.runs) for spec in (first, second)]
    if not np.array_equal(columns[0]["query"], columns[1]["query"]):
        raise UsageError(f"{first.key} and {second.key} were scored with different queries.")
    precisions = [values["average_precision"] for values in columns]
    rows = most_different_queries(precisions[0], precisions[1], queries)
    if not len(rows):
        raise UsageError(
            f"{first.key} and {second.key} have equal average precision for every query, so there "
            "is nothing to draw."
        )
    size = UPRIGHT_SIZE if first.recipe.height > first.recipe.width else SQUARE_SIZE
    examples = [_query_example(int(row), dataset, split, columns, size) for row in rows]
    titles = _titles(first, second, context.runs)
    name = f"{RANKED_PREFIX}{short_id(first.key)}-{short_id(second.key)}"
    return save_ranked_lists(
        name, titles, examples, target or report_folder(context.runs) / FIGURES
    )


def most_different_queries(
    first: NDArray[np.float64], second: NDArray[np.float64], count: int
) -> NDArray[np.int64]:
    """Select the queries whose average precisions differ most between two runs.

    Half of them are those that the first run ranks better, half those that the second does, as far
    as there are enough of both. Queries of equal precision and queries without a match (NaN) are
    not selected.

    Args:
        first: (Q,), average precisions of the first run.
        second: (Q,), those of the second run.
        count: Number of queries to select.

    Returns:
        (count,) or fewer positions; first those that the first run ranks better.
    """
    gap = np.nan_to_num(first - second)
    order = np.argsort(-gap, kind="stable")
    better = [int(row) for row in order if gap[row] > 0]
    worse = [int(row) for row in order[::-1] if gap[row] < 0]
    worse_count = max(count // 2, count - len(better))
    rows = [*better[: count - min(worse_count, len(worse))], *worse[:worse_count]]
    return np.array(rows[:count], dtype=np.int64)


def _resolve_pair(handles: Sequence[str], runs: Path) -> tuple[RunSpec, RunSpec]:
    """Return two runs that were scored on the same images.

    Raises:
        UsageError: The handles do not name two such runs.
        SetupError: A run is not done.
    """
    specs = resolve_specs(handles, runs)
    if len(specs) == 1:
        raise UsageError(f"Both names are those of {specs[0].key}. Name two different runs.")
    if len(specs) != 2:
        raise UsageError(f"{' and '.join(handles)} name {len(specs)} runs. Name two runs.")
    first, second = specs
    if first.fingerprint != second.fingerprint:
        raise UsageError(f"{first.key} and {second.key} were scored on different images.")
    return first, second


def _load_columns(spec: RunSpec, prefix: str, runs: Path) -> Columns:
    path = runs / spec.key / PER_QUERY
    try:
        arrays = read_arrays(path, tuple(f"{prefix}.{name}" for name in COLUMNS))
        return {name: arrays[f"{prefix}.{name}"] for name in COLUMNS}
    except (KeyError, ValueError) as error:
        raise SetupError(
            f"{path} cannot be read ({error}). Delete the run's folder and train the run again."
        ) from error


def _query_example(
    row: int,
    dataset: Dataset,
    split: QueryGallerySplit,
    columns: Sequence[Columns],
    size: tuple[int, int],
) -> QueryExample:
    """Return a query with the ranked list of each run; missing ranks are -1."""
    query = dataset.test[split.query[row]]
    lists = []
    for values in columns:
        ranks = values["nearest"][row]
        images = [dataset.test[split.gallery[position]] for position in ranks if position >= 0]
        lists.append(
            RankedList(
                average_precision=float(values["average_precision"][row]),
                images=tuple(_thumbnail(dataset, image.file, size) for image in images),
                is_match=tuple(image.identity == query.identity for image in images),
            )
        )
    return QueryExample(_thumbnail(dataset, query.file, size), query.identity, (lists[0], lists[1]))


def _thumbnail(dataset: Dataset, file: str, size: tuple[int, int]) -> Thumbnail:
    path = dataset.root / file
    try:
        return Thumbnail(file, read_image(path, size).transpose(1, 2, 0))
    except UnreadableError as error:
        raise SetupError(f"{path} cannot be read: {error}.") from error


def _titles(first: RunSpec, second: RunSpec, runs: Path) -> tuple[str, str]:
    """Return the titles of two runs, with their short ids if the titles are equal otherwise."""
    titles = _title(first, runs), _title(second, runs)
    if titles[0] != titles[1]:
        return titles
    return f"{titles[0]}, {short_id(first.key)}", f"{titles[1]}, {short_id(second.key)}"


def _title(spec: RunSpec, runs: Path) -> str:
    label = "plain" if spec.method == BASELINE else read_record(runs, spec)["label"]
    options = ", ".join(f"{name}={value}" for name, value in spec.options)
    return f"{label}{f' ({options})' if options else ''}, {spec.network}, seed {spec.seed}"
