"""Feature-extraction time per image against batch size, by network (VRKD, Fig. 5).

All networks take turns within each repeat, so that a machine that slows down slows all of them, and
ratios are those of one run on one device. Weights are random, since they do not change the time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.core.devices import synchronize
from harness.core.errors import SetupError
from harness.core.files import write_json
from harness.core.progress import Reporter
from harness.models import NETWORKS, ReIDNetwork, build_network
from harness.planning.names import teacher_networks
from harness.runs.layout import EXTRACTION_TIME
from harness.runs.report_folder import report_folder
from harness.runs.spec import OWN_HEAD
from harness.training.environment import capture_environment

IDENTITIES = 576  # of VeRi-776's training set; the classifier is timed, too


def build_untrained(name: str, head: str) -> list[ReIDNetwork]:
    """Build a network, or the members of an ensemble, in evaluation mode with random weights.

    Args:
        name: Name in `NETWORKS` or `ENSEMBLES`.
        head: Head of networks that have none of their own.

    Raises:
        UsageError: The name is unknown.
    """
    return [
        build_network(member, OWN_HEAD if NETWORKS[member].head else head, IDENTITIES).eval()
        for member in teacher_networks(name)
    ]


def measure_extraction_time(
    names: Sequence[str],
    batch_sizes: Sequence[int],
    size: tuple[int, int],
    head: str,
    *,
    repeats: int,
    device: torch.device,
    reporter: Reporter,
) -> list[dict[str, Any]]:
    """Measure the time per image of every network and batch size.

    Args:
        names: Networks and ensembles.
        batch_sizes: Images per batch.
        size: Height and width of the images in pixels.
        head: Head of networks that have none of their own.
        repeats: Timed passes of each network and batch size, after one pass to warm up.
        device: Device of the networks.
        reporter: Reporter of the progress.

    Returns:
        One row per batch size and network: `network`, `batch` and, in seconds per image, `seconds`
        (median), `least` and `most`.

    Raises:
        UsageError: A name is unknown.
        SetupError: A batch does not fit into memory.
    """
    networks = {name: [one.to(device) for one in build_untrained(name, head)] for name in names}
    rows: list[dict[str, Any]] = []
    with reporter.task("extracting features") as progress, torch.inference_mode():
        for number, batch_size in enumerate(batch_sizes, 1):
            images = torch.randn(batch_size, 3, *size, device=device)
            try:
                seconds = _time_in_turns(networks, images, repeats)
            except (torch.OutOfMemoryError, MemoryError) as error:
                raise SetupError(
                    f"A batch of {batch_size} does not fit into the memory of {device}. "
                    "Use smaller batches: --batch 1,8."
                ) from error
            rows += [_row(name, batch_size, times) for name, times in seconds.items()]
            progress(number, len(batch_sizes), f"batches of {batch_size}")
    return rows


def _row(name: str, batch_size: int, seconds: Sequence[float]) -> dict[str, Any]:
    """Return the row of one network and batch size from the seconds of its passes."""
    return {
        "network": name,
        "batch": batch_size,
        "seconds": statistics.median(seconds) / batch_size,
        "least": min(seconds) / batch_size,
        "most": max(seconds) / batch_size,
    }


def _time_in_turns(
    networks: dict[str, list[ReIDNetwork]], images: Tensor, repeats: int
) -> dict[str, list[float]]:
    """Return the seconds of `repeats` passes of each network, after one that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in networks}
    for repeat in range(repeats + 1):
        for name, members in networks.items():
            elapsed = _time_pass(members, images)
            if repeat > 0:
                seconds[name].append(elapsed)
    return seconds


def _time_pass(members: Sequence[ReIDNetwork], images: Tensor) -> float:
    """Return the seconds that a network, or all members of an ensemble, need for a batch."""
    synchronize(images.device)
    start = time.perf_counter()
    for network in members:
        network(images)
    synchronize(images.device)
    return time.perf_counter() - start


def save_extraction_times(
    runs: Path, rows: list[dict[str, Any]], size: tuple[int, int], head: str, device: torch.device
) -> Path:
    """Write a measurement to the report's folder and return the path.

    Args:
        runs: The runs folder.
        rows: Result of `measure_extraction_time`.
        size: Height and width of the images in pixels.
        head: Head of networks that have none of their own.
        device: Device of the measurement.
    """
    content = {
        "environment": capture_environment(device),
        "size": list(size),
        "head": head,
        "rows": rows,
    }
    path = report_folder(runs) / EXTRACTION_TIME
    write_json(path, content)
    return path
