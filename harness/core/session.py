"""The settings that all cohorts of one process share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from harness.core.progress import Reporter
from harness.core.signals import StopRequest


@dataclass(frozen=True)
class RunContext:
    """What all cohorts of one process share; none of it can change a number."""

    runs: Path
    device: torch.device
    stop: StopRequest
    reporter: Reporter
    pretrained_files: Mapping[str, Path]  # ImageNet weights by network
    workers: int = 1
    checkpoint_seconds: float = 300.0  # seconds between checkpoints
