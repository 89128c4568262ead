"""Query the controller's settings and partitions: version, limits, preemption, accounting."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slurm.commands import check_command, run_command


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition of the cluster, as `sinfo` lists it."""

    name: str
    is_default: bool
    is_up: bool
    time_limit: str  # of a job, as Slurm writes it
    nodes: int
    gres: str  # of a node: gpu:a100:4
    memory: int  # MB of a node
    cpus: int  # of a node


@dataclass(frozen=True, slots=True)
class ClusterInfo:
    """Settings of a cluster that matter to long, requeued jobs."""

    version: str
    name: str
    max_array_size: int | None
    preempt_type: str
    preempt_mode: str
    requeues_by_default: bool
    min_job_age: int | None  # seconds that a finished job stays known without accounting
    kill_wait: int | None  # seconds between SIGTERM and SIGKILL
    accounting_type: str
    sacct_error: str | None  # None: sacct works
    partitions: tuple[Partition, ...]

    @property
    def requeues_preempted(self) -> bool:
        """True if Slurm puts a preempted job back into the queue."""
        return "CANCEL" not in self.preempt_mode


def query_cluster() -> ClusterInfo:
    """Query the controller's settings and the cluster's partitions.

    Raises:
        SlurmError: Slurm is not installed here, or the controller does not answer.
    """
    config = read_config(check_command("scontrol", "show", "config"))
    sacct = run_command("sacct", "--noheader", "--jobs=1")
    return ClusterInfo(
        version=config.get("SLURM_VERSION", "?"),
        name=config.get("ClusterName", "?"),
        max_array_size=_leading_number(config.get("MaxArraySize")),
        preempt_type=config.get("PreemptType", "?"),
        preempt_mode=config.get("PreemptMode", "?"),
        requeues_by_default=config.get("JobRequeue", "1") != "0",
        min_job_age=_leading_number(config.get("MinJobAge")),
        kill_wait=_leading_number(config.get("KillWait")),
        accounting_type=config.get("AccountingStorageType", "?"),
        sacct_error=None if sacct.returncode == 0 else sacct.message,
        partitions=tuple(
            read_partitions(check_command("sinfo", "--noheader", "--format=%P|%a|%l|%D|%G|%m|%c"))
        ),
    )


def read_config(text: str) -> Mapping[str, str]:
    """Read the output of `scontrol show config` into a dictionary."""
    return dict(re.findall(r"^(\w+)\s*= (.*?)\s*$", text, re.MULTILINE))


def read_partitions(text: str) -> Sequence[Partition]:
    """Read partitions from sinfo's lines; a partition of unlike nodes has several."""
    partitions = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 7:
            name, up, limit, nodes, gres, memory, cpus = cells
            partition = Partition(
                name.rstrip("*"),
                is_default=name.endswith("*"),
                is_up=up == "up",
                time_limit=limit,
                nodes=_leading_number(nodes) or 0,
                gres="" if gres == "(null)" else gres,
                memory=_leading_number(memory) or 0,
                cpus=_leading_number(cpus) or 0,
            )
            partitions.append(partition)
    return partitions


def _leading_number(text: str | None) -> int | None:
    """Return the digits that a text begins with: `300 sec` and `4+` are numbers, too."""
    digits = re.match(r"\d+", text or "")
    return int(digits[0]) if digits else None
