from dataclasses import replace

import torch

from harness.benchmarks.loader import IMAGE_SOURCES, measure_throughput, torchvision_pipeline
from harness.cli.bench_printing import print_loader
from harness.data.augmentation import normalise_pixels
from harness.data.decoding import read_image
from harness.data.synthetic.layouts import LAYOUTS, VEHICLE_LAYOUTS
from harness.planning.overrides import resolve_settings
from harness.planning.schema import load_dataset
from harness.runs.spec import Recipe


def test_both_pipelines_give_the_same_image_without_randomness(jpeg, tmp_path):
    """Both resize with Pillow, so that the compared work is the same."""
    file = jpeg(tmp_path / "a.jpg", size=(20, 40))
    recipe = replace(Recipe(height=32, width=16), flip=0, pad=0, erase=0)
    cached = normalise_pixels(torch.tensor(read_image(file, (32, 16)))[None])[0]
    torch.testing.assert_close(torchvision_pipeline(recipe)(file), cached)


def test_sources_agree_with_the_layouts_and_the_recipes_of_the_datasets():
    assert set(IMAGE_SOURCES) == set(LAYOUTS)
    for name, source in IMAGE_SOURCES.items():
        assert source.kind == ("vehicles" if name in VEHICLE_LAYOUTS else "people")
        recipe = resolve_settings([load_dataset(name)], []).recipe
        assert source.size == (recipe.height, recipe.width)


def test_the_cache_is_faster(capsys):
    """By a small factor only, since the machine may be busy; the benchmark prints the real one."""
    speed = measure_throughput(IMAGE_SOURCES["market1501"], 16, 3)
    assert speed.ratio == speed.cached / speed.baseline > 1.5
    assert speed.filling > 0
    print_loader(["market1501"], 8, 1)
    assert "market1501" in capsys.readouterr().out
