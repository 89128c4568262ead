"""The code that jobs run: a copy made at submission, so that what is edited later changes no job.

It lies in `runs/code/<digest>/`, by content: the same code is copied once. Methods from elsewhere
are part of it, with all that they imported from the folder they came from.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.core.errors import SetupError, UsageError
from harness.plugins.lookup import resolve_method
from harness.runs.code_version import COMMIT_FILE, git_state

ROOT = Path(__file__).parents[3]
OURS = ("harness", "methods", "results", "slurm", "configs")
CODE = "code"
LARGEST = 50_000_000  # bytes that a method from elsewhere may bring
LEFT_OUT = ("__pycache__", ".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache")


def snapshot(runs: Path, methods: Iterable[str]) -> Path:
    """The folder below `runs` that holds the present code, copied there if it was not.

    Raises:
        UsageError: a method cannot be copied.
        SetupError: the copy is not what it was.
    """
    sources = {name: ROOT / name for name in OURS}
    for method in methods:
        for path in _foreign(method):
            if (other := sources.setdefault(path.name, path)) != path:
                raise UsageError(
                    f"{method} lies in {path}, which has the name of {other}: jobs could not tell "
                    "them apart. Rename one."
                )
    files = {file: source for name, path in sources.items() for file, source in _files(name, path)}
    told = json.dumps(git_state()).encode()
    digest = _digest(files, told)[:12]
    target = (runs / CODE / digest).absolute()
    if not target.exists():
        _copy(files, told, target)
    copied = {file: target / file for file in files}
    try:
        whole = _digest(copied, (target / COMMIT_FILE).read_bytes())[:12] == digest
    except OSError:
        whole = False
    if not whole:
        raise SetupError(f"{target} was changed after it was made. Remove it and submit again.")
    return target


def _foreign(method: str) -> list[Path]:
    """Files and package folders, by their top-level names, that a method from elsewhere needs.

    Raises:
        UsageError: they cannot be copied.
    """
    if ":" not in method or method.startswith("torchdistill:"):
        return []  # ours, or declared in configs
    top = resolve_method(method).__module__.partition(".")[0]
    if (home := _home(top)) is None:
        raise UsageError(
            f"{method} is not a plain file or package on disk, so its code cannot be copied for "
            "the jobs. Install it where they run, as a package that offers it under "
            "`kdreid.methods`, or train with it here, without --cluster."
        )
    if _installed(home):
        return [_entry(home, top)]
    names = {name.partition(".")[0] for name in list(sys.modules)}
    beside = [name for name in names if _home(name) == home and name not in OURS]
    return [_entry(home, name) for name in sorted(beside)]


def _home(name: str) -> Path | None:
    """The folder that a module was imported from; None if it is not a file of Python's."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if file is None or not file.endswith(".py"):
        return None
    path = Path(file).resolve()
    return path.parents[1] if path.name == "__init__.py" else path.parent


def _entry(home: Path, name: str) -> Path:
    return home / name if (home / name).is_dir() else home / f"{name}.py"


def _installed(home: Path) -> bool:
    kinds = ("purelib", "platlib", "stdlib")
    return any(home == Path(sysconfig.get_path(kind)).resolve() for kind in kinds)


def _files(name: str, path: Path) -> Iterator[tuple[str, Path]]:
    """The files of a package, or the one of a module, by where they go in the copy."""
    if path.is_file():
        yield name, path
        return
    size = 0
    for file in sorted(path.rglob("*")):
        if file.is_file() and not set(LEFT_OUT) & set(file.relative_to(path).parts):
            size += file.stat().st_size
            if size > LARGEST:
                raise UsageError(
                    f"{path} holds more than {LARGEST // 1_000_000} MB, too much to copy for every "
                    "submission. Move what is no code out of it."
                )
            yield f"{name}/{file.relative_to(path).as_posix()}", file


def _digest(files: dict[str, Path], told: bytes) -> str:
    content = hashlib.sha256(told)
    for name in sorted(files):
        content.update(f"\0{name}\0".encode())
        content.update(files[name].read_bytes())
    return content.hexdigest()


def _copy(files: dict[str, Path], told: bytes, target: Path) -> None:
    """Fill a folder beside the target, then rename it: there is never half a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    filling = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent))
    try:
        for name, source in files.items():
            (filling / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, filling / name)
        (filling / COMMIT_FILE).write_bytes(told)
        filling.chmod(0o755)
        filling.rename(target)
    except OSError:
        if not target.exists():  # otherwise another submitter was quicker
            raise
    finally:
        shutil.rmtree(filling, ignore_errors=True)
