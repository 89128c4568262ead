"""Measure how consistently students and teachers rank the gallery (PDRD, Eq. 2 and Fig. 3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
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

BY_TEACHER = "by_teacher"  # measurements of an undistilled student, in its file


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
    is not repeated. An undistilled student is measured with every teacher that teaches a student
    which differs from it in the method only.

    Args:
        handles: Names of finished students, as `harness.runs.lookup` resolves them; none for all
            students. Named runs without a teacher to compare with are ignored.
        context: The runs folder, the device and the reporter.
        data_root: Folder that contains the datasets; None to find them as in training.

    Returns:
        One measurement per student and teacher, those of one teacher next to each other.

    Raises:
        UsageError: A handle names no run, or several.
        DamagedFileError: A former measurement has another form.
        SetupError: No student remains, a run is not done, or weights or images are not found.
    """
    specs = resolve_specs(handles, context.runs) if handles else finished_runs(context.runs)
    pairs = [(spec, spec.teachers[0]) for spec in specs if spec.teachers]
    if undistilled := [spec for spec in specs if not spec.teachers]:
        pairs += _undistilled_pairs(undistilled, finished_runs(context.runs) if handles else specs)
    if not pairs:
        raise SetupError(
            f"There is no finished student with a teacher in {context.runs}. "
            "Train some with kdreid run."
        )
    extractor = FeatureExtractor(ImageCache(context, data_root))
    pairs.sort(key=lambda pair: pair[1].key)  # stable; the features of one teacher are kept
    return [_measure_student(spec, teacher, extractor) for spec, teacher in pairs]


def _undistilled_pairs(
    undistilled: Sequence[RunSpec], finished: Sequence[RunSpec]
) -> list[tuple[RunSpec, RunSpec]]:
    """Return undistilled students with each teacher of students that differ in the method only."""
    teachers: dict[str, dict[str, RunSpec]] = {}
    for spec in finished:
        if len(spec.teachers) == 1:
            (teacher,) = spec.teachers
            teachers.setdefault(_without_method(spec), {})[teacher.key] = teacher
    return [
        (spec, teacher)
        for spec in undistilled
        for teacher in teachers.get(_without_method(spec), {}).values()
        if teacher.key != spec.key
    ]


def _without_method(spec: RunSpec) -> str:
    """Return a digest of everything but the method."""
    return replace(spec, method="none", teachers=(), options=(), source="").key


def _measure_student(
    spec: RunSpec, teacher: RunSpec, extractor: FeatureExtractor
) -> StudentConsistency:
    if len(spec.teachers) > 1:
        reason = "its teacher is an ensemble, which has logits but no features"
        return StudentConsistency(spec.key, skip_reason=reason)
    runs = extractor.context.runs
    path, weights = runs / spec.key / CONSISTENCY, trained_weights_digest(spec, runs)
    former = read_json(path)
    content = former if former is not None and former.get("model") == weights else {}
    by_teacher = content.get(BY_TEACHER, {})
    if not isinstance(by_teacher, dict):
        raise damaged_file(path, f"it has no valid {BY_TEACHER}")
    measured = content if spec.teachers else by_teacher.get(teacher.key)
    if measured:
        _require_measurement(path, measured)
    else:
        measured = _compute(spec, teacher, extractor)
        kept = measured if spec.teachers else {BY_TEACHER: {**by_teacher, teacher.key: measured}}
        try:
            write_json(path, {"key": spec.key, "model": weights, **kept})
        except UnwritableFileError as error:  # in a folder that may only be read
            extractor.context.reporter.info(f"not kept: {error}")
    return StudentConsistency(spec.key, measured["l_rank"], measured["share"])


def _require_measurement(path: Path, content: Any) -> None:
    """Check that a file holds the numbers of a measurement.

    Raises:
        DamagedFileError: It does not.
    """
    for name in ("l_rank", "share"):
        value = content.get(name) if isinstance(content, dict) else None
        if not isinstance(value, float) or not math.isfinite(value):
            raise damaged_file(path, f"it has no valid {name}")


def _compute(spec: RunSpec, teacher: RunSpec, extractor: FeatureExtractor) -> dict[str, Any]:
    """Return the measurement as it is written to disk."""
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
