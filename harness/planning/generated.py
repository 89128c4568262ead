"""Generated images below a runs folder or elsewhere: drawn, mended, and recognised."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.core.errors import DamagedFileError, SetupError
from harness.core.file_errors import unwritable_file
from harness.core.files import read_json
from harness.core.lease import acquire_blocking
from harness.core.session import RunContext
from harness.data.dataset import Dataset
from harness.data.folders import is_jpeg, iter_files
from harness.data.synthetic.digests import DIGESTS, Digest, digest_file, read_digests
from harness.data.synthetic.generator import (
    GENERATOR_VERSION,
    SyntheticSettings,
    describe_lost,
    find_lost_files,
    generate,
    is_complete,
)
from harness.data.synthetic.writer import MANIFEST
from harness.runs.layout import DATA_FOLDER

SYNTHETIC = "synthetic"


def generated_folders(runs: Path) -> list[Path]:
    """Return the folders of images that were generated below a runs folder."""
    return sorted((runs / DATA_FOLDER).glob(f"{SYNTHETIC}-*-????????"))


def is_generated_folder(root: Path) -> bool:
    """Return whether a folder states, readably or not, that its images are generated."""
    return os.path.lexists(root / MANIFEST)


def generate_images(settings: SyntheticSettings, context: RunContext) -> Path:
    """Generate images below the runs folder, unless they are there; return their folder.

    Lost and damaged images are drawn again.

    Raises:
        SetupError: The images cannot be written, those that are there cannot be read, or the
            folder holds something else.
    """
    content = json.dumps([GENERATOR_VERSION, asdict(settings)])
    digest = hashlib.sha256(content.encode()).hexdigest()[:8]
    root = context.runs / DATA_FOLDER / f"{SYNTHETIC}-{settings.kind}-{digest}"
    try:
        # First, as it also works where nothing can be written.
        if is_complete(root, settings) and not find_lost_files(root, settings):
            return root
        with (
            acquire_blocking(
                root.with_suffix(".drawing"),
                work="draws images",
                report=context.reporter.info,
                before_poll=context.stop.raise_if_requested,
            ),
            context.reporter.task("drawing images") as progress,
        ):
            for leftover in root.parent.glob(f".{root.name}.*.partial"):  # of a killed process
                shutil.rmtree(leftover, ignore_errors=True)
            return generate(
                root,
                settings,
                workers=max(1, context.workers),
                progress=progress,
                report=context.reporter.info,
            )
    except ValueError as error:
        raise SetupError(
            f"{root} is not as it was drawn: its {MANIFEST} is lost, damaged or of other images. "
            "Remove the folder and repeat the command, which draws the same images again."
        ) from error
    except OSError as error:
        raise unwritable_file(root, error) from None


def require_as_drawn(dataset: Dataset) -> None:
    """Check that a folder that is to hold generated images holds them, all and no others.

    Raises:
        SetupError: It does not state how its images were generated, or they are not those that
            were drawn.
    """
    root = dataset.root
    manifest = _read_manifest(root)
    if manifest is None:
        raise SetupError(
            f"{dataset.name}: {root} does not state in {MANIFEST} that its images are generated, "
            "so they would be reported as what they may not be. Name the dataset that they are of, "
            "such as --dataset market1501, or leave --data-root out to have images drawn."
        )
    if listed := read_digests(root):
        if changed := _find_differences(dataset, listed):
            raise SetupError(
                f"{describe_lost(root, changed)}. Remove {root} and draw it again: with kdreid "
                "data make, or with kdreid run if it is below a runs folder."
            )
        return
    expected = _count_images(manifest)
    counted = sum(is_jpeg(path.name) for path in iter_files(root))
    if expected not in (None, counted):
        raise SetupError(
            f"{dataset.name}: {root} holds {counted:,} images where {expected:,} were drawn. "
            f"Remove it and draw it again with kdreid data make, or restore the missing files."
        )


def describe_changes(dataset: Dataset) -> list[str]:
    """Return a sentence about files of a generated copy that are not as drawn, or none.

    Raises:
        SetupError: A file cannot be read.
    """
    changed = _find_differences(dataset, read_digests(dataset.root) or {})
    if not changed:
        return []
    more = f" and {len(changed) - 1:,} more" if len(changed) > 1 else ""
    verb = "is" if len(changed) == 1 else "are"
    return [f"Of the generated files, {changed[0]}{more} {verb} not as drawn."]


def _find_differences(dataset: Dataset, listed: dict[str, Digest]) -> list[str]:
    """Return the files that are lost or not as drawn, and images that were added."""
    if not listed:
        return []
    digests = dataset.digests
    changed = [name for name, drawn in listed.items() if not _is_as_drawn(dataset, name, drawn)]
    return sorted([*changed, *(digests.keys() - listed.keys())])


def _is_as_drawn(dataset: Dataset, name: str, drawn: Digest) -> bool:
    """Return whether a file has the drawn content; of images that are not used, the size."""
    size, digest = drawn
    if name in dataset.digests:
        return dataset.digests[name].startswith(digest)
    path = dataset.root / name
    if not path.is_file() or path.stat().st_size != size:
        return False
    return is_jpeg(name) or digest_file(path) == drawn


def _read_manifest(root: Path) -> dict[str, Any] | None:
    """Return the statement of a folder of generated images; None if it has none."""
    try:
        manifest = read_json(root / MANIFEST)
    except DamagedFileError:
        return None
    has_one = bool(manifest) and (
        "generator_version" in manifest or (root / DIGESTS).is_file()  # type: ignore[operator]
    )
    return manifest if has_one else None


def _count_images(manifest: dict[str, Any]) -> int | None:
    """Return how many images were drawn by the settings of a manifest; None if it is unknown."""
    try:
        return SyntheticSettings(**manifest["settings"]).images
    except (KeyError, TypeError, ValueError):
        return None
