"""State of one run in training, and its checkpoint, which restores the same bits."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

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
    """Run with everything that its training carries from step to step.

    Attributes:
        spec: The run.
        folder: Its folder.
        lease: This process's lease on it.
        network: The trained network: a student, or a teacher before it teaches.
        method: The distillation method with its adapters; None without a teacher.
        optimiser: Optimiser of the network and the adapters.
        scaler: Gradient scaler; inactive except with fp16.
        prepared: Entries of the method's state that `prepare` computed.
        step: Number of updates done.
        curve: Recorded rows: step (from 1), learning rate and losses.
        seconds: Time spent on this run's own forward and backward passes.
    """

    spec: RunSpec
    folder: Path
    lease: Lease
    network: ReIDNetwork
    method: Method | None
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    prepared: frozenset[str] = frozenset()
    step: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0

    def save(self) -> None:
        """Write the checkpoint atomically.

        Random generators are not part of it: every step seeds its own. What `prepare` computed is
        not part of it either, because it is stored next to the teacher.

        Raises:
            LeaseLostError: Another process owns the run by now.
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
        """Restore the checkpoint if there is one.

        Raises:
            ValueError: The checkpoint is of another method.
        """
        path = self.folder / CHECKPOINT
        if not path.exists():
            return
        state = torch.load(path, map_location=device_of(self.network), weights_only=True)
        self.network.load_state_dict(state["network"])
        if self.method is not None:
            # What is missing must be exactly what `prepare` has restored already.
            missing, _ = self.method.load_state_dict(state["method"], strict=False)
            if set(missing) != self.prepared:
                raise ValueError(f"{path} does not fit {self.spec.method}: it lacks {missing}.")
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        self.step, self.curve, self.seconds = state["step"], state["curve"], state["seconds"]


def device_of(module: nn.Module) -> torch.device:
    """Return the device of a module's first parameter."""
    return next(module.parameters()).device


def weights_sha256(state: dict[str, Tensor]) -> str:
    """Return a digest of the names, shapes and bytes of a state dictionary, on any device."""
    digest = hashlib.sha256()
    for name, value in state.items():
        array = value.detach().cpu().contiguous()
        digest.update(f"{name} {array.dtype} {tuple(array.shape)}\n".encode())
        digest.update(array.view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def save_model(path: Path, network: ReIDNetwork) -> str:
    """Write the network alone, without adapters and optimiser, and return its `weights_sha256`."""
    state = {name: value.cpu() for name, value in network.state_dict().items()}
    atomic_write(path, lambda file: torch.save(state, file))
    return weights_sha256(state)
