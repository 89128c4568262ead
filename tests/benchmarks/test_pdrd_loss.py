import torch

from harness.benchmarks.pdrd_loss import FEATURES, IMPLEMENTATIONS, measure_pdrd_loss


def test_both_implementations_give_the_same_loss_and_gradient():
    results = []
    for loss_of in IMPLEMENTATIONS.values():
        torch.manual_seed(0)
        student = torch.randn(40, FEATURES, dtype=torch.float64).relu().requires_grad_()
        loss = loss_of(student, torch.randn(40, FEATURES, dtype=torch.float64).relu())
        loss.backward()
        results.append((loss, student.grad))
    torch.testing.assert_close(results[0], results[1], rtol=1e-9, atol=1e-12)


def test_one_anchor_at_a_time_needs_a_fraction_of_the_memory():
    """At 256 images one tensor of the broadcast takes 64 MiB, and it holds several."""
    costs = measure_pdrd_loss(256, 1, 1)
    assert costs["broadcast"].mebibytes > 128
    assert costs["by anchors"].mebibytes < costs["broadcast"].mebibytes / 3
    assert all(cost.seconds > 0 for cost in costs.values())
