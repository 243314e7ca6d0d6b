"""What the server's page of metrics says of its workers, its models and its latency: the only place where a server reports all its workers.

The page has neither names nor pictures, and asks for no token: the console reads it if a setting says where it is.
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

__all__ = ["Histogram", "Metrics", "MetricsError", "parsed"]

JSON = dict[str, Any]

_READ_S: Final = 6.0
"""Seconds until the page has come: the server itself ends a scrape after five. Chosen, not measured."""

_MAX_BYTES: Final = 4 << 20
"""Bytes of the page: a server with 256 camera ids and 64 galleries has less than 1 MiB. Chosen, not measured."""

_KEPT_S: Final = 5.0
"""Seconds for which a page is kept, however many browsers ask. Chosen, not measured: the server takes four scrapes at once."""

_WINDOW: Final = 60
"""Readings back to which latencies are counted: five minutes, while a page is asked for. Chosen, not measured."""

_LINE: Final = re.compile(r"([a-z_]+)(?:\{(.*)\})? ([0-9.e+-]+|\+Inf|NaN)")
_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_LATENCY: Final = "facewire_frame_latency_seconds_bucket"


class MetricsError(Exception):
    """The page cannot be read; the text says why."""


class Sample(NamedTuple):
    """One line of the page."""

    name: str
    labels: dict[str, str]
    value: float


class Histogram:
    """Counts of values below bounds, of which shares can be estimated as Prometheus does (`histogram_quantile`)."""

    def __init__(self, below: dict[float, float]) -> None:
        """Takes, by each bound in seconds, how many values were not above it."""
        self.below = dict(sorted(below.items()))

    def since(self, before: "Histogram") -> "Histogram":
        """Returns what was added; everything if the server has begun to count again from 0."""
        added = {bound: count - before.below.get(bound, 0.0) for bound, count in self.below.items()}
        return self if any(count < 0 for count in added.values()) else Histogram(added)

    @property
    def count(self) -> int:
        """Number of values."""
        return round(max(self.below.values(), default=0.0))

    def quantile_s(self, share: float) -> float | None:
        """Returns the value, in seconds, below which a share of the values lies; None if there are none."""
        wanted = share * self.count
        lower, less = 0.0, 0.0
        for bound, count in self.below.items():
            if count >= wanted and count > 0:
                if bound == float("inf"):
                    return lower
                return lower + (bound - lower) * (wanted - less) / max(count - less, 1e-9)
            lower, less = bound, count
        return None


class Metrics:
    """The page of one server. For one event loop."""

    def __init__(self, address: str) -> None:
        """Takes the address, "HOST:PORT"; "" is none."""
        self._address = address
        self._read_at = -_KEPT_S
        self._reading = asyncio.Lock()
        self._found: JSON | MetricsError | None = None
        # At first all frames since the server's start count: what came before the first reading is not lost.
        self._latencies: deque[Histogram] = deque([Histogram({})], maxlen=_WINDOW)

    async def found(self) -> JSON | None:
        """Returns what Health shows; None if no setting says where the page is.

        Raises:
            MetricsError: the page cannot be read.
        """
        if not self._address:
            return None
        async with self._reading:
            if time.monotonic() - self._read_at >= _KEPT_S:
                try:
                    self._found = self._shown(parsed(await _page(self._address)))
                except MetricsError as error:
                    self._found = error
                self._read_at = time.monotonic()
        if isinstance(self._found, MetricsError):
            raise self._found
        return self._found

    def _shown(self, samples: list[Sample]) -> JSON:
        if not any(sample.name == "facewire_build_info" for sample in samples):
            raise MetricsError("the address of the metrics is not a facewire server's")
        whole = _latencies(samples)
        self._latencies.append(whole)
        recent = whole.since(self._latencies[0])
        return {
            "workers": {
                "count": _whole(samples, "facewire_workers"),
                "deaths": _whole(samples, "facewire_worker_deaths_total"),
            },
            "streams": {
                "open": _whole(samples, "facewire_streams_open"),
                "most": _whole(samples, "facewire_streams_limit"),
            },
            "slots": {
                "in_use": _whole(samples, "facewire_slots_in_use"),
                "count": _whole(samples, "facewire_slots"),
            },
            "models": [_model(samples, servable) for servable in _servables(samples)],
            "frames": {
                "count": recent.count,
                "half_below_ms": _ms(recent.quantile_s(0.5)),
                "nine_of_ten_below_ms": _ms(recent.quantile_s(0.9)),
                "ninety_nine_of_hundred_below_ms": _ms(recent.quantile_s(0.99)),
            },
        }


async def _page(address: str) -> str:
    """Reads the page.

    Raises:
        MetricsError: nothing answers, or something else than a page.
    """
    host, _, port = address.rpartition(":")
    received = bytearray()
    try:
        async with asyncio.timeout(_READ_S):
            reader, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            try:
                writer.write(f"GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
                while piece := await reader.read(1 << 16):
                    received += piece
                    if len(received) > _MAX_BYTES:
                        raise MetricsError(f"the metrics have more than {_MAX_BYTES} bytes")
            finally:
                writer.close()
    except (OSError, TimeoutError):
        raise MetricsError("the server's metrics cannot be reached") from None
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    if not re.match(rb"HTTP/1\.[01] 200 ", head):
        raise MetricsError("the server cannot show its metrics now")
    return body.decode(errors="replace")


def parsed(page: str) -> list[Sample]:
    """Returns the lines of a page in Prometheus' text format; what is no line of numbers is passed over."""
    return list(_samples(page))


def _samples(page: str) -> Iterator[Sample]:
    for line in page.splitlines():
        match = _LINE.match(line)
        if match is not None:
            name, labels, value = match.groups()
            yield Sample(name, dict(_LABEL.findall(labels or "")), float(value))


def _latencies(samples: list[Sample]) -> Histogram:
    return Histogram(
        {float(each.labels["le"]): each.value for each in samples if each.name == _LATENCY}
    )


def _servables(samples: list[Sample]) -> list[str]:
    return [each.labels["servable"] for each in samples if each.name == "facewire_model_replicas"]


def _model(samples: list[Sample], servable: str) -> JSON:
    own = [each for each in samples if each.labels.get("servable") == servable]
    calls = sum(each.value for each in own if each.name == "facewire_model_calls_total")
    total_s = _number(own, "facewire_model_call_seconds_total")
    return {
        "servable": servable,
        "runs_at": next((each.labels["runs_at"] for each in own if "runs_at" in each.labels), ""),
        "serves": bool(_number(own, "facewire_model_healthy")),
        "replicas": _whole(own, "facewire_model_replicas"),
        "left_out": _whole(own, "facewire_model_replicas_left_out"),
        "in_flight": _whole(own, "facewire_model_calls_in_flight"),
        "mean_call_ms": _ms(total_s / calls) if calls else None,
    }


def _number(samples: list[Sample], name: str) -> float:
    return sum(each.value for each in samples if each.name == name)


def _whole(samples: list[Sample], name: str) -> int:
    return round(_number(samples, name))


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(1000 * seconds, 1)
