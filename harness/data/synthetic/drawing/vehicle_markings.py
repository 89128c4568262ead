"""Markings of a vehicle: paint schemes, stripes, logos, stickers and fittings on the roof."""

from harness.data.synthetic.drawing.canvas import CIRCLE, Canvas, Point
from harness.data.synthetic.drawing.colours import Colour, shade
from harness.data.synthetic.drawing.perspective import View
from harness.data.synthetic.drawing.solid import Solid
from harness.data.synthetic.drawing.vehicle import Vehicle

METAL_COLOUR: Colour = (60, 62, 66)
BEACON_COLOUR: Colour = (250, 170, 40)


def draw_scheme(vehicle: Vehicle, body: Solid) -> None:
    """Draw the second colour along the lower part of the body."""
    if vehicle.scheme != "lower":
        return
    _band(body, 0.0, 0.42, vehicle.second)
    body.fill(body.strip_face(0, along=(0.0, 0.42)), vehicle.second)
    body.fill(body.strip_face(body.edge_count - 1, along=(0.58, 1.0)), vehicle.second)


def _band(solid: Solid, low: float, high: float, colour: Colour) -> None:
    """Draw a band along both sides between two heights, as shares of the solid's height."""
    first, last = solid.extent()
    bottom, top = solid.height_at(low), solid.height_at(high)
    for side in (-1, 1):
        band = ((first, bottom), (first, top), (last, top), (last, bottom))
        solid.fill(solid.side_face(side, band), colour)


def draw_belt(vehicle: Vehicle, solid: Solid) -> None:
    """Draw a stripe along the sides and the rear, or two slashes across the sides."""
    if vehicle.stripe == "belt":
        _band(solid, 0.52, 0.74, vehicle.mark)
        solid.fill(solid.strip_face(0, along=(0.64, 0.84)), vehicle.mark)
    elif vehicle.stripe == "slash":
        first, last = solid.extent()
        bottom, top = solid.height_at(0.02), solid.height_at(0.92)
        for share in (0.2, 0.36):
            x, slash_width = first + share * (last - first), 0.09 * (last - first)
            slash = (
                (x, bottom),
                (x + slash_width, top),
                (x + 2 * slash_width, top),
                (x + slash_width, bottom),
            )
            for side in (-1, 1):
                solid.fill(solid.side_face(side, slash), vehicle.mark)


def draw_racing(vehicle: Vehicle, solid: Solid) -> None:
    """Draw two stripes from the nose over the roof to the tail."""
    if vehicle.stripe != "racing":
        return
    for edge in range(solid.edge_count):
        for across in ((-0.42, -0.14), (0.14, 0.42)):
            solid.fill(solid.strip_face(edge, across), vehicle.mark)


def _disc(centre: Point, radius: float) -> tuple[Point, ...]:
    """Return the outline of a disc."""
    return tuple((centre[0] + radius * x, centre[1] + radius * y) for x, y in CIRCLE)


def draw_logo(vehicle: Vehicle, solid: Solid) -> None:
    """Draw a disc, a square or three bars on both sides."""
    first, last = solid.extent()
    low, high = solid.height_at(0.1), solid.height_at(0.95)
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
            solid.fill(solid.side_face(side, outline), vehicle.mark)


def draw_sticker(vehicle: Vehicle, cabin: Solid) -> None:
    """Draw a coloured strip at the top or bottom of the windscreen and the rear window."""
    if vehicle.sticker == "none":
        return
    along = (0.06, 0.26) if vehicle.sticker == "high" else (0.76, 0.96)
    cabin.fill(cabin.strip_face(2, (-0.9, 0.9), along), vehicle.mark)
    cabin.fill(cabin.strip_face(0, (-0.85, 0.85), (1 - along[1], 1 - along[0])), vehicle.mark)


def draw_fitting(canvas: Canvas, vehicle: Vehicle, view: View, cabin: Solid) -> None:
    """Draw roof rails, a roof box or an amber beacon bar."""
    if vehicle.fitting == "none":
        return
    (first, roof), (last, _) = cabin.side_quadrangle((0.0, 1.0), (1.0, 1.0))[1:3]
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
            Solid(canvas, view, bar, half + 0.1).draw(METAL_COLOUR)
        return
    reach, height, half_width, colour = (
        (0.36 * (last - first), 0.32, 0.7 * half, shade(METAL_COLOUR, 0.7))
        if vehicle.fitting == "box"
        else (0.14, 0.2, half, BEACON_COLOUR)
    )
    outline = (
        (middle - reach, roof),
        (middle - 0.9 * reach, roof + height),
        (middle + 0.8 * reach, roof + height),
        (middle + reach, roof),
    )
    Solid(canvas, view, outline, half_width, 0.05).draw(colour)
