"""Pictures out of decoded frames: whole pictures of interlaced ones, upright, in BGR."""

from typing import Any

import av
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

__all__ = ["Deinterlacer", "bgr"]


class Deinterlacer:
    """Makes whole pictures of interlaced frames, which hold two moments in every other line each.

    Frames pass as they are until one is flagged interlaced. From then on they go through FFmpeg's filter bwdif, which
    leaves progressive ones alone, and holds one frame back, since it looks at the next.
    """

    def __init__(self) -> None:
        self._graph: av.filter.Graph | None = None
        self._format: tuple[int, int, str] | None = None

    def pictures(self, frame: VideoFrame) -> list[VideoFrame]:
        """Returns the frames that are complete with this one, in the order of time."""
        same = (frame.width, frame.height, frame.format.name)
        ended = self.rest() if self._format != same else []
        if self._graph is None:
            if not frame.interlaced_frame:
                return [*ended, frame]
            self._graph, self._format = _graph_for(frame), same
        self._graph.vpush(frame)
        return [*ended, *_pulled(self._graph)]

    def rest(self) -> list[VideoFrame]:
        """Returns the frames that were held back; the next one may have another size."""
        graph, self._graph, self._format = self._graph, None, None
        if graph is None:
            return []
        graph.vpush(None)
        return _pulled(graph)


def bgr(frame: VideoFrame) -> NDArray[np.uint8]:
    """Returns a frame of any format as (height, width, 3) uint8 BGR, turned and mirrored as it states itself."""
    picture: Any = frame.to_ndarray(format="bgr24")
    matrix: Any = frame.side_data.get("DISPLAYMATRIX")
    if matrix is not None:
        picture = _displayed(picture, np.frombuffer(bytes(matrix), np.int32))
    return np.ascontiguousarray(picture)


def _displayed(picture: NDArray[np.uint8], matrix: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Returns a picture as a display matrix says, to the nearest quarter turn.

    Args:
        picture: (height, width, 3).
        matrix: FFmpeg's, (9,): (x, y) is shown at (x * m[0] + y * m[3], x * m[1] + y * m[4]).
    """
    x_to_x, x_to_y, y_to_x, y_to_y = (int(matrix[at]) for at in (0, 1, 3, 4))
    if abs(x_to_x) < abs(x_to_y):
        picture, x_to_x, y_to_y = picture.transpose(1, 0, 2), y_to_x, x_to_y
    return picture[:: -1 if y_to_y < 0 else 1, :: -1 if x_to_x < 0 else 1]


def _graph_for(frame: VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    # One picture a frame: two of them would double the work for the same faces.
    whole = graph.add("bwdif", mode="send_frame", deint="interlaced", threads="1")
    graph.link_nodes(source, whole, graph.add("buffersink")).configure()
    return graph


def _pulled(graph: av.filter.Graph) -> list[VideoFrame]:
    frames: list[VideoFrame] = []
    while True:
        try:
            frames.append(graph.vpull())
        except (av.error.BlockingIOError, av.error.EOFError):
            return frames
