r"""Ranking inconsistency of a student and its teacher (PDRD, Eq. 2 and Fig. 3). Evaluation only.

With C_ij the cosine of query i and gallery image j and H the step function, H(0) = 0,

    L_rank = 1 / Q sum_i ( sum_jk [ H(C^t_ij - C^t_ik) - H(C^s_ij - C^s_ik) ]^2 )^(1/2)

For one query the inner sum is the number of ordered pairs (j, k) on which the two networks
disagree: twice the discordant pairs, plus the pairs that are tied for exactly one of them.
Kendall's tau-b gives the former in O(G log G): with N = G (G - 1) / 2 pairs, of which T_t are tied
for the teacher, T_s for the student and T_ts for both,

    tau_b sqrt((N - T_t) (N - T_s)) = concordant - discordant
    concordant + discordant = N - T_t - T_s + T_ts
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from scipy.stats import kendalltau
from torch import Tensor
from torch.nn import functional as F

ScoreArray = np.ndarray[Any, np.dtype[Any]]


def ranking_inconsistency(teacher: Tensor, student: Tensor) -> Tensor:
    """Compute the term of L_rank of each query from similarities.

    The mean over queries is L_rank. Divided by sqrt(G (G - 1)), terms are between 0 and 1 and
    comparable between galleries.

    Args:
        teacher: Similarities of the teacher's features, (Q, G).
        student: Similarities of the student's features, (Q, G).

    Returns:
        (Q,) float64.

    Raises:
        ValueError: The shapes differ, or a similarity is not finite.
    """
    if teacher.shape != student.shape or teacher.ndim != 2:
        raise ValueError(
            "The similarities of teacher and student must have the same shape (Q, G), given "
            f"{tuple(teacher.shape)} and {tuple(student.shape)}."
        )
    if not (bool(teacher.isfinite().all()) and bool(student.isfinite().all())):
        raise ValueError("Some similarities are not finite, so they cannot be ranked.")
    rows = zip(teacher.cpu().numpy(), student.cpu().numpy(), strict=True)
    terms = [math.sqrt(count_discordant_pairs(*row)) for row in rows]
    return torch.tensor(terms, dtype=torch.float64)


def ranking_inconsistency_from_features(
    teacher: tuple[Tensor, Tensor], student: tuple[Tensor, Tensor], *, chunk: int = 256
) -> Tensor:
    """Compute the term of L_rank of each query from features.

    Args:
        teacher: The teacher's features of queries (Q, D) and gallery (G, D).
        student: The student's features of the same images; their width may differ.
        chunk: Largest number of queries whose similarities exist at a time.

    Returns:
        (Q,) float64.

    Raises:
        ValueError: The numbers of images differ, or a feature is not finite.
    """
    queries = [
        torch.split(F.normalize(query.float(), dim=1), chunk) for query, _ in (teacher, student)
    ]
    galleries = [F.normalize(gallery.float(), dim=1).T for _, gallery in (teacher, student)]
    terms = [
        ranking_inconsistency(teacher_part @ galleries[0], student_part @ galleries[1])
        for teacher_part, student_part in zip(*queries, strict=True)
    ]
    return torch.cat(terms)


def count_discordant_pairs(teacher: ScoreArray, student: ScoreArray) -> int:
    """Count the ordered pairs of gallery images on which two networks disagree.

    Args:
        teacher: The teacher's scores for one query, (G,).
        student: The student's scores for the same query, (G,).
    """
    size = len(teacher)
    pairs = size * (size - 1) // 2
    tied_teacher, tied_student = count_tied_pairs(teacher), count_tied_pairs(student)
    untied = (pairs - tied_teacher) * (pairs - tied_student)
    tied_both = count_tied_pairs(np.stack([teacher, student]))
    if untied == 0:  # a network ties everything: no pair is concordant or discordant
        return tied_teacher + tied_student - 2 * tied_both
    tau = kendalltau(teacher, student, variant="b").statistic
    # tau is rounded, but the difference is a whole number: exact for galleries of 10^6 images.
    difference = round(float(tau) * math.sqrt(untied))  # concordant - discordant
    total = pairs - tied_teacher - tied_student + tied_both  # concordant + discordant
    discordant = (total - difference) // 2
    return 2 * discordant + tied_teacher + tied_student - 2 * tied_both


def count_tied_pairs(values: ScoreArray) -> int:
    """Count pairs of equal entries (G,), or of equal columns (2, G)."""
    _, counts = np.unique(values, axis=-1, return_counts=True)
    counts = counts.astype(np.int64)
    return int((counts * (counts - 1) // 2).sum())
