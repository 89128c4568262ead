"""Command line of the testbed: `python -m slurm.testbed start|stop|status|stop-node|start-node`.

Exit code 3: it failed, with the reason on standard error.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from harness.core.errors import SlurmError
from slurm.testbed.cluster import Cluster, is_running, start_cluster, stop_cluster
from slurm.testbed.layout import Layout
from slurm.testbed.processes import find_daemons

NOT_RUNNING = 1


def main() -> int:
    """Execute one command line; return the exit code."""
    options = _make_parser().parse_args()
    try:
        return int(options.execute(options))
    except SlurmError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def _start(options: argparse.Namespace) -> int:
    """Write what a shell should evaluate to standard output, the rest to standard error."""
    cluster = start_cluster(options.folder, accounting=options.accounting)
    sys.stderr.write(
        f"{cluster.call('sinfo', '--version')}: {', '.join(cluster.nodes)} idle after "
        f"{cluster.seconds:.1f} s, accounting {'on' if cluster.accounting else 'off'}, "
        f"in {cluster.folder}\n"
    )
    sys.stdout.write(f"export SLURM_CONF={cluster.layout.slurm_conf}\n")
    return 0


def _stop(options: argparse.Namespace) -> int:
    has_stopped = stop_cluster(options.folder)
    message = "Stopped the cluster" if has_stopped else "No cluster was running"
    sys.stderr.write(f"{message} in {options.folder}\n")
    return 0


def _status(options: argparse.Namespace) -> int:
    """Print the state of every daemon and node; return 0 if all nodes accept jobs, otherwise 1."""
    layout = Layout(options.folder)
    if not is_running(layout):
        sys.stdout.write(f"No cluster runs in {options.folder}\n")
        return NOT_RUNNING
    cluster = Cluster(layout)
    for name in ("munged", *(("mariadbd", "slurmdbd") if cluster.accounting else ()), "slurmctld"):
        _print_daemon(name, "process", layout)
    for name, state in cluster.node_states().items():
        _print_daemon(name, state, layout)
    return 0 if all(map(cluster.accepts_jobs, cluster.nodes)) else NOT_RUNNING


def _print_daemon(name: str, state: str, layout: Layout) -> None:
    processes = " ".join(map(str, sorted(find_daemons(layout, name)))) or "-"
    sys.stdout.write(f"{name:10} {state:10} {processes}\n")


def _stop_node(options: argparse.Namespace) -> int:
    _running_cluster(options).stop_node(options.node)
    return 0


def _start_node(options: argparse.Namespace) -> int:
    _running_cluster(options).start_node(options.node)
    return 0


def _running_cluster(options: argparse.Namespace) -> Cluster:
    layout = Layout(options.folder)
    if not is_running(layout):
        raise SlurmError(
            f"No cluster runs in {options.folder}; "
            f"first python -m slurm.testbed start --folder {options.folder}"
        )
    return Cluster(layout)


def _resolve_folder(text: str) -> Path:
    return Path(text).resolve()


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m slurm.testbed",
        description="A real Slurm cluster on this machine, for tests.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, execute, text in (
        ("start", _start, "start it and wait until its nodes are idle"),
        ("stop", _stop, "cancel its jobs and end its processes, also after a killed start"),
        ("status", _status, "show its daemons, nodes and their processes"),
        ("stop-node", _stop_node, "simulate the failure of a node and of the jobs on it"),
        ("start-node", _start_node, "start a stopped node again"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(execute=execute)
        default = Path(tempfile.gettempdir()) / "slurm-testbed"
        command.add_argument(
            "--folder", type=_resolve_folder, default=default, help=f"default: {default}"
        )
        if name == "start":
            command.add_argument(
                "--accounting", action="store_true", help="with slurmdbd and MariaDB"
            )
        if name.endswith("-node"):
            command.add_argument("node", help="n1, n2 ...")
    return parser


if __name__ == "__main__":
    sys.exit(main())
