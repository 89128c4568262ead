"""What is painted on a vehicle, stuck to it or mounted on its roof."""

from harness.data.synthetic.drawing.block import Solid
from harness.data.synthetic.drawing.canvas import CIRCLE, Canvas, Point
from harness.data.synthetic.drawing.colours import Colour, shade
from harness.data.synthetic.drawing.perspective import View
from harness.data.synthetic.drawing.vehicle import Vehicle

METAL: Colour = (60, 62, 66)
BEACON: Colour = (250, 170, 40)


def draw_scheme(vehicle: Vehicle, body: Solid) -> None:
    """The second colour along the lower third of the body."""
    if vehicle.scheme != "lower":
        return
    _band(body, 0.0, 0.42, vehicle.second)
    body.fill(body.strip(0, along=(0.0, 0.42)), vehicle.second)
    body.fill(body.strip(body.edges - 1, along=(0.58, 1.0)), vehicle.second)


def _band(block: Solid, low: float, high: float, colour: Colour) -> None:
    """A band along both sides between two heights (shares of the block's height)."""
    first, last = block.reach()
    bottom, top = block.level(low), block.level(high)
    for side in (-1, 1):
        band = ((first, bottom), (first, top), (last, top), (last, bottom))
        block.fill(block.side(side, band), colour)


def draw_belt(vehicle: Vehicle, block: Solid) -> None:
    """A stripe along the sides and around the rear, or two slashes across the sides."""
    if vehicle.stripe == "belt":
        _band(block, 0.52, 0.74, vehicle.mark)
        block.fill(block.strip(0, along=(0.64, 0.84)), vehicle.mark)
    elif vehicle.stripe == "slash":
        first, last = block.reach()
        bottom, top = block.level(0.02), block.level(0.92)
        for share in (0.2, 0.36):
            x, wide = first + share * (last - first), 0.09 * (last - first)
            slash = ((x, bottom), (x + wide, top), (x + 2 * wide, top), (x + wide, bottom))
            for side in (-1, 1):
                block.fill(block.side(side, slash), vehicle.mark)


def draw_racing(vehicle: Vehicle, block: Solid) -> None:
    """Two stripes from the nose over the roof to the tail."""
    if vehicle.stripe != "racing":
        return
    for edge in range(block.edges):
        for across in ((-0.42, -0.14), (0.14, 0.42)):
            block.fill(block.strip(edge, across), vehicle.mark)


def _disc(centre: Point, radius: float) -> tuple[Point, ...]:
    """The outline of a disc."""
    return tuple((centre[0] + radius * x, centre[1] + radius * y) for x, y in CIRCLE)


def draw_logo(vehicle: Vehicle, block: Solid) -> None:
    """A disc, a square or three bars on both sides."""
    first, last = block.reach()
    low, high = block.level(0.1), block.level(0.95)
    centre = (first + 0.56 * (last - first), (low + high) / 2)
    size = min(0.46 * (high - low), 0.9)
    x, z = centre
    shapes: dict[str, tuple[tuple[Point, ...], ...]] = {
        "none": (),
        "disc": (_disc(centre, size),),
        "square": (
            (
                (x - size, z - size),
                (x - size, z + size),
                (x + size, z + size),
                (x + size, z - size),
            ),
        ),
        "bars": tuple(
            (
                (x + a, z - size),
                (x + a, z + size),
                (x + a + 0.4 * size, z + size),
                (x + a + 0.4 * size, z - size),
            )
            for a in (-1.1 * size, -0.2 * size, 0.7 * size)
        ),
    }
    for outline in shapes[vehicle.logo]:
        for side in (-1, 1):
            block.fill(block.side(side, outline), vehicle.mark)


def draw_sticker(vehicle: Vehicle, cabin: Solid) -> None:
    """A coloured strip at the top or the bottom of the windscreen and the rear."""
    if vehicle.sticker == "none":
        return
    along = (0.06, 0.26) if vehicle.sticker == "high" else (0.76, 0.96)
    cabin.fill(cabin.strip(2, (-0.9, 0.9), along), vehicle.mark)
    cabin.fill(cabin.strip(0, (-0.85, 0.85), (1 - along[1], 1 - along[0])), vehicle.mark)


def draw_fitting(canvas: Canvas, vehicle: Vehicle, view: View, cabin: Solid) -> None:
    """Roof rails, a roof box or an amber beacon bar."""
    if vehicle.fitting == "none":
        return
    (first, roof), (last, _) = cabin.between_pillars((0.0, 1.0), (1.0, 1.0))[1:3]
    half = view.box[1] / 2 - 0.3
    middle = (first + last) / 2
    if vehicle.fitting == "rails":
        for share in (0.12, 0.5, 0.88):
            x = first + share * (last - first)
            bar = (
                (x - 0.06, roof),
                (x - 0.06, roof + 0.13),
                (x + 0.06, roof + 0.13),
                (x + 0.06, roof),
            )
            Solid(canvas, view, bar, half + 0.1).draw(METAL)
        return
    reach, tall, wide, colour = (
        (0.36 * (last - first), 0.32, 0.7 * half, shade(METAL, 0.7))
        if vehicle.fitting == "box"
        else (0.14, 0.2, half, BEACON)
    )
    outline = (
        (middle - reach, roof),
        (middle - 0.9 * reach, roof + tall),
        (middle + 0.8 * reach, roof + tall),
        (middle + reach, roof),
    )
    Solid(canvas, view, outline, wide, 0.05).draw(colour)
