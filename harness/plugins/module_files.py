"""Find the file of a module by its name, without importing it.

A module is the user's unless it is part of Python, of this program or of an installed package.
"""

from __future__ import annotations

import importlib
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.machinery import BYTECODE_SUFFIXES, EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from importlib.util import find_spec
from pathlib import Path

from harness.core.installation import HOME, PACKAGES
from harness.plugins.imports import FileNames
from harness.runs.code_version import COMMIT_FILE

SUFFIXES = (*EXTENSION_SUFFIXES, *SOURCE_SUFFIXES, *BYTECODE_SUFFIXES)  # in Python's order
INSTALLED = ("site-packages", "dist-packages")  # folders of installed packages
CACHE = "__pycache__"
OWN = (*PACKAGES, "configs", COMMIT_FILE)


@dataclass(frozen=True, slots=True)
class ModuleFile:
    """A module or package, and where it lies."""

    name: str
    file: Path | None  # None: a folder without an `__init__`
    folders: tuple[Path, ...] = ()  # of a package: where its modules lie

    @property
    def package(self) -> str:
        """The package that relative imports of the module start from."""
        return self.name if self.folders else self.name.rpartition(".")[0]


@dataclass
class ModuleFinder:
    """Finder of modules below the folders of the user, and of `methods`.

    Args:
        roots: Folders of top-level modules that are known, by name.
        home: Folder that is searched last.
    """

    roots: Mapping[str, Path]
    home: Path
    _found: dict[str, ModuleFile | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        importlib.invalidate_caches()  # files may have changed since this process began

    def find(self, name: str) -> ModuleFile | None:
        """Return a module by its dotted name; None if it is not the user's or does not exist."""
        if name not in self._found:
            owner, _, last = name.rpartition(".")
            self._found[name] = self._find_below(owner, last) if owner else self._find_top(name)
        return self._found[name]

    def _find_below(self, owner: str, last: str) -> ModuleFile | None:
        package = self.find(owner)
        if package is None:
            return None
        if package.file is not None and package.file.suffix not in SOURCE_SUFFIXES:
            return ModuleFile(package.name, package.file)  # part of an archive
        return _find_in(package.folders, f"{owner}.{last}")

    def _find_top(self, name: str) -> ModuleFile | None:
        if name in self.roots and (found := _find_in([self.roots[name]], name)):
            return found
        try:
            spec = find_spec(name)
        except (ImportError, ValueError, AttributeError):
            spec = None
        if spec is None:
            return _find_in([self.home], name)
        if not spec.has_location and spec.submodule_search_locations is None:
            return None  # built into Python
        folders = tuple(map(Path, spec.submodule_search_locations or ()))
        file = _file_or_archive(spec.origin) if spec.has_location else None
        places = (*folders, *filter(None, [file]))
        if any(_is_installed(place) for place in places):
            return None
        # What was imported may have been removed since.
        return ModuleFile(name, file, folders) if places else _find_in([self.home], name)


def list_modules(folders: Iterable[Path], package: str) -> Iterator[str]:
    """Yield the names of all modules in the folders of a package; of its subpackages, too.

    Beside a module that is in no package, only folders with an `__init__.py` are packages.
    """
    for folder in folders:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            stem = path.name.partition(".")[0]
            name = ".".join(filter(None, [package, stem]))
            if path.name.endswith((*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES)):
                yield package if stem == "__init__" else name
            elif not path.name.isidentifier() or path.name == CACHE or not path.is_dir():
                continue
            elif package or (path / "__init__.py").is_file():
                yield from list_modules([path], name)


def find_data_files(folder: Path, names: FileNames) -> Iterator[tuple[str, Path]]:
    """Yield the files that a module in a folder may read, as far as it names them.

    Args:
        folder: The folder.
        names: Names in the module.

    Yields:
        The file's path relative to the folder, and the file.
    """
    for literal in sorted(names.literals):
        if _is_data(folder / literal):
            yield literal, folder / literal
    yield from _files_like(folder, "", names)


def _files_like(folder: Path, prefix: str, names: FileNames) -> Iterator[tuple[str, Path]]:
    """Yield files with a name or suffix among the literals; of folders that are named, too."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for path in entries:
        if path.name.startswith(".") or path.name == CACHE:
            continue
        if _is_own(path):
            continue
        if path.is_dir():
            if not path.is_symlink() if prefix else path.name in names.parts:
                yield from _files_like(path, f"{prefix}{path.name}/", names)
        elif (path.name in names.parts or path.suffix in names.suffixes) and _is_data(path):
            yield f"{prefix}{path.name}", path


def _is_data(path: Path) -> bool:
    """Return whether a path is a plain file with a content, as those of /proc are not."""
    try:
        return path.is_file() and path.stat().st_size > 0
    except (OSError, ValueError):
        return False


def _find_in(folders: Iterable[Path], name: str) -> ModuleFile | None:
    """Return a module in the first of some folders that has it, as Python searches them."""
    last, portions = name.rpartition(".")[2], []
    for folder in folders:
        for suffix in SUFFIXES:
            if (file := folder / last / f"__init__{suffix}").is_file():
                return ModuleFile(name, file, (folder / last,))
        for suffix in SUFFIXES:
            if (file := folder / f"{last}{suffix}").is_file():
                return ModuleFile(name, file)
        if last and (folder / last).is_dir():
            portions.append(folder / last)
    return ModuleFile(name, None, tuple(portions)) if portions else None


def _file_or_archive(origin: str | None) -> Path | None:
    """Return a module's file, or the archive that it is imported from."""
    path = Path(origin or "")
    return next((place for place in (path, *path.parents) if _is_file(place)), None)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # part of a folder that may not be read
        return False


def _is_installed(place: Path) -> bool:
    """Return whether a file or folder is part of Python, an installed package or this program."""
    library = [Path(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib")]
    folders = [*library, *(folder.resolve() for folder in library)]
    return any(
        set(INSTALLED) & set(path.parts)
        or any(path.is_relative_to(folder) for folder in folders)
        or any(map(_is_own, (path, *path.parents)))
        for path in (place, place.resolve())
    )


def _is_own(path: Path) -> bool:
    """Return whether a path is a folder of this program, or a file that its copies have."""
    return path.parent == HOME and path.name in OWN
