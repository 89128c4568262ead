"""Write the configuration files of a cluster: a controller and several nodes on one machine."""

from __future__ import annotations

import os
import pwd
import socket
from dataclasses import dataclass

from slurm.testbed.layout import Layout

CLUSTER_NAME = "testbed"

# No cgroups (containers have none): processes are tracked by parentage (linuxproc), tasks are
# not bound. config_overrides lets nodes claim more than the machine has. A requeued job waits
# cred_expire seconds, 120 by default. ReturnToService=2 takes a lost node back when it answers.
# No...InAddrAny keeps the daemons off the network. preempt_send_user_signal sends the signal of
# `sbatch --signal` at preemption, too, not only before the time limit.
SLURM_CONF = """\
ClusterName={cluster}
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={controller_port}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthInfo=socket={munge_socket},cred_expire={requeue_delay}
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/%n.pid
SlurmdSpoolDir={folder}/spool/%n
StateSaveLocation={folder}/state
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/linux
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout={node_timeout}
SlurmctldTimeout=30
MessageTimeout=30
KillWait={kill_wait}
MinJobAge={job_age}
MaxArraySize={array_size}
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
GresTypes=gpu
{accounting}{nodes}
PartitionName=gpu Nodes=ALL Default=YES DefaultTime=60 PriorityTier=1 GraceTime={grace}
PartitionName=short Nodes=ALL DefaultTime=1 MaxTime=2 PriorityTier=1 GraceTime={grace}
PartitionName=urgent Nodes=ALL DefaultTime=60 PriorityTier=10
"""
ACCOUNTING = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={database_port}
AccountingStoragePass={munge_socket}
AccountingStorageTRES=gres/gpu
"""
NODE = (
    "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} "
    "CPUs={cpus} RealMemory={memory} Gres=gpu:{gpus}"
)
SLURMDBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={munge_socket}
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={database_port}
SlurmUser={user}
PidFile={folder}/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser={user}
StorageLoc=slurm_accounting
"""


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Size of a cluster, and its times in seconds, short enough for tests."""

    nodes: int = 2
    gpus: int = 2  # per node
    cpus: int = 4  # per node
    memory: int = 8000  # MB per node
    array_size: int = 6  # indices of an array are below it: small, so that few jobs exceed it
    requeue_delay: int = 10  # before a requeued job may start again; Slurm's default is 120
    grace: int = 20  # between preemption's signal and SIGKILL
    kill_wait: int = 5  # between SIGTERM and SIGKILL
    node_timeout: int = 30  # until a silent node counts as failed
    job_age: int = 60  # for which squeue and scontrol list a finished job

    @property
    def node_names(self) -> tuple[str, ...]:
        """Names of the nodes: n1, n2 and so on."""
        return tuple(f"n{index + 1}" for index in range(self.nodes))


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports of a cluster's daemons."""

    controller: int
    database: int
    nodes: tuple[int, ...]


def current_user() -> str:
    """Return the name of the user of this process, who runs every daemon and every job."""
    return pwd.getpwuid(os.getuid()).pw_name


def write_config(
    layout: Layout, settings: ClusterSettings, ports: Ports, *, accounting: bool
) -> None:
    """Write all configuration files, and the files in place of GPUs' devices."""
    host = socket.gethostname().partition(".")[0]
    values: dict[str, object] = {
        "cluster": CLUSTER_NAME,
        "folder": layout.folder,
        "host": host,
        "user": current_user(),
        "controller_port": ports.controller,
        "database_port": ports.database,
        "munge_socket": layout.munge_socket,
        "requeue_delay": settings.requeue_delay,
        "grace": settings.grace,
        "kill_wait": settings.kill_wait,
        "node_timeout": settings.node_timeout,
        "job_age": settings.job_age,
        "array_size": settings.array_size,
        "accounting": "",
        "nodes": "\n".join(
            NODE.format(
                name=name,
                host=host,
                port=port,
                cpus=settings.cpus,
                memory=settings.memory,
                gpus=settings.gpus,
            )
            for name, port in zip(settings.node_names, ports.nodes, strict=True)
        ),
    }
    if accounting:
        values["accounting"] = ACCOUNTING.format_map(values)
    layout.slurm_conf.write_text(SLURM_CONF.format_map(values))
    layout.gres_conf.write_text(_gres(layout, settings))
    layout.slurmdbd_conf.unlink(missing_ok=True)
    if accounting:
        layout.slurmdbd_conf.touch(mode=0o600)  # slurmdbd refuses a file that others may read
        layout.slurmdbd_conf.write_text(SLURMDBD_CONF.format_map(values))


def _gres(layout: Layout, settings: ClusterSettings) -> str:
    """Return gres.conf; Slurm wants a separate device for each GPU, so each is a link to one."""
    for index in range(settings.gpus):
        layout.gpu(index).unlink(missing_ok=True)
        layout.gpu(index).symlink_to("/dev/null")
    files = f"{layout.folder / 'gpu'}/[0-{settings.gpus - 1}]"
    lines = [f"NodeName={name} Name=gpu File={files}" for name in settings.node_names]
    return "\n".join(["AutoDetect=off", *lines]) + "\n"
