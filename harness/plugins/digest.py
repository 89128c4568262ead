"""Digest of a method's code: of what it computes, not of its comments and layout.

The digest covers the module that defines the method and every module that it imports from its own
package or from `methods`. A name taken from a package, as in `from methods import Method`, leads to
the module that defines it and to no other that the package imports.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from methods import Method

ROOT = Path(__file__).parents[2]
METHODS_PACKAGE = "methods"  # part of the digest wherever a method comes from


def method_digest(kind: type[Method]) -> str:
    """Return the digest of a method's code, or of its declaration if a file declares it.

    Args:
        kind: The method's class. A class with an attribute `definition`, as torchdistill's losses
            have it, is described by that text alone.

    Returns:
        16 hexadecimal digits, part of the key of every run of the method.
    """
    if definition := getattr(kind, "definition", None):
        return hashlib.sha256(definition.encode()).hexdigest()[:16]
    file, module = Path(inspect.getfile(kind)).resolve(), kind.__module__
    return source_digest(module, file.parents[module.count(".") + (file.name == "__init__.py")])


def source_digest(module: str, root: Path | None = None) -> str:
    """Return a digest of the syntax trees of a module and of the modules that it imports.

    Args:
        module: Dotted name of the module.
        root: Folder that holds the module's package; this project's by default.

    Returns:
        16 hexadecimal digits.
    """
    roots = {METHODS_PACKAGE: ROOT, module.partition(".")[0]: root or ROOT}
    names = sorted(_reachable_modules(module, roots))
    trees = {name: _normalised_source(_path(name, roots).read_text()) for name in names}
    content = "\n".join(f"{name}\n{tree}" for name, tree in trees.items())
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _path(module: str, roots: Mapping[str, Path]) -> Path:
    """Return the file of a module, which need not exist."""
    parts = module.split(".")
    path = roots[parts[0]].joinpath(*parts)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _reachable_modules(module: str, roots: Mapping[str, Path]) -> set[str]:
    """Return the names of a module and of all it imports, however indirectly, below `roots`."""
    reached, pending = set[str](), [module]
    while pending:
        name = pending.pop()
        if name in reached or name.partition(".")[0] not in roots:
            continue
        path = _path(name, roots)
        if path.exists():
            reached.add(name)
            for source, attribute in _imports(path.read_text(), _package(name, path)):
                pending += _defining_modules(source, attribute, roots)
    return reached


def _package(module: str, path: Path) -> str:
    """Return the package that relative imports of a module start from."""
    return module if path.name == "__init__.py" else module.rpartition(".")[0]


def _defining_modules(module: str, attribute: str, roots: Mapping[str, Path]) -> Iterator[str]:
    """Yield the modules that an import of a name from a module depends on.

    Args:
        module: Dotted name of the module or package that is imported from.
        attribute: The imported name; empty if the module itself is imported.
        roots: Folders by top-level package.
    """
    if not attribute or module.partition(".")[0] not in roots:
        yield module
        return
    path = _path(module, roots)
    submodule = f"{module}.{attribute}"
    if path.name == "__init__.py" and _path(submodule, roots).exists():
        yield submodule
        return
    if path.name == "__init__.py" and path.exists():
        bindings = _reexports(path.read_text(), _package(module, path))
        if bindings.get(attribute, (module, attribute)) != (module, attribute):
            yield from _defining_modules(*bindings[attribute], roots)
            return
    yield module


@lru_cache
def _imports(source: str, package: str) -> tuple[tuple[str, str], ...]:
    """Return (module, name) of every import in a module; the name is empty for `import module`."""
    imports: list[tuple[str, str]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imports += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, package)
            imports += [(module, "" if a.name == "*" else a.name) for a in node.names]
    return tuple(imports)


@lru_cache
def _reexports(source: str, package: str) -> dict[str, tuple[str, str]]:
    """Return (module, name there) of the names that a package takes from other modules."""
    return {
        alias.asname or alias.name: (_absolute(node, package), alias.name)
        for node in ast.parse(source).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _absolute(node: ast.ImportFrom, package: str) -> str:
    """Return the full name of the module that an import takes names from."""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1] if node.level else []
    return ".".join([*base, *filter(None, [node.module])])


@lru_cache
def _normalised_source(source: str) -> str:
    """Return Python source without comments, docstrings and layout."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    return ast.unparse(tree)  # unlike ast.dump, the same text under every Python version
