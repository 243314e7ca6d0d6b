"""The broker, and how to connect to it: TLS and password."""

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path

import aiomqtt

__all__ = ["Broker", "RefusedError", "is_refusal"]

_LOG = logging.getLogger("facewire.mqtt")
_LOG.addHandler(logging.NullHandler())

_KEEPALIVE_S = 30
"""Seconds without a message after which the broker is asked whether it is there. As the client's own pings to the server."""

_TIMEOUT_S = 10.0
"""Longest wait for the broker's acknowledgment, seconds. Chosen, not measured: after it a connection counts as lost."""

_MOST_INCOMING = 1000
"""Most messages that wait to be read; later ones are dropped. Chosen, not measured: Frigate sends a few a second."""

_REFUSALS = {"Bad user name or password", "Not authorized", "Banned", "Bad authentication method"}
"""Reasons of a refused connection that do not pass by themselves (MQTT 5, 3.2.2.2; paho maps those of 3.1.1 to them)."""


class RefusedError(Exception):
    """The broker refuses the user, at the first connection."""


@dataclass(frozen=True, slots=True, repr=False)
class Broker:
    """A broker as the options describe it. No repr: it knows where the password is.

    Attributes:
        host: name or address.
        port: its port.
        user: who to log in as; "" without a login.
        password_file: its first line is the password; read at every connection, so that it can be changed.
        is_encrypted: whether TLS is used.
        ca_file: certificates to trust (PEM); None: the system's.
        certificate: this bridge's own (PEM), for a broker that asks for one.
        key: its key (PEM), if it is not in the same file.
    """

    host: str
    port: int
    user: str = ""
    password_file: Path | None = None
    is_encrypted: bool = False
    ca_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def client(self, will: aiomqtt.Will | None = None) -> aiomqtt.Client:
        """Returns a client for one connection, which leaves its will behind when it breaks.

        Raises:
            OSError: a file cannot be read, or is not a certificate.
            ValueError: the password's file holds no text.
        """
        return aiomqtt.Client(
            self.host,
            self.port,
            username=self.user or None,
            password=self._password(),
            tls_context=self._tls(),
            will=will,
            logger=_LOG,
            keepalive=_KEEPALIVE_S,
            timeout=_TIMEOUT_S,
            max_queued_incoming_messages=_MOST_INCOMING,
        )

    def _password(self) -> str | None:
        if self.password_file is None:
            return None
        lines = self.password_file.read_text(encoding="utf-8").splitlines()
        if not lines or not lines[0]:
            raise ValueError(f"{self.password_file} holds no password")
        return lines[0]

    def _tls(self) -> ssl.SSLContext | None:
        if not self.is_encrypted:
            return None
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context


def is_refusal(error: aiomqtt.MqttError) -> bool:
    """Returns whether a broker refuses this user: trying again changes nothing, and may lock the user out."""
    return isinstance(error, aiomqtt.MqttCodeError) and str(error.rc) in _REFUSALS
