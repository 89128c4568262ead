"""What files hold is shown, never obeyed."""

import unicodedata

import pytest

from harness.core.text import has_control_characters, printable, printable_lines

CLIPBOARD = "\x1b]52;c;cm0gLXJmIH4=\x07"
OVERRIDE = "\u202emoc.elpmaxe\u202c"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("PDRD (ours), 4 °", "PDRD (ours), 4 °"),
        ("αβγ 中文 émile 👩‍🔬", "αβγ 中文 émile 👩‍🔬"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),  # a Persian word
        (CLIPBOARD, r"\x1b]52;c;cm0gLXJmIH4=\x07"),
        ("done\rfailed", r"done\rfailed"),
        ("a\nb\tc", r"a\nb\tc"),
        (OVERRIDE, r"\u202emoc.elpmaxe\u202c"),
        ("a\u2066b\u200fc\ufeffd\u2028e", r"a\u2066b\u200fc\ufeffd\u2028e"),
        ("\x9b31m", r"\x9b31m"),
        ("name\udcff", r"name\udcff"),
        ("\U000e0041", r"\U000e0041"),
        (7, "7"),
        (None, "None"),
    ],
)
def test_control_characters_are_shown_escaped(text, shown):
    assert printable(text) == shown


def test_lines_keep_their_breaks_and_nothing_else():
    assert printable_lines(f"a\n\tb{CLIPBOARD}\r\n") == "a\n\tb" + printable(CLIPBOARD) + "\\r\n"


def test_no_character_of_unicode_commands_a_terminal():
    shown = printable("".join(map(chr, range(0x110000))))
    assert not has_control_characters(shown)
    kinds = {unicodedata.category(one) for one in shown if one not in "\u200c\u200d"}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    shown.encode()  # no half of a surrogate pair is left


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "\x00", "\x1b[0m", "\x7f", "\x85", "\u2028"])
def test_control_characters_are_found(text):
    assert has_control_characters(text) and not has_control_characters("a b\u00a0é中")
