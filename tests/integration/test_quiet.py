"""The server tells nobody that it runs: nothing is looked up, connected to or started."""

import subprocess
import sys
from pathlib import Path

PROBE = """
import asyncio, sys
from pathlib import Path

import numpy as np

REACHING_OUT = {"socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "socket.sendto",
                "subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec", "urllib.Request"}
reached = []
sys.addaudithook(lambda event, details: event in REACHING_OUT and reached.append(event))

from facewire_server.backends.openvino_engine import OpenVinoModel

async def run():
    model = OpenVinoModel(Path(sys.argv[1]) / "embedding", threads=1)
    await model.predict({"faces": np.zeros((1, 112, 112, 3), np.uint8)})
    model.close()

asyncio.run(run())
print(reached)
"""


def test_the_engine_reports_to_nobody(models: Path, repository: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE, str(models)],
        env={"PYTHONPATH": str(repository / "server"), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == [], "the reporter keeps an id in the home folder"
