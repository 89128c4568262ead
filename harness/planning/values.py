"""Convert values of settings, as files and `--set` give them, to the types of the settings."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError

from harness.core.errors import UsageError
from harness.planning.schema import ConfigValue

MAX_COUNT = 1_000_000_000  # of whole numbers: no size or length of a training comes near
MAX_SEED = 2**63 - 1  # as large as torch takes
MAX_FLOAT = 3.4028234663852886e38  # of other numbers: in float32, larger ones are infinite
MAX_ITEMS, MAX_LENGTH, MAX_SHOWN = 1000, 200, 80  # of a list, of a text, of a text in a message
# Options of methods that divide by them or make something of this size. The methods themselves do
# not check them: their code is a part of the keys of their runs.
ABOVE_ZERO = ("temperature", "dimension", "power")
_DESCRIPTIONS: dict[Any, str] = {int: "a whole number", float: "a number", str: "a word"}


def convert_value(value: ConfigValue, kind: Any, name: str) -> ConfigValue:
    """Convert a value, possibly text, to the type of its setting.

    Args:
        value: The value.
        kind: The type.
        name: Name of the setting, `SECTION.NAME`.

    Raises:
        UsageError: It cannot be converted, or is larger or longer than a setting can be.
    """
    is_list = get_origin(kind) is tuple
    words = value.replace(",", " ").split() if isinstance(value, str) else value
    allowed = "numbers such as 60,90,110" if is_list else _DESCRIPTIONS.get(kind, kind.__name__)
    try:
        if isinstance(value, bool) and kind is not bool:
            raise UsageError(f"{name} takes {allowed}, given {value!r}.")
        converted: ConfigValue = _adapter(kind).validate_python(words if is_list else value)
    except ValidationError as error:
        raise UsageError(f"{name} takes {allowed}, given {shorten(value)}.") from error
    if problem := _find_excess(converted, MAX_SEED if name.endswith(".seed") else MAX_COUNT):
        raise UsageError(f"{name} takes {allowed}, {problem}; given {shorten(value)}.")
    if name.rpartition(".")[2] in ABOVE_ZERO and not (
        isinstance(converted, int | float) and converted > 0
    ):
        raise UsageError(f"{name} takes {allowed} above 0, given {shorten(value)}.")
    return converted


def _find_excess(value: object, limit: int) -> str:
    """Return how a value exceeds what a setting can be, as a clause; empty if it does not.

    Args:
        value: The value, or several.
        limit: The largest whole number.
    """
    if isinstance(value, tuple):
        if len(value) > MAX_ITEMS:
            return f"at most {MAX_ITEMS} of them"
        return next(filter(None, (_find_excess(one, limit) for one in value)), "")
    if isinstance(value, str):
        if not value.isprintable():
            return "without control characters"
        return f"of at most {MAX_LENGTH} characters" if len(value) > MAX_LENGTH else ""
    if isinstance(value, int | float) and abs(value) > (
        limit if isinstance(value, int) else MAX_FLOAT
    ):
        bound = f"{limit:,}" if isinstance(value, int) else "3.4e38"  # the largest of float32
        return f"between -{bound} and {bound}"
    return ""


def shorten(value: object) -> str:
    """Return a value as a message shows it."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


@lru_cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind, config=ConfigDict(allow_inf_nan=False))
