"""Which vehicle it is: the shape, paint, markings and fittings that every camera sees alike."""

from dataclasses import dataclass

import numpy as np

from harness.data.synthetic.drawing.colours import PAINT, Colour, luminance, vary
from harness.data.synthetic.drawing.perspective import Vertex
from harness.data.synthetic.drawing.randomness import between, pick
from harness.data.synthetic.drawing.vehicle_shapes import MODELS

TYPES = tuple(MODELS)
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
    """One identity; `look` names the attributes by which two vehicles are told apart."""

    look: tuple[str, ...]
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
        """Length, width and height in metres, fittings left out."""
        model = MODELS[self.model]
        corners = (*model.body, *model.cabin, *model.load)
        reach = max(abs(x) for x, _ in corners)
        return 2 * reach * self.stretch, model.width, max(z for _, z in corners) * self.rise


def _other(generator: np.random.Generator, *names: str) -> str:
    """A paint that stands out against the named ones."""
    apart = [
        other
        for other, colour in PAINT.items()
        if all(
            other != name and abs(luminance(colour) - luminance(PAINT[name])) > 35 for name in names
        )
    ]
    return pick(generator, apart)


def sample_vehicle(generator: np.random.Generator) -> Vehicle:
    """Draw one vehicle's attributes."""
    model, scheme = pick(generator, TYPES), pick(generator, SCHEMES)
    stripe, logo = pick(generator, STRIPES), pick(generator, LOGOS)
    fitting, sticker = pick(generator, FITTINGS), pick(generator, STICKERS)
    paint = pick(generator, tuple(PAINT))
    second, mark = _other(generator, paint), _other(generator, paint)
    glass, hub = pick(generator, tuple(GLASS)), pick(generator, tuple(HUBS))
    plate = pick(generator, tuple(PLATES))
    marked = stripe != "none" or logo != "none" or sticker != "none"
    two_coloured = scheme != "plain" or model == "truck"
    look = (
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
        look=look,
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
        stretch=between(generator, 0.93, 1.07),
        rise=between(generator, 0.95, 1.07),
    )
