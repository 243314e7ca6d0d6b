"""Who is seen in two lent clips, from when to when and where: written down by a person who watched them.

People of public life have the names under which the clips' gallery has their pictures; all others are descriptions.
"""

from typing import Final, NamedTuple

import numpy as np

__all__ = ["HAMILTON", "STREET", "Seen", "at"]


class Seen(NamedTuple):
    """A person who is seen in a clip.

    Attributes:
        who: a description.
        identity_id: of the gallery; "" = not enrolled.
        points: frame, x and y of the middle of the face at some frames, pixels; in between it moves evenly. The first and the last one
            are when the face begins and ceases to be seen.
        how: why the face may not be found, or not be named; "" = it is plain to see.
    """

    who: str
    identity_id: str
    points: tuple[tuple[int, int, int], ...]
    how: str = ""

    @property
    def first(self) -> int:
        """The first frame in which the face is seen."""
        return self.points[0][0]

    @property
    def last(self) -> int:
        """The last frame in which it is seen."""
        return self.points[-1][0]

    def place(self, frame: float) -> tuple[float, float] | None:
        """Returns where the face is in a frame, or None if it is not seen."""
        if not self.first <= frame <= self.last:
            return None
        frames, x, y = zip(*self.points, strict=True)
        return float(np.interp(frame, frames, x)), float(np.interp(frame, frames, y))


HAMILTON: Final = (
    Seen("singer, far away", "lin-manuel-miranda", ((0, 548, 64), (19, 543, 66)), "30 px"),
    Seen("pianist, far away", "alex-lacamoire", ((0, 64, 198), (19, 58, 195)), "20 px, turned"),
    Seen(
        "pianist",
        "alex-lacamoire",
        (
            (20, 483, 92),
            (24, 437, 127),
            (28, 360, 185),
            (32, 344, 195),
            (36, 356, 195),
            (40, 369, 195),
            (44, 428, 156),
            (48, 529, 107),
            (52, 590, 117),
        ),
        "in profile, moving",
    ),
    Seen(
        "pianist again",
        "alex-lacamoire",
        ((66, 590, 95), (68, 571, 88), (72, 525, 150), (76, 487, 172), (81, 500, 165)),
        "in profile",
    ),
    Seen(
        "singer",
        "lin-manuel-miranda",
        (
            (82, 165, 85),
            (88, 204, 107),
            (99, 231, 103),
            (110, 275, 97),
            (121, 240, 97),
            (132, 238, 64),
            (143, 223, 53),
            (154, 275, 75),
            (165, 264, 66),
            (176, 251, 88),
            (187, 260, 55),
            (198, 289, 77),
            (210, 337, 77),
        ),
    ),
    Seen("man who laughs, left", "", ((211, 66, 92), (228, 86, 92), (274, 79, 95)), "in the dark"),
    Seen("woman in stripes", "", ((211, 189, 122), (237, 191, 108), (274, 189, 104)), "turned"),
    Seen(
        "man in the middle", "obama", ((211, 343, 92), (237, 356, 95), (274, 350, 104)), "profile"
    ),
    Seen("woman with earrings", "", ((211, 415, 145), (237, 415, 128), (274, 415, 130)), "profile"),
)
"""275 frames of 640 × 360, about 30 a second; cuts at frames 20, 82 and 211."""

STREET: Final = (
    Seen(
        "young man, red hair",
        "",
        (
            (0, 705, 551),
            (15, 759, 575),
            (30, 668, 575),
            (45, 635, 590),
            (60, 564, 564),
            (75, 542, 595),
            (104, 470, 555),
        ),
        "looks down",
    ),
    Seen(
        "boy in blue",
        "",
        (
            (0, 965, 642),
            (15, 1010, 677),
            (30, 1019, 690),
            (45, 1030, 699),
            (60, 960, 705),
            (75, 893, 714),
            (104, 825, 655),
        ),
        "behind a passer-by at 16–22",
    ),
    Seen(
        "woman with white hair",
        "",
        (
            (0, 336, 632),
            (15, 325, 662),
            (30, 286, 690),
            (45, 264, 714),
            (60, 264, 705),
            (75, 238, 692),
            (104, 238, 665),
        ),
        "looks down; behind another at first and from 90 on",
    ),
    Seen(
        "passer-by, ponytail",
        "",
        ((0, 325, 751), (15, 867, 749), (30, 1452, 799), (38, 1760, 800)),
        "profile, blurred",
    ),
    Seen("woman in red", "", ((0, 884, 653), (15, 932, 677), (26, 932, 700)), "40 px"),
    Seen("gray-haired man with a bag", "", ((0, 1106, 643), (15, 1127, 662), (26, 1110, 680))),
    Seen("the same again", "", ((52, 1095, 690), (75, 1116, 692), (104, 1150, 680)), "40 px"),
    Seen(
        "man with glasses",
        "",
        ((38, 1130, 715), (45, 1138, 720), (60, 1155, 712), (75, 1199, 692), (104, 1185, 697)),
        "behind the boy at first",
    ),
    Seen("man in a light coat", "", ((0, 494, 632), (17, 503, 662)), "turned"),
    Seen("man who passes, right", "", ((0, 1496, 534), (7, 1560, 540)), "profile, blurred"),
)
"""105 frames of 1920 × 1080, 25 a second: people who come nearer, and two who pass through."""


def at(people: tuple[Seen, ...], frame: float, x: float, y: float, width: float) -> Seen | None:
    """Returns who has a face at a place, or None: the nearest one within 0.8 of its width, 25 px at least."""
    near = []
    for seen in people:
        if (place := seen.place(frame)) is not None:
            far = float(np.hypot(x - place[0], y - place[1]))
            if far <= max(0.8 * width, 25):
                near.append((far, seen))
    return min(near)[1] if near else None
