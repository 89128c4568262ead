"""Figures of a report: the first ones are in its page, the others are files next to it."""

from __future__ import annotations

import base64
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import FileError
from harness.core.files import read_file
from results.figures import KIND_TITLES, RANKED_PREFIX

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_BYTES = 50_000_000  # of one file
MAX_EMBEDDED = 1_000_000  # bytes of all images in the page, so that it opens quickly
WIDE = 1000  # pixels; two narrower figures stand side by side
GAINS = "gains"  # beginning of the name of the forest plots


@dataclass(frozen=True, slots=True)
class EmbeddedFigure:
    """A figure as the page shows it.

    Attributes:
        name: Name of its files, without the suffix.
        image: Data URI of the PNG; empty if the page only refers to the file.
        has_csv: Whether there is a CSV next to the PNG.
        has_pdf: Whether there is a PDF next to the PNG.
        is_stale: Whether it was drawn for an earlier report.
        is_wide: Whether it needs the page's whole width.
    """

    name: str
    image: str
    has_csv: bool
    has_pdf: bool
    is_stale: bool = False
    is_wide: bool = False

    @property
    def title(self) -> str:
        """Caption and alternative text: the kind of figure and the rest of its name in words."""
        kind, _, rest = self.name.partition("-")
        words = rest.replace("-", " ").replace("_", " ")
        if kind not in KIND_TITLES:
            return f"{kind} {words}".strip().replace("_", " ")
        return f"{KIND_TITLES[kind]}: {words}" if words else KIND_TITLES[kind]

    @property
    def is_ranked_list(self) -> bool:
        """True if it shows ranked lists (`kdreid compare-rankings`)."""
        return self.name.startswith(RANKED_PREFIX)

    @property
    def is_forest_plot(self) -> bool:
        """True if it shows gains, which stand next to the leaderboard."""
        return _is_forest_plot(self.name)


def embed_figures(
    folder: Path, drawn: Collection[Path], problems: list[str]
) -> list[EmbeddedFigure]:
    """Return the figure of every PNG of a folder, forest plots first, then by name.

    Figures are embedded as long as all images together have at most `MAX_EMBEDDED` bytes: those
    that this report drew before older ones, and small ones before large ones.

    Args:
        folder: The report's folder of figures.
        drawn: Files that this report drew; all others are marked as stale.
        problems: One line is appended for every file that is no PNG or cannot be read.
    """
    paths = sorted(folder.glob("*.png"), key=_by_kind)
    contents = {path: content for path in paths if (content := _read_png(path, problems))}

    def order(path: Path) -> tuple[bool, bool, int]:
        return not _is_forest_plot(path.stem), path not in drawn, len(contents[path])

    embedded: set[Path] = set()
    room = MAX_EMBEDDED
    for path in sorted(contents, key=order):
        if len(contents[path]) <= room:
            embedded.add(path)
            room -= len(contents[path])
    return [
        EmbeddedFigure(
            name=path.stem,
            image=_data_uri(content) if path in embedded else "",
            has_csv=path.with_suffix(".csv").is_file(),
            has_pdf=path.with_suffix(".pdf").is_file(),
            is_stale=path not in drawn,
            is_wide=int.from_bytes(content[16:20], "big") > WIDE,
        )
        for path, content in contents.items()
    ]


def _by_kind(path: Path) -> tuple[bool, str]:
    return not _is_forest_plot(path.stem), path.stem


def _is_forest_plot(name: str) -> bool:
    return name == GAINS or name.startswith(f"{GAINS}-")


def _read_png(path: Path, problems: list[str]) -> bytes | None:
    """Return the content of a PNG; for another file None, and a line among the problems."""
    try:
        content = read_file(path, MAX_BYTES)
    except FileError as error:
        problems.append(f"Not shown on the page: {error}")
        return None
    if content is None or not content.startswith(PNG_SIGNATURE):
        problems.append(f"{path}: not shown on the page, it is not a PNG.")
        return None
    return content


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
