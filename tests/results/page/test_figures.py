import base64
import os

import pytest

from results.page import figures
from results.page.figures import PNG_SIGNATURE, EmbeddedFigure, embed_figures


def test_figures_are_embedded_and_their_files_are_found(tmp_path):
    (tmp_path / "b_two.png").write_bytes(PNG_SIGNATURE + b"two")
    (tmp_path / "a-one.png").write_bytes(PNG_SIGNATURE + b"one")
    (tmp_path / "a-one.csv").write_text("x\n1\n")
    (tmp_path / "a-one.pdf").write_bytes(b"%PDF")
    (tmp_path / "ranked-sp-pdrd.png").write_bytes(PNG_SIGNATURE)
    problems = []
    drawn = [tmp_path / "a-one.png", tmp_path / "a-one.pdf"]
    first, second, third = embed_figures(tmp_path, drawn, problems)
    assert problems == []
    assert (first.name, first.has_pdf, first.is_ranked_list) == ("a-one", True, False)
    assert (
        base64.b64decode(first.image.removeprefix("data:image/png;base64,"))
        == PNG_SIGNATURE + b"one"
    )
    assert [first.has_csv, second.has_csv, second.has_pdf] == [True, False, False]
    assert third.is_ranked_list
    assert [first.is_stale, second.is_stale, third.is_stale] == [False, True, True]


def test_forest_plots_come_first(tmp_path):
    for name in ("cost", "gains-msmt17", "gains", "gainsay"):
        (tmp_path / f"{name}.png").write_bytes(PNG_SIGNATURE)
    names = [figure.name for figure in embed_figures(tmp_path, (), [])]
    assert names == ["gains", "gains-msmt17", "cost", "gainsay"]


def test_what_does_not_fit_into_the_page_stays_a_file(tmp_path, monkeypatch):
    """Forest plots have the first claim, then new figures, then small ones."""
    sizes = {"a": 60, "b": 30, "c": 20, "gains": 50, "old": 10}
    for name, size in sizes.items():
        (tmp_path / f"{name}.png").write_bytes(PNG_SIGNATURE.ljust(size, b"x"))
    monkeypatch.setattr(figures, "MAX_EMBEDDED", 100)
    drawn = [tmp_path / f"{name}.png" for name in sizes if name != "old"]
    found = embed_figures(tmp_path, drawn, problems := [])
    assert problems == [] and len(found) == len(sizes)
    assert {figure.name for figure in found if figure.image} == {"gains", "b", "c"}


def test_wide_figures_are_known_by_their_header(tmp_path):
    for name, width in (("narrow", 800), ("wide", 1600)):
        header = b"\0\0\0\rIHDR" + width.to_bytes(4, "big")
        (tmp_path / f"{name}.png").write_bytes(PNG_SIGNATURE + header)
    assert [figure.is_wide for figure in embed_figures(tmp_path, (), [])] == [False, True]


def test_files_that_are_no_png_are_reported(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_text("<html>")
    (tmp_path / "b.png").mkdir()
    (tmp_path / "c.png").write_bytes(PNG_SIGNATURE + b"long")
    monkeypatch.setattr(figures, "MAX_BYTES", 10)
    problems = []
    assert embed_figures(tmp_path, (), problems) == []
    assert ["a.png" in problems[0], "b.png" in problems[1], "c.png" in problems[2]] == [True] * 3
    assert "it is not a PNG" in problems[0] and "more than 10 bytes" in problems[2]


def test_pipes_are_reported_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(PNG_SIGNATURE)
    os.mkfifo(tmp_path / "b.csv")
    problems = []
    (figure,) = embed_figures(tmp_path, (), problems)
    assert (figure.name, figure.has_csv) == ("b", False)
    assert problems == [
        f"Not shown on the page: {tmp_path / 'a.png'} is a pipe, not a file: move it away and "
        "repeat the command."
    ]


def test_a_missing_folder_has_no_figures(tmp_path):
    assert embed_figures(tmp_path / "none", (), []) == []


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("learning-market1501", "Learning curves: market1501"),
        ("ranks", "Critical-difference diagram"),
        ("pdrd-weight", "pdrd weight"),
        ("ranked-0a-1b", "Ranked lists: 0a 1b"),
        ("my_figure", "my figure"),
    ],
)
def test_captions_name_the_kind_of_figure(name, title):
    assert EmbeddedFigure(name, "", has_csv=False, has_pdf=False).title == title
