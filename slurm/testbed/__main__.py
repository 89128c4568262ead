"""`python -m slurm.testbed start|stop|status|stop-node|start-node`; exit code 3: it could not."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from harness.core.errors import SlurmError
from slurm.testbed.cluster import Cluster, running, start, stop
from slurm.testbed.layout import Layout
from slurm.testbed.processes import daemons

NOT_RUNNING = 1


def main() -> int:
    """Carry out one command line; the exit code."""
    options = _parser().parse_args()
    try:
        return int(options.act(options))
    except SlurmError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code


def _start(options: argparse.Namespace) -> int:
    """What a shell should evaluate goes to standard output, the rest to standard error."""
    cluster = start(options.folder, accounting=options.accounting)
    sys.stderr.write(
        f"{cluster.call('sinfo', '--version')}: {', '.join(cluster.nodes)} idle after "
        f"{cluster.seconds:.1f} s, accounting {'on' if cluster.accounting else 'off'}, "
        f"all of it in {cluster.folder}\n"
    )
    sys.stdout.write(f"export SLURM_CONF={cluster.layout.slurm_conf}\n")
    return 0


def _stop(options: argparse.Namespace) -> int:
    stopped = stop(options.folder)
    sys.stderr.write(
        f"{'Stopped the cluster' if stopped else 'Nothing runs'} in {options.folder}\n"
    )
    return 0


def _status(options: argparse.Namespace) -> int:
    """Exit code 0 if every node takes jobs, otherwise 1."""
    layout = Layout(options.folder)
    if not running(layout):
        sys.stdout.write(f"No cluster runs in {options.folder}\n")
        return NOT_RUNNING
    cluster = Cluster(layout)
    for name in ("munged", *(("mariadbd", "slurmdbd") if cluster.accounting else ()), "slurmctld"):
        _show(name, "process", layout)
    for name, state in cluster.states().items():
        _show(name, state, layout)
    return 0 if all(map(cluster.takes_jobs, cluster.nodes)) else NOT_RUNNING


def _show(name: str, state: str, layout: Layout) -> None:
    processes = " ".join(map(str, sorted(daemons(layout, name)))) or "-"
    sys.stdout.write(f"{name:10} {state:10} {processes}\n")


def _stop_node(options: argparse.Namespace) -> int:
    _of(options).stop_node(options.node)
    return 0


def _start_node(options: argparse.Namespace) -> int:
    _of(options).start_node(options.node)
    return 0


def _of(options: argparse.Namespace) -> Cluster:
    layout = Layout(options.folder)
    if not running(layout):
        raise SlurmError(
            f"No cluster runs in {options.folder}; "
            f"first python -m slurm.testbed start --folder {options.folder}"
        )
    return Cluster(layout)


def _folder(text: str) -> Path:
    return Path(text).resolve()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m slurm.testbed",
        description="A real SLURM cluster on this machine, for tests.",
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, act, words in (
        ("start", _start, "start it and wait until its nodes are idle"),
        ("stop", _stop, "cancel its jobs and end its processes, also after a killed start"),
        ("status", _status, "its daemons, nodes and their processes"),
        ("stop-node", _stop_node, "let one node fail, with the jobs on it"),
        ("start-node", _start_node, "bring it back"),
    ):
        verb = verbs.add_parser(name, help=words, description=words)
        verb.set_defaults(act=act)
        default = Path(tempfile.gettempdir()) / "slurm-testbed"
        verb.add_argument("--folder", type=_folder, default=default, help=f"default: {default}")
        if name == "start":
            verb.add_argument("--accounting", action="store_true", help="with slurmdbd and MariaDB")
        if name.endswith("-node"):
            verb.add_argument("node", help="n1, n2 ...")
    return parser


if __name__ == "__main__":
    sys.exit(main())
