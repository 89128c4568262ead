r"""Text as LaTeX that pdflatex prints literally, with no other package than booktabs.

Letters with marks become commands for accents, Greek letters and common signs become mathematics,
and what LaTeX's usual fonts lack, such as Chinese, becomes its number: [U+4E2D].
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_ASCII = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # after a line break it would begin the break's argument
    "]": "{]}",
    "*": "{*}",
}
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=,)(?=,)|(?<=[`?!])(?=`)")
_MINUS = re.compile(r"(?<![\w.)-])-(?=\d)")
_MARKS = {
    "GRAVE ACCENT": "`",
    "ACUTE ACCENT": "'",
    "CIRCUMFLEX ACCENT": "^",
    "TILDE": "~",
    "DIAERESIS": '"',
    "RING ABOVE": "r",
    "CARON": "v",
    "MACRON": "=",
    "BREVE": "u",
    "DOT ABOVE": ".",
    "DOUBLE ACUTE ACCENT": "H",
    "CEDILLA": "c",
    "DOT BELOW": "d",
    "MACRON BELOW": "b",
}
_LETTERS = {
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "\N{LATIN SMALL LETTER DOTLESS I}": r"\i{}",
    "§": r"\S{}",
    "¶": r"\P{}",
    "©": r"\copyright{}",
    "£": r"\pounds{}",
    "†": r"\dag{}",
    "‡": r"\ddag{}",
    "…": r"\dots{}",
    "¡": "!`",
    "¿": "?`",
    "\N{NO-BREAK SPACE}": "~",
    "\N{EN DASH}": "--",
    "\N{EM DASH}": "---",
    "\N{LEFT SINGLE QUOTATION MARK}": "`",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "“": "``",
    "”": "''",
    "\N{ZERO WIDTH NON-JOINER}": "{}",
    "\N{ZERO WIDTH JOINER}": "{}",
}
_MATHEMATICS = {
    "PLUS-MINUS SIGN": r"\pm",
    "MULTIPLICATION SIGN": r"\times",
    "DIVISION SIGN": r"\div",
    "MIDDLE DOT": r"\cdot",
    "BULLET": r"\bullet",
    "NOT SIGN": r"\neg",
    "MICRO SIGN": r"\mu",
    "DEGREE SIGN": r"{}^\circ",
    "NOT EQUAL TO": r"\neq",
    "LESS-THAN OR EQUAL TO": r"\leq",
    "GREATER-THAN OR EQUAL TO": r"\geq",
    "ALMOST EQUAL TO": r"\approx",
    "IDENTICAL TO": r"\equiv",
    "PROPORTIONAL TO": r"\propto",
    "INFINITY": r"\infty",
    "MINUS SIGN": "-",
    "N-ARY SUMMATION": r"\sum",
    "N-ARY PRODUCT": r"\prod",
    "SQUARE ROOT": r"\surd",
    "PARTIAL DIFFERENTIAL": r"\partial",
    "NABLA": r"\nabla",
    "ELEMENT OF": r"\in",
    "EMPTY SET": r"\emptyset",
    "INTERSECTION": r"\cap",
    "UNION": r"\cup",
    "CIRCLED PLUS": r"\oplus",
    "CIRCLED TIMES": r"\otimes",
    "RIGHTWARDS ARROW": r"\rightarrow",
    "LEFTWARDS ARROW": r"\leftarrow",
    "LEFT RIGHT ARROW": r"\leftrightarrow",
    "UPWARDS ARROW": r"\uparrow",
    "DOWNWARDS ARROW": r"\downarrow",
    "RIGHTWARDS DOUBLE ARROW": r"\Rightarrow",
    "SCRIPT SMALL L": r"\ell",
    "OHM SIGN": r"\Omega",
    "VULGAR FRACTION ONE HALF": r"\frac{1}{2}",
    "VULGAR FRACTION ONE QUARTER": r"\frac{1}{4}",
    "VULGAR FRACTION THREE QUARTERS": r"\frac{3}{4}",
}
_GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+|FINAL SIGMA)")
_GREEK_LETTERS = {
    name.upper(): f"\\{name}"
    for name in (
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
        *("mu", "nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
    )
} | {"LAMDA": "\\lambda", "OMICRON": "o", "FINAL SIGMA": "\\varsigma"}
_AS_LATIN = {  # capitals that LaTeX does not have, because Latin ones look the same
    "ALPHA": "A",
    "BETA": "B",
    "EPSILON": "E",
    "ZETA": "Z",
    "ETA": "H",
    "IOTA": "I",
    "KAPPA": "K",
    "MU": "M",
    "NU": "N",
    "OMICRON": "O",
    "RHO": "P",
    "TAU": "T",
    "CHI": "X",
}
_DIGITS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")


def escape_latex(text: str) -> str:
    """Return LaTeX that prints `text` literally, whatever it contains."""
    escaped: list[str] = []
    for character in unicodedata.normalize("NFC", _LIGATURE.sub("\N{ZERO WIDTH JOINER}", text)):
        for part in [character] if _escape(character) else unicodedata.normalize("NFD", character):
            if mark := _mark(part):
                base = escaped.pop() if escaped else ""
                escaped.append(f"\\{mark}{{{base}}}")
            else:
                escaped.append(_escape(part) or f"{{[}}U+{ord(part):04X}{{]}}")
    return "".join(escaped)


def escape_numbers(text: str) -> str:
    """Return the same, with a minus sign where a hyphen stands before a number."""
    return escape_latex(_MINUS.sub("\N{MINUS SIGN}", text))


def unprintable_in_latex(text: str) -> str:
    """Return the characters of a text, each once, in place of which LaTeX prints a number."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(dict.fromkeys(one for one in composed if "{[}U+" in escape_latex(one)))


def _mark(character: str) -> str:
    """Return the command of a mark that stands above or below the letter before it."""
    name = unicodedata.name(character, "")
    return _MARKS.get(name.removeprefix("COMBINING "), "") if name.startswith("COMBINING") else ""


@cache
def _escape(character: str) -> str:
    """Return the LaTeX of one character; empty for one that has none."""
    if character in _ASCII or character in _LETTERS:
        return _ASCII.get(character) or _LETTERS[character]
    if character.isascii() and character.isprintable():
        return character
    name = unicodedata.name(character, "")
    formula = _MATHEMATICS.get(name) or _script(name) or _greek(name)
    return f"${formula}$" if formula else ""


def _script(name: str) -> str:
    """Return a raised or lowered digit."""
    place, _, digit = name.partition(" ")
    sign = {"SUPERSCRIPT": "^", "SUBSCRIPT": "_"}.get(place)
    return f"{sign}{_DIGITS.index(digit)}" if sign and digit in _DIGITS else ""


def _greek(name: str) -> str:
    """Return a Greek letter of this name in Unicode; empty for what is none or not in LaTeX."""
    match = _GREEK.fullmatch(name)
    if match is None or match[2] not in _GREEK_LETTERS:
        return ""
    if match[1] == "SMALL":
        return _GREEK_LETTERS[match[2]]
    latin = _AS_LATIN.get(match[2])
    return (
        f"\\mathrm{{{latin}}}" if latin else f"\\{match[2].capitalize().replace('Lamda', 'Lambda')}"
    )
