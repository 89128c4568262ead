"""Digest of a method's code: what it computes, not how it is commented or laid out."""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def source_digest(module: str) -> str:
    """sha256 over the syntax trees of `module` (dotted) and of all it imports from its package."""
    trees = {name: _tree(_path(name)) for name in sorted(_closure(module))}
    content = "\n".join(f"{name}\n{tree}" for name, tree in trees.items())
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _path(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _closure(module: str) -> set[str]:
    package, seen, waiting = module.partition(".")[0], set(), [module]
    while waiting:
        name = waiting.pop()
        if name not in seen and _path(name).exists():
            seen.add(name)
            waiting += [found for found in _imports(_path(name)) if found.startswith(package)]
    return seen


def _imports(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return names


def _tree(path: Path) -> str:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:]
    return ast.unparse(tree)  # unlike ast.dump, the same text under every Python version
