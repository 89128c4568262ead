"""State of one run in training, and its checkpoint, which restores the same bits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor, nn

from harness.core.archives import set_aside, verify_archive, write_archive
from harness.core.errors import DamagedFileError
from harness.core.file_errors import damaged_file
from harness.core.files import file_exists, require_plain_file
from harness.core.lease import Lease
from harness.models import ReIDNetwork
from harness.runs.layout import CHECKPOINT
from harness.runs.origin import describe_differences, differing_names, present_origin
from harness.runs.spec import RunSpec
from harness.training.checkpoint_form import CHECKPOINT_FIELDS, find_misfits
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
        teacher_weights: Digests of the weights that taught it, one for each teacher.
        begun_by: Other code and versions that made its first steps, as `present_origin` has them.
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
    teacher_weights: tuple[str, ...] = ()
    begun_by: list[dict[str, str]] = field(default_factory=list)
    _digest: str = field(default="", init=False)  # of the prepared state

    def save(self) -> None:
        """Write the checkpoint atomically.

        Random generators are not part of it: every step seeds its own. What `prepare` computed is
        not part of it either, because it is stored next to the teacher; its digest is.

        Raises:
            LeaseLostError: Another process owns the run by now.
        """
        self.lease.check()
        method = self.method.state_dict() if self.method else {}
        state = {
            "key": self.spec.key,
            "step": self.step,
            "curve": self.curve,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "method": {name: value for name, value in method.items() if name not in self.prepared},
            "prepared": self._prepared_digest(),
            "origins": [*self.begun_by, present_origin()],
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.scaler.state_dict(),
        }
        # Writing may take so long that the lease is lost meanwhile.
        write_state(self.folder / CHECKPOINT, state, before_replace=self.lease.check)

    def restore(self, report: Callable[[str], object]) -> None:
        """Restore the checkpoint if there is one; one that cannot be used is set aside.

        The run then begins again and ends with the same bits.

        Args:
            report: Called with a line if the checkpoint was set aside, or made by other code.

        Raises:
            UnreadableFileError: The disk or its permissions do not let the checkpoint be read.
            LeaseLostError: Another process owns the run by now.
        """
        self._prepared_digest()  # before training, which may change a method's buffers
        path = self.folder / CHECKPOINT
        if not file_exists(path):
            return
        try:
            state = read_state(path, device_of(self.network))
            self._require_fit(path, state)
        except DamagedFileError as error:
            self.lease.check()
            aside = set_aside(path)
            report(
                f"{path} is damaged ({error.reason}); it was set aside as {aside.name}, and "
                "the run begins again."
            )
            return
        self.network.load_state_dict(state["network"])
        if self.method is not None:
            self.method.load_state_dict(state["method"], strict=False)
        self.optimiser.load_state_dict(state["optimiser"])
        self.scaler.load_state_dict(state["scaler"])
        self.step, self.curve, self.seconds = state["step"], state["curve"], state["seconds"]
        before = state.get("origins", ())  # unknown in checkpoints of 0.2.0
        self.begun_by = [origin for origin in before if origin != present_origin()]
        if names := self.differences_of_begin():
            report(f"{self.spec.name} was begun by {describe_differences(names)}; it continues.")

    def differences_of_begin(self) -> tuple[str, ...]:
        """Return in what those that made the first steps differ from this process."""
        several = (differing_names(origin, present_origin()) for origin in self.begun_by)
        return tuple(dict.fromkeys(name for names in several for name in names))

    def _require_fit(self, path: Path, state: dict[str, Any]) -> None:
        """Check that a checkpoint is this run's, before anything of it is loaded.

        Raises:
            DamagedFileError: It is another run's, was made with another prepared state, or a part
                of it has another form.
        """
        method = self.method.state_dict() if self.method else {}
        trained = {name: value for name, value in method.items() if name not in self.prepared}
        # Checkpoints of 0.2.0 have neither their run's key nor the digest of what was prepared.
        if state.get("key", self.spec.key) != self.spec.key:
            raise damaged_file(path, f"it is of the run {state['key']}")
        if state.get("prepared", self._prepared_digest()) != self._prepared_digest():
            raise damaged_file(path, "what the method prepared is not the same any more")
        if not state.keys() >= CHECKPOINT_FIELDS:
            raise damaged_file(path, "it is no checkpoint of a run")
        modules = {"network": self.network.state_dict(), "method": trained}
        for part in find_misfits(state, modules, self.optimiser, self.scaler):
            raise damaged_file(path, f"its {part} is not that of {self.spec.key}")

    def _prepared_digest(self) -> str:
        """Return a digest of the method's state that `prepare` computed; computed once."""
        if not self._digest and self.method is not None:
            state = self.method.state_dict()
            self._digest = weights_sha256({name: state[name] for name in sorted(self.prepared)})
        return self._digest


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


def save_model(
    path: Path, network: ReIDNetwork, before_replace: Callable[[], object] | None = None
) -> str:
    """Write the network alone, without adapters and optimiser, and return its `weights_sha256`.

    Args:
        path: The file.
        network: The network.
        before_replace: See `write_archive`.
    """
    state = {name: value.cpu() for name, value in network.state_dict().items()}
    write_state(path, state, before_replace)
    return weights_sha256(state)


def write_state(
    path: Path, state: dict[str, Any], before_replace: Callable[[], object] | None = None
) -> None:
    """Write tensors and plain values with a digest, in one step; see `write_archive`."""

    def save(file: IO[bytes]) -> None:
        try:
            torch.save(state, file)
        except RuntimeError as error:
            if isinstance(error.__context__, OSError):  # torch hides that the disk is full
                raise error.__context__ from None
            raise

    write_archive(path, save, before_replace)


def read_state(path: Path, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Return what `write_state` wrote, after checking its digest.

    Raises:
        UnreadableFileError: The file is missing or cannot be read.
        DamagedFileError: It is not as it was written.
    """
    verify_archive(path)
    try:
        state = torch.load(path, map_location=device, weights_only=True)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # any kind, if it is an archive of something else
        raise damaged_file(path, f"torch cannot load it: {type(error).__name__}") from error
    if not isinstance(state, dict):
        raise damaged_file(path, f"it holds a {type(state).__name__}")
    return state


def saved_step(path: Path) -> int:
    """Return the step of a checkpoint; 0 if there is none that can be read."""
    try:
        require_plain_file(path)
        state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        return int(state["step"])
    except Exception:  # whoever restores it, checks it and says what is wrong
        return 0
