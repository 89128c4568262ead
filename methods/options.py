"""Read and check the options of a method: the keyword-only arguments of its `__init__`.

Names, types and defaults are those of the signature, meanings those of the class's docstring.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType
from typing import TYPE_CHECKING, cast, get_args, get_type_hints

if TYPE_CHECKING:  # needs torch
    from methods.base import Method, Value, Widths

PLAIN = (float, int, bool, str)


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a method."""

    name: str
    type: type[float] | type[int] | type[bool] | type[str]
    default: Value | None  # None: the variant's own


def options(method: type[Method]) -> dict[str, Option]:
    """Return the options of a method by name, in the order of its signature.

    Raises:
        ValueError: An option has no default, or is not annotated as float, int, bool or str.
    """
    hints = get_type_hints(method.__init__)
    by_name = {}
    for parameter in inspect.signature(method).parameters.values():
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        name = parameter.name
        if parameter.default is inspect.Parameter.empty:
            raise ValueError(f"Option {name!r} of {method.name} has no default.")
        kinds = [kind for kind in get_args(hints[name]) or (hints[name],) if kind is not NoneType]
        if len(kinds) != 1 or kinds[0] not in PLAIN:
            allowed = ", ".join(kind.__name__ for kind in PLAIN)
            raise ValueError(f"Option {name!r} of {method.name} must be annotated as {allowed}.")
        by_name[name] = Option(name, kinds[0], parameter.default)
    return by_name


def defaults(method: type[Method], variant: str) -> dict[str, Value]:
    """Return the default of every option in a variant, except that of `variant`.

    Raises:
        ValueError: The method has no such variant.
    """
    return choose_defaults(method.name, method.variants, options(method), variant)


def choose_defaults(
    name: str,
    variants: Mapping[str, Mapping[str, Value]],
    offered: Mapping[str, Option],
    variant: str,
) -> dict[str, Value]:
    """Return the default of every option in a variant, except that of `variant`.

    Args:
        name: Name of the method.
        variants: Its variants, with the defaults that differ between them.
        offered: Its options by name.
        variant: The variant.

    Raises:
        ValueError: The method has no such variant.
    """
    if variant not in variants:
        raise ValueError(f"{name} has no variant {variant!r}. Offered: {', '.join(variants)}.")
    stated = {n: o.default for n, o in offered.items() if o.default is not None}
    return {n: v for n, v in {**variants[variant], **stated}.items() if n != "variant"}


def build(
    method: type[Method], student: Widths, teacher: Widths, given: Mapping[str, object]
) -> Method:
    """Build a method.

    Args:
        method: Its class.
        student: Channels of the student's outputs.
        teacher: Channels of the teacher's outputs.
        given: Values of options by name; the others have their defaults.

    Raises:
        ValueError: An option is unknown, of another type, or refused by the method.
    """
    known = options(method)
    values = {}
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"{method.name} has no option {name!r}.{did_you_mean(name, known)}")
        values[name] = convert_value(method.name, known[name], value)
    return cast("Callable[..., Method]", method)(student, teacher, **values)


def convert_value(method: str, option: Option, value: object) -> object:
    """Return a value in the type of an option; a whole number is accepted for a float.

    Raises:
        ValueError: The value is of another type, infinite or not a number.
    """
    if option.type is float and type(value) is int:
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"Option {option.name!r} of {method} must be finite, but was {value}.")
    if type(value) is not option.type:
        raise ValueError(
            f"Option {option.name!r} of {method} must be of type {option.type.__name__}, "
            f"but was given {value!r}."
        )
    return value


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the nearest known one, then all."""
    words = list(known)
    close = get_close_matches(name.lower(), words, n=1)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    return f"{guess} Known: {', '.join(words)}."
