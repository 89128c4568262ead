import pandas as pd
import seaborn as sns
from matplotlib.colors import to_rgb

from results.collect import collect_runs
from results.comparable import comparison_groups
from results.figures.chart import (
    Chart,
    add_legend,
    add_note,
    dataset_title,
    figure_name,
    group_title,
    line_styles,
    make_panels,
    row_height,
    save_chart,
    wrap_label,
)
from tests.support.records import done, spec, teacher_spec


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


def test_titles_and_names_qualify_the_data(tmp_path):
    notes = ["Generated data: drawn images in this dataset's layout, no photographs."]
    teacher = done(tmp_path, teacher_spec(dataset="market1501"), 0.6, notes=notes)
    for epochs in (3, 4):
        made = spec("pdrd", 0, [teacher], dataset="market1501", recipe={"epochs": epochs})
        done(tmp_path, made, 0.5, notes=notes)
    frame, _ = collect_runs(tmp_path)
    groups = comparison_groups(frame, "market1501")
    assert dataset_title(frame, "market1501") == "Market-1501 (generated data)"
    assert {group_title("Curves", group) for group in groups} == {
        f"Curves, Market-1501 (generated data; epochs {epochs})" for epochs in (3, 4)
    }
    (first, _) = groups
    assert figure_name("learning", first, with_digest=False) == "learning-market1501"
    name = figure_name("learning", first, with_digest=True)
    assert name == f"learning-market1501-{first.digest}"


def test_one_legend_replaces_those_of_the_panels():
    figure, axes = make_panels(2)
    for ax in axes:
        ax.plot([1, 2], label="line")
        ax.legend()
    add_legend(figure, axes)
    assert [ax.get_legend() for ax in axes] == [None, None]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["line"]


def test_notes_are_wrapped():
    figure, _ = make_panels(1)
    add_note(figure, "word " * 30, columns=50)
    assert max(map(len, figure.get_supxlabel().splitlines())) <= 50


def test_titles_say_that_runs_were_not_made_by_the_same(tmp_path):
    teacher = done(tmp_path, teacher_spec(), 0.6, environment={"torch": "2.15.0"})
    done(tmp_path, spec("sp", 0, [teacher]), 0.5, environment={"torch": "1.13.0"})
    frame, _ = collect_runs(tmp_path)
    (group,) = comparison_groups(frame, "synthetic")
    assert group_title("Curves", group) == "Curves, generated images: torch differs"
    assert dataset_title(frame, "synthetic") == "generated images (torch differs)"


def test_no_two_of_ten_colours_look_alike():
    colours = [to_rgb(colour) for colour in line_styles(list("abcdefghij")).colours.values()]
    blues = [one for one in colours if one[2] > max(one[0], one[1]) + 0.1]
    assert len(set(colours)) == 10 and len(blues) == 1


def test_long_labels_are_wrapped_and_rows_made_high_enough():
    label = wrap_label("A label of a hundred characters, " * 3)
    assert max(map(len, label.splitlines())) <= 22 and label.count("\n") == 2
    assert label.endswith("...") and wrap_label("PDRD") == "PDRD"
    assert wrap_label(" _mine") == " _mine"  # a legend leaves out what begins with an underscore
    assert row_height(["PDRD"], 0.2) == 0.2 < row_height([label], 0.2)
