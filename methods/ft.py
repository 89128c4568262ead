r"""Factor transfer: match the student's factors to the teacher's paraphrase of its last map.

With F the last map, P the paraphraser's encoder C_teacher -> k C_teacher and T the translator
C_student -> k C_teacher, each three 3x3 convolutions with LeakyReLU(0.1), and row(.) flattening
to (B, k C_teacher H W) and dividing by the row-wise L2 norm,

    L = mean |row(T(F_student)) - row(P(F_teacher))|

Before the student trains, P and a decoder D learn to minimise mean |D(P(F_teacher)) - F_teacher|
on batches of shuffled images; then P is frozen and D dropped. If D's output is no nearer to the
maps than one constant map (the median of each entry), P has learned nothing: the record has both
errors, and a warning. Entries of a unit row shrink as 1 / sqrt(k C_teacher H W), so the
authors' weight of 500 at 2048 entries becomes 4000 at the 131072 of a ResNet-101 on 256x128 images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods.base import Method, Outputs, Paper, Widths
from methods.preparation import PreparationReport, shuffle_batches
from methods.relations import match_sizes, normalise

MEASURED_BATCHES = 4  # of which the errors are measured: the median needs their maps in memory


class FT(Method):
    """Loss that matches factors in L1 (p = 1); `translator` is trained.

    `errors`, (2,), are mean absolute errors of the teacher's last maps, measured by `prepare`: of
    the reconstruction, and of the best constant map.

    Args:
        weight: Factor of the loss.
        ratio: k, the channels of the factors as a share of the teacher's.
        epochs: Passes over the training set in the pre-training of the paraphraser.
        steps: Number of batches after which that pre-training stops; 0: no limit.
        rate: Learning rate of that pre-training.
    """

    name = "ft"
    label = "FT"
    paper = Paper(
        authors="Kim, Park and Kwak",
        title="Paraphrasing Complex Network: Network Compression via Factor Transfer",
        venue="NeurIPS",
        year=2018,
        url="https://arxiv.org/abs/1802.04977",
    )

    errors: Tensor

    def __init__(
        self,
        student: Widths,
        teacher: Widths,
        *,
        weight: float = 4000.0,
        ratio: float = 0.5,
        epochs: int = 5,
        steps: int = 0,
        rate: float = 0.1,
        variant: str = "original",
    ) -> None:
        super().__init__(student, teacher, weight=weight, variant=variant)
        self.widths = teacher.maps[-1], max(1, round(ratio * teacher.maps[-1]))
        self.epochs, self.steps, self.rate = epochs, steps, rate
        self.paraphraser = encoder(*self.widths).requires_grad_(False)
        self.translator = encoder(student.maps[-1], self.widths[1])
        self.register_buffer("errors", torch.zeros(2))

    def prepare(self, batches: Callable[[], Iterable[Outputs]], generator: torch.Generator) -> None:
        """Train the paraphraser on the teacher's last maps, then freeze it.

        Every pass has another order of the images. The decoder starts from torch's global
        generator, as the convolutions of `__init__` do.
        """
        place = next(self.paraphraser.parameters())

        def maps(passes: int) -> Iterator[Tensor]:
            for _ in range(passes):
                for batch in shuffle_batches(batches, generator):
                    yield batch.maps[-1].detach().to(place)

        reconstruction = decoder(*self.widths).to(place)
        self.paraphraser.requires_grad_(True)
        learn_to_paraphrase(
            self.paraphraser,
            reconstruction,
            islice(maps(self.epochs), self.steps or None),
            self.rate,
        )
        self.paraphraser.requires_grad_(False)
        self.paraphraser.zero_grad(set_to_none=True)
        measured = list(islice(maps(1), MEASURED_BATCHES))
        with torch.no_grad():
            self.errors.copy_(reconstruction_errors(self.paraphraser, reconstruction, measured))

    def preparation_report(self) -> PreparationReport:
        """Return both errors, and a warning if the paraphraser is no better than a constant map."""
        error, constant = self.errors.tolist()
        values = {"reconstruction_error": error, "constant_map_error": constant}
        if error < constant:
            return PreparationReport(values)
        warning = (
            f"FT's paraphraser reconstructs the teacher's maps with an error of {error:.4g}, the "
            f"best constant map with {constant:.4g}: its factors say nothing about an image. "
            f"Change its pre-training: ft.epochs={self.epochs}, ft.steps={self.steps}, "
            f"ft.rate={self.rate:g}."
        )
        return PreparationReport(values, (warning,))

    def forward(self, student: Outputs, teacher: Outputs, labels: Tensor) -> Tensor:
        with torch.no_grad():
            paraphrase = self.paraphraser(teacher.maps[-1].detach())
        source, target = match_sizes(self.translator(student.maps[-1]), paraphrase)
        return F.l1_loss(normalise(source.flatten(1)), normalise(target.flatten(1)))


def encoder(channels: int, factors: int) -> nn.Sequential:
    """Return three convolutions: (B, channels, H, W) -> (B, factors, H, W)."""
    widths = (channels, channels, factors, factors)
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Conv2d(inputs, outputs, kernel_size=3, padding=1), nn.LeakyReLU(0.1)]
    return nn.Sequential(*layers)


def decoder(channels: int, factors: int) -> nn.Sequential:
    """Return three transposed convolutions: (B, factors, H, W) -> (B, channels, H, W)."""
    widths = (factors, factors, channels, channels)
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.ConvTranspose2d(inputs, outputs, kernel_size=3, padding=1), nn.LeakyReLU(0.1)]
    return nn.Sequential(*layers)


def learn_to_paraphrase(
    paraphraser: nn.Module, reconstruction: nn.Module, maps: Iterable[Tensor], rate: float
) -> None:
    """Train an encoder and a decoder to reproduce maps, with one SGD step for each batch.

    Args:
        paraphraser: The encoder.
        reconstruction: The decoder.
        maps: Batches, each (B, C, H, W).
        rate: Learning rate.
    """
    parameters = [*paraphraser.parameters(), *reconstruction.parameters()]
    optimiser = torch.optim.SGD(parameters, lr=rate, momentum=0.9, weight_decay=5e-4)
    with torch.enable_grad():
        for target in (batch.detach() for batch in maps):
            loss = F.l1_loss(reconstruction(paraphraser(target)), target)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()


def reconstruction_errors(
    paraphraser: nn.Module, reconstruction: nn.Module, maps: Sequence[Tensor]
) -> Tensor:
    """Measure mean absolute errors: of a reconstruction, and of the best constant map.

    The best constant map has the median over the images in each entry.

    Args:
        paraphraser: The encoder.
        reconstruction: The decoder.
        maps: Batches, each (B, C, H, W).

    Returns:
        (2,), the two errors; zeros if there are no maps.
    """
    if not maps:
        return torch.zeros(2)
    images = sum(len(batch) for batch in maps)
    gaps = [
        (reconstruction(paraphraser(batch)) - batch).abs().mean() * len(batch) for batch in maps
    ]
    whole = torch.cat(list(maps))
    constant = (whole - whole.median(dim=0).values).abs().mean()
    return torch.stack([torch.stack(gaps).sum() / images, constant])
