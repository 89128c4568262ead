from dataclasses import replace

import torch

from harness.benchmarks.loader import SOURCES, measure_loader, usual_pipeline
from harness.cli.bench import show_loader
from harness.data.augmentation import normalise_pixels
from harness.data.decoding import read_image
from harness.runs.spec import Recipe


def test_both_pipelines_give_the_same_image_where_nothing_is_random(jpeg, tmp_path):
    """Resized by Pillow in both, so that what is compared is the same work."""
    file = jpeg(tmp_path / "a.jpg", size=(20, 40))
    recipe = replace(Recipe(height=32, width=16), flip=0, pad=0, erase=0)
    ours = normalise_pixels(torch.tensor(read_image(file, (32, 16)))[None])[0]
    torch.testing.assert_close(usual_pipeline(recipe)(file), ours)


def test_the_cache_is_faster_in_any_case(capsys):
    """By a small factor, since this machine may be busy; the benchmark prints the real one."""
    assert measure_loader(SOURCES["market1501"], 16, 3).ratio > 1.5
    show_loader(["market1501"], 8, 1)
    assert "market1501" in capsys.readouterr().out
