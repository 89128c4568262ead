"""Digest of a method's code: what it computes, not how it is commented or laid out."""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from methods import Method

ROOT = Path(__file__).parents[2]
HOME = "methods"  # what methods from elsewhere import from here counts, too


def method_digest(kind: type[Method]) -> str:
    """Digest of a method's code; of a method that is declared, not written, of its declaration."""
    if declared := getattr(kind, "definition", None):
        return hashlib.sha256(declared.encode()).hexdigest()[:16]
    file, module = Path(inspect.getfile(kind)).resolve(), kind.__module__
    return source_digest(module, file.parents[module.count(".") + (file.name == "__init__.py")])


def source_digest(module: str, root: Path | None = None) -> str:
    """sha256 over the syntax trees of `module` (dotted) and of all it imports from its package.

    `root` is the folder that holds the package; what is imported from `methods` counts as well.
    """
    roots = {HOME: ROOT, module.partition(".")[0]: root or ROOT}
    names = sorted(_closure(module, roots))
    trees = {name: _tree(_path(name, roots).read_text()) for name in names}
    content = "\n".join(f"{name}\n{tree}" for name, tree in trees.items())
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _path(module: str, roots: Mapping[str, Path]) -> Path:
    parts = module.split(".")
    path = roots[parts[0]].joinpath(*parts)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _closure(module: str, roots: Mapping[str, Path]) -> set[str]:
    seen, waiting = set[str](), [module]
    while waiting:
        name = waiting.pop()
        if name not in seen and _path(name, roots).exists():
            seen.add(name)
            imported = _imports(_path(name, roots).read_text())
            waiting += [found for found in imported if found.partition(".")[0] in roots]
    return seen


@lru_cache
def _imports(source: str) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)


@lru_cache
def _tree(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    return ast.unparse(tree)  # unlike ast.dump, the same text under every Python version
