"""The asyncio client behind the face of the blocking one, so that the same tests run both."""

import asyncio
import inspect
import threading
from typing import Any

import facewire

__all__ = ["CLIENTS", "BlockingClient"]


class BlockingClient:
    """An `AsyncClient` whose loop runs in another thread; what it returns is waited for."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._client = facewire.AsyncClient(*arguments, **options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def __enter__(self) -> "BlockingClient":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.wait(self._client.close())
            self.wait(self._tidy())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(*arguments: Any, **options: Any) -> Any:
            async def made() -> Any:
                given = method(*arguments, **options)
                if isinstance(given, _ITERATED):
                    return _BlockingStream(self, given)
                return await given if inspect.isawaitable(given) else given

            given = self.wait(made())
            return self._walk(given) if inspect.isasyncgen(given) else given

        return call

    def wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def _walk(self, items: Any) -> Any:
        while (item := self.wait(anext(items, None))) is not None:
            yield item

    async def _tidy(self) -> None:
        """Nothing that the client started may go on after it was closed."""
        mine = asyncio.current_task()
        left = asyncio.all_tasks() - {mine}
        if left:
            _, pending = await asyncio.wait(left, timeout=5)
            assert not pending, pending
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()


_ITERATED = facewire.AsyncStream, facewire.AsyncTrackFeed, facewire.AsyncCameraFollower


class _BlockingStream:
    def __init__(self, client: BlockingClient, stream: Any) -> None:
        self._client, self._stream = client, stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> "_BlockingStream":
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> "_BlockingStream":
        return self

    def open(self) -> "_BlockingStream":
        self._client.wait(self._stream.open())
        return self

    def __next__(self) -> Any:
        result = self._client.wait(anext(self._stream, None))
        if result is None:
            raise StopIteration
        return result

    def close(self) -> None:
        self._client.wait(self._stream.close())


CLIENTS = {"blocking": facewire.Client, "asyncio": BlockingClient}
"""What a test is parametrized by."""
