"""Measure how consistently students and teachers rank the gallery (PDRD, Eq. 2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from harness.analysis.embeddings import FeatureExtractor, _model
from harness.core.errors import SetupError
from harness.core.files import read_json, write_json
from harness.core.session import RunContext
from harness.evaluation.ranking_consistency import ranking_inconsistency_from_features
from harness.runs.layout import CONSISTENCY
from harness.runs.lookup import finished_runs, resolve_specs
from harness.runs.spec import RunSpec


def measure_consistency(
    words: Sequence[str], context: RunContext, root: Path | None
) -> list[tuple[str, str]]:
    """L_rank of the named students, by default of all, against their teachers; beside each run.

    It is that of the first draw of the first evaluation. What was measured before is kept. Returns
    a line of text for each run.

    Raises:
        UsageError: a word names no run or several.
        SetupError: there is no run to measure, or its files or images are not there.
    """
    specs = resolve_specs(words, context.runs) if words else finished_runs(context.runs)
    taught = sorted(
        (s for s in dict.fromkeys(specs) if s.teachers), key=lambda s: s.teachers[0].key
    )
    if not taught:
        raise SetupError(
            f"There is no finished student with a teacher in {context.runs}; kdreid run makes some."
        )
    features = FeatureExtractor(context, root)
    return [(spec.key, _measure(spec, features)) for spec in taught]


def _measure(spec: RunSpec, features: FeatureExtractor) -> str:
    if len(spec.teachers) > 1:
        return "left out: its teacher is several networks, joined by logits and without features"
    runs, (teacher,) = features.context.runs, spec.teachers
    path, model = runs / spec.key / CONSISTENCY, _model(spec, runs)
    found = read_json(path)
    if found is None or found.get("model") != model:
        name, (draw, *_) = next(iter(features.data(spec).dataset.test_splits.items()))
        theirs, ours = features.of_teacher(teacher), features.of(spec)
        query, gallery = list(draw.query), list(draw.gallery)
        terms = ranking_inconsistency_from_features(
            (theirs[query], theirs[gallery]), (ours[query], ours[gallery])
        )  # (Q,)
        most = math.sqrt(len(gallery) * (len(gallery) - 1))
        found = {
            "key": spec.key,
            "model": model,
            "teacher": teacher.key,
            "evaluation": name,
            "queries": len(query),
            "gallery": len(gallery),
            "l_rank": float(terms.mean()),
            "share": float(terms.mean()) / most,  # between 0 and 1: comparable between galleries
        }
        write_json(path, found)
    return f"L_rank {found['l_rank']:.1f}, {found['share']:.3f} of the most there could be"
