import base64
import os

import pytest

from results.page import figures
from results.page.figures import PNG_SIGNATURE, EmbeddedFigure, embed_figures


def test_figures_are_embedded_with_their_data(tmp_path):
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
    assert base64.b64decode(first.csv.removeprefix("data:text/csv;base64,")) == b"x\n1\n"
    assert (second.csv, second.has_pdf) == ("", False)
    assert third.is_ranked_list
    assert [first.is_stale, second.is_stale, third.is_stale] == [False, True, True]


def test_files_that_cannot_be_embedded_are_reported(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_text("<html>")
    (tmp_path / "b.png").mkdir()
    (tmp_path / "c.png").write_bytes(PNG_SIGNATURE + b"long")
    monkeypatch.setattr(figures, "MAX_BYTES", 10)
    problems = []
    assert embed_figures(tmp_path, (), problems) == []
    assert ["a.png" in problems[0], "b.png" in problems[1], "c.png" in problems[2]] == [True] * 3
    assert "it is not a PNG" in problems[0] and "larger than 10 bytes" in problems[2]


def test_pipes_are_reported_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(PNG_SIGNATURE)
    os.mkfifo(tmp_path / "b.csv")
    problems = []
    (figure,) = embed_figures(tmp_path, (), problems)
    assert (figure.name, figure.csv) == ("b", "")
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
    assert EmbeddedFigure(name, "", "", has_pdf=False).title == title
