"""Text that files hold, as a terminal, a table or a page may show it.

A label, a note, a message or a log may hold characters that a terminal takes as commands (escape
sequences that move the cursor or write to the clipboard) or that change the order in which a line
is read (bidirectional overrides). Whatever is read from a file is printed through `printable`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import TypeVar

T = TypeVar("T")

# Controls, formats, surrogates, line and paragraph separators. Private and unassigned characters
# do nothing, at worst they are shown as boxes.
_ESCAPED_CATEGORIES = ("Cc", "Cf", "Cs", "Zl", "Zp")
_JOINERS = "\u200c\u200d"  # which Persian, Indian scripts and emoji need
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def printable(text: object, *, keep: str = "") -> str:
    r"""Return text in which nothing commands a terminal: control characters are shown escaped.

    `\x1b]52;c;...` is shown as such, and so are carriage returns, bells, bidirectional overrides,
    other invisible formats, and bytes of a name on disk that are no text.

    Args:
        text: Anything; what is not text is converted by `str`.
        keep: Control characters that are kept, such as line breaks between the rows of a table.
    """
    plain = text if isinstance(text, str) else str(text)
    if plain.isprintable():  # true of most text, and fast
        return plain
    return "".join(_escape(one) if _is_escaped(one) and one not in keep else one for one in plain)


def printable_lines(text: object) -> str:
    r"""Return text of several lines as `printable`; line breaks and tabs are kept."""
    return printable(text, keep="\n\t")


def has_control_characters(text: str) -> bool:
    """Return whether text holds a line break or another character that a script or name may not."""
    return _CONTROL.search(text) is not None


def require_single_lines(value: T) -> T:
    """Return a value after checking each text in it, at any depth of lists and mappings.

    Raises:
        ValueError: A text contains a line break or another control character, so that it could
            begin a line of a script.
    """
    parts: Iterable[object] = ()
    if isinstance(value, Mapping):
        parts = (*value, *value.values())
    elif isinstance(value, list | tuple):
        parts = value
    for part in parts:
        require_single_lines(part)
    if isinstance(value, str) and has_control_characters(value):
        raise ValueError(
            f"{printable(value)!r} contains a line break or another control character; give each "
            "line of a script as an entry of its own"
        )
    return value


def _is_escaped(character: str) -> bool:
    return unicodedata.category(character) in _ESCAPED_CATEGORIES and character not in _JOINERS


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
