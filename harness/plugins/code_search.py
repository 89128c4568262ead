"""Search for the code that a module needs, as far as it is the user's or one of `methods`."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.core.errors import SetupError
from harness.core.source import normalise_source, parse_source
from harness.plugins.imports import (
    FileNames,
    acts_on_import,
    find_attribute_paths,
    find_dynamic_imports,
    find_file_names,
    find_imports,
    find_reexports,
    only_reexports,
)
from harness.plugins.module_files import (
    ModuleFile,
    ModuleFinder,
    find_data_files,
    list_modules,
)

METHODS_PACKAGE = "methods"  # part of every search


@dataclass
class CodeSearch:
    """Search for all code that a module needs; modules and data are kept by name."""

    finder: ModuleFinder
    modules: dict[str, ModuleFile] = field(default_factory=dict)
    data: dict[str, Path] = field(default_factory=dict)

    def follow(self, names: Iterable[str]) -> None:
        """Add modules, and everything that they need."""
        pending, followed = list(names), set[str]()
        while True:
            while pending:
                if (name := pending.pop()) not in followed:
                    followed.add(name)
                    pending += self._needs(name)
            new = {name: path for name, path in self._find_data() if name not in self.data}
            if not new:
                return
            self.data |= new
            pending += [name for path in new.values() for name in self._imports(path, "")]

    def contents(self) -> dict[str, str]:
        """Return what counts of every module and file, by name."""
        files = {name: module.file for name, module in self.modules.items() if module.file}
        return {name: _describe(path) for name, path in (files | self.data).items()}

    def files(self) -> dict[str, Path]:
        """Return the files of the user's by their paths in a copy."""
        own = [module for name, module in self.modules.items() if not is_built_in(name)]
        modules = {_copy_path(module): module.file for module in own if module.file}
        inside = {name: path for name, path in self.data.items() if not _is_outside(name)}
        return modules | inside

    def _needs(self, name: str) -> Iterator[str]:
        """Add a module, and yield the names of those that it needs."""
        module = self.finder.find(name)
        if module is None:
            return
        self.modules[module.name] = module
        if module.file is not None:
            yield from self._imports(module.file, module.package, is_users=not is_built_in(name))
        if not is_built_in(name):
            yield from self._effects_of_packages(name, set())

    def _imports(self, file: Path, package: str, *, is_users: bool = True) -> Iterator[str]:
        """Yield the names of the modules that a file imports."""
        tree = _parse(file)
        if tree is None:
            return
        for source, attribute in find_imports(tree, package):
            yield from self._defining_modules(source, attribute)
        if is_users:
            for path in find_attribute_paths(tree):
                yield from self._modules_of_path(path)
        named, packages = find_dynamic_imports(tree, package)
        yield from (source for source, _ in named)
        for name in sorted(packages):
            yield name
            owner = self.finder.find(name or package) if name or package else None
            if owner is not None:
                yield from list_modules(owner.folders, owner.name)
            elif not name:
                yield from list_modules((file.parent,), "")

    def _defining_modules(self, module: str, attribute: str) -> Iterator[str]:
        """Yield the modules that an import of a name from a module depends on.

        Args:
            module: Dotted name of the module or package that is imported from.
            attribute: The imported name; empty if the module itself is imported.
        """
        found = self.finder.find(module)
        if not attribute or found is None or not found.folders:
            yield module
            return
        if self.finder.find(f"{module}.{attribute}"):
            yield f"{module}.{attribute}"
            return
        tree = _tree(found)
        # A user's package that also computes counts itself: its names may not be what it imports.
        if tree is not None and (is_built_in(module) or only_reexports(tree)):
            bindings = find_reexports(tree, found.package)
            if bindings.get(attribute, (module, attribute)) != (module, attribute):
                yield from self._defining_modules(*bindings[attribute])
                return
        yield module

    def _modules_of_path(self, path: str) -> Iterator[str]:
        """Yield the modules that `pack.module.NAME` depends on."""
        parts = path.split(".")
        for count in range(len(parts), 0, -1):
            if self.finder.find(".".join(parts[:count])):
                attribute = parts[count] if count < len(parts) else ""
                yield from self._defining_modules(".".join(parts[:count]), attribute)
                return

    def _effects_of_packages(self, name: str, seen: set[str]) -> Iterator[str]:
        """Yield packages of a module, and modules they import, that act when they are imported."""
        parts = name.split(".")
        for count in range(1, len(parts)):
            yield from self._effects(".".join(parts[:count]), seen)

    def _effects(self, name: str, seen: set[str]) -> Iterator[str]:
        module = self.finder.find(name)
        if module is None or name in seen or is_built_in(name):
            return
        seen.add(name)
        tree = _tree(module)
        if module.file is None:
            return
        if tree is None or _acts(module, tree):
            yield name
        else:
            for source, attribute in find_imports(tree, module.package):
                for needed in self._defining_modules(source, attribute):
                    yield from self._effects(needed, seen)
                    yield from self._effects_of_packages(needed, seen)

    def _find_data(self) -> Iterator[tuple[str, Path]]:
        """Yield the files that the modules found so far name in their folders."""
        own = {name: module for name, module in self.modules.items() if not is_built_in(name)}
        trees = [tree for module in own.values() if (tree := _tree(module)) is not None]
        trees += [tree for path in self.data.values() if (tree := _parse(path)) is not None]
        named = [find_file_names(tree) for tree in trees]
        names = FileNames(
            literals=frozenset().union(*(one.literals for one in named)),
            parts=frozenset().union(*(one.parts for one in named)),
            suffixes=frozenset().union(*(one.suffixes for one in named)),
        )
        modules = {module.file for module in own.values()}
        for package, folder in self._data_folders(own.values()):
            prefix = package.replace(".", "/") + "/" if package else ""
            for label, path in find_data_files(folder, names):
                if path not in modules:
                    yield label if Path(label).is_absolute() else f"{prefix}{label}", path

    def _data_folders(self, modules: Iterable[ModuleFile]) -> dict[tuple[str, Path], None]:
        """Return the folders of modules and of the packages that they are in, with their names."""
        folders: dict[tuple[str, Path], None] = {}
        for module in modules:
            parts = module.package.split(".") if module.package else []
            if module.file and not parts:
                folders["", module.file.parent] = None
            for count in range(1, len(parts) + 1):
                name = ".".join(parts[:count])
                package = self.finder.find(name)
                folders |= {(name, folder): None for folder in (package.folders if package else ())}
        return folders


def _acts(module: ModuleFile, tree: ast.Module) -> bool:
    """Return whether importing a module may change anything outside of it."""
    if module.folders:
        return not only_reexports(tree)
    return acts_on_import(tree.body)


def is_built_in(module: str) -> bool:
    """Return whether a module belongs to the built-in methods."""
    return module.partition(".")[0] == METHODS_PACKAGE


def _describe(path: Path) -> str:
    """Return the normalised source in a file, or a digest of the bytes of any other."""
    with _naming_unreadable(path):
        if path.suffix == ".py" and (source := normalise_source(path.read_bytes())) is not None:
            return source
        with path.open("rb") as file:
            return f"sha256 {hashlib.file_digest(file, 'sha256').hexdigest()}"


def _tree(module: ModuleFile) -> ast.Module | None:
    return _parse(module.file) if module.file else None


def _parse(path: Path) -> ast.Module | None:
    with _naming_unreadable(path):
        return parse_source(path.read_bytes()) if path.suffix == ".py" else None


@contextmanager
def _naming_unreadable(path: Path) -> Iterator[None]:
    """Name a file that cannot be read.

    Raises:
        SetupError: Reading it failed.
    """
    try:
        yield
    except OSError as error:
        raise SetupError(
            f"{path} cannot be read ({error.strerror}), but a method's code names it, so that its "
            "content is part of the keys. Make it readable."
        ) from error


def _copy_path(module: ModuleFile) -> str:
    """Return where a module lies in a copy: `pack/module.py`."""
    name = module.file.name if module.file else ""
    folder = module.name if module.folders else module.name.rpartition(".")[0]
    return "/".join([*filter(None, folder.split(".")), name])


def _is_outside(path: str) -> bool:
    """Return whether a relative path leads out of the folder, or a path is absolute."""
    return Path(path).is_absolute() or ".." in Path(path).parts
