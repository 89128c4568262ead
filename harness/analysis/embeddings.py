"""What finished networks say of the test images, for figures: kept beside the runs, on request.

Neither the ranking consistency nor the embeddings are part of a record; both name the weights that
they were made with, so that they are never taken for those of another training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from harness.core.files import atomic_write
from harness.core.session import RunContext
from harness.data.images import OpenedDataset
from harness.evaluation.scoring import extract_features
from harness.planning.reopen import open_own
from harness.runs.layout import EMBEDDINGS
from harness.runs.lookup import resolve_specs
from harness.runs.record import read_record
from harness.runs.spec import RunSpec
from harness.training.networks import load_network


@dataclass
class FeatureExtractor:
    """Features of the test images; those of the latest teacher are kept for its next student."""

    context: RunContext
    root: Path | None
    _data: dict[tuple[str, int, int], OpenedDataset] = field(default_factory=dict)
    _teacher: tuple[str, Tensor] | None = None  # its key and its features

    def data(self, spec: RunSpec) -> OpenedDataset:
        """The run's own images.

        Raises:
            SetupError: they are not there.
        """
        where = (spec.fingerprint, spec.recipe.height, spec.recipe.width)
        if where not in self._data:
            self._data[where] = open_own(spec, self.root, self.context)
        return self._data[where]

    def of(self, spec: RunSpec) -> Tensor:
        """(N, D) float32, one row a test image, on the CPU.

        Raises:
            SetupError: the run is not done, or its files or images are not there.
        """
        if self.context.device.type == "cpu" and spec.threads:
            torch.set_num_threads(spec.threads)  # as when it was scored: the same last bits
        data = self.data(spec)
        network = load_network(spec, data, self.context)
        with self.context.reporter.task(f"embedding {spec.name}"):
            return extract_features(network, data.test, self.context.device).cpu()

    def of_teacher(self, teacher: RunSpec) -> Tensor:
        """The same of a teacher."""
        if self._teacher is None or self._teacher[0] != teacher.key:
            self._teacher = (teacher.key, self.of(teacher))
        return self._teacher[1]


def export_embeddings(words: Sequence[str], context: RunContext, root: Path | None) -> list[Path]:
    """Write the embeddings of the named runs beside them, with what is known of the images.

    Raises:
        UsageError: a word names no run or several.
        SetupError: a run is not done, or its files or images are not there.
    """
    features, written = FeatureExtractor(context, root), []
    for spec in resolve_specs(words, context.runs):
        test = features.data(spec).dataset.test
        arrays = {
            "features": features.of(spec).numpy(),
            "identity": np.array([image.identity for image in test]),
            "camera": np.array([image.camera for image in test]),
            "image": np.array([image.file for image in test]),
            "model": np.array(_model(spec, context.runs)),
        }
        path = context.runs / spec.key / EMBEDDINGS
        atomic_write(path, lambda file, arrays=arrays: np.savez(file, **arrays))  # type: ignore[misc]
        written.append(path)
    return written


def _model(spec: RunSpec, runs: Path) -> str:
    """Digest of the trained weights."""
    return str(read_record(runs, spec)["result"]["model"])
