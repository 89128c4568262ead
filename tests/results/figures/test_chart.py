import pandas as pd
import seaborn as sns

from results.figures.chart import Chart, line_styles, panels, save


def drawn(data):
    figure, (ax,) = panels(1)
    sns.scatterplot(data, x="x", y="y", ax=ax)
    return figure


def test_equal_data_makes_equal_bytes(tmp_path):
    data = pd.DataFrame({"x": [1, 2], "y": [3.5, 4.0]})
    first = save(Chart("dots", data, drawn), tmp_path / "a")
    again = save(Chart("dots", data, drawn), tmp_path / "b")
    assert [path.suffix for path in first] == [".csv", ".png", ".pdf"]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    assert first[0].read_text() == "x,y\n1,3.5\n2,4.0\n"
    assert first[1].read_bytes().startswith(b"\x89PNG")
    assert (
        first[2].read_bytes().startswith(b"%PDF") and b"CreationDate" not in first[2].read_bytes()
    )
    assert {path.parent for path in first} == {tmp_path / "a"}


def test_no_two_of_thirty_look_alike():
    names = [f"method {number}" for number in range(30)]
    colours, markers, dashes = line_styles(names)
    assert len({(colours[name], markers[name]) for name in names}) == 30
    assert len({(colours[name], dashes[name]) for name in names}) == 30
