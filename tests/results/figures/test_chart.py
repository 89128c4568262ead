import pandas as pd
import seaborn as sns

from results.figures.chart import Chart, line_styles, make_panels, save_chart


def draw(data):
    figure, (ax,) = make_panels(1)
    sns.scatterplot(data, x="x", y="y", ax=ax)
    return figure


def test_equal_data_makes_equal_bytes(tmp_path):
    data = pd.DataFrame({"x": [1, 2], "y": [3.5, 4.0]})
    first = save_chart(Chart("dots", data, draw), tmp_path / "a")
    again = save_chart(Chart("dots", data, draw), tmp_path / "b")
    assert [path.suffix for path in first] == [".csv", ".png", ".pdf"]
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in again]
    assert first[0].read_text() == "x,y\n1,3.5\n2,4.0\n"
    assert first[1].read_bytes().startswith(b"\x89PNG")
    assert (
        first[2].read_bytes().startswith(b"%PDF") and b"CreationDate" not in first[2].read_bytes()
    )
    assert {path.parent for path in first} == {tmp_path / "a"}


def test_thirty_lines_have_different_styles():
    names = [f"method {number}" for number in range(30)]
    styles = line_styles(names)
    assert len({(styles.colours[name], styles.markers[name]) for name in names}) == 30
    assert len({(styles.colours[name], styles.dashes[name]) for name in names}) == 30
