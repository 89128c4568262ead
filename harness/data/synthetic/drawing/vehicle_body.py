"""Drawing of a whole vehicle, from the far side to the near side."""

from harness.data.synthetic.drawing.canvas import CIRCLE, Canvas
from harness.data.synthetic.drawing.colours import Colour, shade
from harness.data.synthetic.drawing.perspective import View
from harness.data.synthetic.drawing.solid import Solid
from harness.data.synthetic.drawing.vehicle import Vehicle
from harness.data.synthetic.drawing.vehicle_markings import (
    draw_belt,
    draw_fitting,
    draw_logo,
    draw_racing,
    draw_scheme,
    draw_sticker,
)
from harness.data.synthetic.drawing.vehicle_shapes import VEHICLE_SHAPES, Outline, VehicleShape

TYRE_COLOUR: Colour = (24, 24, 26)
HEADLAMP_COLOUR: Colour = (246, 240, 208)
TAIL_LAMP_COLOUR: Colour = (206, 28, 30)


def draw_vehicle(canvas: Canvas, vehicle: Vehicle, view: View) -> None:
    """Draw a vehicle at the origin; `view` is a view of its own box."""
    model = VEHICLE_SHAPES[vehicle.model]
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
    """Return an outline scaled to this vehicle's length and height."""
    return tuple((x * vehicle.stretch, z * vehicle.rise) for x, z in outline)


def _draw_shadow(canvas: Canvas, view: View) -> None:
    """Draw the shadow on the ground, slightly wider than the vehicle."""
    length, width, _ = view.box
    ground = [
        view.project((0.52 * length * x, 0.58 * width * y, 0.0))
        for x, y in ((-1, -1), (-1, 1), (1, 1), (1, -1))
    ]
    canvas.polygon(ground, (14, 14, 18), 0.55)


def _draw_wheels(
    canvas: Canvas, vehicle: Vehicle, model: VehicleShape, view: View, side: int
) -> None:
    """Draw arch, tyre and hub of the wheels on one side."""
    y = side * (model.width / 2 + 0.015)
    near = side * view.eye[1] > abs(y)
    rings = (
        (1.16, shade(vehicle.paint, 0.35)),
        (1.0, TYRE_COLOUR),
        (0.62, vehicle.hub),
        (0.2, TYRE_COLOUR),
    )
    for axle in model.wheels:
        middle = axle * vehicle.stretch
        for size, colour in rings if near else rings[1:2]:
            radius = size * model.radius
            ring = [
                view.project((middle + radius * x, y, model.radius + radius * z)) for x, z in CIRCLE
            ]
            canvas.polygon(ring, colour)


def _draw_body(vehicle: Vehicle, model: VehicleShape, body: Solid, cabin: Solid) -> None:
    """Draw paint, doors, lamps, plates and markings of the lower half."""
    body.draw(vehicle.paint, vehicle.second if vehicle.scheme == "nose" else None)
    draw_scheme(vehicle, body)
    draw_racing(vehicle, body)
    draw_belt(vehicle, body)
    if not model.load:
        draw_logo(vehicle, body)
    dark = shade(vehicle.paint, 0.5)
    low, high = body.height_at(0.12), body.height_at(0.95)
    for first, last in model.windows[-2:]:
        for share in (first, last):
            x = cabin.side_quadrangle((share, share), (0.0, 0.1))[0][0]
            for side in (-1, 1):
                body.fill(
                    body.side_face(
                        side, ((x, low), (x, high), (x + 0.035, high), (x + 0.035, low))
                    ),
                    dark,
                )
    front, rear = body.edge_count - 1, 0
    body.fill(body.strip_face(front, (-0.5, 0.5), (0.3, 0.62)), (34, 34, 38))
    body.fill(body.strip_face(front, (-0.28, 0.28), (0.66, 0.86)), vehicle.plate)
    body.fill(body.strip_face(rear, (-0.3, 0.3), (0.4, 0.62)), vehicle.plate)
    for inner, outer in ((-0.62, -0.95), (0.62, 0.95)):
        body.fill(body.strip_face(front, (inner, outer), (0.16, 0.44)), HEADLAMP_COLOUR)
        body.fill(body.strip_face(rear, (inner, outer), (0.55, 0.88)), TAIL_LAMP_COLOUR)
    if model.bed is not None:
        first, last = (x * vehicle.stretch for x in model.bed)
        z, inside = body.height_at(1.0) + 0.005, 0.8 * model.width / 2
        floor = [(first, -inside, z), (first, inside, z), (last, inside, z), (last, -inside, z)]
        body.fill(floor, (30, 30, 32))


def _draw_cabin(vehicle: Vehicle, model: VehicleShape, cabin: Solid) -> None:
    """Draw roof, pillars and windows."""
    roof = vehicle.second if vehicle.scheme == "roof" else vehicle.paint
    cabin.draw(roof)
    draw_racing(vehicle, cabin)
    for along in model.windows:
        outline = cabin.side_quadrangle(along, model.glass)
        for side in (-1, 1):
            cabin.fill(cabin.side_face(side, outline), vehicle.glass)
    cabin.fill(cabin.strip_face(2, (-0.9, 0.9), (0.1, 0.94)), vehicle.glass)
    if model.rear_glass:
        cabin.fill(cabin.strip_face(0, (-0.85, 0.85), (0.2, 0.86)), vehicle.glass)
    draw_sticker(vehicle, cabin)


def _draw_load(canvas: Canvas, vehicle: Vehicle, model: VehicleShape, view: View) -> None:
    """Draw a truck's box with doors and markings."""
    load = Solid(canvas, view, _sized(model.load, vehicle), model.width / 2)
    load.draw(vehicle.second)
    load.fill(load.strip_face(0, (-0.02, 0.02), (0.05, 0.95)), shade(vehicle.second, 0.5))
    draw_belt(vehicle, load)
    draw_logo(vehicle, load)
