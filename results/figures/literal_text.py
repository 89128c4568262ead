"""Text of figures as it is: matplotlib takes some labels for formulas and hides others.

Without `text.parse_math` a label with dollars is text. Two things remain: powers on logarithmic
axes, which are formulas of matplotlib's own, and names that begin with an underscore, which its
legends leave out.
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation

_POWER = re.compile(r"\^\{([^}]*)\}")
_SUPERSCRIPTS = str.maketrans("0123456789-\N{MINUS SIGN}.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻·")


class LiteralPowers(LogFormatterSciNotation):
    """The usual labels of a logarithmic axis, as text: 10², 2 times 10³."""

    def __call__(self, x: Any, pos: Any = None) -> str:
        formula = str(super().__call__(x, pos))
        inner = formula.removeprefix(r"$\mathdefault{").removesuffix("}$")
        powers = _POWER.sub(lambda match: match[1].translate(_SUPERSCRIPTS), inner)
        return powers.replace(r"\times", "\N{MULTIPLICATION SIGN}")


def literal_powers(figure: Figure) -> None:
    """Label the logarithmic axes of a figure by text instead of formulas."""
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            for formatter, replace in (
                (axis.get_major_formatter(), axis.set_major_formatter),
                (axis.get_minor_formatter(), axis.set_minor_formatter),
            ):
                if isinstance(formatter, LogFormatterSciNotation):
                    literal = LiteralPowers()
                    literal.__dict__.update(formatter.__dict__)
                    replace(literal)


def literal_names(data: pd.DataFrame) -> pd.DataFrame:
    """Return data in which no text begins with an underscore, which a legend would leave out."""
    changed = data.copy()
    for column in changed.columns[~changed.dtypes.map(pd.api.types.is_numeric_dtype)]:
        changed[column] = changed[column].map(_shift_underscore)
    return changed


def _shift_underscore(value: Any) -> Any:
    is_hidden = isinstance(value, str) and value.startswith("_")
    return f" {value}" if is_hidden else value
