"""A drawing is an SVG file with each line, at its place."""

from pathlib import Path
from xml.etree import ElementTree

from bench.drawing import draw_lines

SVG = "{http://www.w3.org/2000/svg}"


def test_each_line_is_drawn_from_left_to_right_and_named(tmp_path: Path) -> None:
    path = tmp_path / "memory.svg"
    lines = {"R<SS": [100.0, 200.0, 200.0], "USS": [50.0, 60.0, 70.0]}
    draw_lines(path, "Memory", [0, 500, 1000], lines, x_label="pictures", y_label="MB")
    root = ElementTree.parse(path).getroot()
    drawn = [line.attrib["points"].split() for line in root.iter(f"{SVG}polyline")]
    assert [len(points) for points in drawn] == [3, 3]
    places = [[tuple(map(float, point.split(","))) for point in points] for points in drawn]
    for line in places:
        assert [x for x, _ in line] == sorted(x for x, _ in line)
    assert places[0][1][1] == places[0][2][1] < places[0][0][1]  # more is higher
    texts = {text.text for text in root.iter(f"{SVG}text")}
    assert {"Memory", "R<SS", "USS", "pictures", "MB", "1000"} <= texts
