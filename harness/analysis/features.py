"""Test images and features of finished runs, kept while several runs share them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from harness.core.session import RunContext
from harness.data.images import OpenedDataset
from harness.evaluation.scoring import extract_features
from harness.planning.run_data import open_run_data
from harness.runs.record import read_record
from harness.runs.spec import RunSpec
from harness.training.networks import load_network


class ImageCache:
    """Opened datasets of finished runs, each opened once.

    Args:
        context: The runs folder, and the workers and the reporter of decoding.
        data_root: Folder that contains the datasets; None to find them as in training.
    """

    def __init__(self, context: RunContext, data_root: Path | None) -> None:
        self.context, self.data_root = context, data_root
        self._opened: dict[tuple[str, int, int], OpenedDataset] = {}

    def open(self, spec: RunSpec) -> OpenedDataset:
        """Return the images that a run was trained and scored on.

        Raises:
            SetupError: They are not found.
        """
        key = (spec.fingerprint, spec.recipe.height, spec.recipe.width)
        if key not in self._opened:
            self._opened[key] = open_run_data(spec, self.data_root, self.context)
        return self._opened[key]


class FeatureExtractor:
    """Features that finished networks have of the test images.

    The features of the last teacher are kept for its other students.

    Args:
        images: The images.
    """

    def __init__(self, images: ImageCache) -> None:
        self.images, self.context = images, images.context
        self._teacher_key = ""
        self._teacher_features = torch.empty(0)

    def extract(self, spec: RunSpec) -> Tensor:
        """Compute the features of all test images.

        Returns:
            (N, D) float32 on the CPU, in the order of `Dataset.test`.

        Raises:
            SetupError: The run is not done, or its weights or images are not found.
        """
        if self.context.device.type == "cpu" and spec.threads:
            torch.set_num_threads(spec.threads)  # the last bits depend on it
        data = self.images.open(spec)
        network = load_network(spec, data, self.context)
        with self.context.reporter.task(f"extracting features of {spec.name}"):
            return extract_features(network, data.test, self.context.device).cpu()

    def extract_teacher(self, teacher: RunSpec) -> Tensor:
        """Return `extract(teacher)`, computed once for consecutive calls with one teacher."""
        if self._teacher_key != teacher.key:
            self._teacher_features = self.extract(teacher)
            self._teacher_key = teacher.key
        return self._teacher_features


def trained_weights_digest(spec: RunSpec, runs: Path) -> str:
    """Return the digest of a run's trained weights from its record.

    Measurements store it, so that they are not mistaken for those of another training.

    Raises:
        SetupError: The run is not done.
    """
    return str(read_record(runs, spec)["result"]["model"])
