"""Sizes of files and functions, and rules that import-linter and ruff do not know."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("methods", "harness", "results", "slurm")
FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(tree):
    """Full dotted names of what a module imports at any level."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_sizes(path):
    source = path.read_text()
    assert source.count("\n") <= 300
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno <= 50, f"{node.name} is too long"
            assert node.args.kwarg is None, f"{node.name} takes **{node.args.kwarg}"


def test_the_formatter_decides():
    for path in FILES:
        assert not re.search(r"# fmt: (skip|off)", path.read_text()), path


def test_no_import_cycle():
    modules = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in FILES}
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}
    edges = {
        name: imported(ast.parse(path.read_text())) & modules.keys() - {name}
        for name, path in modules.items()
    }
    finished, path = set(), []

    def visit(name):
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in finished:
            path.append(name)
            for other in edges[name]:
                visit(other)
            finished.add(path.pop())

    for name in modules:
        visit(name)


def test_the_harness_names_no_method():
    """The loop must not know which methods exist; `none` is the absence of one."""
    from methods import EXTRA_METHODS, METHODS

    for path in (ROOT / "harness").rglob("*.py"):
        if path.name == "run.py":
            continue  # its --help shows an example
        words = {
            node.value
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        assert not words & ((METHODS.keys() | EXTRA_METHODS.keys()) - {"none"}), path


def test_each_method_declares_itself_as_the_contract_says():
    import inspect

    from methods import EXTRA_METHODS, METHODS, Method

    for method in (METHODS | EXTRA_METHODS).values():
        assert method.__mro__[1] is Method or method.__mro__[2] is Method  # depth 2 at most
        names = list(inspect.signature(method.__init__).parameters)
        assert names[:3] == ["self", "student", "teacher"]
        assert {"weight", "variant"} <= set(names)
