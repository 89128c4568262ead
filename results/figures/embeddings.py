"""t-SNE of the embeddings of some identities, network beside network: VRKD's Fig. 4.

The embeddings are those that `kdreid embed` wrote. All panels show the same images, in colours and
shapes of their identities. t-SNE keeps neighbours, not distances: it shows, it does not measure.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from results.figures.chart import Chart, Charts, MissingFigure, dataset_name, line_styles, note
from results.tables.table import COMPARED

FILE, RECORD = "embeddings.npz", "record.json"
IDENTITIES, IMAGES = 12, 30  # that are shown, and of each at most
PANELS = 6
PERPLEXITY = 30.0


@dataclass(frozen=True, eq=False)
class Exported:
    """The embeddings of one run."""

    run: str
    title: str
    order: tuple[int, str]
    features: NDArray[np.float64]  # (N, D)
    identity: NDArray[np.int64]  # (N,)
    file: NDArray[np.str_]  # (N,)


def charts(frame: pd.DataFrame) -> Charts:
    """One figure per dataset of which embeddings were exported."""
    done = frame[frame["status"] == "done"]
    some = False
    for (dataset, fingerprint), runs in done.groupby(["dataset", "fingerprint"], sort=True):
        found = [one for _, row in runs.iterrows() if (one := _read(row)) is not None]
        if not found:
            continue
        found.sort(key=lambda one: (one.order, one.run))
        prints = done[done["dataset"] == dataset]["fingerprint"].nunique()
        name = f"tsne-{dataset}" + (f"-{fingerprint}" if prints > 1 else "")
        title = f"Embeddings, {dataset_name(runs, str(dataset))}"
        data = _project(found[:PANELS], str(dataset))
        yield Chart(name, data, lambda rows, title=title: _draw(rows, title))  # type: ignore[misc]
        some = True
    if not some:
        yield MissingFigure(
            "tsne", "no embeddings were written; kdreid embed RUN RUN ... writes them."
        )


def _read(row: pd.Series) -> Exported | None:
    folder = Path(str(row["folder"]))
    try:
        record = json.loads((folder / RECORD).read_bytes())
        with np.load(folder / FILE, allow_pickle=False) as arrays:
            if str(arrays["model"]) != record["result"]["model"]:
                return None  # of an earlier training
            features, identity = arrays["features"].astype(np.float64), arrays["identity"]
            file = arrays["image"]
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile, zlib.error):
        return None
    if not (len(features) == len(identity) == len(file)):
        return None
    method = str(row["method"])
    place = ["none", *COMPARED].index(method) if method in ["none", *COMPARED] else len(COMPARED)
    label = "plain" if method == "none" else str(row["label"])
    options = f" ({row['options']})" if row["options"] else ""
    title = f"{row['network']}, {label}{options}, seed {row['seed']}"
    return Exported(str(row["key"]), title, (place, str(row["network"])), features, identity, file)


def chosen(identity: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of the identities with most images, `IMAGES` of each; distractors are none."""
    known, counts = np.unique(identity[identity > 0], return_counts=True)
    if not len(known):
        known, counts = np.unique(identity, return_counts=True)
    most = known[np.lexsort((known, -counts))][:IDENTITIES]
    rows = [np.flatnonzero(identity == one)[:IMAGES] for one in sorted(most)]
    return np.concatenate(rows).astype(np.int64)


def _project(found: list[Exported], dataset: str) -> pd.DataFrame:
    first = found[0]
    files = first.file[chosen(first.identity)]
    parts = []
    for one in found:
        place = {file: row for row, file in enumerate(one.file)}
        rows = [place[file] for file in files if file in place]
        if len(rows) < 4:
            continue
        points = _tsne(one.features[rows])
        parts.append(
            pd.DataFrame(
                {
                    "dataset": dataset,
                    "panel": one.title,
                    "run": one.run,
                    "file": one.file[rows],
                    "identity": one.identity[rows],
                    "x": points[:, 0],
                    "y": points[:, 1],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _tsne(features: NDArray[np.float64]) -> NDArray[Any]:
    """Unit features (N, D) -> (N, 2), from their principal components and hence repeatable."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-12)
    perplexity = min(PERPLEXITY, (len(unit) - 1) / 3)
    projection = TSNE(perplexity=perplexity, init="pca", random_state=0, n_jobs=1)
    points: NDArray[Any] = projection.fit_transform(unit)
    return points


def _draw(data: pd.DataFrame, title: str) -> Figure:
    names = list(dict.fromkeys(data["panel"]))
    across = min(3, len(names))
    down = -(-len(names) // across)
    figure = Figure(figsize=(2.6 * across, 0.7 + 2.7 * down), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False).flatten()
    people = sorted(set(data["identity"]))
    colours, markers, _ = line_styles([str(one) for one in people])
    for ax, name in zip(grid, names, strict=False):
        panel = data[data["panel"] == name]
        for one in people:
            part = panel[panel["identity"] == one]
            ax.plot(
                part["x"],
                part["y"],
                markers[str(one)],
                color=colours[str(one)],
                markersize=3.5,
                markeredgewidth=0.3,
                markeredgecolor="white",
            )
        ax.set(title=name, xticks=[], yticks=[])
    for ax in grid[len(names) :]:
        ax.remove()
    figure.suptitle(title, fontsize=9.5)
    note(
        figure,
        f"t-SNE of the {len(people)} test identities with most images, at most {IMAGES} of each; "
        "equal colour and shape: one identity. Distances between groups mean nothing.",
        columns=45 * across,
    )
    return figure
