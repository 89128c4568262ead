"""Copy the code that jobs run, so that edits after the submission do not change queued jobs.

A copy is kept in `runs/code/<digest>/` by its content: the same code is copied once. Methods from
outside are included, with everything that their keys cover and all modules that were imported from
the folder they came from.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.core.errors import SetupError, UsageError
from harness.core.files import atomic_directory
from harness.core.installation import PACKAGES
from harness.plugins.digest import method_files
from harness.plugins.lookup import TORCHDISTILL, resolve_method
from harness.runs.code_version import COMMIT_FILE, git_state
from harness.runs.layout import CODE

ROOT = Path(__file__).parents[3]
COPIED_FOLDERS = (*PACKAGES, "configs")
MAX_BYTES = 50_000_000  # of one package
SKIPPED_FOLDERS = (
    "__pycache__",
    ".git",
    ".venv",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
)


def snapshot_code(runs: Path, methods: Iterable[str]) -> Path:
    """Return the folder below `runs` with a copy of the present code, which is made if needed.

    Args:
        runs: The runs folder.
        methods: Names of the methods to be trained; `module:Class` is a method from outside.

    Raises:
        UsageError: A method's code cannot be copied.
        SetupError: The existing copy was changed.
    """
    methods = list(methods)
    sources = {name: ROOT / name for name in COPIED_FOLDERS}
    for method in methods:
        for path in _outside_sources(method):
            if (other := sources.setdefault(path.name, path)) != path:
                raise _same_name(method, path, other)
    files = {
        file: source for name, path in sources.items() for file, source in _list_files(name, path)
    }
    for method in methods:
        for name, path in _covered_files(method).items():
            if (other := files.setdefault(name, path)).resolve() != path.resolve():
                raise _same_name(method, path, other)
    commit = json.dumps(git_state()).encode()
    digest = _digest(files, commit)[:12]
    target = (runs / CODE / digest).absolute()
    if not target.exists():
        _copy(files, commit, target)
    copies = {file: target / file for file in files}
    try:
        is_intact = _digest(copies, (target / COMMIT_FILE).read_bytes())[:12] == digest
    except OSError:
        is_intact = False
    if not is_intact:
        raise SetupError(f"{target} was changed after it was made. Remove it and submit again.")
    return target


def _same_name(method: str, path: Path, other: Path) -> UsageError:
    return UsageError(
        f"{method} is in {path}, which has the same name as {other}: jobs could import only one of "
        "them. Rename one."
    )


def _covered_files(method: str) -> dict[str, Path]:
    """Return the files of the user's that a method's key covers, by their paths in the copy."""
    return method_files(resolve_method(method), method) if _is_outside(method) else {}


def _is_outside(method: str) -> bool:
    """Return whether a method is neither built in nor declared in a file."""
    return ":" in method and not method.startswith(TORCHDISTILL)


def _outside_sources(method: str) -> list[Path]:
    """Return the top-level files and packages that a method from outside needs.

    Raises:
        UsageError: Its code is not a plain file or package.
    """
    if not _is_outside(method):
        return []
    package = resolve_method(method).__module__.partition(".")[0]
    if (home := _import_folder(package)) is None:
        raise UsageError(
            f"{method} is not a plain file or package on disk, so its code cannot be copied for "
            "the jobs. Install it where they run, as a package that offers it under "
            "`kdreid.methods`, or train with it here, without --cluster."
        )
    if _is_site_packages(home):
        return [_source_path(home, package)]
    # From a folder of the user's, all that was imported is copied: the method may need it.
    names = {name.partition(".")[0] for name in list(sys.modules)}
    own = {*COPIED_FOLDERS}
    neighbours = [name for name in names - own if _import_folder(name) == home]
    return [_source_path(home, name) for name in sorted(neighbours)]


def _import_folder(name: str) -> Path | None:
    """Return the folder that a module was imported from; None if it is not a Python file."""
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    if file is None or not file.endswith(".py"):
        return None
    path = Path(file).resolve()
    return path.parents[1] if path.name == "__init__.py" else path.parent


def _source_path(home: Path, name: str) -> Path:
    return home / name if (home / name).is_dir() else home / f"{name}.py"


def _is_site_packages(home: Path) -> bool:
    """Return whether a folder is one that Python installs packages or its own library into."""
    kinds = ("purelib", "platlib", "stdlib")
    return any(home == Path(sysconfig.get_path(kind)).resolve() for kind in kinds)


def _list_files(name: str, path: Path) -> Iterator[tuple[str, Path]]:
    """Yield (path in the copy, source) for a module's file, or for each file of a package.

    Raises:
        UsageError: The package is too large.
    """
    if path.is_file():
        yield name, path
        return
    size = 0
    for file in sorted(path.rglob("*")):
        if file.is_file() and not set(SKIPPED_FOLDERS) & set(file.relative_to(path).parts):
            size += file.stat().st_size
            if size > MAX_BYTES:
                raise UsageError(
                    f"{path} contains more than {MAX_BYTES // 1_000_000} MB, too much to copy for "
                    "every submission. Move everything that is not code out of it."
                )
            yield f"{name}/{file.relative_to(path).as_posix()}", file


def _digest(files: dict[str, Path], commit: bytes) -> str:
    digest = hashlib.sha256(commit)
    for name in sorted(files):
        digest.update(f"\0{name}\0".encode())
        digest.update(files[name].read_bytes())
    return digest.hexdigest()


def _copy(files: dict[str, Path], commit: bytes, target: Path) -> None:
    """Copy the files to a new folder, which appears under its name when it is complete."""
    try:
        with atomic_directory(target) as folder:
            for name, source in files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, folder / name)
            (folder / COMMIT_FILE).write_bytes(commit)
    except OSError:
        if not target.exists():  # otherwise another submitter was quicker
            raise
