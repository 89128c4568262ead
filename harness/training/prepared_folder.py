"""Folder next to a teacher in which the results of `Method.prepare` are stored, and checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from harness.core.archives import set_aside
from harness.core.errors import DamagedFileError
from harness.core.file_errors import damaged_file
from harness.core.files import file_exists
from harness.core.lease import acquire_blocking
from harness.training.state import read_state, write_state


def _ignore() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class PreparedFolder:
    """Stored results of `prepare` on one teacher.

    A file that is damaged, or was computed from other weights than those that the teacher has now,
    is set aside and computed again.

    Attributes:
        path: The folder.
        teachers: Digests of the weights of the teacher, or of the several that teach as one.
        report: Called with a line about a file that was set aside or that is waited for; None:
            standard error.
        before_poll: Called while another process computes; an error that it raises ends the wait.
    """

    path: Path
    teachers: tuple[str, ...] = ()
    report: Callable[[str], object] | None = None
    before_poll: Callable[[], object] = _ignore

    def load_or_compute(
        self,
        name: str,
        work: str,
        compute: Callable[[], Mapping[str, Tensor]],
        shapes: Mapping[str, torch.Size | None],
    ) -> dict[str, Tensor]:
        """Return a result, which is computed and stored first if that has not been done.

        Args:
            name: Name of its file.
            work: What `compute` does, for processes that wait for it: "prepares FT".
            compute: Computes the result.
            shapes: Shapes of the entries that a result may have; None where any will do.
        """
        path = self.path / name
        try:
            if file_exists(path):
                return self._load(path, shapes)
        except DamagedFileError:
            pass  # set aside by whoever has the lease
        with acquire_blocking(
            path.with_suffix(".making"),
            work=work,
            report=self.report,
            before_poll=self.before_poll,
        ) as lease:
            if not self._is_whole(path, shapes):  # another process may have stored it meanwhile
                for leftover in self.path.glob(f".{name}.*.tmp"):  # of a process that was killed
                    leftover.unlink(missing_ok=True)
                content = {"teachers": list(self.teachers), "state": dict(compute())}
                write_state(path, content, before_replace=lease.check)
        # Loaded although it was computed just now, so that a first and a later run do the same.
        return self._load(path, shapes)

    def _is_whole(self, path: Path, shapes: Mapping[str, torch.Size | None]) -> bool:
        """Return whether a result is stored; one that cannot be used is set aside."""
        if not file_exists(path):
            return False
        try:
            self._load(path, shapes)
        except DamagedFileError as error:
            aside = set_aside(path)
            if self.report is not None:
                self.report(
                    f"{path} is damaged ({error.reason}); it was set aside as {aside.name} and is "
                    "computed again."
                )
            return False
        return True

    def _load(self, path: Path, shapes: Mapping[str, torch.Size | None]) -> dict[str, Tensor]:
        """Return a stored result.

        Raises:
            UnreadableFileError: It cannot be read.
            DamagedFileError: It is not as it was written, or is of other weights or something else.
        """
        content = read_state(path)
        state: dict[str, Tensor] = content
        if content.keys() == {"teachers", "state"}:  # 0.2.0 stored the state alone
            if content["teachers"] != list(self.teachers):
                raise damaged_file(path, "it was computed from other weights of the teacher")
            state = content["state"]
        for name, value in state.items():
            known = isinstance(value, Tensor) and name in shapes
            if not known or shapes[name] not in (None, value.shape):
                raise damaged_file(path, "it holds no state of its method")
        return state
