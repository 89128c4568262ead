import torch

from harness.core.seeding import generator, seed_of, seeded


def test_a_seed_depends_on_every_part():
    seeds = {seed_of("a", 1), seed_of("a", 2), seed_of("b", 1), seed_of("a", "1"), seed_of("a1")}
    assert len(seeds) == 5


def test_generators_start_where_their_parts_say():
    first, second = (torch.rand(3, generator=generator("x", 5)) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, torch.rand(3, generator=generator("x", 6)))


def test_seeded_leaves_the_global_stream_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    with seeded("inside"):
        torch.rand(5)
    assert torch.equal(torch.rand(2), expected)
