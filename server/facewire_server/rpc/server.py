"""The gRPC server: its address, its services, and how it stops."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from grpc import aio
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from facewire.v1 import gallery_pb2_grpc, recognition_pb2_grpc
from facewire_server.access.tokens import Token
from facewire_server.events import Draining, DrainOverran, Emit, LameDuck, Listening, ignore
from facewire_server.host.ports import why_not
from facewire_server.rpc.access import AccessInterceptor
from facewire_server.rpc.admission import AdmissionInterceptor
from facewire_server.rpc.calls import CallsInterceptor
from facewire_server.rpc.channel_options import channel_options
from facewire_server.rpc.crowding import Crowding
from facewire_server.rpc.forwarded import ForwardedInterceptor, TrustedProxies
from facewire_server.rpc.gallery import GalleryServicer
from facewire_server.rpc.health import HealthServicer
from facewire_server.rpc.options import ServerOptions
from facewire_server.rpc.recognition import RecognitionServicer
from facewire_server.rpc.services import SERVICES
from facewire_server.rpc.status import StatusInterceptor
from facewire_server.rpc.tls import TlsCertificate
from facewire_server.streams.limits import ServingLimits
from facewire_server.work.held_bytes import ByteBudget

__all__ = ["Server"]

_CLEAN_UP_S = 5.0
"""Seconds that cancelled handlers have to end. Chosen, not measured."""


class Server:
    """Serves both services, health and reflection on one port.

    A client may ping every 10 s, also without an open call (gRPC's own limit of 5 minutes
    ends the connections of cameras behind NAT), and the server pings every 30 s, so that a
    stream of a camera that lost its power ends within 40 s.

    Attributes:
        health: the composition root sets here which services are serving.
        streams: the open streams.
        admission: the calls in progress, and those that wait for their request.
    """

    def __init__(
        self,
        options: ServerOptions,
        recognition: RecognitionServicer,
        gallery: GalleryServicer,
        *,
        limits: ServingLimits,
        call_bytes: ByteBudget,
        interceptors: Sequence[aio.ServerInterceptor] = (),
        emit: Emit = ignore,
    ) -> None:
        """Builds the server. To be called in a running event loop; the server then belongs to it.

        Raises:
            OSError: gRPC cannot use the certificate.
        """
        self.health = HealthServicer(options.max_connections)
        self._options = options
        self._emit = emit
        self.streams = recognition.streams
        self._watching_tracks = recognition.watching
        self._calls = CallsInterceptor()
        named: list[aio.ServerInterceptor] = []
        most_calls = limits.max_calls_per_connection
        if options.trusted_proxies != TrustedProxies():
            named.append(ForwardedInterceptor(options.trusted_proxies))
            # A connection of theirs may have all calls, and gRPC has one limit of streams for all connections.
            most_calls = options.max_calls
        chain = [*interceptors, *named, self._calls, StatusInterceptor(emit)]
        self._access: AccessInterceptor | None = None
        if options.tokens is not None or options.tls_client_authorities:
            takes_certificates = bool(options.tls_client_authorities)
            self._access = AccessInterceptor(
                options.tokens or (), takes_certificates=takes_certificates, emit=emit
            )
            chain.append(self._access)
        self.admission = AdmissionInterceptor(options.max_calls, limits, call_bytes, emit)
        chain.append(self.admission)
        self._certificate: TlsCertificate | None = None
        if options.tls_certificate_chain:
            self._certificate = TlsCertificate(
                options.tls_certificate_chain,
                options.tls_private_key,
                options.tls_client_authorities,
            )
        self._watching: list[asyncio.Task[Any]] = []
        self._server = aio.server(
            interceptors=chain,
            options=channel_options(
                options.max_connections, most_calls, limits, shares_port=options.shares_port
            ),
        )
        recognition_pb2_grpc.add_RecognitionServiceServicer_to_server(recognition, self._server)
        gallery_pb2_grpc.add_GalleryServiceServicer_to_server(gallery, self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self._server)
        reflection.enable_server_reflection(_reflected(), self._server)

    async def start(self) -> int:
        """Starts listening and returns the port.

        Raises:
            OSError: the server cannot listen on the address; the text says why.
        """
        options = self._options
        try:
            if self._certificate is not None:
                credentials = self._certificate.credentials()
                port = self._server.add_secure_port(options.address, credentials)
            else:
                port = self._server.add_insecure_port(options.address)
        except RuntimeError as error:
            reason = await asyncio.to_thread(why_not, options.address)
            raise OSError(f"cannot listen on {options.address}: {reason}") from error
        await self._server.start()
        if not options.address.startswith("unix:"):
            crowding = Crowding(port, options.max_connections, self._busy, self._emit)
            self._watching.append(asyncio.create_task(crowding.watch()))
        if self._access is not None:
            self._watching.append(asyncio.create_task(self._access.watch()))
        host = options.address.rpartition(":")[0]
        has_tls, has_token = self._certificate is not None, options.tokens is not None
        self._emit(Listening(f"{host}:{port}", has_tls=has_tls, has_token=has_token))
        return port

    def replace_credentials(
        self,
        tokens: Sequence[Token] | None,
        certificate_chain: bytes,
        private_key: bytes,
        client_authorities: bytes,
    ) -> None:
        """Replaces the tokens, and the certificates for new connections.

        Calls in progress whose token is no longer as it was end; all others, and open connections, go on. A server that was
        built without TLS, without tokens or without clients' certificates stays without.

        Raises:
            OSError: gRPC cannot use the certificate; nothing was replaced.
        """
        if self._certificate is not None and certificate_chain:
            self._certificate.replace(certificate_chain, private_key, client_authorities)
        if self._access is not None and tokens is not None and self._options.tokens is not None:
            self._access.replace(tokens)

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Those that are in force; none if the server asks for none."""
        return () if self._access is None else self._access.tokens

    async def leave(self, lame_duck_s: float, at_once: asyncio.Event) -> None:
        """Reports NOT_SERVING, and goes on serving for `lame_duck_s` seconds, or until `at_once` is set.

        A proxy learns of it by its next question for the health, and sends new calls until then: they must find a
        server, so the port stays open.
        """
        if not lame_duck_s or at_once.is_set():
            return
        self._emit(LameDuck(len(self.streams), lame_duck_s))
        self.health.leave()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(lame_duck_s):
                await at_once.wait()

    async def drain(self, grace_s: float) -> None:
        """Refuses new calls; streams and calls in progress have `grace_s` seconds to end, then are cancelled.

        When this returns no handler runs any more; work of cancelled ones may still run in
        threads, so shut the executor down before closing what it uses.
        """
        self._emit(Draining(len(self.streams), grace_s))
        self.health.shut_down()
        for watching in self._watching:
            watching.cancel()
        self.admission.drain()
        self.streams.drain()
        self._watching_tracks.drain()
        await self._server.stop(grace_s)
        try:
            async with asyncio.timeout(_CLEAN_UP_S):
                await self._calls.ended()
        except TimeoutError:
            self._emit(DrainOverran(_CLEAN_UP_S))

    def _busy(self) -> frozenset[str]:
        """Returns the peers that have a call, or a watcher of health.

        Other calls of health do not count: they are short, and without a token, yet a client that does not read their
        answer keeps them open.
        """
        return self.admission.places.connections() | self.health.connections()


def _reflected() -> tuple[str, ...]:
    return (*(service.full_name for service in SERVICES), reflection.SERVICE_NAME)
