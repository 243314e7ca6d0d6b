"""One signature of a servable behind `PredictionService`, on as many replicas as its address has."""

import asyncio
from collections.abc import Sequence
from typing import Final

from facewire_server.backends.tfserving.addresses import Host, Lookup, hosts, look_up
from facewire_server.backends.tfserving.calls import Calls
from facewire_server.backends.tfserving.channel import channel
from facewire_server.backends.tfserving.replica import TfServingReplica
from facewire_server.proof.signature import Signature

__all__ = ["TfServingModel"]

_LOOK_UP_WAIT_S: Final = 2.0
"""Seconds to wait for a name server; then the last addresses stay, and the answer is taken when it comes. Chosen, not measured."""


class TfServingModel:
    """A `proof.served.ServedModel` that speaks TensorFlow Serving's API over grpc.aio.

    Attributes:
        name: the row of the table of servables, for messages.
    """

    def __init__(
        self,
        servable: str,
        address: str,
        signature: Signature,
        *,
        label: str = "",
        tls_ca: bytes = b"",
        look_up: Lookup = look_up,
    ) -> None:
        """Connects to nothing yet. Belongs to the running event loop.

        Args:
            servable: its `--model_name`.
            address: as `addresses.hosts` takes it.
            signature: what is called, and what it must take and return.
            label: the row of the table of servables; "" = the servable's name.
            tls_ca: PEM certificates to check the servers' with; b"" = no TLS.
            look_up: returns the IP addresses of a name.

        Raises:
            ValueError: not an address.
        """
        self.name = label or servable
        self._servable = servable
        self._signature = signature
        self._tls_ca = tls_ca
        self._look_up = look_up
        self._hosts = hosts(address)
        self._found: dict[Host, tuple[str, ...]] = {
            host: () if host.is_name else (host.name,) for host in self._hosts
        }
        self._looking: dict[Host, asyncio.Task[None]] = {}
        self._replicas: dict[tuple[Host, str], TfServingReplica] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def replicas(self) -> Sequence[TfServingReplica]:
        """Returns one for each IP address, looking names up again; a name that is not found keeps its last ones."""
        for host in self._hosts:
            if host.is_name and host not in self._looking:
                self._looking[host] = asyncio.create_task(self._find(host))
        if self._looking:
            await asyncio.wait(self._looking.values(), timeout=_LOOK_UP_WAIT_S)
        self._looking = {host: task for host, task in self._looking.items() if not task.done()}
        wanted = {(host, ip): None for host in self._hosts for ip in self._found[host]}
        for one in self._replicas.keys() - wanted:
            closing = asyncio.create_task(self._replicas.pop(one).close(is_gone=True))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        for host, ip in wanted:
            if (host, ip) not in self._replicas:
                self._replicas[host, ip] = self._replica(host, ip)
        return [self._replicas[one] for one in wanted]

    async def close(self) -> None:
        """Ends the connections."""
        for task in self._looking.values():
            task.cancel()
        for one in self._replicas.values():
            await one.close()
        for closing in self._closing:
            closing.cancel()

    async def _find(self, host: Host) -> None:
        try:
            self._found[host] = await self._look_up(host)
        except (OSError, UnicodeError):  # the second: no DNS name can be as long
            return  # as when a container restarts: its name has no address meanwhile

    def _replica(self, host: Host, ip: str) -> TfServingReplica:
        address = f"[{ip}]:{host.port}" if ":" in ip else f"{ip}:{host.port}"
        calls = Calls(self.name, channel(address, host.name, self._tls_ca))
        return TfServingReplica(self.name, self._servable, self._signature, address, calls)
