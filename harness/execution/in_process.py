"""Carry out a plan in this process, one cohort after the other, leaving out what is done.

Other processes may work on the same runs folder: a run that one of them holds is waited for, and
taken over if its holder dies.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from harness.core.files import read_json
from harness.core.lease import Lease, current_holder, try_acquire
from harness.core.session import RunContext
from harness.data.images import OpenedDataset
from harness.runs.record import (
    FAILURE,
    RECORD,
    create_run_folder,
    failure_kind,
    remove_temporary_files,
)
from harness.runs.spec import SCORING_VERSION, RunSpec
from harness.runs.states import FailureKind
from harness.training.cohort import rescore, run_cohort

POLL = 1.0  # seconds between two looks at runs that another process holds


@dataclass
class Outcome:
    """How the runs of a plan ended, by key."""

    done_before: list[str] = field(default_factory=list)  # done before, or by another process
    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)  # with the reason

    def knows(self, spec: RunSpec) -> bool:
        """Whether this run's end is known."""
        return spec.key in self.failed or spec.key in self.done or spec.key in self.done_before


@dataclass(frozen=True)
class InProcessExecutor:
    """The plan's surroundings: where data comes from, and whether diverged runs are tried again."""

    context: RunContext
    open_data: Callable[[RunSpec], OpenedDataset]
    retry_diverged: bool = False
    outcome: Outcome = field(default_factory=Outcome)

    def launch(self, plan: Sequence[tuple[RunSpec, ...]]) -> Outcome:
        """Bring every run of the plan to its record, or to a failure that is on disk.

        Raises:
            InterruptedRunError: a stop was requested.
            SetupError: data or weights are missing.
        """
        for spec in (spec for cohort in plan for spec in cohort):
            create_run_folder(self.context.runs, spec)
        for cohort in plan:
            self._run_cohort(cohort)
        return self.outcome

    def _run_cohort(self, cohort: Sequence[RunSpec]) -> None:
        waiting = [spec for spec in cohort if not self._is_settled(spec)]
        told = ""
        while waiting:
            self.context.stop.raise_if_requested()
            with ExitStack() as stack:
                leases: dict[str, Lease] = {}
                for spec in waiting:
                    if lease := try_acquire(self.context.runs / spec.key):
                        leases[spec.key] = stack.enter_context(lease)
                # Another process may have finished a run between our first look and our lease.
                mine = [s for s in waiting if s.key in leases and not self._is_settled(s)]
                if mine:
                    self._train(mine, leases)
            waiting = [spec for spec in waiting if not self.outcome.knows(spec)]
            if waiting and not mine:
                told = self._report_holder(waiting, told)
                time.sleep(POLL)

    def _is_settled(self, spec: RunSpec) -> bool:
        """Whether nothing is left to do for a run; how it ended is entered into the outcome."""
        folder = self.context.runs / spec.key
        record, failure = read_json(folder / RECORD), read_json(folder / FAILURE)
        blocked = [t.key for t in spec.teachers if t.key in self.outcome.failed]
        if record is not None:
            if record.get("scoring_version") != SCORING_VERSION:
                return False
            self.outcome.done_before.append(spec.key)
        elif blocked:
            self.outcome.failed[spec.key] = f"blocked: its teacher {blocked[0]} failed"
        elif failure and not failure_kind(failure).is_retried and not self.retry_diverged:
            reason = f"{failure['kind']} earlier, and would again; --retry insists"
            self.outcome.failed[spec.key] = reason
        else:
            return False
        return True

    def _train(self, mine: Sequence[RunSpec], leases: Mapping[str, Lease]) -> None:
        """Execute what this process holds; a run that was short of memory gets a try alone."""
        for spec in mine:
            remove_temporary_files(self.context.runs / spec.key)
        data = self.open_data(mine[0])
        fresh = []
        for spec in mine:
            if read_json(self.context.runs / spec.key / RECORD) is None:
                fresh.append(spec)
            else:
                rescore(spec, data, self.context)
                self.outcome.done.append(spec.key)
        failures = run_cohort(fresh, leases, data, self.context) if fresh else {}
        for spec in fresh:
            if (
                len(fresh) > 1
                and spec.key in failures
                and failures[spec.key].kind is FailureKind.MEMORY
            ):
                del failures[spec.key]
                failures |= run_cohort([spec], leases, data, self.context)
        for spec in fresh:
            failure = failures.get(spec.key)
            if failure is None:
                self.outcome.done.append(spec.key)
            elif failure.kind is not FailureKind.LOST:  # a lost run is somebody else's: wait for it
                self.outcome.failed[spec.key] = f"{failure.kind}: {failure.message}"

    def _report_holder(self, waiting: Sequence[RunSpec], told: str) -> str:
        """Say whom this process waits for, once for each holder."""
        holder = current_holder(self.context.runs / waiting[0].key)
        if holder is None:
            return told
        who = f"process {holder.get('process')} on {holder.get('host')}"
        if who != told:
            self.context.reporter.info(f"waiting for {who}, which works on {waiting[0].name}")
        return who
