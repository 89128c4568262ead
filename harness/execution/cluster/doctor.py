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

from harness.core.errors import DONE, ENVIRONMENT, SlurmError
from harness.core.files import read_json, require_writable
from harness.execution.cluster.code_snapshot import ROOT
from harness.execution.cluster.profile import Profile, load_profile
from slurm.cluster_info import Facts, facts
from slurm.probe_job import probe_script, read_log, send, wait_for_end, withdraw
from slurm.resources import Resources
from slurm.submit import Array, rehearse

LAG = 60.0  # seconds in which a shared disk shows a file that another machine wrote
CLOCK = 10.0  # seconds that two machines' clocks may differ: heartbeats are told by them


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `good` is None where it is only worth knowing."""

    what: str
    good: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class Visit:
    """What the doctor is to look at."""

    cluster: str
    runs: Path
    settings: tuple[str, ...] = ()  # of --set cluster.NAME=VALUE
    data_root: Path | None = None
    patience: float = 300.0  # seconds for the job on a compute node; 0: none is sent


def doctor(visit: Visit, say: Callable[[str], None], *, as_json: bool) -> int:
    """Say what was found as it is found; 0 if nothing is wrong, otherwise 3.

    Raises:
        UsageError: there is no such profile, or it is wrong.
        SetupError: the runs folder is not writable.
    """
    profile = load_profile(visit.cluster)
    resources = profile.resources("", "", visit.settings)
    require_writable(visit.runs)
    found = []
    for finding in _look(visit, profile, resources):
        found.append(finding)
        if not as_json:
            mark = {True: "ok", False: "WRONG", None: "note"}[finding.good]
            say(f"{mark:<6} {finding.what}: {finding.words}")
    if as_json:
        say(json.dumps([asdict(finding) for finding in found], indent=1))
    wrong = sum(finding.good is False for finding in found)
    if not as_json:
        say(f"Wrong: {wrong} of {len(found)}." if wrong else "Nothing is wrong.")
    return ENVIRONMENT if wrong else DONE


def _look(visit: Visit, profile: Profile, resources: Resources) -> Iterator[Finding]:
    yield from _weights()
    if profile.kind == "local":
        yield from _seen(_probe_here(visit), resources)
        return
    try:
        yield from _cluster(facts(), resources)
        yield Finding("a job of this profile", True, rehearse(_array(resources, visit.runs)))
        if visit.patience:
            yield from _on_a_node(visit, resources)
    except SlurmError as error:
        yield Finding("slurm", False, str(error))


def _cluster(told: Facts, resources: Resources) -> Iterator[Finding]:
    """What the controller says."""
    yield Finding("slurm", True, f"version {told.version}, cluster {told.cluster}")
    if told.sacct is None:
        yield Finding("accounting", True, told.accounting)
    else:
        yield Finding(
            "accounting",
            None,
            f"none ({told.sacct}): a job is forgotten {told.forgets_after} s after its end; how "
            "runs stand then comes from their folders alone",
        )
    yield Finding("MaxArraySize", told.array_size is not None, str(told.array_size or "unknown"))
    back = (
        "preempted jobs come back"
        if told.keeps_preempted
        else ("preempted jobs are cancelled, not requeued: submit again after that")
    )
    good = True if told.keeps_preempted else None
    yield Finding("preemption", good, f"{told.preempt_type}, {told.preempt_mode}: {back}")
    if not told.requeue:
        yield Finding("requeue", None, "JobRequeue=0; these jobs ask for it themselves")
    wait = f"{told.kill_wait} s between the request to stop and the kill at a cancellation"
    yield Finding("KillWait", None, wait)
    names = {part.name: part for part in told.partitions}
    if resources.partition and any(n not in names for n in resources.partition.split(",")):
        words = f"there is no {resources.partition}; there are {', '.join(names)}"
        yield Finding("partition", False, words)
    for part in told.partitions:
        if part.name in (resources.partition or "").split(",") or (
            part.default and not resources.partition
        ):
            words = (
                f"{part.name}: {part.nodes} nodes of {part.cpus} cores, {part.memory} MB, "
                f"{part.gres or 'no GPU'}, time limit {part.limit}"
            )
            yield Finding("partition", part.up, words if part.up else f"{words}; it is down")


def _on_a_node(visit: Visit, resources: Resources) -> Iterator[Finding]:
    """Send a job that writes into the runs folder from a compute node."""
    folder = Path(tempfile.mkdtemp(prefix=".doctor-", dir=visit.runs)).absolute()
    try:
        answer = folder / "sight.json"
        arguments = [str(answer), *_paths(visit)]
        text = probe_script(
            _array(resources, folder), "harness.execution.cluster.node_probe", arguments
        )
        job, sent = send(text), time.time()
        try:
            end = wait_for_end(job, visit.patience)
        finally:
            withdraw(job)
        if end is None or not end.over:
            why = f"{end.state}, {end.reason}" if end else "not listed"
            words = f"job {job} did not end within {visit.patience:.0f} s ({why}); --wait SECONDS"
            yield Finding("compute node", False, words)
            return
        if end.state != "COMPLETED":
            words = f"job {job} ended as {end.state} on {end.node}: {read_log(folder)}"
            yield Finding("compute node", False, words)
            return
        while (seen := read_json(answer)) is None and time.time() < sent + visit.patience + LAG:
            time.sleep(1)
        if seen is None:
            words = f"{end.node} wrote into {visit.runs}, but nothing of it is seen here"
            yield Finding("shared disk", False, words)
            return
        words = f"{visit.runs} was written by {seen['host']} ({end.node}) and read here"
        yield Finding("shared disk", True, words)
        apart = abs(answer.stat().st_mtime - float(seen["time"]))
        clock = f"{apart:.1f} s between {end.node} and the disk"
        yield Finding("clocks", apart < CLOCK, clock)
        yield from _seen(seen, resources)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _seen(seen: dict[str, Any], resources: Resources) -> Iterator[Finding]:
    """What the machine that will train sees."""
    here = platform.python_version()
    same = seen["python"].rpartition(".")[0] == here.rpartition(".")[0]
    yield Finding("python", same, f"{seen['python']} there, {here} here ({seen['executable']})")
    yield Finding("torch", seen["torch"] is not None, seen["torch"] or seen["error"])
    cores = f"{seen['cores']} of {resources.cpus} asked for"
    yield Finding("cores", True if seen["cores"] >= resources.cpus else None, cores)
    if resources.wants_gpu:
        names = ", ".join(seen["gpus"])
        given = f"Slurm gave CUDA_VISIBLE_DEVICES={seen['visible']}"
        yield Finding("GPU", bool(names), names or f"torch sees none there; {given}")
    else:
        yield Finding("GPU", None, "none asked for: runs train on the CPU")
    for path, there in seen["paths"].items():
        yield Finding("data root", there, f"{path} {'is' if there else 'is not'} there")


def _probe_here(visit: Visit) -> dict[str, Any]:
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


def _paths(visit: Visit) -> list[str]:
    return [str(visit.data_root.absolute())] if visit.data_root else []


def _array(resources: Resources, logs: Path) -> Array:
    return Array("kdreid-doctor", resources, logs.absolute(), ROOT, 1, 1)


def _weights() -> Iterator[Finding]:
    """Which ImageNet weights lie where training looks for them."""
    from harness.models import NETWORKS
    from harness.models.pretrained import cached

    published = dict.fromkeys(network.pretrained for network in NETWORKS.values())
    for name in filter(None, published):
        path = cached(name)
        words = str(path) if path.is_file() else f"none yet: kdreid fetch-weights {name}"
        yield Finding(f"weights of {name}", True if path.is_file() else None, words)
