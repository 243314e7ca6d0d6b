"""The role in a client's certificate: one URI among its alternative names, such as facewire://role/camera?gallery=door.

The URI is signed with the certificate, so whoever signs decides about the role. A subject's OU would need a convention for several
galleries, and public authorities do not sign it any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from facewire_server.access.caller import Caller
from facewire_server.access.certificate_expiry import expiry_of
from facewire_server.access.roles import Role
from facewire_server.galleries.ids import is_gallery_id

__all__ = ["PEM", "SUBJECT", "URIS", "Certificate", "certificate_of"]

URIS: Final = "peer_uri"
"""gRPC's property of a connection: the URIs among the names, apart from those of DNS, which may hold any text."""

PEM: Final = "x509_pem_cert"
"""gRPC's property of a connection: the certificate."""

SUBJECT: Final = "x509_subject"
"""gRPC's property of a connection: the subject of the certificate."""

_SCHEME: Final = "facewire"
_MAX_SUBJECT_CHARACTERS: Final = 128
"""Of a subject in logs. Chosen, not measured."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A client's certificate with a role.

    Attributes:
        caller: who showed it.
        expires: when it ceases to be valid. gRPC looks at this only when a connection is made.
    """

    caller: Caller
    expires: datetime

    def is_valid(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return now < self.expires


def certificate_of(properties: Mapping[str, Sequence[bytes]]) -> Certificate | None:
    """Returns the certificate of a connection.

    Args:
        properties: of the connection (`auth_context`), which gRPC has checked.

    Returns:
        None for a certificate without a role: with no such URI, with several, or with one that is not understood as a whole; or
        with a validity that is not understood.
    """
    uris = [uri.decode(errors="replace") for uri in properties.get(URIS, ())]
    ours = [uri for uri in uris if uri.lower().startswith(f"{_SCHEME}:")]
    if len(ours) != 1:
        return None
    found, expires = _read(ours[0]), expiry_of(b"".join(properties.get(PEM, ())))
    if found is None or expires is None:
        return None
    subject = b", ".join(properties.get(SUBJECT, ())).decode(errors="replace")
    shown = "".join(one if one.isprintable() else "?" for one in subject)[:_MAX_SUBJECT_CHARACTERS]
    return Certificate(Caller(f"certificate {shown or '?'}", *found), expires)


def _read(uri: str) -> tuple[frozenset[Role], frozenset[str] | None] | None:
    """Returns roles and galleries of "facewire://role/ROLE[,ROLE][?gallery=ID[&gallery=ID]]"; None for anything else."""
    try:
        parts = urlsplit(uri)
        query = parse_qsl(parts.query, strict_parsing=True) if "?" in uri else []
    except ValueError:
        return None
    words = parts.path.removeprefix("/").split(",")
    known = {role.value for role in Role}
    if (
        (parts.scheme, parts.netloc) != (_SCHEME, "role")
        or "#" in uri
        or not known.issuperset(words)
    ):
        return None
    if not all(name == "gallery" and is_gallery_id(value) for name, value in query):
        return None
    galleries = frozenset(value for _, value in query) if query else None
    if "?" in uri and not query:
        return None  # "?" alone: a limit was meant
    return frozenset(map(Role, words)), galleries
