"""From a trained network to its scores: features of all test images, every draw of every test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from harness.core.files import atomic_write
from harness.data.batches import unaugmented_batches
from harness.data.dataset import Dataset, QueryGallerySplit
from harness.data.images import ImageStore
from harness.evaluation.metrics import Embeddings, RetrievalScores, evaluate
from harness.models import ReIDNetwork

BATCH_SIZE = 128  # images per forward pass; fixed, since it can move the last bits of a feature
CMC_RANKS = (1, 5, 10, 20)
TIE_TOLERANCE = 1e-4  # difference in mAP or R1 between the two ways of counting ties


def extract_features(
    network: ReIDNetwork, pixels: ImageStore, device: torch.device, *, flip: bool = False
) -> torch.Tensor:
    """Retrieval features of all images in float32: (N, D), on the device.

    With `flip` the mean of the unit features of an image and of its mirror image.
    """
    network.eval()
    parts = []
    with torch.no_grad():
        for images in unaugmented_batches(pixels, device, BATCH_SIZE):
            features = network(images).embedding
            if flip:
                mirrored = network(images.flip(3)).embedding
                features = (F.normalize(features, dim=1) + F.normalize(mirrored, dim=1)) / 2
            parts.append(features)
    return torch.cat(parts)


def evaluate_network(
    network: ReIDNetwork,
    dataset: Dataset,
    pixels: ImageStore,
    device: torch.device,
    per_query: Path,
) -> dict[str, list[dict[str, Any]]]:
    """All scores by evaluation and draw; the same for every single query goes to `per_query`."""
    everything = with_labels(extract_features(network, pixels, device), dataset)
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    scores: dict[str, list[dict[str, Any]]] = {}
    for name, draws in dataset.test_splits.items():
        scores[name] = []
        for number, draw in enumerate(draws):
            query, gallery = take(everything, draw.query), take(everything, draw.gallery)
            ranking = evaluate(query, gallery)
            scores[name].append(summarise(ranking))
            columns = _per_query_columns(ranking, dataset, draw)
            arrays |= {f"{name}.{number}.{column}": value for column, value in columns.items()}
    atomic_write(per_query, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]
    return scores


def tie_warnings(key: str, scores: dict[str, list[dict[str, Any]]]) -> list[str]:
    """What to say of a run whose scores depend on how ties are counted; of its worst draw."""
    draws = [(draw, name) for name, several in scores.items() for draw in several]
    flagged = [(draw, name) for draw, name in draws if draw["ties"]["flagged"]]
    if not flagged:
        return []
    draw, name = max(flagged, key=lambda found: _tie_gap(found[0]))
    best = draw["ties"]["optimistic"]
    return [
        f"Ties decide the scores of {key} ({name}): mAP is {100 * draw['mAP']:.2f} and R1 "
        f"{100 * draw['cmc']['1']:.2f} when they count against the network (as reported), "
        f"{100 * best['mAP']:.2f} and {100 * best['R1']:.2f} when for it; its features may have "
        "collapsed, or images repeat."
    ]


def with_labels(features: torch.Tensor, dataset: Dataset) -> Embeddings:
    """Features of all test images (N, D) with what is known about the images."""
    device = features.device
    identities = torch.tensor([image.identity for image in dataset.test], device=device)
    cameras = torch.tensor([image.camera for image in dataset.test], device=device)
    return Embeddings(features, identities, cameras)


def take(embeddings: Embeddings, indices: tuple[int, ...]) -> Embeddings:
    """The images at `indices`, a copy."""
    rows = torch.tensor(indices, device=embeddings.features.device)
    return Embeddings(
        embeddings.features[rows], embeddings.identities[rows], embeddings.cameras[rows]
    )


def summarise(ranking: RetrievalScores) -> dict[str, Any]:
    """Scores of one draw as JSON values, fractions of 1."""
    best = ranking.optimistic
    scores: dict[str, Any] = {
        "mAP": ranking.mAP,
        "mINP": ranking.mINP,
        "cmc": {str(rank): ranking.cmc(rank) for rank in CMC_RANKS},
        "queries": len(ranking.first_rank),
        "scored": int((ranking.first_rank > 0).sum()),
        "ties": {"optimistic": {"mAP": best.mAP, "R1": best.cmc(1)}, "flagged": False},
    }
    scores["ties"]["flagged"] = _tie_gap(scores) > TIE_TOLERANCE
    return scores


def _tie_gap(scores: dict[str, Any]) -> float:
    """How much the way of counting ties decides: of mAP and R1 the larger difference."""
    best = scores["ties"]["optimistic"]
    return float(max(abs(best["mAP"] - scores["mAP"]), abs(best["R1"] - scores["cmc"]["1"])))


def _per_query_columns(
    ranking: RetrievalScores, dataset: Dataset, draw: QueryGallerySplit
) -> dict[str, np.ndarray[Any, Any]]:
    images = [dataset.test[index] for index in draw.query]
    return {
        "query": np.array([image.file for image in images]),
        "identity": np.array([image.identity for image in images]),
        "camera": np.array([image.camera for image in images]),
        "average_precision": ranking.average_precision.cpu().numpy(),
        "inverse_negative_penalty": ranking.inverse_negative_penalty.cpu().numpy(),
        "first_rank": ranking.first_rank.cpu().numpy(),
        "nearest": ranking.nearest.cpu().numpy(),
    }
