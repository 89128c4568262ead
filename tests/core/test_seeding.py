import torch

from harness.core.seeding import derive_seed, make_generator, seeded_rng


def test_a_seed_depends_on_every_part():
    seeds = {
        derive_seed("a", 1),
        derive_seed("a", 2),
        derive_seed("b", 1),
        derive_seed("a", "1"),
        derive_seed("a1"),
    }
    assert len(seeds) == 5


def test_generators_start_where_their_parts_say():
    first, second = (torch.rand(3, generator=make_generator("x", 5)) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, torch.rand(3, generator=make_generator("x", 6)))


def test_seeded_leaves_the_global_stream_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    with seeded_rng("inside"):
        torch.rand(5)
    assert torch.equal(torch.rand(2), expected)
