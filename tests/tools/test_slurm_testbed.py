"""The test cluster behaves as a real one, and leaves nothing behind."""

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.core.errors import SlurmError
from slurm.testbed import ClusterSettings, processes, temporary_cluster
from slurm.testbed.config import CLUSTER_NAME
from slurm.testbed.layout import Layout

pytestmark = [pytest.mark.slurm, pytest.mark.usefixtures("slurm_installed")]
SEEN = 'echo "$SLURMD_NODENAME $CUDA_VISIBLE_DEVICES ${SLURM_RESTART_COUNT:-0}"'


def sbatch(cluster, folder, script, *options):
    """Submit a job that writes `folder`/<job>; the job's id."""
    path = folder / "job.sh"
    path.write_text(f"#!/bin/bash\n{script}\n")
    output = (
        f"--output={folder}/%A_%a" if "--array" in " ".join(options) else f"--output={folder}/%j"
    )
    return cluster.call("sbatch", "--parsable", output, "--open-mode=append", *options, str(path))


def state(cluster, job):
    return re.search(r"JobState=(\S+)", cluster.call("scontrol", "show", "job", "-o", job))[1]


def until(condition, seconds=60):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not come true in time"
        time.sleep(0.2)


def command(*words):
    words = [sys.executable, "-m", "slurm.testbed", *words]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def left(folder):
    layout = Layout(folder)
    return processes.find_daemons(layout) | processes.find_job_processes(layout)


def test_two_idle_nodes_with_gpus_in_three_partitions(cluster):
    assert set(cluster.nodes) == {"n1", "n2"}
    # Jobs of other tests may still be ending.
    until(lambda: "completing" not in cluster.node_states().values())
    assert cluster.node_states() == {"n1": "idle", "n2": "idle"}
    assert cluster.call("sinfo", "-h", "-o", "%P %l %D %G").splitlines() == [
        "gpu* infinite 2 gpu:2",
        "short 2:00 2 gpu:2",
        "urgent infinite 2 gpu:2",
    ]
    assert not cluster.accounting
    with pytest.raises(SlurmError, match="accounting storage is disabled"):
        cluster.call("sacct")


def test_a_job_sees_its_gpus_and_its_node(cluster, tmp_path):
    job = sbatch(cluster, tmp_path, SEEN, "--gpus-per-node=2", "--nodelist=n2")
    until(lambda: state(cluster, job) == "COMPLETED")
    assert (tmp_path / job).read_text() == "n2 0,1 0\n"


def test_elements_of_an_array_share_no_gpu(cluster, tmp_path):
    job = sbatch(cluster, tmp_path, f"{SEEN}; sleep 5", "--gpus-per-node=1", "--array=0-3")
    until(lambda: len(list(tmp_path.glob(f"{job}_*"))) == 4)
    until(lambda: all(path.read_text() for path in tmp_path.glob(f"{job}_*")))
    texts = {path.name: path.read_text() for path in tmp_path.glob(f"{job}_*")}
    assert set(texts) == {f"{job}_{index}" for index in range(4)}
    assert sorted(texts.values()) == ["n1 0 0\n", "n1 1 0\n", "n2 0 0\n", "n2 1 0\n"]
    cluster.call("scancel", job)


def test_an_array_above_the_limit_is_refused_whole(cluster, tmp_path):
    allowed = ClusterSettings().array_size - 1
    job = sbatch(cluster, tmp_path, "true", f"--array={allowed}")
    until(lambda: state(cluster, job) == "COMPLETED")
    with pytest.raises(SlurmError, match="Invalid job array specification"):
        sbatch(cluster, tmp_path, "true", f"--array=0-{allowed + 1}")


def test_a_job_that_waits_for_a_failed_one_is_cancelled(cluster, tmp_path):
    teacher = sbatch(cluster, tmp_path, "sleep 1; exit 7")
    student, other = (
        sbatch(
            cluster, tmp_path, "true", "--kill-on-invalid-dep=yes", f"--dependency={kind}:{teacher}"
        )
        for kind in ("afterok", "afterany")
    )
    assert state(cluster, student) == "PENDING"
    until(lambda: state(cluster, teacher) == "FAILED")
    until(lambda: state(cluster, student) == "CANCELLED")
    until(lambda: state(cluster, other) == "COMPLETED")


def test_an_urgent_job_sends_another_back_to_the_queue(cluster, tmp_path):
    """As submitit does it: on the signal, which comes at preemption, the job requeues itself."""
    trap = "trap 'echo signalled; scontrol requeue $SLURM_JOB_ID; exit 1' USR2"
    work = f'{trap}\n{SEEN}\n[ "$SLURM_RESTART_COUNT" ] && exit\nsleep 100 & wait'
    both = ("--nodes=2", "--gpus-per-node=2")
    job = sbatch(cluster, tmp_path, work, "--signal=B:USR2@30", *both)
    until(lambda: (tmp_path / job).exists() and (tmp_path / job).read_text())
    urgent = sbatch(cluster, tmp_path, SEEN, "--partition=urgent", *both)
    until(lambda: state(cluster, urgent) == "COMPLETED")
    assert state(cluster, job) == "PENDING"
    begin = time.monotonic()
    until(lambda: state(cluster, job) == "COMPLETED")
    assert time.monotonic() - begin < 40  # Slurm's default would be two minutes
    lines = (tmp_path / job).read_text().splitlines()
    assert [line for line in lines if "slurmstepd" not in line] == [
        "n1 0,1 0",
        "signalled",
        "n1 0,1 1",
    ]


def test_a_failed_nodes_job_runs_again_elsewhere(cluster, tmp_path):
    # exec: a shell that outlives its child by an instant would write that it was killed
    work = f'{SEEN}\n[ "$SLURM_RESTART_COUNT" ] && exit\nexec sleep 100'
    job = sbatch(cluster, tmp_path, work, "--gpus-per-node=2")
    until(lambda: (tmp_path / job).exists() and (tmp_path / job).read_text())
    node = (tmp_path / job).read_text().split()[0]
    other = ({"n1", "n2"} - {node}).pop()
    assert processes.find_job_processes(cluster.layout, node)
    cluster.stop_node(node)
    assert cluster.node_states()[node].startswith("down")
    assert not processes.find_job_processes(cluster.layout)
    until(lambda: state(cluster, job) == "COMPLETED")
    assert (tmp_path / job).read_text() == f"{node} 0,1 0\n{other} 0,1 1\n"
    cluster.start_node(node)
    assert cluster.node_states() == {"n1": "idle", "n2": "idle"}
    with pytest.raises(SlurmError, match=f"{node} is already running"):
        cluster.start_node(node)
    with pytest.raises(SlurmError, match="'n3'; the cluster has n1, n2"):
        cluster.stop_node("n3")


def test_accounting_knows_how_jobs_ended(accounted, tmp_path):
    assert accounted.accounting
    good = sbatch(accounted, tmp_path, "true", "--gpus-per-node=1")
    bad = sbatch(accounted, tmp_path, "kill -KILL $$")

    def known():
        lines = accounted.call("sacct", "-nXP", "-o", "jobid,state,exitcode").splitlines()
        return {f"{good}|COMPLETED|0:0", f"{bad}|FAILED|0:9"} <= set(lines)

    until(known)
    assert "gres/gpu=1" in accounted.call("sacct", "-nXP", "-o", "alloctres", "-j", good)
    assert CLUSTER_NAME in accounted.call("sacctmgr", "-nP", "show", "cluster")


def test_both_clusters_run_side_by_side(cluster, accounted):
    assert cluster.environment["SLURM_CONF"] != accounted.environment["SLURM_CONF"]
    assert cluster.node_states() == accounted.node_states()


def test_stop_leaves_no_process_and_a_restart_begins_with_an_empty_queue(slurm_installed, tmp_path):
    folder, output = tmp_path / "c", tmp_path / "jobs"
    output.mkdir()
    with temporary_cluster(folder, settings=ClusterSettings(nodes=1, gpus=1)) as first:
        stubborn = sbatch(
            first, output, "trap '' TERM; setsid sleep 321 & echo up; while :; do sleep 1; done"
        )
        until(lambda: (output / stubborn).exists() and (output / stubborn).read_text())
        waiting = sbatch(first, output, "true", "--cpus-per-task=4")
        assert state(first, waiting) == "PENDING"
        assert len(left(folder)) >= 6
        with pytest.raises(SlurmError, match="runs in .* already"), temporary_cluster(folder):
            raise AssertionError
        assert first.node_states() == {"n1": "mixed"}  # the refused second start left it alone
    assert not left(folder)
    with temporary_cluster(folder, settings=ClusterSettings(nodes=1)) as second:
        assert second.node_states() == {"n1": "idle"}
        assert second.call("squeue", "--noheader") == ""
        processes.send_signal(left(folder))  # as when the machine goes down
    with temporary_cluster(folder) as third:
        assert third.node_states() == {"n1": "idle", "n2": "idle"}
    assert not left(folder)


DYING_START = """
import os, signal, sys
from pathlib import Path
from slurm.testbed import cluster
cluster.start_slurmctld = lambda layout: os.kill(os.getpid(), signal.SIGKILL)
cluster.start_cluster(Path(sys.argv[1]))
"""


def kill_a_start(folder):
    """Leave what a start has done when it is killed before its second daemon; the first one."""
    start = subprocess.run([sys.executable, "-c", DYING_START, str(folder)], check=False)
    assert start.returncode == -signal.SIGKILL
    (munged,) = processes.find_daemons(Layout(folder), "munged")
    return munged


def test_a_killed_start_is_cleaned_up_by_the_next_one_or_by_stop(slurm_installed, tmp_path):
    folder = tmp_path / "c"
    munged = kill_a_start(folder)
    with temporary_cluster(folder) as cluster:
        assert munged not in processes.find_daemons(cluster.layout)
        assert cluster.node_states() == {"n1": "idle", "n2": "idle"}
    munged = kill_a_start(folder)
    assert left(folder) == {munged}
    stopped = command("stop", "--folder", str(folder))
    assert (stopped.returncode, stopped.stderr) == (0, f"Stopped the cluster in {folder}\n")
    assert not left(folder)


def test_the_commands_of_the_shell(slurm_installed, tmp_path):
    place = ("--folder", str(tmp_path / "c"))
    refused = command("stop-node", "n1", *place)
    assert refused.returncode == 3
    assert f"first python -m slurm.testbed start --folder {tmp_path / 'c'}" in refused.stderr
    started = command("start", *place)
    try:
        assert started.returncode == 0, started.stderr
        assert started.stdout == f"export SLURM_CONF={tmp_path}/c/etc/slurm.conf\n"
        assert re.search(r"slurm.* n1, n2 idle after \d+\.\d s, accounting off", started.stderr)
        assert command("stop-node", "n2", *place).returncode == 0
        shown = command("status", *place)
        assert shown.returncode == 1
        assert re.search(r"^n1 +idle +\d+$", shown.stdout, re.M)
        assert re.search(r"^n2 +down +-$", shown.stdout, re.M)
        assert command("start-node", "n2", *place).returncode == 0
        assert command("status", *place).returncode == 0
    finally:
        assert command("stop", *place).returncode == 0
    assert command("stop", *place).stderr == f"No cluster was running in {tmp_path / 'c'}\n"


def test_no_daemon_of_slurms_own_listens_to_the_network(cluster):
    """The controller and the nodes answer on the loopback address only."""
    text = cluster.layout.slurm_conf.read_text()
    ports = {int(port) for port in re.findall(r"(?:SlurmctldPort| Port)=(\d+)", text)}
    assert len(ports) == 3
    listening = {
        (int(port, 16), socket.inet_ntoa(bytes.fromhex(address)[::-1]))
        for address, port, kind in re.findall(
            r"^ *\d+: (\w{8}):(\w{4}) \w{8}:\w{4} (\w\w)", Path("/proc/net/tcp").read_text(), re.M
        )
        if kind == "0A"
    }
    assert {pair for pair in listening if pair[0] in ports} == {
        (port, "127.0.0.1") for port in ports
    }


@pytest.mark.parametrize(("name", "reason"), [("x" * 100, "too deep"), ("a b", "cannot contain")])
def test_a_folder_slurm_could_not_use_is_refused(slurm_installed, tmp_path, name, reason):
    with pytest.raises(SlurmError, match=reason), temporary_cluster(tmp_path / name):
        raise AssertionError
    assert not (tmp_path / name).exists()


def test_a_daemon_that_fails_is_quoted_and_the_others_are_ended(slurm_installed, tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "munge.key").write_bytes(b"short")
    with pytest.raises(SlurmError, match="munged ended; .*(?s:.)*key"), temporary_cluster(tmp_path):
        raise AssertionError
    assert not left(tmp_path)


def test_stop_ends_a_cluster_whose_controller_does_not_answer(
    slurm_installed, tmp_path, monkeypatch
):
    monkeypatch.setattr("slurm.testbed.cluster.TERMINATION_SECONDS", 1.0)  # to answer scancel
    with temporary_cluster(tmp_path, settings=ClusterSettings(nodes=1)) as cluster:
        processes.send_signal(processes.find_daemons(cluster.layout, "munged"))
        with pytest.raises(SlurmError, match="sinfo took more than 1 s"):
            cluster.call("sinfo", timeout_seconds=1)
    assert not left(tmp_path)
