import base64

from results.page import figures
from results.page.figures import PNG, embedded_figures


def test_pictures_with_what_lies_beside_them(tmp_path):
    (tmp_path / "b_two.png").write_bytes(PNG + b"two")
    (tmp_path / "a-one.png").write_bytes(PNG + b"one")
    (tmp_path / "a-one.csv").write_text("x\n1\n")
    (tmp_path / "a-one.pdf").write_bytes(b"%PDF")
    (tmp_path / "ranked-sp-pdrd.png").write_bytes(PNG)
    problems = []
    drawn = [tmp_path / "a-one.png", tmp_path / "a-one.pdf"]
    first, second, third = embedded_figures(tmp_path, drawn, problems)
    assert problems == []
    assert (first.name, first.words, first.vector, first.ranked) == ("a-one", "a one", True, False)
    assert base64.b64decode(first.source.removeprefix("data:image/png;base64,")) == PNG + b"one"
    assert base64.b64decode(first.numbers.removeprefix("data:text/csv;base64,")) == b"x\n1\n"
    assert (second.words, second.numbers, second.vector) == ("b two", "", False)
    assert third.ranked
    assert [first.earlier, second.earlier, third.earlier] == [False, True, True]


def test_what_is_no_picture_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_text("<html>")
    (tmp_path / "b.png").mkdir()
    (tmp_path / "c.png").write_bytes(PNG + b"long")
    monkeypatch.setattr(figures, "LARGEST", 10)
    problems = []
    assert embedded_figures(tmp_path, (), problems) == []
    assert ["a.png" in problems[0], "b.png" in problems[1], "c.png" in problems[2]] == [True] * 3
    assert "it is no PNG" in problems[0] and "more than 10 bytes" in problems[2]


def test_no_folder_is_no_picture(tmp_path):
    assert embedded_figures(tmp_path / "none", (), []) == []
