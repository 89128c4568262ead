"""The six shapes of vehicles in metres: side profiles (x forward, z up), windows and wheels."""

from dataclasses import dataclass

Outline = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class VehicleShape:
    """A body with a cabin on top and perhaps a load behind; outlines start at the lower rear."""

    width: float
    body: Outline  # rear bottom, rear top, ..., front top, front bottom
    cabin: Outline  # rear base, rear top, front top, front base
    lean: float  # how much narrower each side of the cabin is at its top
    windows: tuple[tuple[float, float], ...]  # along the cabin's side, 0 rear to 1 front
    wheels: tuple[float, ...]  # x of each axle
    radius: float  # of the wheels
    load: Outline = ()  # a truck's box
    bed: tuple[float, float] | None = None  # first and last x of a pick-up's open bed
    glass: tuple[float, float] = (0.12, 0.86)  # of the side windows, shares of the cabin's height
    rear_glass: bool = True


VEHICLE_SHAPES: dict[str, VehicleShape] = {
    "sedan": VehicleShape(
        width=1.8,
        body=((-2.25, 0.3), (-2.28, 0.92), (-1.5, 1.0), (0.95, 0.98), (2.1, 0.8), (2.26, 0.3)),
        cabin=((-1.75, 0.99), (-0.95, 1.46), (0.3, 1.46), (1.1, 0.98)),
        lean=0.24,
        windows=((0.1, 0.49), (0.53, 0.9)),
        wheels=(-1.4, 1.4),
        radius=0.34,
    ),
    "suv": VehicleShape(
        width=1.9,
        body=((-2.25, 0.4), (-2.28, 1.08), (-1.2, 1.12), (1.0, 1.1), (2.1, 1.0), (2.25, 0.4)),
        cabin=((-2.24, 1.08), (-1.98, 1.76), (0.4, 1.76), (1.12, 1.09)),
        lean=0.18,
        windows=((0.06, 0.3), (0.34, 0.62), (0.66, 0.93)),
        wheels=(-1.4, 1.4),
        radius=0.41,
    ),
    "van": VehicleShape(
        width=1.95,
        body=((-2.6, 0.32), (-2.62, 1.15), (-1.0, 1.18), (1.6, 1.15), (2.35, 0.95), (2.45, 0.32)),
        cabin=((-2.62, 1.15), (-2.54, 2.18), (1.0, 2.18), (1.85, 1.1)),
        lean=0.1,
        windows=((0.73, 0.95),),
        wheels=(-1.6, 1.6),
        radius=0.35,
        glass=(0.06, 0.62),
        rear_glass=False,
    ),
    "pick-up": VehicleShape(
        width=1.9,
        body=((-2.7, 0.42), (-2.72, 1.06), (-0.6, 1.08), (1.3, 1.06), (2.5, 0.96), (2.65, 0.42)),
        cabin=((-0.65, 1.07), (-0.5, 1.76), (0.75, 1.76), (1.45, 1.06)),
        lean=0.18,
        windows=((0.06, 0.48), (0.53, 0.92)),
        wheels=(-1.65, 1.65),
        radius=0.42,
        bed=(-2.6, -0.75),
    ),
    "bus": VehicleShape(
        width=2.4,
        body=((-4.0, 0.35), (-4.02, 1.4), (-1.0, 1.4), (1.0, 1.4), (4.02, 1.4), (4.05, 0.35)),
        cabin=((-4.02, 1.4), (-3.98, 2.95), (3.85, 2.95), (4.02, 1.4)),
        lean=0.06,
        windows=tuple((0.03 + 0.16 * step, 0.165 + 0.16 * step) for step in range(6)),
        wheels=(-2.4, 2.6),
        radius=0.48,
        glass=(0.0, 0.68),
    ),
    "truck": VehicleShape(
        width=2.2,
        body=((-3.3, 0.5), (-3.3, 0.9), (1.4, 0.9), (1.5, 1.3), (3.2, 1.3), (3.28, 0.42)),
        cabin=((1.5, 1.25), (1.6, 2.35), (2.85, 2.35), (3.22, 1.3)),
        lean=0.1,
        windows=((0.3, 0.92),),
        wheels=(-2.1, 2.3),
        radius=0.46,
        load=((-3.3, 0.9), (-3.3, 2.85), (1.35, 2.85), (1.35, 0.9)),
        rear_glass=False,
    ),
}
