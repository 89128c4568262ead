"""Execute a plan in this process, one cohort after the other, skipping runs that are done.

Other processes may work on the same runs folder: this one waits for a run that another holds, and
takes it over if its holder dies.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from harness.core.errors import ExitCode, FileError
from harness.core.file_errors import unwritable_file
from harness.core.files import read_json
from harness.core.lease import LEASE, Lease, current_holder, describe_holder, try_acquire
from harness.core.session import RunContext
from harness.data.images import OpenedDataset
from harness.execution.reasons import DIVERGED, blocked_by
from harness.planning.other_code import is_outdated
from harness.runs.layout import AGAIN, FAILURE
from harness.runs.origin import code_digests, present_origin
from harness.runs.record import (
    create_run_folder,
    failure_kind,
    find_record,
    remove_temporary_files,
    write_failure,
)
from harness.runs.replacement import begin_replacement, complete_replacement, has_replacement
from harness.runs.spec import SCORING_VERSION, RunSpec
from harness.runs.states import FailureKind
from harness.training.cohort import rescore, run_cohort
from harness.training.failures import (
    RunFailure,
    TeacherUnusableError,
    blame_takeover,
    capture_failure,
    describe_failure,
)

POLL_SECONDS = 1.0  # while another process holds the runs


@dataclass
class Outcome:
    """Results of the runs of a plan, by key."""

    done_before: list[str] = field(default_factory=list)  # earlier, or by another process
    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)  # with the reason
    unusable: dict[str, str] = field(default_factory=dict)  # files: which one, and what to do

    def contains(self, spec: RunSpec) -> bool:
        """Return whether a run has ended, whatever its result."""
        ended = (self.failed, self.done, self.done_before, self.unusable)
        return any(spec.key in keys for keys in ended)

    @property
    def exit_code(self) -> ExitCode:
        """3 if the files of a run could not be used, 1 if a run failed, otherwise 0."""
        if self.unusable:
            return ExitCode.ENVIRONMENT
        return ExitCode.FAILED if self.failed else ExitCode.DONE


@dataclass(frozen=True)
class InProcessExecutor:
    """Executor of plans in this process.

    Args:
        context: What all cohorts share.
        open_data: Opens the dataset of a run.
        retry_diverged: Whether runs that diverged are trained again.
        again: Whether finished runs are trained again that other code or versions made, and those
            of teachers that were; see `harness.runs.replacement`.
        outcome: Filled as runs end.
    """

    context: RunContext
    open_data: Callable[[RunSpec], OpenedDataset]
    retry_diverged: bool = False
    again: bool = False
    outcome: Outcome = field(default_factory=Outcome)

    def launch(self, cohorts: Sequence[tuple[RunSpec, ...]]) -> Outcome:
        """Train every run to its record, or to a failure that is on disk.

        Args:
            cohorts: Runs that train side by side, teachers before students.

        Raises:
            RunInterrupted: A stop was requested; everything reached is on disk.
            SetupError: Data or weights are missing.
        """
        code_digests()  # read and kept now, because files may be edited while runs are trained
        for spec in (spec for cohort in cohorts for spec in cohort):
            try:
                create_run_folder(self.context.runs, spec)
            except FileError as error:
                if not self._is_settled(spec):  # a finished run needs no spec
                    self.outcome.unusable[spec.key] = str(error)
        for cohort in cohorts:
            self._run_cohort(cohort)
        return self.outcome

    def _run_cohort(self, cohort: Sequence[RunSpec]) -> None:
        """Train those runs that no other process holds, and wait for the others."""
        waiting = [spec for spec in cohort if not self._is_settled(spec)]
        reported_holder = ""
        while waiting:
            self.context.stop.raise_if_requested()
            with ExitStack() as stack:
                leases: dict[str, Lease] = {}
                for spec in waiting:
                    if lease := self._try_acquire(spec):
                        leases[spec.key] = stack.enter_context(lease)
                for key in leases:
                    complete_replacement(self.context.runs / key)  # if a kill kept it from ending
                # Another process may have finished a run between the first check and the lease.
                mine = [s for s in waiting if s.key in leases and not self._is_settled(s)]
                if mine:
                    self._train(mine, leases)
            waiting = [spec for spec in waiting if not self.outcome.contains(spec)]
            if waiting and not mine:
                reported_holder = self._report_holder(waiting, reported_holder)
                time.sleep(POLL_SECONDS)

    def _try_acquire(self, spec: RunSpec) -> Lease | None:
        """Return the lease on a run; None if another process holds it or its folder is closed."""
        folder = self.context.runs / spec.key
        try:
            return try_acquire(folder)
        except OSError as error:
            self.outcome.unusable[spec.key] = str(unwritable_file(folder / LEASE, error))
            return None

    def _is_settled(self, spec: RunSpec) -> bool:
        """Return whether nothing is left to do for a run, and enter how it ended if so."""
        folder = self.context.runs / spec.key
        if self.outcome.contains(spec):
            return True
        try:
            record, failure = find_record(folder), read_json(folder / FAILURE)
            is_kept = record is not None and not self._is_repeated(spec, record)
        except FileError as error:  # nothing is trained, since there may be a result already
            self.outcome.unusable[spec.key] = str(error)
            return True
        lost = self.outcome.failed | self.outcome.unusable
        failed_teachers = [t.key for t in spec.teachers if t.key in lost]
        if has_replacement(folder):
            return False
        if record is not None and is_kept:
            if record.get("scoring_version") != SCORING_VERSION:
                return False
            self.outcome.done_before.append(spec.key)
        elif failed_teachers:
            self.outcome.failed[spec.key] = blocked_by(failed_teachers[0])
        elif failure and not failure_kind(failure).is_retried and not self.retry_diverged:
            self.outcome.failed[spec.key] = DIVERGED
        else:
            return False
        return True

    def _train(self, mine: Sequence[RunSpec], leases: Mapping[str, Lease]) -> None:
        """Train the runs that this process holds, or only score those that are trained."""
        for spec in mine:
            remove_temporary_files(self.context.runs / spec.key)
            remove_temporary_files(self.context.runs / spec.key / AGAIN)
        data = self.open_data(next((spec for spec in mine if spec.teachers), mine[0]))
        untrained, again, failures = [], set[str](), dict[str, RunFailure]()
        for spec in mine:
            record = find_record(self.context.runs / spec.key)
            if record is None:
                untrained.append(spec)
            elif self._is_repeated(spec, record):
                begin_replacement(self.context.runs / spec.key, present_origin())
                untrained.append(spec)
                again.add(spec.key)
            elif failure := capture_failure(
                partial(rescore, spec, leases[spec.key], data, self.context)
            ):
                failures[spec.key] = failure
        context = replace(self.context, again=frozenset(again))
        failures |= self._train_cohort(untrained, leases, data, context)
        if len(untrained) > 1:  # a run that was short of memory next to others may fit alone
            for spec in untrained:
                if spec.key in failures and failures[spec.key].kind is FailureKind.MEMORY:
                    del failures[spec.key]
                    failures |= self._train_cohort([spec], leases, data, context)
        for spec in mine:
            self._enter_result(spec, failures.get(spec.key))

    def _is_repeated(self, spec: RunSpec, record: dict[str, Any]) -> bool:
        """Return whether a finished run is trained again.

        Raises:
            FileError: The record of a teacher cannot be read.
        """
        return self.again and is_outdated(spec, record, self.context.runs)

    def _train_cohort(
        self,
        specs: Sequence[RunSpec],
        leases: Mapping[str, Lease],
        data: OpenedDataset,
        context: RunContext,
    ) -> dict[str, RunFailure]:
        """Train runs side by side; if their teacher cannot be loaded, only its students fail."""
        if not specs:
            return {}
        try:
            return run_cohort(specs, leases, data, context)
        except TeacherUnusableError as error:
            failure = describe_failure(error)
        failures = {}
        for spec in (spec for spec in specs if spec.teachers):
            own = failures[spec.key] = blame_takeover(failure, leases[spec.key])
            if own.kind is not FailureKind.LOST and spec.key not in context.again:
                capture_failure(partial(write_failure, context.runs, spec, own.kind, own.message))
        plain = [spec for spec in specs if not spec.teachers]
        return failures | self._train_cohort(plain, leases, data, context)

    def _enter_result(self, spec: RunSpec, failure: RunFailure | None) -> None:
        """Enter how the attempt at a run ended; a lost run belongs to another process now."""
        if failure is None:
            self.outcome.done.append(spec.key)
        elif failure.kind in (FailureKind.SETUP, FailureKind.DISK):
            self.outcome.unusable[spec.key] = failure.message
        elif failure.kind is not FailureKind.LOST:
            self.outcome.failed[spec.key] = f"{failure.kind}: {failure.message}"

    def _report_holder(self, waiting: Sequence[RunSpec], reported: str) -> str:
        """Report the process that this one waits for, unless it is the one reported last."""
        folder = self.context.runs / waiting[0].key
        if current_holder(folder) is None:
            return reported
        line = describe_holder(folder, f"trains {waiting[0].name}")
        if line != reported:
            self.context.reporter.info(line)
        return line
