"""Drawing of a whole person, from back to front."""

from harness.data.synthetic.drawing.bags import draw_bag, draw_straps
from harness.data.synthetic.drawing.body import Pose, arm_joints, leg_joints
from harness.data.synthetic.drawing.canvas import Canvas
from harness.data.synthetic.drawing.clothes import draw_top, torso_surface
from harness.data.synthetic.drawing.colours import shade
from harness.data.synthetic.drawing.head import draw_hair_behind, draw_head
from harness.data.synthetic.drawing.person import Person
from harness.data.synthetic.drawing.surface import Surface

SHADED = 0.78  # brightness of limbs in the shadow of the body


def draw_person(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Draw a person at x = 0, from the top of the head at y = 0 to the soles at y = 1."""
    canvas.disc((0.0, 0.995), (0.17, 0.03), (20, 20, 24), 0.4)
    body = torso_surface(person, pose)
    near = 1 if pose.depth((1.0, 0.0, 0.0)) > 0 else -1
    draw_bag(canvas, person, pose, behind=True)
    draw_hair_behind(canvas, person, pose)
    _draw_arm(canvas, person, pose, -near)
    for side in (-near, near):
        _draw_leg(canvas, person, pose, side)
    if person.legwear == "skirt":
        _draw_skirt(canvas, person, pose)
    draw_top(canvas, person, body)
    draw_straps(canvas, person, body)
    if abs(pose.depth((0.108, 0.0, 0.0))) < 0.06:
        _draw_arm(canvas, person, pose, -near)
    draw_head(canvas, person, pose)
    _draw_arm(canvas, person, pose, near)
    draw_bag(canvas, person, pose, behind=False)


def _draw_leg(canvas: Canvas, person: Person, pose: Pose, side: int) -> None:
    """Draw a leg with its shoe, bare below shorts and skirts."""
    hip, knee, ankle, toe = (pose.project(joint) for joint in leg_joints(person, pose, side))
    light = SHADED if pose.depth((float(side), 0.0, 0.0)) < -0.3 else 1.0
    breadth = person.breadth
    skin, cloth = shade(person.skin, light), shade(person.bottom, light)
    shoe = shade(person.shoes, light)
    heel = (ankle[0], ankle[1] + 0.012)
    if person.legwear == "trousers":
        canvas.limb(heel, toe, (0.021, 0.016), shoe)
        canvas.limb(knee, ankle, (0.038 * breadth, 0.027 * breadth), cloth)
        canvas.limb(hip, knee, (0.052 * breadth, 0.038 * breadth), cloth)
        return
    canvas.limb(knee, ankle, (0.03 * breadth, 0.019 * breadth), skin)
    canvas.limb(hip, knee, (0.045 * breadth, 0.03 * breadth), skin)
    canvas.limb(heel, toe, (0.021, 0.016), shoe)
    if person.legwear == "shorts":
        end = (hip[0] + 0.86 * (knee[0] - hip[0]), hip[1] + 0.86 * (knee[1] - hip[1]))
        canvas.limb(hip, end, (0.054 * breadth, 0.046 * breadth), cloth)


def _draw_skirt(canvas: Canvas, person: Person, pose: Pose) -> None:
    """Draw a skirt to the knees, wider when the legs are apart."""
    breadth = person.breadth
    flare = 0.1 + 0.05 * pose.stride
    hem = person.hip + 0.24
    skirt = Surface(
        (
            (person.hip - 0.03, 0.085 * breadth, 0.07 * breadth),
            (hem, flare * breadth, (flare + 0.01) * breadth),
        ),
        pose.yaw,
    )
    canvas.polygon(skirt.silhouette(person.hip - 0.03, hem), person.bottom)
    for first in (-1.1, -0.2, 0.7):
        canvas.polygon(skirt.outline(first, first + 0.3, person.hip, hem), (0, 0, 0), 0.15)


def _draw_arm(canvas: Canvas, person: Person, pose: Pose, side: int) -> None:
    """Draw an arm with sleeve and hand."""
    shoulder, elbow, wrist = (pose.project(joint) for joint in arm_joints(person, pose, side))
    light = SHADED if pose.depth((float(side), 0.0, 0.0)) < -0.3 else 0.9
    breadth = person.breadth
    skin = shade(person.skin, light)
    cloth = shade(person.second if person.sleeves == "contrast" else person.top, light)
    canvas.disc((wrist[0], wrist[1] + 0.018), (0.018, 0.024), skin)
    if person.sleeves == "short":
        canvas.limb(elbow, wrist, (0.022 * breadth, 0.017 * breadth), skin)
        canvas.limb(shoulder, elbow, (0.028 * breadth, 0.023 * breadth), skin)
        middle = (
            shoulder[0] + 0.7 * (elbow[0] - shoulder[0]),
            shoulder[1] + 0.7 * (elbow[1] - shoulder[1]),
        )
        canvas.limb(shoulder, middle, (0.033 * breadth, 0.03 * breadth), cloth)
        return
    canvas.limb(elbow, wrist, (0.029 * breadth, 0.023 * breadth), cloth)
    canvas.limb(shoulder, elbow, (0.035 * breadth, 0.029 * breadth), cloth)
