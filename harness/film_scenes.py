"""What happens in made films: people cross, are hidden, are exchanged by a cut, leave and come back."""

from collections.abc import Sequence
from math import cos, pi, sin

from harness.made_films import FACE_PX, SIZE_PX, Film, Path, Place
from harness.made_people import Box, Person

__all__ = [
    "crossing",
    "cut",
    "exchanged_behind",
    "left_and_back",
    "passing_behind",
    "risky_films",
    "steady",
]


def steady(people: Sequence[Person], until_s: float = 6.0) -> Film:
    """People side by side who sway a little."""

    def path(index: int) -> Path:
        x = (index + 0.5) * SIZE_PX[0] / len(people)
        return lambda at_s: Place(x + 20 * sin(at_s + index), 220 + 6 * sin(2 * at_s), FACE_PX)

    return Film(
        "steady", until_s, tuple((person, path(index)) for index, person in enumerate(people))
    )


def crossing(back: Person, front: Person, *, period_s: float = 5.0) -> Film:
    """Two people who walk through each other's place and back, one behind the other."""

    def path(sign: int, y: float) -> Path:
        return lambda at_s: Place(
            320 + sign * 200 * cos(2 * pi * at_s / period_s), y, FACE_PX, 5 * sin(3 * at_s)
        )

    people = (back, path(-1, 210)), (front, path(1, 225))
    return Film(f"crossing, {period_s:g} s", 2 * period_s + 1, people)


def passing_behind(person: Person) -> Film:
    """One walks behind a pillar and comes out again."""
    pillar = Box(320, 240, 130, 480)
    return Film("behind a pillar", 6, ((person, lambda at_s: Place(60 + 90 * at_s, 220)),), pillar)


def exchanged_behind(first: Person, second: Person, *, speed: float = 120.0) -> Film:
    """One walks behind a pillar, and another one comes out where the first is expected."""
    pillar = Box(320, 240, 130, 480)
    hidden_s = (320 - 80) / speed

    def before(at_s: float) -> Place | None:
        return Place(80 + speed * at_s, 220) if at_s < hidden_s else None

    def after(at_s: float) -> Place | None:
        if at_s < hidden_s:
            return None
        return Place(min(560.0, 80 + speed * at_s), 220 + 4 * sin(2 * at_s))

    return Film(
        "exchanged behind a pillar", hidden_s + 5, ((first, before), (second, after)), pillar
    )


def cut(first: Person, second: Person, *, is_scene: bool) -> Film:
    """A cut to another person at the same place, with another background or the same."""
    at_s = 3.0

    def sway(now_s: float) -> Place:
        return Place(320 + 15 * sin(now_s), 220 + 5 * sin(2 * now_s))

    people = (
        (first, lambda now_s: sway(now_s) if now_s < at_s else None),
        (second, lambda now_s: sway(now_s) if now_s >= at_s else None),
    )
    name = "cut to another scene" if is_scene else "another person at once"
    return Film(name, 8, people, cut_at_s=at_s if is_scene else 0.0)


def left_and_back(person: Person, away_s: float, *, instead: Person | None = None) -> Film:
    """A person leaves and is back after `away_s`, or another person comes in their place."""
    left_s, back_s = 4.0, 4.0 + away_s

    def walk(now_s: float) -> Place | None:
        if now_s < left_s:
            return Place(320 + 100 * now_s, 220)
        if now_s >= back_s:
            return Place(max(320.0, 720 - 100 * (now_s - back_s)), 220 + 4 * sin(2 * now_s))
        return None

    def first(now_s: float) -> Place | None:
        return walk(now_s) if instead is None or now_s < left_s else None

    people: tuple[tuple[Person, Path], ...] = ((person, first),)
    if instead is not None:
        people += ((instead, lambda now_s: walk(now_s) if now_s >= back_s else None),)
    who = "another one comes" if instead else "back"
    return Film(f"left, {who} after {away_s:g} s", back_s + 7, people, sparse=(left_s + 2, back_s))


def risky_films(one: Person, other: Person) -> list[Film]:
    """Films in which a name could go to another face."""
    return [
        crossing(one, other),
        crossing(other, one, period_s=3.0),
        passing_behind(one),
        exchanged_behind(one, other),
        exchanged_behind(other, one, speed=240.0),
        cut(one, other, is_scene=True),
        cut(other, one, is_scene=False),
        left_and_back(one, 3.0, instead=other),
        left_and_back(other, 20.0),
    ]
