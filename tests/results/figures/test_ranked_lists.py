import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle

from results.figures.ranked_lists import (
    LIST_LENGTH,
    QueryExample,
    RankedList,
    Thumbnail,
    _draw,
    save_ranked_lists,
)

TITLES = ("KD, resnet18, seed 0", "plain, resnet18, seed 0")


def thumbnail(name):
    return Thumbnail(name, np.zeros((8, 4, 3), np.uint8))


def ranked_list(prefix, matches):
    images = tuple(thumbnail(f"{prefix}{rank}.jpg") for rank in range(LIST_LENGTH))
    return RankedList(0.25, images, tuple(rank in matches for rank in range(LIST_LENGTH)))


def example():
    lists = ranked_list("a", {0, 3}), ranked_list("b", {1})
    return QueryExample(thumbnail("query.jpg"), 7, lists)


def test_the_csv_has_a_row_for_every_gallery_image(tmp_path):
    paths = save_ranked_lists("ranked-a-b", TITLES, [example()], tmp_path)
    assert [path.name for path in paths] == [f"ranked-a-b.{x}" for x in ("csv", "png", "pdf")]
    rows = pd.read_csv(paths[0])
    assert list(rows) == ["query", "identity", "run", "AP", "rank", "image", "right"]
    assert len(rows) == 2 * LIST_LENGTH and set(rows["run"]) == set(TITLES)
    assert rows[rows["right"]]["rank"].tolist() == [1, 4, 2]


def test_matches_have_solid_frames_and_others_dashed_frames_with_a_cross():
    figure = _draw(TITLES, [example()])
    images = [ax for ax in figure.axes if ax.images]
    frames = {ax: next(p for p in ax.patches if isinstance(p, Rectangle)) for ax in images}
    assert len(images) == 1 + 2 * LIST_LENGTH
    dashed = [ax for ax, frame in frames.items() if frame.get_linestyle() == "--"]
    assert len(dashed) == 2 * LIST_LENGTH - 3
    assert all(len(ax.lines) == (2 if ax in dashed else 0) for ax in images)
    assert "AP 25 %" in " ".join(text.get_text() for ax in figure.axes for text in ax.texts)
