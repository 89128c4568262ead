"""Export the embeddings of the test images, for figures and for analyses of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.analysis.features import FeatureExtractor, ImageCache, trained_weights_digest
from harness.core.files import atomic_write, require_writable
from harness.core.session import RunContext
from harness.runs.layout import EMBEDDINGS
from harness.runs.lookup import resolve_specs


def export_embeddings(
    handles: Sequence[str],
    context: RunContext,
    data_root: Path | None,
    target: Path | None = None,
) -> list[Path]:
    """Write `embeddings.npz` into the folder of every named run.

    The arrays have one row per test image: `features` (N, D) float32, `identity` (N,), `camera`
    (N,) and `image` (N,), the file's name; `model` is the digest of the trained weights.

    Args:
        handles: Names of finished runs, as `harness.runs.lookup` resolves them.
        context: The runs folder, the device and the reporter.
        data_root: Folder that contains the datasets; None to find them as in training.
        target: Folder in which the runs' folders are made; by default the runs folder.

    Returns:
        The paths of the files.

    Raises:
        UsageError: A handle names no run, or several.
        SetupError: A run is not done, or its weights or images are not found.
        UnwritableFileError: A file cannot be written.
    """
    extractor = FeatureExtractor(ImageCache(context, data_root))
    specs = resolve_specs(handles, context.runs)
    folders = {spec.key: (target or context.runs) / spec.key for spec in specs}
    for folder in folders.values():  # before features are extracted in vain
        require_writable(folder)
    paths = []
    for spec in specs:
        test = extractor.images.open(spec).dataset.test
        arrays = {
            "features": extractor.extract(spec).numpy(),
            "identity": np.array([image.identity for image in test]),
            "camera": np.array([image.camera for image in test]),
            "image": np.array([image.file for image in test]),
            "model": np.array(trained_weights_digest(spec, context.runs)),
        }
        path = folders[spec.key] / EMBEDDINGS
        atomic_write(path, lambda file, arrays=arrays: np.savez(file, **arrays))  # type: ignore[misc]
        paths.append(path)
    return paths
