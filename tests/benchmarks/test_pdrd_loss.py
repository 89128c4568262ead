import torch

from harness.benchmarks.pdrd_loss import FEATURES, WAYS, pdrd_loss


def test_both_ways_are_the_same_loss_and_gradient():
    found = []
    for way in WAYS.values():
        torch.manual_seed(0)
        student = torch.randn(40, FEATURES, dtype=torch.float64).relu().requires_grad_()
        loss = way(student, torch.randn(40, FEATURES, dtype=torch.float64).relu())
        loss.backward()
        found.append((loss, student.grad))
    torch.testing.assert_close(found[0], found[1], rtol=1e-9, atol=1e-12)


def test_by_anchors_needs_a_fraction_of_the_memory():
    """At 256 images a single tensor of the broadcast takes 64 MiB, and it holds several."""
    ways = pdrd_loss(256, 1, 1)
    assert ways["broadcast"].mebibytes > 128
    assert ways["by anchors"].mebibytes < ways["broadcast"].mebibytes / 3
