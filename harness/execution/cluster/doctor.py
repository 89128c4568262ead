"""Check a cluster before it is needed: `kdreid doctor --cluster NAME`."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.errors import ExitCode, SlurmError
from harness.core.files import ensure_writable, read_json
from harness.core.sharing import describe_unshared
from harness.core.waiting import waiting_for
from harness.execution.cluster.code_snapshot import ROOT
from harness.execution.cluster.profile import Profile, load_profile
from slurm.cluster_info import ClusterInfo, Partition, query_cluster
from slurm.job import SlurmJob
from slurm.probe_job import cancel_quietly, probe_script, read_log, wait_until_finished
from slurm.resources import Resources
from slurm.submit import JobArray, check_submission, submit_script

NODE_PROBE = "harness.execution.cluster.node_probe"
DISK_LAG_SECONDS = 60.0  # until a shared disk shows a file that another machine wrote
MAX_CLOCK_DIFFERENCE = 10.0  # seconds between two machines: leases are judged by file times


@dataclass(frozen=True, slots=True)
class DiagnosticResult:
    """Result of one check; `ok` is None where it is only information."""

    name: str
    ok: bool | None
    message: str

    def as_json(self) -> dict[str, str | bool | None]:
        """Return the fields under the names that they have had since version 0.1."""
        return {"what": self.name, "good": self.ok, "words": self.message}


@dataclass(frozen=True, slots=True)
class DiagnosticRequest:
    """Request for the checks of a cluster."""

    cluster: str  # a profile's name or path
    runs: Path
    overrides: tuple[str, ...] = ()  # cluster.NAME=VALUE
    data_root: Path | None = None
    timeout_seconds: float = 300.0  # for the job on a compute node; 0: none is submitted


def run_diagnostics(
    request: DiagnosticRequest, print_line: Callable[[str], None], *, as_json: bool
) -> int:
    """Print the result of each check as soon as it is known; return the exit code.

    Args:
        request: Request for the checks of a cluster.
        print_line: Called with each line.
        as_json: Print all results as one JSON list at the end instead.

    Returns:
        0 if no check fails, otherwise 3.

    Raises:
        UsageError: The profile does not exist, or it or an override is wrong.
        SetupError: The runs folder is not writable.
    """
    profile = load_profile(request.cluster)
    resources = profile.resources("", "", request.overrides)
    ensure_writable(request.runs)
    results = []
    for result in _check(request, profile, resources):
        results.append(result)
        if not as_json:
            mark = {True: "ok", False: "FAILED", None: "note"}[result.ok]
            print_line(f"{mark:<6} {result.name}: {result.message}")
    if as_json:
        print_line(json.dumps([result.as_json() for result in results], indent=1))
    failed = sum(result.ok is False for result in results)
    if not as_json:
        print_line(f"{failed} of {len(results)} checks failed." if failed else "All checks passed.")
    return ExitCode.ENVIRONMENT if failed else ExitCode.DONE


def _check(
    request: DiagnosticRequest, profile: Profile, resources: Resources
) -> Iterator[DiagnosticResult]:
    yield _check_runs_folder(request.runs)
    yield from _check_pretrained_files()
    if profile.kind == "local":
        yield from _check_machine(_probe_here(request), resources)
        return
    try:
        yield from _check_controller(query_cluster(), resources)
        answer = check_submission(_job_array(resources, request.runs))
        yield DiagnosticResult("a job of this profile", True, answer)
        if request.timeout_seconds:
            yield from _check_compute_node(request, resources)
    except SlurmError as error:
        yield DiagnosticResult("slurm", False, str(error))


def _check_runs_folder(runs: Path) -> DiagnosticResult:
    """Check that what several users write into one runs folder is open to all of them."""
    problem = describe_unshared(runs)
    return DiagnosticResult(
        "runs folder", None if problem else True, problem or f"{runs} is writable"
    )


def _check_pretrained_files() -> Iterator[DiagnosticResult]:
    """Check which ImageNet weights are where training expects them."""
    from harness.models import NETWORKS
    from harness.models.pretrained import torchvision_cache_path

    names = dict.fromkeys(network.pretrained for network in NETWORKS.values())
    for name in filter(None, names):
        path = torchvision_cache_path(name)
        exists = path.is_file()
        message = str(path) if exists else f"missing; kdreid fetch-weights {name} downloads them"
        yield DiagnosticResult(f"weights of {name}", True if exists else None, message)


def _check_controller(cluster: ClusterInfo, resources: Resources) -> Iterator[DiagnosticResult]:
    """Check the cluster's settings."""
    yield DiagnosticResult("slurm", True, f"version {cluster.version}, cluster {cluster.name}")
    if cluster.sacct_error is None:
        yield DiagnosticResult("accounting", True, cluster.accounting_type)
    else:
        message = (
            f"none ({cluster.sacct_error}): Slurm forgets a job {cluster.min_job_age} s after its "
            "end; later the state of its runs comes from their folders alone"
        )
        yield DiagnosticResult("accounting", None, message)
    size = cluster.max_array_size
    yield DiagnosticResult("MaxArraySize", size is not None, str(size or "unknown"))
    effect = "preempted jobs are requeued"
    if not cluster.requeues_preempted:
        effect = "preempted jobs are cancelled, not requeued: submit their runs again"
    yield DiagnosticResult(
        "preemption",
        True if cluster.requeues_preempted else None,
        f"{cluster.preempt_type}, {cluster.preempt_mode}: {effect}",
    )
    if not cluster.requeues_by_default:
        message = "JobRequeue=0; these jobs request it themselves"
        yield DiagnosticResult("requeue", None, message)
    message = f"{cluster.kill_wait} s between SIGTERM and SIGKILL when a job is cancelled"
    yield DiagnosticResult("KillWait", None, message)
    yield from _check_partitions(cluster.partitions, resources.partition)


def _check_partitions(
    partitions: tuple[Partition, ...], requested: str | None
) -> Iterator[DiagnosticResult]:
    """Check the requested partitions, or else the default one."""
    names = requested.split(",") if requested else []
    known = [partition.name for partition in partitions]
    if any(name not in known for name in names):
        message = f"{requested} does not exist; the cluster has {', '.join(known)}"
        yield DiagnosticResult("partition", False, message)
    for partition in partitions:
        if partition.name in names or (partition.is_default and not names):
            message = (
                f"{partition.name}: {partition.nodes} nodes of {partition.cpus} cores, "
                f"{partition.memory} MB, {partition.gres or 'no GPU'}, "
                f"time limit {partition.time_limit}{'' if partition.is_up else '; it is down'}"
            )
            yield DiagnosticResult("partition", partition.is_up, message)


def _check_compute_node(
    request: DiagnosticRequest, resources: Resources
) -> Iterator[DiagnosticResult]:
    """Submit a job that writes into the runs folder, and read what it wrote."""
    folder = Path(tempfile.mkdtemp(prefix=".doctor-", dir=request.runs)).absolute()
    try:
        output = folder / "probe.json"
        arguments = [str(output), *_paths(request)]
        script = probe_script(_job_array(resources, folder), NODE_PROBE, arguments)
        job_id, submitted = submit_script(script), time.time()
        try:
            with waiting_for(f"job {job_id} on a compute node"):
                job = wait_until_finished(job_id, request.timeout_seconds)
        finally:
            cancel_quietly(job_id)
        if job is None or job.state != "COMPLETED":
            message = _describe_unfinished(job_id, job, folder, request.timeout_seconds)
            yield DiagnosticResult("compute node", False, message)
            return
        deadline = submitted + request.timeout_seconds + DISK_LAG_SECONDS
        while (machine := read_json(output)) is None and time.time() < deadline:
            time.sleep(1)
        if machine is None:
            message = f"{job.node} wrote into {request.runs}, but the file does not appear here"
            yield DiagnosticResult("shared disk", False, message)
            return
        message = f"{request.runs} was written by {machine['host']} ({job.node}) and read here"
        yield DiagnosticResult("shared disk", True, message)
        difference = abs(output.stat().st_mtime - float(machine["time"]))
        message = f"{difference:.1f} s between {job.node} and the disk"
        yield DiagnosticResult("clocks", difference < MAX_CLOCK_DIFFERENCE, message)
        yield from _check_machine(machine, resources)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _describe_unfinished(job_id: str, job: SlurmJob | None, folder: Path, seconds: float) -> str:
    if job is not None and job.is_finished:
        return f"job {job_id} ended as {job.state} on {job.node}: {read_log(folder)}"
    state = f"{job.state}, {job.reason}" if job else "not listed"
    return f"job {job_id} did not end within {seconds:.0f} s ({state}); wait longer: --wait SECONDS"


def _check_machine(machine: dict[str, Any], resources: Resources) -> Iterator[DiagnosticResult]:
    """Check the machine that will train, as `node_probe` inspected it."""
    here, there = platform.python_version(), machine["python"]
    same_minor = there.rpartition(".")[0] == here.rpartition(".")[0]
    message = f"{there} there, {here} here ({machine['executable']})"
    yield DiagnosticResult("python", same_minor, message)
    message = machine["torch"] or machine["error"]
    yield DiagnosticResult("torch", machine["torch"] is not None, message)
    message = f"{machine['cores']} of {resources.cpus} requested"
    yield DiagnosticResult("cores", True if machine["cores"] >= resources.cpus else None, message)
    if resources.wants_gpu:
        gpus = ", ".join(machine["gpus"])
        missing = f"torch sees none there, with CUDA_VISIBLE_DEVICES={machine['visible']}"
        yield DiagnosticResult("GPU", bool(gpus), gpus or missing)
    else:
        yield DiagnosticResult("GPU", None, "none requested: runs train on the CPU")
    for path, exists in machine["paths"].items():
        message = f"{path} {'exists' if exists else 'does not exist'} there"
        yield DiagnosticResult("data root", exists, message)


def _probe_here(request: DiagnosticRequest) -> dict[str, Any]:
    """Inspect this machine as a worker of the local pool would find it."""
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=request.runs) as folder:
        output = Path(folder).absolute() / "probe.json"
        command = [sys.executable, "-m", NODE_PROBE, str(output), *_paths(request)]
        subprocess.run(command, cwd=ROOT, check=True)
        return read_json(output) or {}


def _paths(request: DiagnosticRequest) -> list[str]:
    return [str(request.data_root.absolute())] if request.data_root else []


def _job_array(resources: Resources, logs: Path) -> JobArray:
    return JobArray("kdreid-doctor", resources, logs.absolute(), ROOT)
