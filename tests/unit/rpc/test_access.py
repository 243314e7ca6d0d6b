"""A call without a valid token, or without its role, reaches no handler but that of health."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from facewire_server.access.caller import Caller, caller_name, require_gallery
from facewire_server.access.roles import ROLES, Permission, Role, roles_with
from facewire_server.access.tokens import Token, digest_of, plain_tokens
from facewire_server.errors import RoleRequired, TokenRequired
from facewire_server.events import Event, RoleRefused, TokenRefused
from facewire_server.rpc.access import AccessInterceptor
from facewire_server.rpc.permissions import PERMISSIONS
from facewire_server.rpc.services import METHODS
from fakes.certificates import self_signed
from harness import certificates

RECOGNIZE = "/facewire.v1.RecognitionService/Recognize"
EXPORT = "/facewire.v1.GalleryService/ExportGallery"
NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)


@dataclass
class Context:
    values: tuple[Any, ...] = ()
    properties: dict[str, list[bytes]] = field(default_factory=dict)

    def peer(self) -> str:
        return "ipv4:127.0.0.1:1"

    def invocation_metadata(self) -> tuple[tuple[str, Any], ...]:
        return (("user-agent", "test"), *(("authorization", value) for value in self.values))

    def auth_context(self) -> dict[str, list[bytes]]:
        return self.properties


async def call(
    access: AccessInterceptor, context: Context, method: str = RECOGNIZE, work: Any = None
) -> str:
    """Makes a call; returns the caller's name, as the handler knows it."""
    names = []

    async def handler(request: Any, context: Any) -> None:
        names.append(caller_name())
        if work is not None:
            await work()

    async def continuation(details: Any) -> Any:
        return grpc.stream_stream_rpc_method_handler(handler)

    details: Any = SimpleNamespace(method=method)
    found = await access.intercept_service(continuation, details)
    await found.stream_stream(None, context)
    return names[0]


async def require(gallery_id: str) -> None:
    require_gallery(gallery_id)


def token(label: str, secret: str, *roles: Role, **limits: Any) -> Token:
    return Token(label, digest_of(secret.encode()), frozenset(roles), **limits)


@pytest.mark.parametrize(
    "value", ["Bearer s3cret", "bearer s3cret", "BEARER   s3cret ", b"Bearer s3cret"]
)
async def test_the_token_opens(value: str | bytes) -> None:
    assert (
        await call(AccessInterceptor(plain_tokens("s3cret")), Context((value,))) == "token plain-1"
    )


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("",),
        ("Bearer",),
        ("Bearer ",),
        ("Bearer s3cre",),
        ("Bearer s3crets",),
        ("Bearer s3cret s3cret",),
        ("Basic s3cret",),
        ("s3cret",),
        ("s3cret Bearer",),
        ("Bearer s\N{CYRILLIC SMALL LETTER IE}cret",),
        ("Bearer \udcff",),
        (b"Bearer \xff\xfe",),
        ("Bearer " + "s3cret" * 10_000,),
        # A proxy before the server may have read the other one.
        ("Bearer wrong", "Bearer s3cret"),
        ("Bearer s3cret", "Bearer wrong"),
        ("Bearer s3cret", "Bearer s3cret"),
    ],
)
async def test_nothing_else_opens(values: tuple[Any, ...]) -> None:
    events: list[Event] = []
    access = AccessInterceptor(plain_tokens("s3cret"), emit=events.append)
    with pytest.raises(TokenRequired):
        await call(access, Context(values))
    assert events == [TokenRefused("ipv4:127.0.0.1:1")]


async def test_no_token_opens_if_there_is_none() -> None:
    with pytest.raises(TokenRequired):
        await call(AccessInterceptor(plain_tokens("\n \n")), Context(("Bearer ",)))


async def test_each_of_several_tokens_opens_until_they_are_replaced() -> None:
    access = AccessInterceptor(plain_tokens("old\n\n new \n"))
    await call(access, Context(("Bearer old",)))
    await call(access, Context(("Bearer new",)))
    access.replace(plain_tokens("newest"))
    with pytest.raises(TokenRequired):
        await call(access, Context(("Bearer old",)))
    await call(access, Context(("Bearer newest",)))


async def test_a_plain_token_that_moves_in_its_file_ends_no_call() -> None:
    access = AccessInterceptor(plain_tokens("first\nsecond"))
    release = asyncio.Event()
    running = asyncio.create_task(call(access, Context(("Bearer second",)), work=release.wait))
    await asyncio.sleep(0)
    access.replace(plain_tokens("second"))
    release.set()
    assert await running == "token plain-2"


async def test_health_is_open_to_all() -> None:
    access = AccessInterceptor(plain_tokens("s3cret"))
    await call(access, Context(), "/grpc.health.v1.Health/Check")
    with pytest.raises(TokenRequired):
        await call(access, Context(), EXPORT)


def test_the_table_names_every_method_and_leaves_only_health_open() -> None:
    assert set(PERMISSIONS) == set(METHODS)
    is_open = {path for path, permission in PERMISSIONS.items() if permission is None}
    assert is_open == {path for path in METHODS if path.startswith("/grpc.health.v1.Health/")}


def test_every_permission_is_of_a_method_and_of_a_role() -> None:
    assert set(PERMISSIONS.values()) == {*Permission, None}
    assert all(map(roles_with, Permission))
    assert ROLES[Role.OPERATOR] | {Permission.EXPORT} == set(Permission)
    assert roles_with(Permission.EXPORT) == ("exporter",)


async def test_a_role_that_is_missing_is_named_to_the_client_and_in_an_event() -> None:
    events: list[Event] = []
    access = AccessInterceptor([token("door", "s3cret", Role.CAMERA)], emit=events.append)
    with pytest.raises(
        RoleRequired, match="needs the role exporter; the caller's is camera"
    ) as refused:
        await call(access, Context(("Bearer s3cret",)), EXPORT)
    assert refused.value.roles == ("exporter",)
    assert events == [RoleRefused(EXPORT, "ipv4:127.0.0.1:1", "token door", ("exporter",))]


async def test_a_token_that_is_limited_to_a_gallery_is_for_no_other_one() -> None:
    limited = token("door", "s3cret", Role.CAMERA, galleries=frozenset({"staff"}))
    access = AccessInterceptor([limited])

    def using(gallery_id: str) -> Any:
        async def work() -> None:
            # As in a stream, whose messages another task reads.
            await asyncio.create_task(require(gallery_id))

        return work

    await call(access, Context(("Bearer s3cret",)), work=using("staff"))
    with pytest.raises(RoleRequired) as refused:
        await call(access, Context(("Bearer s3cret",)), work=using("guests"))
    assert refused.value.roles == ("camera", "enroller", "operator")
    assert "guests" not in str(refused.value)
    require_gallery("guests")  # outside of a call no one is limited


async def test_a_token_that_is_revoked_changed_or_expired_ends_its_calls_and_no_others() -> None:
    now = NOON
    kept = token("kept", "k3pt", Role.CAMERA)
    changed = token("changed", "chang3d", Role.CAMERA)
    expiring = token("expiring", "exp1ring", Role.CAMERA, expires=NOON + timedelta(hours=1))
    revoked = token("revoked", "r3voked", Role.CAMERA)
    access = AccessInterceptor([kept, changed, expiring, revoked], now=lambda: now)
    release = asyncio.Event()
    running = {}
    for secret in ("k3pt", "chang3d", "exp1ring", "r3voked"):
        context = Context((f"Bearer {secret}",))
        running[secret] = asyncio.create_task(call(access, context, work=release.wait))
    await asyncio.sleep(0)
    narrower = token("changed", "chang3d", Role.CAMERA, galleries=frozenset({"staff"}))
    access.replace([expiring, kept, narrower])
    for secret in ("chang3d", "r3voked"):
        with pytest.raises(TokenRequired, match="revoked or changed"):
            await running[secret]
    assert not running["exp1ring"].done()
    now += timedelta(hours=1)
    access.end_invalid()
    with pytest.raises(TokenRequired):
        await running["exp1ring"]
    with pytest.raises(TokenRequired):
        await call(access, Context(("Bearer exp1ring",)))
    release.set()
    assert await running["k3pt"] == "token kept"


async def test_a_timeout_of_the_handler_is_not_taken_for_a_revoked_token() -> None:
    async def late() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await call(
            AccessInterceptor(plain_tokens("s3cret")), Context(("Bearer s3cret",)), work=late
        )


URI = b"facewire://role/camera?gallery=staff"


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A certificate that is valid until NOON."""
    folder = tmp_path_factory.mktemp("certificate")
    authority = self_signed(folder)
    return certificates.signed(folder, "door", authority, expires=NOON)[0].read_bytes()


async def test_a_certificate_with_a_role_opens_and_a_token_that_is_sent_counts_before_it(
    pem: bytes,
) -> None:
    access = AccessInterceptor(
        plain_tokens("s3cret"), takes_certificates=True, now=lambda: NOON - timedelta(seconds=1)
    )
    properties = {
        "peer_uri": [b"https://elsewhere", URI],
        "x509_subject": [b"CN=door"],
        "x509_pem_cert": [pem],
    }
    assert await call(access, Context((), properties)) == "certificate CN=door"
    with pytest.raises(RoleRequired):
        await call(access, Context((), properties), EXPORT)
    await call(access, Context(("Bearer s3cret",), properties), EXPORT)
    with pytest.raises(TokenRequired):
        await call(access, Context(("Bearer wrong",), properties))


@pytest.mark.parametrize(
    "uris",
    [
        [],
        [b"facewire://role/camera", b"facewire://role/exporter"],
        [b"facewire://role/"],
        [b"facewire://role/root"],
        [b"facewire://role/camera,root"],
        [b"facewire://roles/camera"],
        [b"FACEWIRE://role/camera?gallery=A"],
        [b"facewire:role/camera"],
        [b"facewire://role/camera?"],
        [b"facewire://role/camera?gallery="],
        [b"facewire://role/camera?galleries=staff"],
        [b"facewire://role/camera?gallery=staff&expires=1"],
        [b"facewire://role/camera#gallery=staff"],
        [b"facewire://role/camera/exporter"],
        [b"facewire://user@role/camera"],
        [b"facewire://role/\xff"],
    ],
)
async def test_a_certificate_whose_role_is_not_understood_as_a_whole_has_none(
    uris: list[bytes],
    pem: bytes,
) -> None:
    access = AccessInterceptor(takes_certificates=True, now=lambda: NOON - timedelta(seconds=1))
    with pytest.raises(TokenRequired):
        await call(access, Context((), {"peer_uri": uris, "x509_pem_cert": [pem]}))


async def test_a_certificate_that_grpc_has_not_checked_opens_nothing(pem: bytes) -> None:
    access = AccessInterceptor(plain_tokens("s3cret"), now=lambda: NOON - timedelta(seconds=1))
    with pytest.raises(TokenRequired):
        await call(access, Context((), {"peer_uri": [URI], "x509_pem_cert": [pem]}))


async def test_a_certificate_that_expires_ends_its_calls_and_opens_no_more(pem: bytes) -> None:
    now = NOON - timedelta(seconds=1)
    access = AccessInterceptor(takes_certificates=True, now=lambda: now)
    context = Context((), {"peer_uri": [URI], "x509_pem_cert": [pem]})
    release = asyncio.Event()
    running = asyncio.create_task(call(access, context, work=release.wait))
    await asyncio.sleep(0)
    access.end_invalid()
    await asyncio.sleep(0)
    assert not running.done()
    now = NOON
    access.end_invalid()
    with pytest.raises(TokenRequired, match="certificate of this call has expired"):
        await running
    with pytest.raises(TokenRequired):
        await call(access, context)


@pytest.mark.parametrize("end", [b"", b"x", b"-----BEGIN CERTIFICATE-----\nMAA=\n"])
async def test_a_certificate_whose_validity_cannot_be_read_has_no_role(end: bytes) -> None:
    context = Context((), {"peer_uri": [URI], "x509_pem_cert": [end]})
    with pytest.raises(TokenRequired):
        await call(AccessInterceptor(takes_certificates=True), context)


def test_no_caller_is_limited_to_no_gallery_which_would_mean_all() -> None:
    with pytest.raises(ValueError, match="for one at least"):
        Caller("nobody", frozenset({Role.CAMERA}), frozenset())
