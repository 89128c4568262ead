"""t-SNE of the embeddings of some identities, one panel per network (VRKD, Fig. 4).

The embeddings are those that `kdreid export-embeddings` wrote. All panels show the same images,
with a colour and a marker for every identity. t-SNE keeps neighbourhoods and no distances: it is an
illustration, not a measurement.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from harness.core.errors import FileError
from harness.core.files import read_json
from harness.runs.arrays import read_arrays
from harness.runs.layout import EMBEDDINGS, RECORD
from results.figures.chart import (
    COLOURS,
    Chart,
    Charts,
    MissingFigure,
    add_note,
    dataset_title,
    line_styles,
)
from results.lines import BASELINE

ARRAYS = ("features", "identity", "image", "model")
MAX_BYTES = 1 << 32  # of a file; the largest test set with the widest features has a fifth
MAX_IDENTITIES = len(COLOURS)  # so that each has a colour of its own
MAX_IMAGES = 30  # of each identity
MAX_PANELS = 6
MIN_IMAGES = 4  # of a panel: fewer points have no neighbourhoods
PERPLEXITY = 30.0


@dataclass(frozen=True, eq=False)
class ExportedEmbeddings:
    """The embeddings that a run's network has of the test images.

    Attributes:
        run: The run's key.
        title: Title of its panel.
        order: Sort key of its panel: the method's position, network.
        features: (N, D).
        identities: (N,); 0 and less for distractors.
        files: (N,), the images' file names.
    """

    run: str
    title: str
    order: tuple[int, str]
    features: NDArray[np.float64]
    identities: NDArray[np.int64]
    files: NDArray[np.str_]


def embedding_charts(frame: pd.DataFrame) -> Charts:
    """Yield one figure per set of images with exported embeddings, or the reason for none.

    Args:
        frame: Rows of `collect_runs`.
    """
    done = frame[frame["status"] == "done"]
    is_missing, problems = True, list[str]()
    for (dataset, fingerprint), runs in done.groupby(["dataset", "fingerprint"], sort=True):
        read = (_read_embeddings(run, problems) for _, run in runs.iterrows())
        exported = [one for one in read if one is not None]
        if not exported:
            continue
        exported.sort(key=lambda one: (one.order, one.run))
        fingerprints = done[done["dataset"] == dataset]["fingerprint"].nunique()
        name = f"tsne-{dataset}" + (f"-{fingerprint}" if fingerprints > 1 else "")
        title = f"t-SNE of embeddings, {dataset_title(runs, str(dataset))}"
        data = _project(exported[:MAX_PANELS], str(dataset))
        yield Chart(name, data, lambda rows, title=title: _draw(rows, title))  # type: ignore[misc]
        is_missing = False
    if is_missing:
        reason = "no embeddings were exported. Run kdreid export-embeddings RUN RUN ..."
        yield MissingFigure("tsne", reason)
    yield from (MissingFigure("tsne", text) for text in problems)


def _read_embeddings(run: pd.Series, problems: list[str]) -> ExportedEmbeddings | None:
    """Return a run's embeddings; None if they are missing, damaged or of an earlier training.

    Args:
        run: The run's row of the frame.
        problems: Gets a sentence if they cannot be read or are damaged.
    """
    folder = Path(str(run["folder"]))
    if not os.path.lexists(folder / EMBEDDINGS):
        return None
    try:
        record = read_json(folder / RECORD) or {}
        # Exported arrays are not compressed, so what claims more than its file has is none of ours.
        size = min((folder / EMBEDDINGS).stat().st_size, MAX_BYTES)
        arrays = read_arrays(folder / EMBEDDINGS, ARRAYS, size)
        if str(arrays["model"]) != record["result"]["model"]:
            return None
        features, identities = arrays["features"].astype(np.float64), arrays["identity"]
        files = arrays["image"]
        if not (len(features) == len(identities) == len(files)):
            raise ValueError("its arrays differ in length")
    except (FileError, OSError, ValueError, KeyError, TypeError):
        path = folder / EMBEDDINGS
        problems.append(f"{path} is damaged or cannot be read, so its run is not drawn.")
        return None
    is_plain = run["method"] == BASELINE[0]
    label = "plain" if is_plain else str(run["label"])
    options = f" ({run['options']})" if run["options"] else ""
    return ExportedEmbeddings(
        run=str(run["key"]),
        title=f"{run['network']}, {label}{options}, seed {run['seed']}",
        order=(-1 if is_plain else int(run["order"]), str(run["network"])),
        features=features,
        identities=identities,
        files=files,
    )


def select_images(identities: NDArray[np.int64]) -> NDArray[np.int64]:
    """Select the images of the identities that have most.

    Args:
        identities: (N,), the identity of every image; 0 and less for distractors, which are
            selected only if there is nothing else.

    Returns:
        (M,), the rows of at most `MAX_IDENTITIES` identities and `MAX_IMAGES` images of each.
    """
    known, counts = np.unique(identities[identities > 0], return_counts=True)
    if not len(known):
        known, counts = np.unique(identities, return_counts=True)
    largest = known[np.lexsort((known, -counts))][:MAX_IDENTITIES]
    rows = [np.flatnonzero(identities == identity)[:MAX_IMAGES] for identity in sorted(largest)]
    return np.concatenate(rows).astype(np.int64)


def _project(exported: list[ExportedEmbeddings], dataset: str) -> pd.DataFrame:
    """Return the points of every panel, one row per image; the first run selects the images."""
    first = exported[0]
    files = first.files[select_images(first.identities)]
    parts = []
    for one in exported:
        row_of = {file: row for row, file in enumerate(one.files)}
        rows = [row_of[file] for file in files if file in row_of]
        if len(rows) < MIN_IMAGES:
            continue
        points = _tsne(one.features[rows])
        parts.append(
            pd.DataFrame(
                {
                    "dataset": dataset,
                    "panel": one.title,
                    "run": one.run,
                    "file": one.files[rows],
                    "identity": one.identities[rows],
                    "x": points[:, 0],
                    "y": points[:, 1],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _tsne(features: NDArray[np.float64]) -> NDArray[Any]:
    """(N, D) -> (N, 2). Initialised by principal components, so that it is repeatable."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)
    perplexity = min(PERPLEXITY, (len(unit) - 1) / 3)
    projection = TSNE(perplexity=perplexity, init="pca", random_state=0, n_jobs=1)
    points: NDArray[Any] = projection.fit_transform(unit)
    return points


def _draw(data: pd.DataFrame, title: str) -> Figure:
    names = list(dict.fromkeys(data["panel"]))
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(2.6 * columns, 0.7 + 2.7 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    identities = sorted(set(data["identity"]))
    styles = line_styles([str(identity) for identity in identities])
    for ax, name in zip(grid, names, strict=False):
        panel = data[data["panel"] == name]
        for identity in identities:
            points = panel[panel["identity"] == identity]
            ax.plot(
                points["x"],
                points["y"],
                styles.markers[str(identity)],
                color=styles.colours[str(identity)],
                markersize=3.5,
                markeredgewidth=0.3,
                markeredgecolor="white",
            )
        ax.set(title=name, xticks=[], yticks=[])
    for ax in grid[len(names) :]:
        ax.remove()
    figure.suptitle(title, fontsize=9.5)
    add_note(
        figure,
        f"The {len(identities)} test identities with most images, at most {MAX_IMAGES} images of "
        "each. Colour and marker: identity. Distances between groups have no meaning.",
        columns=45 * columns,
    )
    return figure
