"""Feature-extraction time per image against batch size, network beside network (VRKD, Fig. 5).

All networks take turns within each repeat, so that a machine that slows down slows all of them, and
their ratios are of one run on one device. Weights are random: they do not change the time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from harness.core.errors import SetupError, UsageError, did_you_mean
from harness.core.files import write_json
from harness.core.progress import Reporter
from harness.models import ENSEMBLES, NETWORKS, ReIDNetwork, build
from harness.training.environment import capture_environment

FILE = Path("report") / "measured" / "extraction.json"  # below a runs folder
IDENTITIES = 576  # of VeRi-776's training set; their classifier is part of the pass


def networks(name: str, head: str) -> list[ReIDNetwork]:
    """The network called `name`, or the members of a team, which all see every image.

    Raises:
        UsageError: neither is called so.
    """
    if name not in NETWORKS and name not in ENSEMBLES:
        raise UsageError(
            f"No network is called {name!r}.{did_you_mean(name, [*NETWORKS, *ENSEMBLES])}"
        )
    members = ENSEMBLES.get(name, (name,))
    return [build(one, "own" if NETWORKS[one].head else head, IDENTITIES).eval() for one in members]


def extraction_time(
    names: Sequence[str],
    batches: Sequence[int],
    size: tuple[int, int],
    head: str,
    repeats: int,
    device: torch.device,
    reporter: Reporter,
) -> list[dict[str, Any]]:
    """Median seconds per image of every network and batch size, after one pass that is not counted.

    Raises:
        SetupError: a batch does not fit into memory.
    """
    known = {name: [one.to(device) for one in networks(name, head)] for name in names}
    rows = []
    with reporter.task("extracting features") as progress, torch.inference_mode():
        for number, batch in enumerate(batches, 1):
            images = torch.randn(batch, 3, *size, device=device)
            seconds: dict[str, list[float]] = {name: [] for name in known}
            try:
                for _ in range(repeats + 1):
                    for name, members in known.items():
                        seconds[name].append(_timed(members, images))
            except (torch.OutOfMemoryError, MemoryError) as error:
                raise SetupError(
                    f"A batch of {batch} does not fit into the memory of {device}; "
                    "give smaller ones with --batch."
                ) from error
            for name, all_of in seconds.items():
                counted = all_of[1:]
                rows.append(
                    {
                        "network": name,
                        "batch": batch,
                        "seconds": statistics.median(counted) / batch,
                        "least": min(counted) / batch,
                        "most": max(counted) / batch,
                    }
                )
            progress(number, len(batches), f"batches of {batch}")
    return rows


def _timed(members: Sequence[ReIDNetwork], images: Tensor) -> float:
    """Seconds until the embeddings of a batch are there, by one network or by all of a team."""
    _wait(images.device)
    began = time.perf_counter()
    for network in members:
        network(images)
    _wait(images.device)
    return time.perf_counter() - began


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def keep(
    runs: Path, rows: list[dict[str, Any]], size: tuple[int, int], head: str, device: torch.device
) -> Path:
    """Write a measurement where the report finds it."""
    content = {
        "environment": capture_environment(device),
        "size": list(size),
        "head": head,
        "rows": rows,
    }
    write_json(runs / FILE, content)
    return runs / FILE
