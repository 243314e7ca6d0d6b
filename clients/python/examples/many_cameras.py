"""Watches several cameras in one process.

python many_cameras.py SERVER hall=0 door=rtsp://door/1
"""

import asyncio
import sys

import facewire
from facewire.video import Camera


async def watch(client: facewire.AsyncClient, name: str, source: str) -> None:
    """Prints the people whom one camera sees, until it ends; waits for a server that is full or lost."""
    with Camera(source) as camera:
        async for result in client.stream(camera, camera=name, reopen=True):
            if isinstance(result, facewire.FrameResult):
                names = [face.name or "unknown" for face in result.faces]
                print(f"{name}: {', '.join(names) or 'empty'}", flush=True)


async def main(server: str, *cameras: str) -> None:
    """Watches all of them; the first failure ends the others."""
    async with facewire.AsyncClient(server) as client, asyncio.TaskGroup() as group:
        for camera in cameras:
            name, _, source = camera.partition("=")
            group.create_task(watch(client, name, source))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
