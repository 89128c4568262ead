import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchdistill.losses.mid_level import FTLoss

from methods.ft import FT, decoder, encoder, learn_to_paraphrase, reconstruction_errors
from tests.support.outputs import (
    LABELS,
    LARGE,
    SMALL,
    assert_gradient,
    assert_loss,
    fake,
    golden,
    leaf,
    only,
)
from tests.support.outputs import widths as make_widths

GOLDEN = make_widths(16), make_widths(64)


@pytest.fixture(autouse=True)
def _one_thread():
    """On maps this small threads only wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def load(module, arrays, prefix):
    """Set three convolutions, at 0, 2 and 4 of a Sequential, from `prefix`0 to `prefix`2."""
    for layer in range(3):
        for part in ("weight", "bias"):
            tensor = getattr(module[2 * layer], part)
            tensor.data.copy_(arrays[f"{prefix}{layer}.{part}"])


def convolve(maps, weight, bias):
    """A 3x3 convolution with padding 1 and LeakyReLU(0.1), entry by entry."""
    outputs, inputs = weight.shape[:2]
    batch, _, height, width = maps.shape
    result = np.zeros((batch, outputs, height, width))
    for b, o, h, w in np.ndindex(result.shape):
        value = bias[o]
        for i, y, x in np.ndindex(inputs, 3, 3):
            if 0 <= h + y - 1 < height and 0 <= w + x - 1 < width:
                value += weight[o, i, y, x] * maps[b, i, h + y - 1, w + x - 1]
        result[b, o, h, w] = value if value > 0 else 0.1 * value
    return result


def factors(module, maps):
    for layer in (0, 2, 4):
        weight, bias = module[layer].weight.detach().numpy(), module[layer].bias.detach().numpy()
        maps = convolve(maps, weight, bias)
    return maps


def formula(ours, theirs):
    """Mean absolute gap of factors that have unit length per image."""
    total = 0.0
    for first, second in zip(ours, theirs, strict=True):
        lengths = [sum(v**2 for v in factor.flat) ** 0.5 for factor in (first, second)]
        for a, b in zip(first.flat, second.flat, strict=True):
            total += abs(a / lengths[0] - b / lengths[1])
    return total / ours.size


def test_agrees_with_the_formula_in_loops():
    torch.manual_seed(0)
    method = FT(make_widths(3), make_widths(4)).double()
    student, teacher = torch.randn(2, 3, 4, 2).double(), torch.randn(2, 4, 4, 2).double()
    expected = formula(
        factors(method.translator, student.numpy()), factors(method.paraphraser, teacher.numpy())
    )
    assert_loss(method(only(maps=(student,)), only(maps=(teacher,)), LABELS), expected, 1e-9)


@pytest.fixture(name="loaded")
def with_golden_weights():
    arrays = golden("ft")
    method = FT(*GOLDEN)
    load(method.paraphraser, arrays, "paraphraser.conv")
    load(method.translator, arrays, "translator.conv")
    return arrays, method


def test_agrees_with_the_golden_arrays(loaded):
    arrays, method = loaded
    student = leaf(arrays["s"])
    loss = method(only(maps=(student,)), only(maps=(arrays["t"],)), LABELS)
    loss.backward()
    assert_loss(loss, arrays["loss64__author_p1"])
    assert_gradient(student, arrays["grad_s__author_p1"])
    for layer in (0, 2):
        expected = arrays[f"grad_translator.conv{layer}.weight__author_p1"]
        assert_gradient(method.translator[2 * layer].weight, expected)
    torch.testing.assert_close(method.translator(student), arrays["factor_s"])
    torch.testing.assert_close(method.paraphraser(arrays["t"]), arrays["factor_t"])


def test_the_decoder_agrees_with_the_golden_arrays(loaded):
    arrays, method = loaded
    reconstruction = decoder(64, 32)
    load(reconstruction, arrays, "paraphraser.deconv")
    output = reconstruction(method.paraphraser(arrays["t"]))
    torch.testing.assert_close(output, arrays["reconstruction"])
    loss = F.l1_loss(output, arrays["t"])
    assert_loss(loss, arrays["loss__paraphraser_author_L1_recon"])


@pytest.mark.parametrize(("p", "agree"), [(1, True), (2, False)])
def test_torchdistill_agrees_at_p_1_and_not_at_p_2(loaded, p, agree):
    arrays, method = loaded
    loss = method(only(maps=(arrays["s"],)), only(maps=(arrays["t"],)), LABELS)
    theirs = FTLoss(p=p)(
        {"translator": {"output": arrays["factor_s"]}},
        {"paraphraser": {"output": arrays["factor_t"]}},
    )
    assert torch.isclose(loss, theirs, rtol=2e-5) == agree


def test_zero_where_the_factors_agree_up_to_scale():
    torch.manual_seed(0)
    method = FT(LARGE, LARGE).double()
    method.translator.load_state_dict(method.paraphraser.state_dict())
    outputs = fake(LARGE)
    assert method(outputs, outputs, LABELS) == 0
    with torch.no_grad():
        method.translator[4].weight *= 3
        method.translator[4].bias *= 3
    assert method(outputs, outputs, LABELS) < 1e-15
    assert method(outputs, fake(LARGE, seed=1), LABELS) > 1e-3


def batches():
    return [fake(LARGE, seed=seed, dtype=torch.float32) for seed in range(4)]


def prepared(seed=0, **given):
    torch.manual_seed(seed)
    method = FT(SMALL, LARGE, **given)
    start = {key: value.clone() for key, value in method.state_dict().items()}
    method.prepare(batches, torch.Generator().manual_seed(0))
    return method, start


def test_reconstruction_improves_while_pre_training():
    torch.manual_seed(0)
    paraphraser, reconstruction = encoder(8, 4), decoder(8, 4)
    maps = torch.einsum("dc,bchw->bdhw", torch.rand(8, 2), torch.randn(16, 2, 4, 2).relu())

    def error():
        return F.l1_loss(reconstruction(paraphraser(maps)), maps).item()

    before = error()
    learn_to_paraphrase(paraphraser, reconstruction, [maps] * 60, rate=0.1)
    assert error() < 0.9 * before


def test_pre_training_descends_with_momentum_and_decay():
    torch.manual_seed(0)
    paraphraser, reconstruction = encoder(4, 2).double(), decoder(4, 2).double()
    maps = torch.randn(2, 2, 4, 4, 2).double()
    parameters = [*paraphraser.parameters(), *reconstruction.parameters()]
    start = [p.detach().clone() for p in parameters]
    speeds = [torch.zeros_like(p) for p in start]
    for batch in maps:
        loss = (reconstruction(paraphraser(batch)) - batch).abs().mean()
        for p, speed, gradient in zip(
            parameters, speeds, torch.autograd.grad(loss, parameters), strict=True
        ):
            speed.mul_(0.9).add_(gradient + 5e-4 * p.detach())
            p.data.sub_(0.1 * speed)
    expected = [p.detach().clone() for p in parameters]
    for p, value in zip(parameters, start, strict=True):
        p.data.copy_(value)
    learn_to_paraphrase(paraphraser, reconstruction, maps, rate=0.1)
    torch.testing.assert_close([p.detach() for p in parameters], expected)


def test_prepare_moves_the_paraphraser_alone_and_freezes_it():
    method, start = prepared(epochs=1)
    for key, value in method.state_dict().items():
        assert torch.equal(value, start[key]) == key.startswith("translator"), key
    assert not any(p.requires_grad for p in method.paraphraser.parameters())
    assert all(p.requires_grad for p in method.translator.parameters())
    assert all(p.grad is None for p in method.paraphraser.parameters())


def test_the_paraphraser_is_frozen_before_prepare_too():
    method = FT(SMALL, LARGE)
    assert not any(p.requires_grad for p in method.paraphraser.parameters())


def test_the_decoder_is_dropped():
    method, _ = prepared(epochs=1)
    parts = {key.partition(".")[0] for key in method.state_dict()}
    assert parts == {"paraphraser", "translator", "errors"}
    assert not any(isinstance(module, nn.ConvTranspose2d) for module in method.modules())


def test_prepare_repeats_bit_by_bit_for_a_seed_even_without_gradients():
    with torch.no_grad():
        first, _ = prepared(epochs=1)
    second, _ = prepared(epochs=1)
    for key, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[key]), key


def test_epochs_and_steps_say_how_many_batches_are_learned_from(monkeypatch):
    def learned_from(**given):
        counted = []
        monkeypatch.setattr("methods.ft.learn_to_paraphrase", lambda *_: counted.extend(_[2]))
        FT(SMALL, LARGE, **given).prepare(batches, torch.Generator())
        return len(counted)

    assert learned_from(epochs=2) == 8
    assert learned_from(epochs=2, steps=5) == 5
    assert learned_from(epochs=1, steps=5) == 4
    assert learned_from(epochs=0) == 0


class Sorted:
    """Batches of images sorted by identity, which can also be read in random order."""

    def __init__(self, maps, size=16):
        self.maps, self.size, self.orders = maps, size, []

    def __call__(self):
        pytest.fail("the images were read in their order")

    def shuffled(self, generator):
        self.orders.append(torch.randperm(len(self.maps), generator=generator))
        for maps in self.maps[self.orders[-1]].split(self.size):
            yield only(maps=(maps,))


def maps_by_identity(identities=24, images=12):
    """Last maps of a teacher sorted by identity, (N, 16, 4, 2), which two channels determine."""
    random = torch.Generator().manual_seed(1)
    own = torch.randn(identities, 1, 2, 4, 2, generator=random)
    varied = own + 0.3 * torch.randn(identities, images, 2, 4, 2, generator=random)
    mixing = torch.rand(16, 2, generator=random)
    return torch.einsum("cl,nlhw->nchw", mixing, varied.relu().flatten(0, 1))


def test_every_pass_has_its_own_order_drawn_with_the_given_generator():
    def orders(seed):
        torch.manual_seed(0)
        given = Sorted(maps_by_identity(4, 8))
        method = FT(make_widths(4), make_widths(16), epochs=3)
        method.prepare(given, torch.Generator().manual_seed(seed))
        return given.orders

    first, again, other = orders(0), orders(0), orders(1)
    assert len(first) == 4  # three passes, and one in which the errors are measured
    assert all(sorted(order.tolist()) == list(range(32)) for order in first)
    assert len({tuple(order.tolist()) for order in first}) == 4
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_a_paraphraser_learns_from_shuffled_images_and_not_from_sorted_ones():
    def errors(in_order):
        torch.manual_seed(0)
        maps = maps_by_identity()
        paraphraser, reconstruction = encoder(16, 8), decoder(16, 8)
        batches = (one for _ in range(20) for one in maps[in_order(len(maps))].split(12))
        learn_to_paraphrase(paraphraser, reconstruction, batches, rate=0.1)
        return reconstruction_errors(paraphraser, reconstruction, [maps]).tolist()

    as_sorted, constant = errors(torch.arange)
    shuffled, _ = errors(torch.randperm)
    assert as_sorted > 0.95 * constant
    assert shuffled < 0.5 * constant


def test_the_best_constant_map_has_the_median_of_each_entry():
    torch.manual_seed(0)
    maps = torch.randn(9, 2, 3, 2)
    _, constant = reconstruction_errors(nn.Identity(), nn.Identity(), [maps[:4], maps[4:]])
    errors = [
        min(np.abs(values - value).mean() for value in values)
        for values in maps.flatten(1).T.numpy()
    ]
    assert constant.item() == pytest.approx(np.mean(errors), rel=1e-5)


def test_the_reconstruction_error_is_the_mean_over_images():
    maps = torch.randn(5, 2, 3, 2)
    half = nn.Upsample(scale_factor=1)
    error, _ = reconstruction_errors(nn.Identity(), half, [maps[:4], maps[4:]])
    assert error == 0
    error, _ = reconstruction_errors(nn.Identity(), nn.Threshold(9, 0), [maps[:4], maps[4:]])
    assert error.item() == pytest.approx(maps.abs().mean().item(), rel=1e-5)


def test_the_report_has_both_errors_and_no_warning_where_the_maps_are_learned():
    torch.manual_seed(0)
    method = FT(make_widths(8), make_widths(16), epochs=20)
    method.prepare(Sorted(maps_by_identity(), 12), torch.Generator().manual_seed(0))
    report = method.preparation_report()
    assert 0 < report.values["reconstruction_error"] < report.values["constant_map_error"]
    assert report.warnings == ()


def test_a_paraphraser_no_better_than_a_constant_map_is_reported():
    torch.manual_seed(0)
    method = FT(make_widths(8), make_widths(16), steps=1)
    method.prepare(Sorted(maps_by_identity()), torch.Generator().manual_seed(0))
    report = method.preparation_report()
    assert report.values["reconstruction_error"] > report.values["constant_map_error"] > 0
    (warning,) = report.warnings
    assert "paraphraser" in warning and "ft.steps=1" in warning


def test_ratio_sets_the_number_of_factors():
    method = FT(SMALL, LARGE, ratio=0.25)
    assert method.paraphraser[4].out_channels == method.translator[4].out_channels == 32
