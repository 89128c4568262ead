"""Reduce Python source to what it computes: no comments, docstrings and layout."""

from __future__ import annotations

import ast
from functools import lru_cache


@lru_cache(maxsize=1024)
def parse_source(content: bytes) -> ast.Module | None:
    """Return the syntax tree of a Python file without docstrings; None if it does not parse.

    Args:
        content: The file's bytes, in the encoding that the file itself names.
    """
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node):
            node.body = node.body[1:]
    return tree


@lru_cache(maxsize=1024)
def normalise_source(content: bytes) -> str | None:
    """Return Python source without comments, docstrings and layout; None if it does not parse.

    Args:
        content: The file's bytes, in the encoding that the file itself names.
    """
    tree = parse_source(content)
    try:
        # Unlike ast.dump, the same text under every Python version.
        return None if tree is None else ast.unparse(tree)
    except RecursionError:
        return None
