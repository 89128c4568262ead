r"""A paper's table as LaTeX that fits a column of a two-column article.

The letters' size and the gaps between columns are the largest with which the table fits, by the
widths of Computer Modern, which is wider than Times. Only a table that fits with none is scaled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from results.tables.cells import Cell
from results.tables.latex import escape_latex, escape_numbers
from results.tables.paper import PaperTable
from results.tables.paper_choice import PaperChoice
from results.tables.significance import STAR


@dataclass(frozen=True, slots=True)
class PageStyle:
    """Where a table goes in a class.

    Attributes:
        column: Width of a column in points.
        page: Width of the text in points.
        place: Argument of the `table` environment.
        is_caption_below: Whether the caption stands below the table.
        has_plain_captions: Whether a caption may have several sentences; IEEE's are in small
            capitals, so notes stand below the table.
    """

    column: float
    page: float
    place: str
    is_caption_below: bool
    has_plain_captions: bool


PAGE_STYLES = {
    "ieee": PageStyle(252.0, 516.0, "!t", is_caption_below=False, has_plain_captions=False),
    "cvpr": PageStyle(237.1, 496.8, "t", is_caption_below=True, has_plain_captions=True),
    "plain": PageStyle(345.0, 345.0, "tbp", is_caption_below=False, has_plain_captions=True),
}
SIZES = ((r"\footnotesize", 1.07), (r"\scriptsize", 1.0))  # with their widths, \scriptsize is 1
GAPS = (4.0, 3.0, 2.2)  # \tabcolsep in points
MARK_WIDTH = 4.2  # of a dagger or star behind the last column, in points
WIDTHS = {  # of letters in \scriptsize, in points
    2.6: "',.:;[]_`il!<jf-",
    3.3: "I()trs",
    4.05: 'cze>?a$*/0123456789^o}~"\\g{J',
    4.4: "kqxvySbdhnpu",
    5.2: "ZLF",
    5.8: "EPBTCwR",
    6.2: "AXUVHNYDOQ&+=@KG",
}
OTHER_WIDTH = 8.2  # of any other character
BOLD = 1.13  # width of bold digits and points by that of others
SIGN, DIGIT, POINT = 8.3, 2.95, 1.8  # in \tiny, in points
PLUS_MINUS, WITH_SUBSCRIPTS = "mean ± standard deviation", "mean with standard deviation"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is set.

    Attributes:
        size: Command for the size of letters.
        gap: Space on both sides of a column, in points.
        has_subscripts: Whether standard deviations are subscripts, without a sign.
        scale: Below 1 if the table fits in no other way.
    """

    size: str
    gap: float
    has_subscripts: bool = False
    scale: float = 1.0


def choose_layout(paper: PaperTable, choice: PaperChoice) -> Layout:
    """Return the largest letters and gaps with which the table fits its column or page."""
    style = PAGE_STYLES[choice.style]
    room = style.page if choice.is_wide else style.column
    for has_subscripts in (False, True):
        for size, relative in SIZES:
            for gap in GAPS:
                layout = Layout(size, gap, has_subscripts)
                width = _estimate_width(paper, layout, relative)
                if width <= room:
                    return layout
    return replace(layout, scale=room / width)


def paper_latex(paper: PaperTable, choice: PaperChoice) -> str:
    """Return a `table` environment, or `table*` for a wide one.

    It needs booktabs, and graphicx if it had to be scaled.
    """
    style, layout = PAGE_STYLES[choice.style], choose_layout(paper, choice)
    environment = "table*" if choice.is_wide else "table"
    scaled = layout.scale < 1
    title, notes = paper.table.title, " ".join(paper.table.caption)
    if layout.has_subscripts:
        title = title.replace(PLUS_MINUS, WITH_SUBSCRIPTS)
    in_caption = style.has_plain_captions and notes
    caption = f"{title}. {notes}" if in_caption else f"{title}{'.' * style.has_plain_captions}"
    head = f"\\caption{{{escape_latex(caption)}}}\n\\label{{tab:{paper.table.name}}}\n"
    body = "\n".join(_tabular(paper, layout))
    if scaled:
        width = r"\textwidth" if choice.is_wide else r"\columnwidth"
        body = f"\\resizebox{{{width}}}{{!}}{{%\n{body}}}"
    below = "" if in_caption or not notes else _below(notes)
    settings = f"{layout.size}\n\\setlength{{\\tabcolsep}}{{{layout.gap:g}pt}}\n"
    parts = [f"{settings}{body}\n{below}"]
    parts.insert(len(parts) if style.is_caption_below else 0, head)
    return (
        f"% \\usepackage{{booktabs}}{' and graphicx' if scaled else ''}\n"
        f"\\begin{{{environment}}}[{style.place}]\n\\centering\n{''.join(parts)}"
        f"\\end{{{environment}}}\n"
    )


def describe_scaling(paper: PaperTable, choice: PaperChoice) -> Iterator[str]:
    """Yield a sentence if the table fits with no size of letters."""
    layout = choose_layout(paper, choice)
    if layout.scale < 1:
        others = "fewer columns or datasets" if choice.is_wide else "--wide, or fewer columns"
        yield (
            f"The table is wider than its place in {choice.style}, so LaTeX scales it to about "
            f"{100 * layout.scale:.0f} %: {others} keep the letters at their size."
        )


def _below(notes: str) -> str:
    return f"\\par\\vspace{{2pt}}\n\\parbox{{\\linewidth}}{{\\scriptsize {escape_latex(notes)}}}\n"


def _tabular(paper: PaperTable, layout: Layout) -> Iterator[str]:
    """Yield the lines of the tabular environment."""
    count = sum(len(block.columns) for block in paper.blocks)
    yield f"\\begin{{tabular}}{{@{{}}l*{{{count}}}{{r}}@{{\\hspace{{{MARK_WIDTH:g}pt}}}}}}"
    yield r"\toprule"
    spans = [
        f"\\multicolumn{{{len(block.columns)}}}{{c}}{{{escape_latex(block.heading)}}}"
        for block in paper.blocks
    ]
    yield f" & {' & '.join(spans)} \\\\"
    first = 2
    rules = []
    for block in paper.blocks:
        last = first + len(block.columns) - 1
        rules.append(f"\\cmidrule(lr){{{first}-{last}}}")
        first = last + 1
    yield "".join(rules)
    headings = [escape_latex(column) for block in paper.blocks for column in block.columns]
    yield f"Method & {' & '.join(headings)} \\\\"
    yield r"\midrule"
    columns = zip(*(row[1:] for row in paper.table.rows), strict=True)
    spreads = [max((_split(cell.text)[2] for cell in cells), key=len) for cells in columns]
    for number, (label, *cells) in enumerate(paper.table.rows):
        if number and number == paper.frames:
            yield r"\midrule"
        texts = [_cell(*pair, layout) for pair in zip(cells, spreads, strict=True)]
        yield f"{escape_latex(label.text)} & {' & '.join(texts)} \\\\"
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _cell(cell: Cell, longest: str, layout: Layout) -> str:
    """Return a number with its marks; a dagger and a star take no room of their own.

    Args:
        cell: The cell.
        longest: The longest standard deviation of the column; a number without one leaves its room.
        layout: How the table is set.
    """
    number, star, spread = _split(cell.text)
    text = "--" if number == "-" else escape_numbers(number)
    emphasis = {"best": r"\textbf{%s}", "second": r"\underline{%s}"}
    text = emphasis.get(cell.mark.place, "%s") % text
    mark = (r"\dagger" if cell.mark.is_tied else "") + ("*" if star else "")
    raised = f"^{{{mark}}}" if mark else ""
    if layout.has_subscripts and spread:
        return f"{text}$_{{{spread}}}{raised}$"
    deviation = f"$_{{{longest}}}$" if layout.has_subscripts else f"{{\\tiny$\\pm${longest}}}"
    if spread:
        text += deviation.replace(longest, spread)
    elif longest and text:
        text += f"\\hphantom{{{deviation}}}"
    return f"{text}\\rlap{{${raised}$}}" if mark else text


def _split(text: str) -> tuple[str, str, str]:
    """Return a cell's number, its star and its standard deviation."""
    number, _, spread = text.partition(" ± ")
    plain = number.removesuffix(STAR)
    return plain, number[len(plain) :], spread


def _estimate_width(paper: PaperTable, layout: Layout, relative: float) -> float:
    """Return the width of the table in points, rather more than less.

    Args:
        paper: The table.
        layout: How it is set.
        relative: Width of its letters by those of `WIDTHS`.
    """
    columns = list(zip(*paper.table.rows, strict=True))
    total = max(_width(text, relative) for text in ("Method", *(c.text for c in columns[0])))
    place = 1
    for block in paper.blocks:
        widths = []
        for heading in block.columns:
            numbers = [_number_width(cell, layout, relative) for cell in columns[place]]
            widths.append(max(_width(heading, relative), *numbers))
            place += 1
        inside = sum(widths) + 2 * layout.gap * (len(widths) - 1)
        total += max(inside, _width(block.heading, relative)) + 2 * layout.gap
    return total - layout.gap + MARK_WIDTH


def _number_width(cell: Cell, layout: Layout, relative: float) -> float:
    number, _, spread = _split(cell.text)
    width = _width(number.replace("-", "+"), relative)
    if cell.mark.place == "best":
        width *= BOLD
    if spread:
        sign = 1.0 if layout.has_subscripts else SIGN
        width += sign + sum(POINT if letter == "." else DIGIT for letter in spread)
    return width


def _width(text: str, relative: float) -> float:
    """Return the width of a text in points."""
    widths = (
        next((width for width, letters in WIDTHS.items() if letter in letters), OTHER_WIDTH)
        for letter in text
    )
    return sum(widths) * relative
