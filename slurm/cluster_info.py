"""What a cluster says of itself: version, limits, preemption, accounting, partitions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slurm.commands import check_command, run_command


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of the cluster, as sinfo lists it."""

    name: str
    default: bool
    up: bool
    limit: str  # on a job's time, in Slurm's words
    nodes: int
    gres: str  # of a node: gpu:a100:4
    memory: int  # MB of a node
    cpus: int  # of a node


@dataclass(frozen=True, slots=True)
class ClusterInfo:
    """Settings of the controller that matter to long, requeued jobs."""

    version: str
    cluster: str
    array_size: int | None
    preempt_type: str
    preempt_mode: str
    requeue: bool  # whether jobs may be requeued by default
    min_job_age: int | None  # seconds that a finished job stays known without accounting
    kill_wait: int | None  # seconds between SIGTERM and SIGKILL
    accounting: str  # its type
    sacct: str | None  # why sacct does not work; None: it does
    partitions: tuple[Partition, ...]

    @property
    def requeues_preempted(self) -> bool:
        """Whether a preempted job comes back by itself."""
        return "CANCEL" not in self.preempt_mode


def query_cluster() -> ClusterInfo:
    """Ask the controller.

    Raises:
        SlurmError: there are no commands of Slurm here, or the controller does not answer.
    """
    words = read_config(check_command("scontrol", "show", "config"))
    accounts = run_command("sacct", "--noheader", "--jobs=1")
    return ClusterInfo(
        version=words.get("SLURM_VERSION", "?"),
        cluster=words.get("ClusterName", "?"),
        array_size=_number(words.get("MaxArraySize")),
        preempt_type=words.get("PreemptType", "?"),
        preempt_mode=words.get("PreemptMode", "?"),
        requeue=words.get("JobRequeue", "1") != "0",
        min_job_age=_number(words.get("MinJobAge")),
        kill_wait=_number(words.get("KillWait")),
        accounting=words.get("AccountingStorageType", "?"),
        sacct=None if accounts.code == 0 else accounts.message,
        partitions=tuple(
            read_partitions(check_command("sinfo", "--noheader", "--format=%P|%a|%l|%D|%G|%m|%c"))
        ),
    )


def read_config(text: str) -> Mapping[str, str]:
    """The settings of `scontrol show config`."""
    return dict(re.findall(r"^(\w+)\s*= (.*?)\s*$", text, re.MULTILINE))


def read_partitions(text: str) -> Sequence[Partition]:
    """Partitions from sinfo's lines; one with unlike nodes stands there several times."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 7:
            name, up, limit, nodes, gres, memory, cpus = cells
            found.append(
                Partition(
                    name.rstrip("*"),
                    name.endswith("*"),
                    up == "up",
                    limit,
                    _number(nodes) or 0,
                    "" if gres == "(null)" else gres,
                    _number(memory) or 0,
                    _number(cpus) or 0,
                )
            )
    return found


def _number(text: str | None) -> int | None:
    found = re.match(r"\d+", text or "")
    return int(found[0]) if found else None
