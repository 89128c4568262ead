"""Values at random, as files of others or damaged ones may hold them; equal seeds, equal values."""

import random

TEXTS = (
    "",
    "x",
    "../../../../thesis/main",
    "a/b",
    "a\nb",
    "\x1b]52;c;cm0=\x07",
    "\u202emoc.live",
    "$x_1^2$ & {50%} #~\\",
    "αβ 中文 é",
    "\udcff",
    "NaN",
    "a" * 3000,
)
NUMBERS = (0, 1, -1, 2**63, 10**40, -0.5, 0.25, 1e308, float("inf"), float("-inf"), float("nan"))


def random_json(source, depth=3):
    """A JSON value drawn from a `random.Random`, of values that programs stumble over."""
    kind = source.randrange(5 if depth else 3)
    if kind == 0:
        return source.choice(TEXTS)
    if kind == 1:
        return source.choice(NUMBERS)
    if kind == 2:
        return source.choice((None, True, False))
    parts = [random_json(source, depth - 1) for _ in range(source.randrange(4))]
    return parts if kind == 3 else {source.choice(TEXTS): part for part in parts}


def generators(count):
    """As many sources of random values, each with its own seed."""
    return [random.Random(seed) for seed in range(count)]


def paths(content, prefix=()):
    """The places of all values in JSON, each as a tuple of names and positions."""
    for name, value in content.items() if isinstance(content, dict) else enumerate(content):
        yield (*prefix, name)
        if isinstance(value, dict | list):
            yield from paths(value, (*prefix, name))


def put(content, place, value):
    """Replace the value at a place, and return the one that was there."""
    for name in place[:-1]:
        content = content[name]
    former, content[place[-1]] = content[place[-1]], value
    return former
