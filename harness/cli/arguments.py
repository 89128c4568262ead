"""Check the words of a command line before any of them is taken for a name, a number or a path."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.errors import UsageError
from harness.core.text import has_control_characters

MAX_LENGTH = 20_000  # of a word; a list of a thousand seeds has a third
MAX_SHOWN = 60  # characters of a word in a message


def require_plain_words(words: Sequence[str]) -> None:
    """Check that each word is text of one line, not empty, with numbers in the digits 0 to 9.

    An empty word is mostly a variable of a script that is not set, which would silently mean the
    default. Python takes digits of all scripts for numbers.

    Args:
        words: The command line without the program's name.

    Raises:
        UsageError: Some words are not; one sentence for each.
    """
    problems = []
    option = ""
    for word in words:
        name, equals, value = word.partition("=")
        is_option = word.startswith("--")
        where = name if is_option and equals else option
        if problem := _find_problem(value if is_option and equals else word):
            of = f"The value of {_show(where)}" if where else "A word of the command line"
            problems.append(f"{of} {problem}.")
        option = word if word.startswith("-") and not equals and len(word) > 1 else ""
    if problems:
        raise UsageError(*problems)


def _find_problem(word: str) -> str:
    """Return what is wrong with a word, as the end of a sentence; empty if nothing is."""
    if not word.strip():
        return f"is empty: given {word!r}. Leave the option out, or give a value"
    if len(word) > MAX_LENGTH:
        return f"has {len(word):,} characters; at most {MAX_LENGTH:,} are allowed"
    if has_control_characters(word):
        return f"contains a control character: {_show(word)}"
    if not _is_unicode(word):
        return f"is not valid UTF-8: {_show(word)}. A path may be given by a link of another name"
    if not word.isascii() and any(map(_is_number, word.replace("=", ",").split(","))):
        return f"is a number in digits other than 0 to 9: {_show(word)}"
    return ""


def _is_unicode(word: str) -> bool:
    """Return whether a word has no bytes that the terminal's encoding could not decode."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_number(text: str) -> bool:
    """Return whether Python reads text as a number that is not written in ASCII."""
    try:
        float(text)
    except ValueError:
        return False
    return not text.isascii()


def _show(word: str) -> str:
    text = ascii(word) if not word.isprintable() else repr(word)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."
