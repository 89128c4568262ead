"""Find the imports and the names of files in a module's syntax tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

Import = tuple[str, str]  # a module and the name taken from it; empty for the module itself

LITERAL_IMPORTS = ("import_module", "__import__", "run_module", "resolve_name")
FILE_IMPORTS = ("spec_from_file_location", "run_path", "SourceFileLoader", "load_source")
SEARCHES = ("iter_modules", "walk_packages")
RESOURCES = (  # functions that read a file of the package that they are given
    "files",
    "contents",
    "get_data",
    "open_binary",
    "open_text",
    "path",
    "read_binary",
    "read_text",
    "resource_filename",
    "resource_stream",
    "resource_string",
)
WILDCARDS = "*?%{["
MAX_NAME_LENGTH = 255  # of a file


@dataclass(frozen=True, slots=True)
class FileNames:
    """Names of files that a module may read, as far as its text literals contain them."""

    literals: frozenset[str]  # names and paths
    parts: frozenset[str]  # of these paths: names of files and folders
    suffixes: frozenset[str]  # of names that are put together, such as f"{name}.json"


def find_imports(tree: ast.Module, package: str) -> Iterator[Import]:
    """Yield what `import` statements anywhere in a module name.

    Args:
        tree: The module.
        package: The package that its relative imports start from.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = absolute_name(node, package)
            yield from ((module, "" if a.name == "*" else a.name) for a in node.names)


def find_attribute_paths(tree: ast.Module) -> Iterator[str]:
    """Yield dotted names below packages that are imported whole.

    After `import pack.one` a module can use `pack.other.NAME` as well, if anything else imported
    `pack.other`.
    """
    imported = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname is None and "." in alias.name
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            path = _dotted(node)
            if path.partition(".")[0] in imported:
                yield path


def find_dynamic_imports(tree: ast.Module, package: str) -> tuple[list[Import], set[str]]:
    """Return what calls such as `import_module("name")` import.

    Args:
        tree: The module.
        package: The package that relative names start from.

    Returns:
        The modules that literals name, and the packages of those whose names are computed: `parts`
        for `"parts." + name`, and an empty name for the package or folder of the module itself.
    """
    functions = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    found: list[Import] = []
    packages = set[str]()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else _dotted(node.func)
        function = functions.get(called, called)
        texts = [c.value for c in ast.walk(node) if isinstance(c, ast.Constant)]
        first = next(iter([*node.args, *(k.value for k in node.keywords)]), None)
        name = first.value if isinstance(first, ast.Constant) else None
        if isinstance(name, str) and function in (*LITERAL_IMPORTS, *RESOURCES):
            found.append((_resolve_relative(name, package), ""))
        elif function in LITERAL_IMPORTS:
            beginning = _beginning(first)
            above = beginning[: beginning.rfind(".") + 1]
            packages.add(_resolve_relative(above.rstrip(".") or above, package))
        elif function in SEARCHES or (
            function in FILE_IMPORTS and not any(str(text).endswith(".py") for text in texts)
        ):
            packages.add("")
    return found, packages


def _beginning(name: ast.expr | None) -> str:
    """Return the text that a computed name begins with: `parts.` of `f"parts.{name}"`."""
    while name is not None:
        match name:
            case ast.BinOp(left=left):
                name = left
            case ast.JoinedStr(values=[first, *_]):
                name = first
            case ast.Call(func=ast.Attribute(value=value)):  # "parts.{}".format(name)
                name = value
            case ast.Constant(value=str(text)):
                return re.split(r"[{%]", text, maxsplit=1)[0]
            case _:
                break
    return ""


def find_file_names(tree: ast.Module) -> FileNames:
    """Return the names of files that a module's text literals contain."""
    pieces = {
        id(value)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for value in node.values
    }
    literals, parts, suffixes = set[str](), set[str](), set[str]()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            continue
        text = node.value
        if not text or "\0" in text or "\n" in text or "://" in text:
            continue
        literals.add(text)
        for part in text.replace("\\", "/").split("/"):
            parts.add(part)
            is_composed = id(node) in pieces or part.startswith(".") or set(WILDCARDS) & set(part)
            if is_composed and "." in part:
                suffixes.add(part[part.rindex(".") :])
    short = {text for text in literals if all(len(p) <= MAX_NAME_LENGTH for p in text.split("/"))}
    return FileNames(frozenset(short), frozenset(parts), frozenset(suffixes - {"."}))


def find_reexports(tree: ast.Module, package: str) -> dict[str, Import]:
    """Return where a package takes names from that others may import from it.

    Names that it imports for type checkers only count as well: it offers them when they are used.
    """
    for_checkers = (
        node.body
        for node in tree.body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {
        alias.asname or alias.name: (absolute_name(node, package), alias.name)
        for node in chain(tree.body, *for_checkers)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def only_reexports(tree: ast.Module) -> bool:
    """Return whether a package's `__init__` does nothing but import, besides names like `__all__`.

    Importing a name from such a package is the same as importing it from where it is defined.
    """
    return all(
        isinstance(node, ast.Import | ast.ImportFrom | ast.Pass)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Assign) and all(map(_is_dunder, node.targets)))
        or (isinstance(node, ast.AnnAssign) and _is_dunder(node.target))
        for node in tree.body
    )


def acts_on_import(body: list[ast.stmt]) -> bool:
    """Return whether importing a module may change others, beyond defining names of its own."""
    return any(map(_acts, body))


def absolute_name(node: ast.ImportFrom, package: str) -> str:
    """Return the full name of the module that an import takes names from."""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1] if node.level else []
    return ".".join([*base, *filter(None, [node.module])])


def _acts(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Assign):
        return not all(isinstance(target, ast.Name | ast.Tuple) for target in node.targets)
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        return not isinstance(node.target, ast.Name)
    if isinstance(node, ast.If):
        return "__name__" not in ast.unparse(node.test) and acts_on_import(
            [*node.body, *node.orelse]
        )
    if isinstance(node, ast.Try):
        handlers = [statement for handler in node.handlers for statement in handler.body]
        return acts_on_import([*node.body, *handlers, *node.orelse, *node.finalbody])
    defining = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    return not isinstance(node, defining | ast.Pass)


def _is_dunder(target: ast.expr) -> bool:
    return isinstance(target, ast.Name) and target.id.startswith("__") and target.id.endswith("__")


def _dotted(node: ast.expr) -> str:
    """Return `a.b.c` of names and attributes; empty for any other expression."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (owner := _dotted(node.value)):
        return f"{owner}.{node.attr}"
    return ""


def _resolve_relative(name: str, package: str) -> str:
    """Return the full name of `.name` in a package; other names are full already."""
    bare = name.lstrip(".").partition(":")[0]  # resolve_name takes `module:attribute`
    level = len(name) - len(name.lstrip("."))
    parts = package.split(".") if level else []
    return ".".join([*parts[: len(parts) - level + 1], *filter(None, [bare])])
