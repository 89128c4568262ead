"""Benchmark of ranking consistency: how long PDRD's L_rank takes."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from harness.evaluation.ranking_consistency import ranking_inconsistency_from_features

FEATURES = 512


def consistency(queries: int, gallery: int) -> float:
    """Seconds for PDRD's L_rank between two networks that rank alike but not the same."""
    random = torch.Generator().manual_seed(0)

    def features(count: int) -> Tensor:
        return torch.randn(count, FEATURES, generator=random)

    teacher = features(queries), features(gallery)
    student = tuple(part + features(len(part)) for part in teacher)
    began = time.perf_counter()
    ranking_inconsistency_from_features(teacher, (student[0], student[1]))
    return time.perf_counter() - began
