"""Evaluation of a trained network: features of all test images, and scores of every test split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch.nn import functional as F

from harness.core.files import atomic_write
from harness.data.batches import unaugmented_batches
from harness.data.dataset import Dataset, QueryGallerySplit
from harness.data.images import ImageStore
from harness.evaluation.metrics import evaluate
from harness.evaluation.retrieval_scores import Embeddings, RetrievalScores
from harness.models import ReIDNetwork
from harness.runs.per_query import CMC_RANKS

BATCH_SIZE = 128  # images per forward pass; fixed, because it can change the last bits of features
TIE_TOLERANCE = 1e-4  # smallest difference of mAP or R1, as fraction, that ties must make


def extract_features(
    network: ReIDNetwork, images: ImageStore, device: torch.device, *, flip: bool = False
) -> torch.Tensor:
    """Compute the retrieval features of all images.

    Args:
        network: Set to evaluation mode.
        images: The images, N of them.
        device: Device of the network.
        flip: Return the mean of the normalised features of each image and its mirror image.

    Returns:
        (N, D) float32 on `device`.
    """
    network.eval()
    parts = []
    with torch.no_grad():
        for batch in unaugmented_batches(images, device, BATCH_SIZE):
            features = network(batch).embedding
            if flip:
                mirrored = network(batch.flip(3)).embedding
                features = (F.normalize(features, dim=1) + F.normalize(mirrored, dim=1)) / 2
            parts.append(features)
    return torch.cat(parts)


def _accept() -> None:
    """Accept everything: the check of callers whose folder nobody else may write to."""


def evaluate_network(
    network: ReIDNetwork,
    dataset: Dataset,
    images: ImageStore,
    device: torch.device,
    per_query: Path,
    check: Callable[[], object] = _accept,
) -> dict[str, list[dict[str, Any]]]:
    """Score a network on every split of every test of a dataset.

    Args:
        network: Set to evaluation mode.
        dataset: The dataset.
        images: Its test images, decoded.
        device: Device of the network.
        per_query: File (npz) to write with the scores of every query, as `TEST.SPLIT.COLUMN`.
        check: Called before the file is written and before it replaces an old one; an error that
            it raises leaves the old one as it is.

    Returns:
        Scores as of `summarise`, by test and split.
    """
    embeddings = with_labels(extract_features(network, images, device), dataset)
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    scores: dict[str, list[dict[str, Any]]] = {}
    for name, splits in dataset.test_splits.items():
        scores[name] = []
        for number, split in enumerate(splits):
            ranked = evaluate(take(embeddings, split.query), take(embeddings, split.gallery))
            scores[name].append(summarise(ranked))
            columns = _per_query_columns(ranked, dataset, split)
            arrays |= {f"{name}.{number}.{column}": value for column, value in columns.items()}

    def write(file: IO[bytes]) -> None:
        np.savez(file, **arrays)  # type: ignore[arg-type]
        check()

    check()
    atomic_write(per_query, write)
    return scores


def tie_warnings(key: str, scores: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Return a warning if a run's scores depend on the order of ties.

    Args:
        key: Key of the run.
        scores: Its scores as of `evaluate_network`.

    Returns:
        One warning, with the numbers of the split that depends most, or none.
    """
    flagged = [
        (split, name)
        for name, splits in scores.items()
        for split in splits
        if split["ties"]["flagged"]
    ]
    if not flagged:
        return []
    split, name = max(flagged, key=lambda pair: _tie_gap(pair[0]))
    optimistic = split["ties"]["optimistic"]
    return [
        f"Ties decide the scores of {key} ({name}): with the worst order of ties, which is "
        f"reported, mAP is {100 * split['mAP']:.2f} and R1 {100 * split['cmc']['1']:.2f}; with the "
        f"best order they are {100 * optimistic['mAP']:.2f} and {100 * optimistic['R1']:.2f}. The "
        "features may have collapsed, or images may be repeated."
    ]


def with_labels(features: torch.Tensor, dataset: Dataset) -> Embeddings:
    """Return features of all test images, (N, D), with the images' labels."""
    device = features.device
    identities = torch.tensor([image.identity for image in dataset.test], device=device)
    cameras = torch.tensor([image.camera for image in dataset.test], device=device)
    return Embeddings(features, identities, cameras)


def take(embeddings: Embeddings, indices: Sequence[int]) -> Embeddings:
    """Return a copy of the embeddings at `indices`."""
    rows = torch.tensor(indices, device=embeddings.features.device)
    return Embeddings(
        embeddings.features[rows], embeddings.identities[rows], embeddings.cameras[rows]
    )


def summarise(scores: RetrievalScores) -> dict[str, Any]:
    """Return the scores of one split as JSON values, as they are recorded.

    Returns:
        `mAP`, `mINP` and `cmc` by rank, as fractions; `queries` and `scored`, the number of those
        with a match; and `ties`, the scores with the best order of ties, `flagged` if mAP or R1
        differ from the reported ones by more than 1e-4.
    """
    optimistic = scores.optimistic
    summary: dict[str, Any] = {
        "mAP": scores.mAP,
        "mINP": scores.mINP,
        "cmc": {str(rank): scores.cmc(rank) for rank in CMC_RANKS},
        "queries": len(scores.first_rank),
        "scored": int((scores.first_rank > 0).sum()),
        "ties": {
            "optimistic": {"mAP": optimistic.mAP, "R1": optimistic.cmc(1)},
            "flagged": False,
        },
    }
    summary["ties"]["flagged"] = _tie_gap(summary) > TIE_TOLERANCE
    return summary


def _tie_gap(summary: dict[str, Any]) -> float:
    """Return the larger difference, of mAP and of R1, between the best and worst order of ties."""
    optimistic = summary["ties"]["optimistic"]
    return float(
        max(abs(optimistic["mAP"] - summary["mAP"]), abs(optimistic["R1"] - summary["cmc"]["1"]))
    )


def _per_query_columns(
    scores: RetrievalScores, dataset: Dataset, split: QueryGallerySplit
) -> dict[str, np.ndarray[Any, Any]]:
    """Return the columns of `per_query.npz` for one split, by name."""
    queries = [dataset.test[index] for index in split.query]
    return {
        "query": np.array([image.file for image in queries]),
        "identity": np.array([image.identity for image in queries]),
        "camera": np.array([image.camera for image in queries]),
        "average_precision": scores.average_precision.cpu().numpy(),
        "inverse_negative_penalty": scores.inverse_negative_penalty.cpu().numpy(),
        "first_rank": scores.first_rank.cpu().numpy(),
        "nearest": scores.nearest.cpu().numpy(),
    }
