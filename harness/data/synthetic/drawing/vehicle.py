"""Identity of a vehicle: shape, paint, markings and fittings, the same for every camera."""

from dataclasses import dataclass

import numpy as np

from harness.data.synthetic.drawing.colours import PAINT, Colour, luminance, vary
from harness.data.synthetic.drawing.perspective import Vertex
from harness.data.synthetic.drawing.randomness import choose, uniform
from harness.data.synthetic.drawing.vehicle_shapes import VEHICLE_SHAPES

VEHICLE_TYPES = tuple(VEHICLE_SHAPES)
SCHEMES = ("plain", "roof", "lower", "nose")
STRIPES = ("none", "belt", "racing", "slash")
LOGOS = ("none", "disc", "square", "bars")
FITTINGS = ("none", "none", "rails", "box", "beacon")
GLASS: dict[str, Colour] = {"clear": (126, 150, 164), "dark": (26, 30, 36), "green": (62, 96, 84)}
HUBS: dict[str, Colour] = {"silver": (180, 182, 186), "black": (44, 44, 46), "gold": (186, 150, 70)}
PLATES: dict[str, Colour] = {"white": (236, 236, 230), "yellow": (236, 200, 50)}
STICKERS = ("none", "none", "low", "high")


@dataclass(frozen=True, slots=True)
class Vehicle:
    """An identity."""

    attributes: tuple[str, ...]  # visible ones in a fixed order; they distinguish vehicles
    model: str
    scheme: str
    stripe: str
    logo: str
    fitting: str
    sticker: str
    paint: Colour
    second: Colour
    mark: Colour
    glass: Colour
    hub: Colour
    plate: Colour
    stretch: float  # of the length, relative to the model
    rise: float  # of the height, relative to the model

    @property
    def box(self) -> Vertex:
        """Length, width and height in metres, without fittings."""
        model = VEHICLE_SHAPES[self.model]
        corners = (*model.body, *model.cabin, *model.load)
        reach = max(abs(x) for x, _ in corners)
        return 2 * reach * self.stretch, model.width, max(z for _, z in corners) * self.rise


def _contrasting_paint(generator: np.random.Generator, *names: str) -> str:
    """Choose a paint that contrasts with the named ones."""
    contrasting = [
        other
        for other, colour in PAINT.items()
        if all(
            other != name and abs(luminance(colour) - luminance(PAINT[name])) > 35 for name in names
        )
    ]
    return choose(generator, contrasting)


def sample_vehicle(generator: np.random.Generator) -> Vehicle:
    """Sample the attributes of a vehicle."""
    model, scheme = choose(generator, VEHICLE_TYPES), choose(generator, SCHEMES)
    stripe, logo = choose(generator, STRIPES), choose(generator, LOGOS)
    fitting, sticker = choose(generator, FITTINGS), choose(generator, STICKERS)
    paint = choose(generator, tuple(PAINT))
    second, mark = _contrasting_paint(generator, paint), _contrasting_paint(generator, paint)
    glass, hub = choose(generator, tuple(GLASS)), choose(generator, tuple(HUBS))
    plate = choose(generator, tuple(PLATES))
    marked = stripe != "none" or logo != "none" or sticker != "none"
    two_coloured = scheme != "plain" or model == "truck"
    attributes = (
        model,
        paint,
        f"{second} second" if two_coloured else "one colour",
        scheme,
        f"{stripe} stripe",
        f"{logo} logo",
        f"{mark} marks" if marked else "no marks",
        f"{fitting} on top",
        f"{glass} glass",
        f"{hub} hubs",
    )
    return Vehicle(
        attributes=attributes,
        model=model,
        scheme=scheme,
        stripe=stripe,
        logo=logo,
        fitting=fitting,
        sticker=sticker,
        paint=vary(PAINT[paint], generator, 12),
        second=vary(PAINT[second], generator, 12),
        mark=vary(PAINT[mark], generator, 12),
        glass=GLASS[glass],
        hub=HUBS[hub],
        plate=PLATES[plate],
        stretch=uniform(generator, 0.93, 1.07),
        rise=uniform(generator, 0.95, 1.07),
    )
