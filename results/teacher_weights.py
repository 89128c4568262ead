"""Students that were taught by other weights than their teacher's folder holds now.

A key says which training made a teacher, not which weights came of it: trained again, on another
machine or by other code, the same teacher may be another network.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

OTHER_TEACHER = "other teacher"  # why a row is not compared


def mark_other_teachers(rows: Sequence[dict[str, Any]]) -> None:
    """Set `other_teacher` of the rows of `collect_runs`.

    Where a teacher has no finished run, the weights that taught most students count as its own.
    Nothing is claimed about students whose record does not say what taught them.
    """
    own = {row["key"]: row["model"] for row in rows if row["status"] == "done" and row["model"]}
    used: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        used_by = dict(_weights_by_teacher(row))
        for key, digest in used_by.items():
            used[key][digest] += 1
    usual = {key: digests.most_common(1)[0][0] for key, digests in used.items()} | own
    for row in rows:
        row["other_teacher"] = any(digest != usual[key] for key, digest in _weights_by_teacher(row))


def other_teacher_notes(students: pd.DataFrame) -> Iterator[str]:
    """Yield a note that names the students of a table that other weights taught.

    Args:
        students: Rows of `collect_runs`.
    """
    others = students[students["other_teacher"].astype(bool)]
    if others.empty:
        return
    named = [
        f"{label} (seed {seed})"
        for label, seed in zip(others["label"], others["seed"], strict=True)
    ]
    yield (
        f"Taught by other weights than the teacher's folder holds now: {', '.join(named)}. These "
        "rows are not compared; train them again for a comparison."
    )


def _weights_by_teacher(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each teacher's key with the digest of the weights that taught a run, if recorded."""
    keys, digests = [key for key, _ in row["teachers"]], row["teacher_weights"]
    if len(keys) == len(digests):
        yield from zip(keys, digests, strict=True)
