"""A whole vehicle, drawn from the far side to the near side."""

from harness.data.synthetic.drawing.block import Solid
from harness.data.synthetic.drawing.canvas import CIRCLE, Canvas
from harness.data.synthetic.drawing.colours import Colour, shade
from harness.data.synthetic.drawing.perspective import View
from harness.data.synthetic.drawing.vehicle import Vehicle
from harness.data.synthetic.drawing.vehicle_markings import (
    draw_belt,
    draw_fitting,
    draw_logo,
    draw_racing,
    draw_scheme,
    draw_sticker,
)
from harness.data.synthetic.drawing.vehicle_shapes import MODELS, Model, Outline

TYRE: Colour = (24, 24, 26)
LAMP: Colour = (246, 240, 208)
TAIL: Colour = (206, 28, 30)


def draw_vehicle(canvas: Canvas, vehicle: Vehicle, view: View) -> None:
    """Draw the vehicle about its own origin; the view is one of its own box."""
    model = MODELS[vehicle.model]
    half = model.width / 2
    body = Solid(canvas, view, _sized(model.body, vehicle), half)
    cabin = Solid(canvas, view, _sized(model.cabin, vehicle), half - 0.04, model.lean)
    _draw_shadow(canvas, view)
    near = 1 if view.eye[1] > 0 else -1
    _draw_wheels(canvas, vehicle, model, view, -near)
    behind = bool(model.load) and view.eye[0] > 0
    if behind:
        _draw_load(canvas, vehicle, model, view)
    if model.bed is not None and view.eye[0] < 0:  # the bed's tailgate hides the cabin's foot
        _draw_cabin(vehicle, model, cabin)
        _draw_body(vehicle, model, body, cabin)
    else:
        _draw_body(vehicle, model, body, cabin)
        _draw_cabin(vehicle, model, cabin)
    draw_fitting(canvas, vehicle, view, cabin)
    _draw_wheels(canvas, vehicle, model, view, near)
    if model.load and not behind:
        _draw_load(canvas, vehicle, model, view)


def _sized(outline: Outline, vehicle: Vehicle) -> Outline:
    """The outline at this vehicle's own length and height."""
    return tuple((x * vehicle.stretch, z * vehicle.rise) for x, z in outline)


def _draw_shadow(canvas: Canvas, view: View) -> None:
    """The shadow on the ground, a little wider than the vehicle."""
    length, width, _ = view.box
    ground = [
        view.project((0.52 * length * x, 0.58 * width * y, 0.0))
        for x, y in ((-1, -1), (-1, 1), (1, 1), (1, -1))
    ]
    canvas.polygon(ground, (14, 14, 18), 0.55)


def _draw_wheels(canvas: Canvas, vehicle: Vehicle, model: Model, view: View, side: int) -> None:
    """Arch, tyre and hub of the wheels on one side."""
    y = side * (model.width / 2 + 0.015)
    near = side * view.eye[1] > abs(y)
    rings = ((1.16, shade(vehicle.paint, 0.35)), (1.0, TYRE), (0.62, vehicle.hub), (0.2, TYRE))
    for axle in model.wheels:
        middle = axle * vehicle.stretch
        for size, colour in rings if near else rings[1:2]:
            radius = size * model.radius
            ring = [
                view.project((middle + radius * x, y, model.radius + radius * z)) for x, z in CIRCLE
            ]
            canvas.polygon(ring, colour)


def _draw_body(vehicle: Vehicle, model: Model, body: Solid, cabin: Solid) -> None:
    """Paint, doors, lamps, plates and what is painted on the lower half."""
    body.draw(vehicle.paint, vehicle.second if vehicle.scheme == "nose" else None)
    draw_scheme(vehicle, body)
    draw_racing(vehicle, body)
    draw_belt(vehicle, body)
    if not model.load:
        draw_logo(vehicle, body)
    dark = shade(vehicle.paint, 0.5)
    low, high = body.level(0.12), body.level(0.95)
    for first, last in model.windows[-2:]:
        for share in (first, last):
            x = cabin.between_pillars((share, share), (0.0, 0.1))[0][0]
            for side in (-1, 1):
                body.fill(
                    body.side(side, ((x, low), (x, high), (x + 0.035, high), (x + 0.035, low))),
                    dark,
                )
    front, rear = body.edges - 1, 0
    body.fill(body.strip(front, (-0.5, 0.5), (0.3, 0.62)), (34, 34, 38))
    body.fill(body.strip(front, (-0.28, 0.28), (0.66, 0.86)), vehicle.plate)
    body.fill(body.strip(rear, (-0.3, 0.3), (0.4, 0.62)), vehicle.plate)
    for inner, outer in ((-0.62, -0.95), (0.62, 0.95)):
        body.fill(body.strip(front, (inner, outer), (0.16, 0.44)), LAMP)
        body.fill(body.strip(rear, (inner, outer), (0.55, 0.88)), TAIL)
    if model.bed is not None:
        first, last = (x * vehicle.stretch for x in model.bed)
        z, inside = body.level(1.0) + 0.005, 0.8 * model.width / 2
        floor = [(first, -inside, z), (first, inside, z), (last, inside, z), (last, -inside, z)]
        body.fill(floor, (30, 30, 32))


def _draw_cabin(vehicle: Vehicle, model: Model, cabin: Solid) -> None:
    """Roof, pillars and glass."""
    roof = vehicle.second if vehicle.scheme == "roof" else vehicle.paint
    cabin.draw(roof)
    draw_racing(vehicle, cabin)
    for along in model.windows:
        outline = cabin.between_pillars(along, model.glass)
        for side in (-1, 1):
            cabin.fill(cabin.side(side, outline), vehicle.glass)
    cabin.fill(cabin.strip(2, (-0.9, 0.9), (0.1, 0.94)), vehicle.glass)
    if model.rear_glass:
        cabin.fill(cabin.strip(0, (-0.85, 0.85), (0.2, 0.86)), vehicle.glass)
    draw_sticker(vehicle, cabin)


def _draw_load(canvas: Canvas, vehicle: Vehicle, model: Model, view: View) -> None:
    """A truck's box with its doors and its owner's mark."""
    load = Solid(canvas, view, _sized(model.load, vehicle), model.width / 2)
    load.draw(vehicle.second)
    load.fill(load.strip(0, (-0.02, 0.02), (0.05, 0.95)), shade(vehicle.second, 0.5))
    draw_belt(vehicle, load)
    draw_logo(vehicle, load)
