"""Identity of a person: clothes, hair, bag and build, the same for every camera."""

from dataclasses import dataclass

import numpy as np

from harness.data.synthetic.drawing.colours import CLOTH, HAIR, SKIN, Colour, luminance, shade, vary
from harness.data.synthetic.drawing.randomness import choose, uniform

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
    """An identity; lengths are fractions of the body's height."""

    attributes: tuple[str, ...]  # visible ones in a fixed order; they distinguish people
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
    hip: float  # height where the legs begin; 0 is the top of the head


def _contrasting_cloth(generator: np.random.Generator, name: str) -> str:
    """Choose a cloth colour that contrasts with the named one."""
    bright = luminance(CLOTH[name])
    contrasting = [
        other
        for other, colour in CLOTH.items()
        if other != name and abs(luminance(colour) - bright) > 40
    ]
    return choose(generator, contrasting)


def sample_person(generator: np.random.Generator) -> Person:
    """Sample the attributes of a person."""
    cloth = tuple(CLOTH)
    top = choose(generator, cloth)
    pattern, sleeves = choose(generator, PATTERNS), choose(generator, SLEEVES)
    two_coloured = pattern in TWO_COLOURED or sleeves == "contrast"
    second = _contrasting_cloth(generator, top)
    bottom = choose(generator, tuple(name for name in cloth if name != top))
    legwear, hem = choose(generator, LEGWEAR), choose(generator, HEMS)
    hat, bag = choose(generator, HATS), choose(generator, BAGS)
    hat_colour, bag_colour = choose(generator, cloth), _contrasting_cloth(generator, top)
    skin, hair = choose(generator, tuple(SKIN)), choose(generator, tuple(HAIR))
    haircut = choose(generator, HAIRCUTS)
    bag_side = choose(generator, (-1, 1))
    shoes = choose(generator, cloth)
    attributes = (
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
        attributes=attributes,
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
        height=uniform(generator, 0.92, 1.04),
        breadth=uniform(generator, 0.86, 1.22),
        hip=uniform(generator, 0.475, 0.52),
    )
