"""`kdreid doctor --cluster NAME`: everything a long grid will need, tried before it is needed."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import ExitCode, SlurmError
from harness.core.files import ensure_writable, read_json
from harness.execution.cluster.code_snapshot import ROOT
from harness.execution.cluster.profile import Profile, load_profile
from slurm.cluster_info import ClusterInfo, query_cluster
from slurm.probe_job import (
    cancel_quietly,
    probe_script,
    read_log,
    submit_script,
    wait_until_finished,
)
from slurm.resources import Resources
from slurm.submit import JobArray, check_submission

LAG = 60.0  # seconds in which a shared disk shows a file that another machine wrote
CLOCK = 10.0  # seconds that two machines' clocks may differ: heartbeats are told by them


@dataclass(frozen=True, slots=True)
class DiagnosticResult:
    """One thing that was looked at; `good` is None where it is only worth knowing."""

    name: str
    ok: bool | None
    message: str


@dataclass(frozen=True, slots=True)
class DiagnosticRequest:
    """What the doctor is to look at."""

    cluster: str
    runs: Path
    settings: tuple[str, ...] = ()  # of --set cluster.NAME=VALUE
    data_root: Path | None = None
    patience: float = 300.0  # seconds for the job on a compute node; 0: none is sent


def doctor(visit: DiagnosticRequest, say: Callable[[str], None], *, as_json: bool) -> int:
    """Say what was found as it is found; 0 if nothing is wrong, otherwise 3.

    Raises:
        UsageError: there is no such profile, or it is wrong.
        SetupError: the runs folder is not writable.
    """
    profile = load_profile(visit.cluster)
    resources = profile.resources("", "", visit.settings)
    ensure_writable(visit.runs)
    found = []
    for finding in _look(visit, profile, resources):
        found.append(finding)
        if not as_json:
            mark = {True: "ok", False: "WRONG", None: "note"}[finding.ok]
            say(f"{mark:<6} {finding.name}: {finding.message}")
    if as_json:
        say(json.dumps([asdict(finding) for finding in found], indent=1))
    wrong = sum(finding.ok is False for finding in found)
    if not as_json:
        say(f"Wrong: {wrong} of {len(found)}." if wrong else "Nothing is wrong.")
    return ExitCode.ENVIRONMENT if wrong else ExitCode.DONE


def _look(
    visit: DiagnosticRequest, profile: Profile, resources: Resources
) -> Iterator[DiagnosticResult]:
    yield from _weights()
    if profile.kind == "local":
        yield from _seen(_probe_here(visit), resources)
        return
    try:
        yield from _cluster(query_cluster(), resources)
        yield DiagnosticResult(
            "a job of this profile", True, check_submission(_array(resources, visit.runs))
        )
        if visit.patience:
            yield from _on_a_node(visit, resources)
    except SlurmError as error:
        yield DiagnosticResult("slurm", False, str(error))


def _cluster(told: ClusterInfo, resources: Resources) -> Iterator[DiagnosticResult]:
    """What the controller says."""
    yield DiagnosticResult("slurm", True, f"version {told.version}, cluster {told.cluster}")
    if told.sacct is None:
        yield DiagnosticResult("accounting", True, told.accounting)
    else:
        yield DiagnosticResult(
            "accounting",
            None,
            f"none ({told.sacct}): a job is forgotten {told.min_job_age} s after its end; how "
            "runs stand then comes from their folders alone",
        )
    yield DiagnosticResult(
        "MaxArraySize", told.array_size is not None, str(told.array_size or "unknown")
    )
    back = (
        "preempted jobs come back"
        if told.requeues_preempted
        else ("preempted jobs are cancelled, not requeued: submit again after that")
    )
    good = True if told.requeues_preempted else None
    yield DiagnosticResult("preemption", good, f"{told.preempt_type}, {told.preempt_mode}: {back}")
    if not told.requeue:
        yield DiagnosticResult("requeue", None, "JobRequeue=0; these jobs ask for it themselves")
    wait = f"{told.kill_wait} s between the request to stop and the kill at a cancellation"
    yield DiagnosticResult("KillWait", None, wait)
    names = {part.name: part for part in told.partitions}
    if resources.partition and any(n not in names for n in resources.partition.split(",")):
        words = f"there is no {resources.partition}; there are {', '.join(names)}"
        yield DiagnosticResult("partition", False, words)
    for part in told.partitions:
        if part.name in (resources.partition or "").split(",") or (
            part.default and not resources.partition
        ):
            words = (
                f"{part.name}: {part.nodes} nodes of {part.cpus} cores, {part.memory} MB, "
                f"{part.gres or 'no GPU'}, time limit {part.limit}"
            )
            yield DiagnosticResult(
                "partition", part.up, words if part.up else f"{words}; it is down"
            )


def _on_a_node(visit: DiagnosticRequest, resources: Resources) -> Iterator[DiagnosticResult]:
    """Send a job that writes into the runs folder from a compute node."""
    folder = Path(tempfile.mkdtemp(prefix=".doctor-", dir=visit.runs)).absolute()
    try:
        answer = folder / "sight.json"
        arguments = [str(answer), *_paths(visit)]
        text = probe_script(
            _array(resources, folder), "harness.execution.cluster.node_probe", arguments
        )
        job, sent = submit_script(text), time.time()
        try:
            end = wait_until_finished(job, visit.patience)
        finally:
            cancel_quietly(job)
        if end is None or not end.is_finished:
            why = f"{end.state}, {end.reason}" if end else "not listed"
            words = f"job {job} did not end within {visit.patience:.0f} s ({why}); --wait SECONDS"
            yield DiagnosticResult("compute node", False, words)
            return
        if end.state != "COMPLETED":
            words = f"job {job} ended as {end.state} on {end.node}: {read_log(folder)}"
            yield DiagnosticResult("compute node", False, words)
            return
        while (seen := read_json(answer)) is None and time.time() < sent + visit.patience + LAG:
            time.sleep(1)
        if seen is None:
            words = f"{end.node} wrote into {visit.runs}, but nothing of it is seen here"
            yield DiagnosticResult("shared disk", False, words)
            return
        words = f"{visit.runs} was written by {seen['host']} ({end.node}) and read here"
        yield DiagnosticResult("shared disk", True, words)
        apart = abs(answer.stat().st_mtime - float(seen["time"]))
        clock = f"{apart:.1f} s between {end.node} and the disk"
        yield DiagnosticResult("clocks", apart < CLOCK, clock)
        yield from _seen(seen, resources)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _seen(seen: dict[str, Any], resources: Resources) -> Iterator[DiagnosticResult]:
    """What the machine that will train sees."""
    here = platform.python_version()
    same = seen["python"].rpartition(".")[0] == here.rpartition(".")[0]
    yield DiagnosticResult(
        "python", same, f"{seen['python']} there, {here} here ({seen['executable']})"
    )
    yield DiagnosticResult("torch", seen["torch"] is not None, seen["torch"] or seen["error"])
    cores = f"{seen['cores']} of {resources.cpus} asked for"
    yield DiagnosticResult("cores", True if seen["cores"] >= resources.cpus else None, cores)
    if resources.wants_gpu:
        names = ", ".join(seen["gpus"])
        given = f"Slurm gave CUDA_VISIBLE_DEVICES={seen['visible']}"
        yield DiagnosticResult("GPU", bool(names), names or f"torch sees none there; {given}")
    else:
        yield DiagnosticResult("GPU", None, "none asked for: runs train on the CPU")
    for path, there in seen["paths"].items():
        yield DiagnosticResult("data root", there, f"{path} {'is' if there else 'is not'} there")


def _probe_here(visit: DiagnosticRequest) -> dict[str, Any]:
    """The same for the pool of this machine."""
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=visit.runs) as folder:
        answer = Path(folder) / "sight.json"
        look = [
            sys.executable,
            "-m",
            "harness.execution.cluster.node_probe",
            str(answer.absolute()),
        ]
        subprocess.run([*look, *_paths(visit)], cwd=ROOT, check=True)
        return read_json(answer) or {}


def _paths(visit: DiagnosticRequest) -> list[str]:
    return [str(visit.data_root.absolute())] if visit.data_root else []


def _array(resources: Resources, logs: Path) -> JobArray:
    return JobArray("kdreid-doctor", resources, logs.absolute(), ROOT, 1, 1)


def _weights() -> Iterator[DiagnosticResult]:
    """Which ImageNet weights lie where training looks for them."""
    from harness.models import NETWORKS
    from harness.models.pretrained import torchvision_cache_path

    published = dict.fromkeys(network.pretrained for network in NETWORKS.values())
    for name in filter(None, published):
        path = torchvision_cache_path(name)
        words = str(path) if path.is_file() else f"none yet: kdreid fetch-weights {name}"
        yield DiagnosticResult(f"weights of {name}", True if path.is_file() else None, words)
