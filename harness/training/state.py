"""One run in training, and how it goes to disk and comes back with the same bits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from harness.core.files import atomic_write
from harness.core.lease import Lease
from harness.models import ReIDNetwork
from harness.runs.layout import CHECKPOINT
from harness.runs.spec import RunSpec
from methods import Method


@dataclass
class TrainingRun:
    """A student (or a teacher-to-be) with all that its training carries from step to step."""

    spec: RunSpec
    folder: Path
    lease: Lease
    network: ReIDNetwork
    method: Method | None  # None where there is no teacher
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    prepared: frozenset[str] = frozenset()  # entries of the method's state that `prepare` made
    step: int = 0  # updates done
    curve: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0  # spent on this run's own forward and backward passes

    def save(self) -> None:
        """Write the checkpoint atomically; what `prepare` made lies beside the teacher already.

        Raises:
            LeaseLostError: another process owns the run by now.
        """
        self.lease.check()
        method = self.method.state_dict() if self.method else {}
        state = {
            "step": self.step,
            "curve": self.curve,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "method": {name: value for name, value in method.items() if name not in self.prepared},
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
        }
        atomic_write(self.folder / CHECKPOINT, lambda file: torch.save(state, file))

    def restore(self) -> None:
        """Continue where the checkpoint, if there is one, left off."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            return
        state = torch.load(path, map_location=device_of(self.network), weights_only=True)
        self.network.load_state_dict(state["network"])
        if self.method is not None:
            missing, _ = self.method.load_state_dict(state["method"], strict=False)
            if set(missing) != self.prepared:
                raise ValueError(f"{path} does not fit {self.spec.method}: lacks {missing}.")
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        self.step, self.curve, self.seconds = state["step"], state["curve"], state["seconds"]


def device_of(module: nn.Module) -> torch.device:
    """Where a module's first parameter lies."""
    return next(module.parameters()).device


def weights_sha256(state: dict[str, Tensor]) -> str:
    """Digest of names, shapes and bytes of a state dictionary, wherever its tensors lie."""
    digest = hashlib.sha256()
    for name, value in state.items():
        array = value.detach().cpu().contiguous()
        digest.update(f"{name} {array.dtype} {tuple(array.shape)}\n".encode())
        digest.update(array.view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def save_model(path: Path, network: ReIDNetwork) -> str:
    """Write the network alone (no adapters, no optimiser) and return its digest."""
    state: dict[str, Any] = {name: value.cpu() for name, value in network.state_dict().items()}
    atomic_write(path, lambda file: torch.save(state, file))
    return weights_sha256(state)
