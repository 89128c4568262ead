"""Measure how consistently students and teachers rank the gallery (PDRD, Eq. 2 and Fig. 3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.analysis.features import FeatureExtractor, ImageCache, trained_weights_digest
from harness.core.errors import SetupError, UnwritableFileError
from harness.core.file_errors import damaged_file
from harness.core.files import read_json, write_json
from harness.core.session import RunContext
from harness.evaluation.ranking_consistency import ranking_inconsistency_from_features
from harness.runs.layout import CONSISTENCY
from harness.runs.lookup import finished_runs, resolve_specs
from harness.runs.spec import RunSpec


@dataclass(frozen=True, slots=True)
class StudentConsistency:
    """Ranking inconsistency of one student with its teacher.

    Attributes:
        key: The student's key.
        l_rank: PDRD's L_rank; NaN if it was not measured.
        share: L_rank divided by its maximum for a gallery of this size, between 0 and 1, which can
            be compared between galleries; NaN if it was not measured.
        skip_reason: Why it was not measured; empty if it was.
    """

    key: str
    l_rank: float = math.nan
    share: float = math.nan
    skip_reason: str = ""


def measure_consistency(
    handles: Sequence[str], context: RunContext, data_root: Path | None
) -> list[StudentConsistency]:
    """Measure L_rank of students with their teachers and write `consistency.json` of each run.

    It is that of the first split of the first evaluation. A measurement of the same trained weights
    is not repeated.

    Args:
        handles: Names of finished students, as `harness.runs.lookup` resolves them; none for all
            students with a teacher. Named runs without a teacher are ignored.
        context: The runs folder, the device and the reporter.
        data_root: Folder that contains the datasets; None to find them as in training.

    Returns:
        One measurement per student, students of one teacher next to each other.

    Raises:
        UsageError: A handle names no run, or several.
        DamagedFileError: A former measurement has another form.
        SetupError: No student remains, a run is not done, or weights or images are not found.
    """
    specs = resolve_specs(handles, context.runs) if handles else finished_runs(context.runs)
    students = sorted((s for s in specs if s.teachers), key=lambda s: s.teachers[0].key)
    if not students:
        raise SetupError(
            f"There is no finished student with a teacher in {context.runs}. "
            "Train some with kdreid run."
        )
    extractor = FeatureExtractor(ImageCache(context, data_root))
    return [_measure_student(spec, extractor) for spec in students]


def _measure_student(spec: RunSpec, extractor: FeatureExtractor) -> StudentConsistency:
    if len(spec.teachers) > 1:
        reason = "its teacher is an ensemble, which has logits but no features"
        return StudentConsistency(spec.key, skip_reason=reason)
    runs = extractor.context.runs
    path, weights = runs / spec.key / CONSISTENCY, trained_weights_digest(spec, runs)
    content = read_json(path)
    if content is not None and content.get("model") == weights:
        _require_measurement(path, content)
    else:
        content = {"key": spec.key, "model": weights, **_compute(spec, extractor)}
        try:
            write_json(path, content)
        except UnwritableFileError as error:  # in a folder that may only be read
            extractor.context.reporter.info(f"not kept: {error}")
    return StudentConsistency(spec.key, content["l_rank"], content["share"])


def _require_measurement(path: Path, content: dict[str, Any]) -> None:
    """Check that a file holds the numbers of a measurement.

    Raises:
        DamagedFileError: It does not.
    """
    for name in ("l_rank", "share"):
        value = content.get(name)
        if not isinstance(value, float) or not math.isfinite(value):
            raise damaged_file(path, f"it has no valid {name}")


def _compute(spec: RunSpec, extractor: FeatureExtractor) -> dict[str, Any]:
    """Return the measurement as it is written to disk."""
    (teacher,) = spec.teachers
    splits = extractor.images.open(spec).dataset.test_splits
    evaluation, (split, *_) = next(iter(splits.items()))
    query, gallery = list(split.query), list(split.gallery)
    teacher_features = extractor.extract_teacher(teacher)
    student_features = extractor.extract(spec)
    terms = ranking_inconsistency_from_features(
        (teacher_features[query], teacher_features[gallery]),
        (student_features[query], student_features[gallery]),
    )  # (Q,)
    l_rank = float(terms.mean())
    return {
        "teacher": teacher.key,
        "evaluation": evaluation,
        "queries": len(query),
        "gallery": len(gallery),
        "l_rank": l_rank,
        "share": l_rank / math.sqrt(len(gallery) * (len(gallery) - 1)),
    }
