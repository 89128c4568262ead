"""Colours of cloth, skin, hair and paint by name, as RGB triples in 0..255."""

import numpy as np

Colour = tuple[int, int, int]

CLOTH: dict[str, Colour] = {
    "black": (30, 30, 34),
    "white": (232, 232, 228),
    "grey": (128, 130, 134),
    "navy": (34, 46, 98),
    "blue": (48, 104, 200),
    "teal": (30, 140, 140),
    "green": (44, 132, 62),
    "yellow": (232, 200, 56),
    "orange": (228, 122, 40),
    "red": (200, 40, 46),
    "pink": (232, 138, 170),
    "purple": (116, 60, 150),
    "brown": (110, 72, 44),
    "beige": (206, 184, 144),
}
SKIN: dict[str, Colour] = {
    "light": (236, 196, 170),
    "tan": (206, 156, 118),
    "brown": (150, 100, 68),
    "dark": (92, 60, 44),
}
HAIR: dict[str, Colour] = {
    "black": (26, 22, 22),
    "brown": (84, 52, 32),
    "blond": (208, 172, 96),
    "red": (150, 66, 30),
    "grey": (160, 158, 156),
}
PAINT: dict[str, Colour] = {
    "black": (32, 33, 36),
    "white": (236, 236, 232),
    "silver": (166, 170, 174),
    "blue": (36, 88, 178),
    "navy": (30, 42, 84),
    "red": (190, 32, 36),
    "green": (34, 112, 66),
    "yellow": (236, 192, 40),
    "orange": (226, 110, 30),
    "brown": (104, 70, 46),
    "beige": (204, 188, 152),
    "turquoise": (54, 164, 170),
}


def shade(colour: Colour, factor: float) -> Colour:
    """Make a colour darker (factor < 1) or lighter (factor > 1)."""
    red, green, blue = (min(255, max(0, int(channel * factor))) for channel in colour)
    return red, green, blue


def vary(colour: Colour, generator: np.random.Generator, amount: float) -> Colour:
    """Change every channel of a colour by up to `amount` (of 255), at random."""
    moves = generator.uniform(-amount, amount, 3)
    red, green, blue = (
        min(255, max(0, int(channel + move))) for channel, move in zip(colour, moves, strict=True)
    )
    return red, green, blue


def luminance(colour: Colour) -> float:
    """Return the perceived brightness of a colour, in 0..255."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
