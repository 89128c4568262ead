"""Sizes that VRKD prints for its networks (Table 1), to stand beside what is counted here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Printed:
    """One network at one input size, with millions of parameters and giga-operations as printed."""

    network: str
    size: int  # of the square input
    last_stride: int
    parameters: float
    operations: float

    def __str__(self) -> str:
        return f"{self.parameters} M, {self.operations} G"


VRKD_TABLE_1 = (
    Printed("resnet18", 256, 1, 11.46, 3.99),
    Printed("resnet18", 512, 1, 11.46, 15.97),
    Printed("resnet18", 256, 2, 11.46, 3.99),  # the paper prints stride 1's operations here, too
    Printed("resnet18", 512, 2, 11.46, 15.97),
    Printed("cnn5", 128, 1, 1.01, 0.41),
    Printed("sdc-cnn-reconstructed", 128, 1, 10.86, 9.2),
)
