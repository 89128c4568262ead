import pytest
import torch

from harness.models import build_network
from harness.models.directional import DirectionalPooling, directional_weights
from harness.models.registry import DIRECTIONS
from tests.support.outputs import golden

COUNTS = {8: (10, 26, 26, 10), 16: (36, 100, 100, 36), 32: (136, 392, 392, 136)}


@pytest.mark.parametrize("size", [8, 16, 32])
@pytest.mark.parametrize("kind", DIRECTIONS)
def test_agrees_with_the_golden_loops(kind, size):
    arrays = golden("directional_pooling")
    pooled = DirectionalPooling(kind)(arrays[f"x{size}"].double())
    expected = arrays[f"{kind}{size}"].double()
    torch.testing.assert_close(pooled, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", COUNTS)
def test_diagonals_are_grouped_as_the_paper_counts_them(size):
    for kind in ("dap", "aap"):
        assert tuple((directional_weights(kind, size) > 0).sum(1).tolist()) == COUNTS[size]
    rows = (directional_weights("hap", size) > 0).view(4, size, size).any(2).sum(1).tolist()
    assert rows == [5 * size // 8] * 4


@pytest.mark.parametrize("kind", DIRECTIONS)
def test_a_constant_map_stays_constant(kind):
    pooled = DirectionalPooling(kind)(torch.full((1, 2, 8, 8), 3.0))
    torch.testing.assert_close(pooled, torch.full((1, 2, 4), 3.0))


def test_the_directions_are_each_others_mirror_images():
    maps = torch.rand(2, 3, 16, 16)

    def pool(kind, x):
        return DirectionalPooling(kind)(x)

    torch.testing.assert_close(pool("dap", maps.flip(3)), pool("aap", maps).flip(2))
    torch.testing.assert_close(pool("vap", maps.transpose(2, 3)), pool("hap", maps))


@pytest.mark.parametrize("shape", [(16, 8), (4, 4), (12, 12)])
def test_other_maps_are_refused_with_a_remedy(shape):
    with pytest.raises(ValueError, match=rf"8x8, 16x16 and 32x32.*{shape[0]}x{shape[1]}.*height"):
        DirectionalPooling("hap")(torch.zeros(1, 2, *shape))


def test_a_branch_has_the_flattened_head():
    network = build_network("resnet18-dap", "own", 576)
    assert network.widths.embedding == 256
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(11.85, abs=0.005)
    assert network.head.reduce.in_features == 4 * 512


def test_branches_start_from_different_weights():
    first, second = (build_network(f"resnet18-{kind}", "own", 5) for kind in ("hap", "vap"))
    assert not torch.equal(first.head.reduce.weight, second.head.reduce.weight)
