"""Runs in training with small networks on random images, and batches without a dataset."""

from dataclasses import dataclass

import torch

from harness.core.lease import try_acquire
from harness.models import build_network
from harness.runs.spec import Recipe, RunSpec
from harness.training.state import TrainingRun
from methods import METHODS, create

RECIPE = Recipe(
    epochs=2, warmup_epochs=0, hold_until=1, identities=2, images_each=2, height=32, width=16
)
STEPS = 4
CPU = torch.device("cpu")


def spec(method="none", seed=0, *, recipe=RECIPE):
    teacher = RunSpec("d", "none", "cnn5", (), 9, recipe)
    return RunSpec("d", method, "cnn5", () if method == "none" else (teacher,), seed, recipe)


def training_run(folder, method="none", seed=0, *, recipe=RECIPE):
    """A run at its first step below `folder`, with a lease that is not renewed."""
    run = spec(method, seed, recipe=recipe)
    network = build_network("cnn5", "bnneck", 2, seed=seed)
    loss = None
    if method != "none":
        torch.manual_seed(seed)
        loss = create(METHODS[method], network.widths, network.widths, {})
    parameters = [*network.parameters(), *(loss.parameters() if loss else ())]
    optimiser = torch.optim.SGD(parameters, lr=recipe.lr, momentum=recipe.momentum)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    home = folder / run.key
    lease = try_acquire(home)
    return TrainingRun(run, home, lease, network, loss, optimiser, scaler)


@dataclass
class Batch:
    images: torch.Tensor  # (4, 3, 32, 16)
    labels: torch.Tensor  # (4,)

    def to(self, device):
        return self.images.to(device), self.labels.to(device)

    def teacher_images(self, device):
        return None


class Stream:
    """Random batches, a function of the step alone."""

    steps, steps_per_epoch = STEPS, STEPS // 2

    def __init__(self, seed=0):
        self._seed = seed

    def iterate(self, start, workers):
        for step in range(start, self.steps):
            random = torch.Generator().manual_seed(100 * self._seed + step)
            images = torch.randn(4, 3, 32, 16, generator=random)
            yield step, Batch(images, torch.tensor([0, 0, 1, 1]))
