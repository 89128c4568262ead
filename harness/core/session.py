"""The surroundings that all work of one process shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.progress import Reporter
from harness.core.signals import StopRequest

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """The runs folder, the device and whatever else planning, training and evaluation share.

    Nothing in it can change a result, except that the kind of device is part of a run's key.
    """

    runs: Path = Path("runs")
    reporter: Reporter = field(default_factory=Reporter)
    workers: int = 1  # data-loading threads
    device_name: str = "cpu"  # as torch names it: cpu, cuda, cuda:1
    stop: StopRequest = field(default_factory=StopRequest)
    pretrained_files: Mapping[str, Path] = field(default_factory=dict)  # by network
    checkpoint_seconds: float = 300.0  # between two checkpoints
    again: frozenset[str] = frozenset()  # keys of finished runs that are trained again

    @property
    def device(self) -> torch.device:
        """The device; importing torch takes seconds."""
        import torch

        return torch.device(self.device_name)
