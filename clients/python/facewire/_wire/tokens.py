"""The token of every call, and where it comes from: a text, a file, or whatever a function returns."""

import os
from collections.abc import Awaitable, Callable
from inspect import iscoroutine, iscoroutinefunction
from pathlib import Path
from typing import TypeAlias

__all__ = ["SentToken", "TokenFile", "TokenSource"]

TokenSource: TypeAlias = str | Callable[[], str | Awaitable[str]]
"""A token, or a function that returns it; `AsyncClient` also takes one that must be awaited."""


class TokenFile:
    """A token in a file, for `Client(token=...)`: read with the first call, and again once the server refuses what was read.

    facewire.Client("server:50051", token=facewire.TokenFile("/run/secrets/token"))
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Takes the path; the file is read later.

        Args:
            path: of the file. Space around the token is left out.
        """
        self._path = Path(path)

    def __call__(self) -> str:
        """Reads the token.

        Raises:
            OSError: the file cannot be read.
        """
        return self._path.read_bytes().decode("ascii", errors="replace")


class SentToken:
    """The token of a client, kept between calls. No repr: it holds the token."""

    __slots__ = ("_is_fixed", "_refused", "_source", "_token")

    def __init__(self, source: TokenSource) -> None:
        """Takes where it comes from.

        Raises:
            ValueError: a text that no header may hold (the error does not show it).
        """
        self._source = source
        self._is_fixed = isinstance(source, str)
        self._token = _checked(source) if isinstance(source, str) else None
        self._refused: str | None = None

    @property
    def kept(self) -> str | None:
        """What was read last; None before the first call, and after the server has refused it."""
        return self._token

    @property
    def is_awaited(self) -> bool:
        """Whether the source is an asynchronous function, which belongs to the event loop."""
        return iscoroutinefunction(self._source)

    def read(self) -> str | Awaitable[str]:
        """Returns what the source returns, which is to be given to `keep`. Only if `kept` is None."""
        return self._source if isinstance(self._source, str) else self._source()

    def keep(self, token: str) -> str:
        """Keeps what was read, and returns it as it is sent.

        Raises:
            ValueError: it is empty, or no header may hold it.
        """
        self._token = _checked(token)
        if not self._token and not self._is_fixed:
            raise ValueError("the source of the token has returned none")
        return self._token

    def blocking(self) -> str:
        """Returns the token for a client that does not wait for it.

        Raises:
            TypeError: the source must be awaited.
        """
        if self._token is not None:
            return self._token
        token = self.read()
        if isinstance(token, str):
            return self.keep(token)
        if iscoroutine(token):
            token.close()
        raise TypeError("a token that must be awaited is for AsyncClient")

    def renew(self) -> bool:
        """Returns whether the refused call is worth another one: not if its token was refused before. The next call reads the token again, also then."""
        if self._is_fixed or self._token is None:
            return False
        is_new = self._token != self._refused
        self._refused, self._token = self._token, None
        return is_new


def _checked(token: str) -> str:
    token = token.strip()
    if not (token.isascii() and (token.isprintable() or not token)):
        raise ValueError("a token is made of printable ASCII characters; this one is not")
    return token
