"""Processes of ours that begin at once: forks of one that has imported everything.

Importing torch takes a command seconds before it does anything. Tests that kill it, send it signals
or race it with another want a process of its own, not this time. That commands start without any
help is shown where `subprocess` is used instead.
"""

import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
# What commands import when they are called, apart from the modules that `python -m` runs.
IMPORTED = (
    "harness.cli.app",
    "harness.analysis.consistency",
    "harness.analysis.embeddings",
    "harness.analysis.ranked_lists",
    "harness.execution.in_process",
    "harness.execution.cluster.submit",
    "harness.execution.worker_inputs",
    "harness.planning.plan",
    "harness.planning.reproduce",
    "results.report",
    "results.figures.all",
)


class Fork:
    """A started process, with the methods of `subprocess.Popen` that tests use."""

    def __init__(self, pid, ended, outputs):
        self.pid, self.returncode, self._ended, self._outputs = pid, None, ended, outputs

    def poll(self):
        return self._await(0)

    def wait(self, timeout=None):
        if self._await(timeout) is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
        return self.returncode

    def communicate(self, timeout=None):
        self.wait(timeout)
        texts = []
        for file in self._outputs:
            file.seek(0)
            texts.append(file.read())
            file.close()
        return tuple(texts)

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def _await(self, seconds):
        if self.returncode is None and select.select([self._ended], [], [], seconds)[0]:
            self.returncode = json.loads(self._ended.readline())
            self._ended.close()
        return self.returncode


class ForkServer:
    """A process that forks whenever it is asked; it ends with this object or this process.

    Args:
        command: Makes of Python's words the whole command, such as that of another user.
        env: Environment variables; None: this process's.
    """

    def __init__(self, command=list, env=None):
        environment = dict(os.environ) if env is None else env
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                command([sys.executable, "-m", __name__, str(theirs.fileno())]),
                cwd=ROOT,
                env=environment | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def start(self, words, *, cwd, env, umask=None):
        """Start what `python WORDS` would, with these folder and environment variables."""
        outputs = [os.fdopen(os.memfd_create(name), "r+") for name in ("output", "errors")]
        source, target = os.pipe()
        asked = {"words": [*map(str, words)], "cwd": str(cwd), "env": dict(env), "umask": umask}
        message = json.dumps(asked).encode()
        try:
            socket.send_fds(
                self._socket, [len(message).to_bytes(4)], [*(f.fileno() for f in outputs), target]
            )
            self._socket.sendall(message)
        finally:
            os.close(target)
        ended = os.fdopen(source)
        return Fork(json.loads(ended.readline()), ended, outputs)

    def close(self):
        """End the server; what it has started goes on."""
        self._socket.close()
        self._process.wait()


@cache
def _server():
    return ForkServer()


def close():
    """End the server of `start`, if there is one."""
    if _server.cache_info().currsize:
        _server().close()
        _server.cache_clear()


def start(words, *, cwd=ROOT, env=None):
    """Start what `python WORDS` would, with these variables added to the environment's."""
    return _server().start(words, cwd=cwd, env=os.environ | (env or {}))


def call(words, *, timeout=250, **options):
    """Run what `python WORDS` would to its end."""
    process = start(words, **options)
    try:
        output, errors = process.communicate(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


def _serve(connection):
    """Fork for every message, until the other end is closed; only forks return, with theirs."""
    for name in IMPORTED:
        __import__(name)
    while True:
        size, files, _, _ = socket.recv_fds(connection, 4, 3)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not size:
            return None
        message = connection.recv(int.from_bytes(size), socket.MSG_WAITALL)
        if os.fork() == 0:
            connection.close()
            return json.loads(message), files
        for file in files:
            os.close(file)


def _watch(target):
    """Fork, and tell the id and then the exit code of the fork, in which alone this returns."""
    if (pid := os.fork()) == 0:
        os.close(target)
        return
    for number in (1, 2):
        os.close(number)
    os.write(target, f"{pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    os.write(target, f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(asked, outputs):
    """Do what Python does with these words."""
    for number, output in enumerate(outputs, 1):
        os.dup2(output, number)
        os.close(output)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    if asked["umask"] is not None:
        os.umask(int(asked["umask"], 8))
    first, content, *sys.argv[1:] = asked["words"]
    folders = [*asked["env"].get("PYTHONPATH", "").split(os.pathsep), str(ROOT)]
    kept = [folder for folder in sys.path if folder not in {"", *folders}]
    start = "" if first == "-c" else asked["cwd"]
    sys.path[:] = [start, *(folder for folder in folders if folder), *kept]
    if first == "-c":
        sys.argv[0] = "-c"
        sys.modules["__main__"] = main = ModuleType("__main__")
        exec(compile(content, "<string>", "exec"), vars(main))
    else:
        runpy.run_module(content, run_name="__main__", alter_sys=True)


def _main():
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        asked = _serve(connection)
    if asked is not None:
        message, (*outputs, target) = asked
        _watch(target)
        _become(message, outputs)


if __name__ == "__main__":
    _main()
