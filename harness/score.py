"""From a trained network to its scores: features of all test images, every draw of every test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.data.dataset import Dataset, Draw
from harness.data.pixels import Pixels
from harness.data.stream import plain_batches
from harness.evaluate import Embeddings, Ranking, evaluate
from harness.files import write_atomically
from harness.networks import ReID

BATCH = 128  # images per forward pass; fixed, since it can move the last bits of a feature
RANKS = (1, 5, 10, 20)


def embed(network: ReID, pixels: Pixels, device: torch.device) -> torch.Tensor:
    """Retrieval features of all images in float32: (N, D), on the device."""
    network.eval()
    with torch.no_grad():
        parts = [network(images).embedding for images in plain_batches(pixels, device, BATCH)]
    return torch.cat(parts)


def score(
    network: ReID, dataset: Dataset, pixels: Pixels, device: torch.device, per_query: Path
) -> dict[str, list[dict[str, Any]]]:
    """All scores by evaluation and draw; the same for every single query goes to `per_query`."""
    features = embed(network, pixels, device)
    identities = torch.tensor([image.identity for image in dataset.test], device=device)
    cameras = torch.tensor([image.camera for image in dataset.test], device=device)
    everything = Embeddings(features, identities, cameras)
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    scores: dict[str, list[dict[str, Any]]] = {}
    for name, draws in dataset.evaluations.items():
        scores[name] = []
        for number, draw in enumerate(draws):
            query, gallery = _select(everything, draw.query), _select(everything, draw.gallery)
            ranking = evaluate(query, gallery)
            scores[name].append(_summary(ranking))
            columns = _columns(ranking, dataset, draw)
            arrays |= {f"{name}.{number}.{column}": value for column, value in columns.items()}
    write_atomically(per_query, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]
    return scores


def _select(embeddings: Embeddings, indices: tuple[int, ...]) -> Embeddings:
    rows = torch.tensor(indices, device=embeddings.features.device)
    return Embeddings(
        embeddings.features[rows], embeddings.identities[rows], embeddings.cameras[rows]
    )


def _summary(ranking: Ranking) -> dict[str, Any]:
    return {
        "mAP": ranking.mAP,
        "mINP": ranking.mINP,
        "cmc": {str(rank): ranking.cmc(rank) for rank in RANKS},
        "queries": len(ranking.first_rank),
        "scored": int((ranking.first_rank > 0).sum()),
    }


def _columns(ranking: Ranking, dataset: Dataset, draw: Draw) -> dict[str, np.ndarray[Any, Any]]:
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
