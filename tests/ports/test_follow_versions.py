"""A model server whose `mtcnn` lacks `follow`, as in 0.1, is used for searches; one that gets it is followed with."""

import asyncio
import shutil
from pathlib import Path

from facewire_server.app.values import read_model_contract
from facewire_server.events import ModelStateChanged
from facewire_server.models import open_models
from facewire_server.proof import detector_proof
from facewire_server.proof.servables import FOLLOWER
from facewire_server.types import DetectionOptions
from fakes.models import write_mtcnn_of_0_1
from harness.model_servers import model_servers

OPTIONS = DetectionOptions(min_score=0.9, max_faces=9, short_side_fraction=1 / 16)


class States:
    """The states that a watch emits, to be waited for."""

    def __init__(self) -> None:
        self.is_ready = asyncio.Event()
        self._states: asyncio.Queue[ModelStateChanged] = asyncio.Queue()

    def ready(self, now: bool) -> None:
        if now:
            self.is_ready.set()

    def emit(self, event: object) -> None:
        assert isinstance(event, ModelStateChanged)
        if event.model == FOLLOWER:
            self._states.put_nowait(event)

    async def until(self, is_ready: bool, word: str) -> None:
        """Waits until following is ready or not, for a reason with this word in it."""
        async with asyncio.timeout(60):
            while True:
                now = await self._states.get()
                if now.is_ready is is_ready and word in now.reason:
                    return


async def test_it_searches_without_the_signature_and_follows_from_the_version_that_has_it(
    models: Path, tmp_path: Path
) -> None:
    write_mtcnn_of_0_1(models, tmp_path)
    contract, states = read_model_contract("sface"), States()
    face = detector_proof.GOLDEN_BOX[None]
    with model_servers(("mtcnn", tmp_path / "mtcnn")) as (mtcnn,):
        addresses = {"detector_address": mtcnn.address}
        async with open_models(contract, folder=models, threads=2, addresses=addresses) as line:
            watch = asyncio.create_task(line.watch(states.ready, states.emit))
            await states.until(False, "found signatures")
            await states.is_ready.wait()
            assert line.follower is None
            assert len(await line.detector.detect(detector_proof.draw(), OPTIONS)) == 1
            shutil.copytree(models / "mtcnn/1", tmp_path / ".next")
            (tmp_path / ".next").rename(tmp_path / "mtcnn/2")
            await states.until(True, "")
            assert line.follower is not None
            # Both rows at once, of one process: each has its own connection and its own limit of calls.
            searched, *followed = await asyncio.gather(
                line.detector.detect(detector_proof.draw(), OPTIONS),
                *(line.follower.follow(detector_proof.draw(), face) for _ in range(12)),
            )
            assert len(searched) == 1
            assert min(one.scores[0] for one in followed) > 0.9
            watch.cancel()
