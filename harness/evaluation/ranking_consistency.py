r"""Ranking consistency of a student with its teacher (PDRD, Eq. 2 and Fig. 3). Evaluation only.

With C_ij the cosine of query i and gallery image j and H the step function, H(0) = 0,

    L_rank = 1 / Q sum_i ( sum_jk [ H(C^t_ij - C^t_ik) - H(C^s_ij - C^s_ik) ]^2 )^(1/2)

For one query the inner sum counts the ordered pairs (j, k) on which the two networks disagree:
twice the discordant pairs, plus the pairs that are tied for exactly one of them. Kendall's tau-b
knows that number in O(G log G): of the N = G (G - 1) / 2 pairs, T_t and T_s are tied for teacher
and student and T_ts for both, and

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
    """One term of L_rank per query, from similarities: (Q, G), (Q, G) -> (Q,) float64.

    Its mean over queries is L_rank; divided by sqrt(G (G - 1)) a term lies between 0 and 1 and can
    be compared between galleries.

    Raises:
        ValueError: the two differ in shape, or a similarity is not finite.
    """
    if teacher.shape != student.shape or teacher.ndim != 2:
        raise ValueError(
            f"Both networks must score the same queries and gallery, as (Q, G): given "
            f"{tuple(teacher.shape)} and {tuple(student.shape)}."
        )
    if not (bool(teacher.isfinite().all()) and bool(student.isfinite().all())):
        raise ValueError("A similarity is not finite, so it has no rank.")
    rows = zip(teacher.cpu().numpy(), student.cpu().numpy(), strict=True)
    terms = [math.sqrt(count_discordant_pairs(*row)) for row in rows]
    return torch.tensor(terms, dtype=torch.float64)


def ranking_inconsistency_from_features(
    teacher: tuple[Tensor, Tensor], student: tuple[Tensor, Tensor], *, chunk: int = 256
) -> Tensor:
    """Return `ranking_inconsistency` of two networks from features: (Q,) float64.

    `teacher` and `student` are pairs of query (Q, D) and gallery (G, D) features.

    Widths may differ; the similarities of at most `chunk` queries exist at a time.
    """
    queries = [
        torch.split(F.normalize(query.float(), dim=1), chunk) for query, _ in (teacher, student)
    ]
    galleries = [F.normalize(gallery.float(), dim=1).T for _, gallery in (teacher, student)]
    terms = [
        ranking_inconsistency(ours @ galleries[0], theirs @ galleries[1])
        for ours, theirs in zip(*queries, strict=True)
    ]
    return torch.cat(terms)


def count_discordant_pairs(teacher: ScoreArray, student: ScoreArray) -> int:
    """Ordered pairs of gallery images on which two rows of scores disagree: (G,), (G,) -> int."""
    size = len(teacher)
    pairs = size * (size - 1) // 2
    tied_teacher, tied_student = count_tied_pairs(teacher), count_tied_pairs(student)
    decided = (pairs - tied_teacher) * (pairs - tied_student)
    both = count_tied_pairs(np.stack([teacher, student]))
    if decided == 0:  # one of them ties everything: nothing is concordant or discordant
        return tied_teacher + tied_student - 2 * both
    tau = kendalltau(teacher, student, variant="b").statistic
    surplus = round(float(tau) * math.sqrt(decided))  # concordant - discordant, a whole number
    ordered = pairs - tied_teacher - tied_student + both
    discordant = (ordered - surplus) // 2
    return 2 * discordant + tied_teacher + tied_student - 2 * both


def count_tied_pairs(values: ScoreArray) -> int:
    """Pairs of equal entries, or of equal columns: (G,) or (2, G) -> int."""
    _, counts = np.unique(values, axis=-1, return_counts=True)
    counts = counts.astype(np.int64)
    return int((counts * (counts - 1) // 2).sum())
