"""Who a person is: the clothes, hair, bag and build that every camera sees alike."""

from dataclasses import dataclass

import numpy as np

from harness.data.synthetic.drawing.colours import CLOTH, HAIR, SKIN, Colour, luminance, shade, vary
from harness.data.synthetic.drawing.randomness import between, pick

PATTERNS = ("plain", "hoops", "stripes", "checks", "logo", "halves", "jacket", "band")
SLEEVES = ("long", "long", "short", "short", "contrast")
LEGWEAR = ("trousers", "trousers", "trousers", "shorts", "shorts", "skirt")
HAIRCUTS = ("short", "short", "medium", "long", "bun", "bald")
HATS = ("none", "none", "none", "cap", "beanie", "brimmed")
BAGS = ("none", "backpack", "shoulder", "hand")
HEMS = ("hip", "hip", "hip", "thigh")
TWO_COLOURED = frozenset(PATTERNS) - {"plain"}


@dataclass(frozen=True, slots=True)
class Person:
    """One identity; lengths are fractions of the body's height.

    `look` names the attributes by which two people are told apart, in a fixed order.
    """

    look: tuple[str, ...]
    pattern: str
    sleeves: str
    hem: str
    legwear: str
    haircut: str
    hat: str
    bag: str
    bag_side: int  # 1: the person's left, -1: right
    top: Colour
    second: Colour
    bottom: Colour
    shoes: Colour
    skin: Colour
    hair: Colour
    hat_colour: Colour
    bag_colour: Colour
    beard: bool
    height: float  # relative to an average person
    breadth: float  # of shoulders, hips and limbs, relative to an average person
    hip: float  # where the legs begin, 0 at the top of the head


def _other(generator: np.random.Generator, name: str) -> str:
    """A cloth colour that stands out against the named one."""
    bright = luminance(CLOTH[name])
    apart = [
        other
        for other, colour in CLOTH.items()
        if other != name and abs(luminance(colour) - bright) > 40
    ]
    return pick(generator, apart)


def sample_person(generator: np.random.Generator) -> Person:
    """Draw one person's attributes."""
    cloth = tuple(CLOTH)
    top = pick(generator, cloth)
    pattern, sleeves = pick(generator, PATTERNS), pick(generator, SLEEVES)
    two_coloured = pattern in TWO_COLOURED or sleeves == "contrast"
    second = _other(generator, top)
    bottom = pick(generator, tuple(name for name in cloth if name != top))
    legwear, hem = pick(generator, LEGWEAR), pick(generator, HEMS)
    hat, bag = pick(generator, HATS), pick(generator, BAGS)
    hat_colour, bag_colour = pick(generator, cloth), _other(generator, top)
    skin, hair = pick(generator, tuple(SKIN)), pick(generator, tuple(HAIR))
    haircut = pick(generator, HAIRCUTS)
    bag_side = pick(generator, (-1, 1))
    shoes = pick(generator, cloth)
    look = (
        f"{top} top",
        f"{second} second" if two_coloured else "one colour",
        pattern,
        f"{sleeves} sleeves",
        f"{bottom} bottom",
        legwear,
        hat if hat == "none" else f"{hat_colour} {hat}",
        bag if bag == "none" else f"{bag_colour} {bag} {bag_side}",
        f"{hair} {haircut}",
        skin,
    )
    return Person(
        look=look,
        pattern=pattern,
        sleeves=sleeves,
        hem=hem,
        legwear=legwear,
        haircut=haircut,
        hat=hat,
        bag=bag,
        bag_side=bag_side,
        top=vary(CLOTH[top], generator, 14),
        second=vary(CLOTH[second], generator, 14),
        bottom=vary(shade(CLOTH[bottom], 0.9), generator, 14),
        shoes=vary(CLOTH[shoes], generator, 10),
        skin=vary(SKIN[skin], generator, 8),
        hair=vary(HAIR[hair], generator, 8),
        hat_colour=vary(CLOTH[hat_colour], generator, 10),
        bag_colour=vary(CLOTH[bag_colour], generator, 10),
        beard=haircut != "long" and generator.random() < 0.25,
        height=between(generator, 0.92, 1.04),
        breadth=between(generator, 0.86, 1.22),
        hip=between(generator, 0.475, 0.52),
    )
