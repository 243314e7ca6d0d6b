"""Credentials that were read again: the server takes them, and the audit log has a line about it."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from facewire_server.access.audit_lines import AuditLineError
from facewire_server.access.audit_trail import Trail
from facewire_server.access.token_differences import differences
from facewire_server.configuration.credentials import Credentials
from facewire_server.events import AuditFailed, Emit
from facewire_server.rpc.server import Server

__all__ = ["Reloads"]

_KEEP_S: Final = 5.0
"""Seconds to wait for a line: a disk that hangs must not keep a token in force that is revoked next. Chosen, not measured."""


class Reloads:
    """Replaces the credentials of a server."""

    def __init__(self, server: Server, trail: Trail, emit: Emit) -> None:
        self._server = server
        self._trail = trail
        self._emit = emit

    def replace(self, read: Credentials) -> Mapping[str, Any]:
        """Has the server take credentials, and returns which tokens that changed.

        Raises:
            OSError: gRPC cannot use the certificate; nothing was replaced.
        """
        before = self._server.tokens
        self._server.replace_credentials(
            read.tokens,
            read.tls_certificate_chain,
            read.tls_private_key,
            read.tls_client_authorities,
        )
        return differences(before, self._server.tokens)

    async def keep(self, outcome: Mapping[str, Any]) -> None:
        """Keeps the outcome of a reading in the audit log; a failure is an event."""
        line = {"who": "server", "what": "credentials_reload", **outcome}
        try:
            async with asyncio.timeout(_KEEP_S):
                await self._trail.keep(line)
        except (OSError, AuditLineError) as error:  # TimeoutError is an OSError
            self._emit(AuditFailed(type(error), str(error)))
