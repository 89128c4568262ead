"""What finished networks say of the test images, for figures: kept beside the runs, on request.

Neither the ranking consistency nor the embeddings are part of a record; both name the weights that
they were made with, so that they are never taken for those of another training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from harness.analysis.rescoring import find_run, open_own
from harness.core.errors import SetupError
from harness.core.files import read_json, write_atomically, write_json
from harness.evaluation.ranking_consistency import rank_consistency
from harness.evaluation.scoring import embed
from harness.runs.record import folders, read_record, state_of
from harness.runs.spec import RunSpec
from harness.training.cohort import Data, Session, load_network

CONSISTENCY, EMBEDDINGS = "consistency.json", "embeddings.npz"


@dataclass
class Features:
    """Features of the test images; those of the latest teacher are kept for its next student."""

    session: Session
    root: Path | None
    _data: dict[tuple[str, int, int], Data] = field(default_factory=dict)
    _teacher: tuple[str, Tensor] | None = None  # its key and its features

    def data(self, spec: RunSpec) -> Data:
        """The run's own images.

        Raises:
            SetupError: they are not there.
        """
        where = (spec.fingerprint, spec.recipe.height, spec.recipe.width)
        if where not in self._data:
            self._data[where] = open_own(spec, self.root, self.session)
        return self._data[where]

    def of(self, spec: RunSpec) -> Tensor:
        """(N, D) float32, one row a test image, on the CPU.

        Raises:
            SetupError: the run is not done, or its files or images are not there.
        """
        if self.session.device.type == "cpu" and spec.threads:
            torch.set_num_threads(spec.threads)  # as when it was scored: the same last bits
        data = self.data(spec)
        network = load_network(spec, data, self.session)
        with self.session.reporter.task(f"embedding {spec.name}"):
            return embed(network, data.test, self.session.device).cpu()

    def of_teacher(self, teacher: RunSpec) -> Tensor:
        """The same of a teacher."""
        if self._teacher is None or self._teacher[0] != teacher.key:
            self._teacher = (teacher.key, self.of(teacher))
        return self._teacher[1]


def finished(runs: Path) -> list[RunSpec]:
    """All runs that are done.

    Raises:
        SetupError: there is no such folder, or another version of this program made one of them.
    """
    if not runs.is_dir():
        raise SetupError(f"There is no runs folder {runs}. Name one with --runs DIR.")
    keys = [folder.relative_to(runs).as_posix() for folder in folders(runs)]
    return [find_run(runs, key) for key in keys if state_of(runs / key) == "done"]


def export(words: Sequence[str], session: Session, root: Path | None) -> list[Path]:
    """Write the embeddings of the named runs beside them, with what is known of the images.

    Raises:
        UsageError: a word names no run or several.
        SetupError: a run is not done, or its files or images are not there.
    """
    features, written = Features(session, root), []
    for spec in dict.fromkeys(find_run(session.runs, word) for word in words):
        test = features.data(spec).dataset.test
        arrays = {
            "features": features.of(spec).numpy(),
            "identity": np.array([image.identity for image in test]),
            "camera": np.array([image.camera for image in test]),
            "image": np.array([image.file for image in test]),
            "model": np.array(_model(spec, session.runs)),
        }
        path = session.runs / spec.key / EMBEDDINGS
        write_atomically(path, lambda file, arrays=arrays: np.savez(file, **arrays))  # type: ignore[misc]
        written.append(path)
    return written


def measure_consistency(
    words: Sequence[str], session: Session, root: Path | None
) -> list[tuple[str, str]]:
    """L_rank of the named students, by default of all, against their teachers; beside each run.

    It is that of the first draw of the first evaluation. What was measured before is kept. Returns
    a line of text for each run.

    Raises:
        UsageError: a word names no run or several.
        SetupError: there is no run to measure, or its files or images are not there.
    """
    specs = [find_run(session.runs, word) for word in words] or finished(session.runs)
    taught = sorted(
        (s for s in dict.fromkeys(specs) if s.teachers), key=lambda s: s.teachers[0].key
    )
    if not taught:
        raise SetupError(
            f"There is no finished student with a teacher in {session.runs}; kdreid run makes some."
        )
    features = Features(session, root)
    return [(spec.key, _measure(spec, features)) for spec in taught]


def _measure(spec: RunSpec, features: Features) -> str:
    if len(spec.teachers) > 1:
        return "left out: its teacher is several networks, joined by logits and without features"
    runs, (teacher,) = features.session.runs, spec.teachers
    path, model = runs / spec.key / CONSISTENCY, _model(spec, runs)
    found = read_json(path)
    if found is None or found.get("model") != model:
        name, (draw, *_) = next(iter(features.data(spec).dataset.evaluations.items()))
        theirs, ours = features.of_teacher(teacher), features.of(spec)
        query, gallery = list(draw.query), list(draw.gallery)
        terms = rank_consistency(
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


def _model(spec: RunSpec, runs: Path) -> str:
    """Digest of the trained weights."""
    return str(read_record(runs, spec)["result"]["model"])
