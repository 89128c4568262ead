"""What is known of a method without its class: name, label, variants and options.

The classes of methods derive from torch's modules, and importing torch takes seconds. Whatever
prints names or plans runs reads the constants of a class from its file instead. A class whose
constants are not plain values is imported.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from methods.options import PLAIN, Option, choose_defaults, options

if TYPE_CHECKING:
    from methods.base import Method, Value

_PLAIN = {kind.__name__: kind for kind in PLAIN}


@dataclass(frozen=True, slots=True)
class MethodDescription:
    """The constants of a method's class.

    Attributes:
        name: Its name in commands and files.
        label: Its name in tables.
        module: The module that defines it.
        is_published: Whether it has a paper.
        needs_features: Whether it needs more of a teacher than its logits.
        variants: Its variants, with the defaults that differ between them.
        options: Its options by name, in the order of the signature.
        load: Returns the class.
    """

    name: str
    label: str
    module: str
    is_published: bool
    needs_features: bool
    variants: Mapping[str, Mapping[str, Value]]
    options: Mapping[str, Option]
    load: Callable[[], type[Method]] = field(compare=False, repr=False)

    def defaults(self, variant: str) -> dict[str, Value]:
        """Return the default of every option in a variant, except that of `variant`.

        Raises:
            ValueError: The method has no such variant.
        """
        return choose_defaults(self.name, self.variants, self.options, variant)


def describe_class(kind: type[Method]) -> MethodDescription:
    """Describe a method by its class.

    Raises:
        ValueError: An option has no default, or is not annotated as float, int, bool or str.
    """
    return MethodDescription(
        name=kind.name,
        label=kind.label,
        module=kind.__module__,
        is_published=kind.paper is not None,
        needs_features=kind.needs_features,
        variants=kind.variants,
        options=options(kind),
        load=lambda: kind,
    )


@lru_cache
def describe_file(module: str, name: str) -> MethodDescription:
    """Describe a method by the file that defines it, without importing the file if possible.

    Args:
        module: Name of the module in this package, such as "pdrd".
        name: Name of the class.
    """

    def load() -> type[Method]:
        kind: type[Method] = getattr(import_module(f"{__package__}.{module}"), name)
        return kind

    try:
        constants, signature = _read_class(module, name)
        return MethodDescription(
            name=ast.literal_eval(constants["name"]),
            label=ast.literal_eval(constants["label"]),
            module=f"{__package__}.{module}",
            is_published=not _is_none(constants["paper"]),
            needs_features=ast.literal_eval(constants["needs_features"]),
            variants=ast.literal_eval(constants["variants"]),
            options={one.name: one for one in _read_options(signature)},
            load=load,
        )
    except (KeyError, OSError, ValueError):  # not a plain value, or a base from elsewhere
        return describe_class(load())


def _read_class(module: str, name: str) -> tuple[dict[str, ast.expr], ast.arguments]:
    """Return the constants of a class and the signature of its `__init__`, inherited ones too.

    Raises:
        KeyError: The class or a base of it is not found in the files of this package.
        OSError: A base is in another package.
        ValueError: It has several bases, or no `__init__` that it states or inherits.
    """
    tree = _parse(module)
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    body = classes[name].body
    constants = dict(_assignments(body))
    own = [node.args for node in body if isinstance(node, ast.FunctionDef) and _is_init(node)]
    if (module, name) == ("base", "Method"):
        return constants, own[0]
    (base,) = map(ast.unparse, classes[name].bases)
    origin = module if base in classes else _imports(tree)[base]
    inherited, signature = _read_class(origin, base)
    return inherited | constants, own[0] if own else signature


@lru_cache
def _parse(module: str) -> ast.Module:
    return ast.parse(Path(__file__).with_name(f"{module}.py").read_bytes())


def _is_init(node: ast.FunctionDef) -> bool:
    return node.name == "__init__"


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _assignments(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Yield what the body of a class assigns to names."""
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _imports(tree: ast.Module) -> dict[str, str]:
    """Return the modules of this package from which a module imports names, by name."""
    return {
        alias.asname or alias.name: (node.module or "").removeprefix(f"{__package__}.")
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _read_options(signature: ast.arguments) -> Iterator[Option]:
    """Yield the options that the signature of `__init__` states.

    Raises:
        ValueError: A default or a type is not plain.
    """
    for argument, default in zip(signature.kwonlyargs, signature.kw_defaults, strict=True):
        words = {word.strip() for word in ast.unparse(argument.annotation or ast.Pass()).split("|")}
        (kind,) = words - {"None"}
        if kind not in _PLAIN or default is None:
            raise ValueError(argument.arg)
        value: Any = ast.literal_eval(default)
        yield Option(argument.arg, _PLAIN[kind], value)
