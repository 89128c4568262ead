"""Benchmark of PDRD's ranking inconsistency: Kendall's tau against a comparison of all pairs.

The baseline evaluates Eq. 2 as it is written, with every ordered pair of gallery images. It takes
about a second per query in a gallery of Market-1501's size, so it is timed on a few queries only.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from harness.evaluation.ranking_consistency import ranking_inconsistency_from_features

FEATURES = 512
BASELINE_QUERIES = 2
ROWS_AT_ONCE = 256  # of the (G, G) comparisons, so that they fit into memory

Features = tuple[Tensor, Tensor]  # of queries (Q, D) and gallery (G, D)


@dataclass(frozen=True, slots=True)
class ConsistencyTiming:
    """Seconds per query of both implementations.

    Attributes:
        seconds: By Kendall's tau, over all queries.
        baseline_seconds: By all pairs, over the first queries.
    """

    seconds: float
    baseline_seconds: float

    @property
    def ratio(self) -> float:
        """Time of the baseline divided by that of Kendall's tau."""
        return self.baseline_seconds / self.seconds


def time_consistency(queries: int, gallery: int) -> ConsistencyTiming:
    """Time L_rank between two random networks that rank similarly.

    Args:
        queries: Number of queries.
        gallery: Number of gallery images.
    """
    teacher, student = sample_features(queries, gallery)
    baseline_queries = min(queries, BASELINE_QUERIES)
    start = time.perf_counter()
    compare_all_pairs(
        (teacher[0][:baseline_queries], teacher[1]), (student[0][:baseline_queries], student[1])
    )
    middle = time.perf_counter()
    ranking_inconsistency_from_features(teacher, student)
    end = time.perf_counter()
    return ConsistencyTiming((end - middle) / queries, (middle - start) / baseline_queries)


def sample_features(queries: int, gallery: int) -> tuple[Features, Features]:
    """Return features of a teacher, and of a student that adds noise of the same size."""
    random = torch.Generator().manual_seed(0)

    def sample(count: int) -> Tensor:
        return torch.randn(count, FEATURES, generator=random)

    teacher = sample(queries), sample(gallery)
    student = teacher[0] + sample(queries), teacher[1] + sample(gallery)
    return teacher, student


def compare_all_pairs(teacher: Features, student: Features) -> Tensor:
    """Return one term of L_rank per query by the definition, the baseline: (Q,) float64."""
    similarities = [
        F.normalize(query, dim=1) @ F.normalize(gallery, dim=1).T
        for query, gallery in (teacher, student)
    ]
    terms = []
    for teacher_row, student_row in zip(*similarities, strict=True):
        discordant = 0
        for rows in torch.split(torch.arange(len(teacher_row)), ROWS_AT_ONCE):
            above = [row[rows, None] > row[None, :] for row in (teacher_row, student_row)]
            discordant += int((above[0] != above[1]).sum())
        terms.append(math.sqrt(discordant))
    return torch.tensor(terms, dtype=torch.float64)
