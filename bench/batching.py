"""Whether joining the faces of concurrent frames into one embedding call would pay.

k cameras have a face each at the same moment. They are embedded by k calls at once, as the server does it, and by one
call with all k faces, as a batcher would that loses no time with waiting: the best that it could do.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from bench.report import Report, parser, progress, run
from facewire_server import model_contracts
from facewire_server.models import open_models
from facewire_server.pipeline.embed import Embedder
from facewire_server.proof import canary
from facewire_server.proof.model_contract import ModelContract
from harness import REPOSITORY
from harness.model_servers import model_servers

__all__: list[str] = []

_AT_ONCE: Final = (1, 2, 4, 8)
_WARM_UP: Final = 3
AIM_GAIN: Final = 1.25
"""Less gain than this is not worth a part that every frame waits in."""


def main() -> int:
    flags = parser("batching", __doc__)
    flags.add_argument("--rounds", type=int, default=30, help="of each number of faces")
    arguments = flags.parse_args()
    report = Report("batching", arguments)
    with model_servers("embedding") as (in_tensorflow,):
        asyncio.run(_measure(report, "embedded (OpenVINO)", "", arguments.rounds))
        asyncio.run(
            _measure(report, "served (TensorFlow)", in_tensorflow.address, arguments.rounds)
        )
    return report.finish()


async def _measure(report: Report, engine: str, address: str, rounds: int) -> None:
    text = (Path(model_contracts.__path__[0]) / "sface.json").read_text(encoding="utf-8")
    contract = ModelContract.from_json(text)
    async with open_models(
        contract,
        folder=REPOSITORY / "models",
        threads=2,
        addresses={"embedder_address": address},
    ) as models:
        for model in models.served:
            await model.check()
        lines = []
        for count in progress(_AT_ONCE, engine, len(_AT_ONCE)):
            apart, joined = await _both(models.embedder, count, rounds)
            ratio = statistics.median(a / j for a, j in zip(apart, joined, strict=True))
            lines.append((str(count), statistics.median(apart), statistics.median(joined), ratio))
            report.values[f"{engine}, {count}"] = {
                "apart_ms": lines[-1][1],
                "joined_ms": lines[-1][2],
                "gain": ratio,
            }
    report.table(
        f"{engine}: ms until the faces of k frames are embedded",
        ["k", "k calls at once", "one call", "gain"],
        lines,
    )
    gain = {count: float(line[3]) for count, line in zip(_AT_ONCE, lines, strict=True)}
    report.aim(
        f"{engine}: joining 4 frames gains less than {AIM_GAIN:g} ×, so it is left out",
        f"{gain[4]:.2f} ×",
        met=gain[4] < AIM_GAIN,
    )


async def _both(embedder: Embedder, count: int, rounds: int) -> tuple[list[float], list[float]]:
    crops = canary.crops()
    faces = crops[[index % len(crops) for index in range(count)]]
    apart, joined = [], []
    for index in range(_WARM_UP + rounds):
        calls_ms = await _timed(
            lambda: asyncio.gather(*(embedder.embed(face[None]) for face in faces))
        )
        call_ms = await _timed(lambda: embedder.embed(faces))
        if index >= _WARM_UP:
            apart.append(calls_ms)
            joined.append(call_ms)
    return apart, joined


async def _timed(call: Callable[[], Awaitable[object]]) -> float:
    started_s = time.perf_counter()
    await call()
    return (time.perf_counter() - started_s) * 1e3


if __name__ == "__main__":
    run(main)
