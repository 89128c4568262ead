"""A walking body: positions of its joints, and their projection to the image.

Body axes: x to the person's left, y down from the top of the head (0) to the soles (1), z forward.
At yaw t (0 facing the camera, pi/2 walking to the right) the horizontal position in the image is
x' = x cos t + z sin t; for a camera above eye level, nearer points appear lower.
"""

import math
from dataclasses import dataclass

import numpy as np

from harness.data.synthetic.drawing.canvas import Point
from harness.data.synthetic.drawing.person import Person
from harness.data.synthetic.drawing.randomness import uniform

Joint = tuple[float, float, float]

SHOULDER_HEIGHT = 0.185
THIGH_LENGTH = 0.24
UPPER_ARM_LENGTH = 0.15
FOREARM_LENGTH = 0.14


@dataclass(frozen=True, slots=True)
class Pose:
    """A moment of walking; angles in radians."""

    yaw: float
    phase: float  # of the gait; a full turn is two steps
    stride: float  # largest swing of a leg
    swing: float  # largest swing of an arm
    elevation: float  # slope at which the camera looks down

    def project(self, joint: Joint) -> Point:
        """Project a joint to the image, in figure units, x to the right and y down."""
        x, y, z = joint
        return (
            x * math.cos(self.yaw) + z * math.sin(self.yaw),
            y + self.elevation * self.depth(joint),
        )

    def depth(self, joint: Joint) -> float:
        """Return how much nearer to the camera the joint is than the body's axis."""
        return joint[2] * math.cos(self.yaw) - joint[0] * math.sin(self.yaw)


def sample_pose(generator: np.random.Generator, yaw: float, elevation: float) -> Pose:
    """Sample a moment of walking or nearly standing, in the given direction."""
    return Pose(
        yaw=yaw,
        phase=uniform(generator, 0.0, math.tau),
        stride=uniform(generator, 0.06, 0.5),
        swing=uniform(generator, 0.05, 0.5),
        elevation=elevation,
    )


def leg_joints(person: Person, pose: Pose, side: int) -> tuple[Joint, Joint, Joint, Joint]:
    """Return hip, knee, ankle and toe of the left (side 1) or right (-1) leg."""
    phase = pose.phase + (math.pi if side > 0 else 0.0)
    forward = pose.stride * math.sin(phase)
    bent = forward - 0.9 * pose.stride * max(0.0, math.cos(phase)) - 0.05
    x = side * 0.048 * person.breadth
    shin = 0.965 - person.hip - THIGH_LENGTH
    hip = (x, person.hip, 0.0)
    knee = (x, hip[1] + THIGH_LENGTH * math.cos(forward), THIGH_LENGTH * math.sin(forward))
    ankle = (x, knee[1] + shin * math.cos(bent), knee[2] + shin * math.sin(bent))
    toe = (x * 1.25, ankle[1] + 0.018, ankle[2] + 0.085)
    return hip, knee, ankle, toe


def arm_joints(person: Person, pose: Pose, side: int) -> tuple[Joint, Joint, Joint]:
    """Return shoulder, elbow and wrist of the left (side 1) or right (-1) arm."""
    phase = pose.phase + (0.0 if side > 0 else math.pi)
    forward = pose.swing * math.sin(phase)
    bent = forward + 0.15 + 0.3 * pose.swing
    x = side * 0.108 * person.breadth
    shoulder = (x, SHOULDER_HEIGHT + 0.012, 0.0)
    elbow = (
        x + side * 0.022,
        shoulder[1] + UPPER_ARM_LENGTH * math.cos(forward),
        UPPER_ARM_LENGTH * math.sin(forward),
    )
    wrist = (
        x + side * 0.026,
        elbow[1] + FOREARM_LENGTH * math.cos(bent),
        elbow[2] + FOREARM_LENGTH * math.sin(bent),
    )
    return shoulder, elbow, wrist
