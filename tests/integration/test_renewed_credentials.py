"""A camera's stream goes on while its token, or its certificate, is replaced; without another one it ends."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import pytest

import facewire
from facewire_server.access.roles import Role
from facewire_server.access.token_changes import revoke_token
from fakes.certificates import self_signed
from harness import certificates
from harness.roles import with_token
from harness.running import RunningServer, running_server

FRAME_APART_S: Final = 0.1
SOON: Final = timedelta(seconds=15)
"""Until a certificate expires: a stream is open by then on a busy machine, too."""

ROLE: Final = "URI:facewire://role/camera"


class Guarded(NamedTuple):
    """A server that asks for certificates, its files, and the token `old`, in force from its start."""

    server: RunningServer
    folder: Path
    tokens: Path
    old: str

    def certificate(self, name: str, expires: datetime | None = None) -> tuple[Path, Path]:
        """A certificate of a camera."""
        authority = _pair(self.folder / "clients")
        return certificates.signed(self.folder, name, authority, ROLE, expires)

    def client(self, own: tuple[Path, Path], **options: Any) -> facewire.Client:
        trusted = _pair(self.folder / "server")[0]
        shown: dict[str, Any] = {"client_certificate": own[0], "client_key": own[1]}
        return facewire.Client(self.server.address, root_certificates=trusted, **shown, **options)


def _pair(folder: Path) -> tuple[Path, Path]:
    return folder / "certificate.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def guarded(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    for name in ("server", "clients"):
        (folder / name).mkdir()
        self_signed(folder / name)
    certificate, key = _pair(folder / "server")
    tokens = folder / "tokens"
    old = with_token(tokens, "old", Role.CAMERA)
    with running_server(
        tls_certificate=certificate,
        tls_key=key,
        tls_client_ca=_pair(folder / "clients")[0],
        token_file=tokens,
    ) as server:
        yield Guarded(server, folder, tokens, old)


def frames(ended: threading.Event) -> Iterator[facewire.Image]:
    gray = cv2.imencode(".png", np.full((64, 64, 3), 128, np.uint8))[1].tobytes()
    while not ended.wait(FRAME_APART_S):  # the pace of a camera
        yield facewire.Image(gray)


def results_after(
    client: facewire.Client, replaced: Any
) -> tuple[list[facewire.FacewireError], int]:
    """Streams until results have come again after the credentials were replaced; why it was opened again, and these results."""
    errors: list[facewire.FacewireError] = []
    ended, after = threading.Event(), 0
    stream = client.stream(
        frames(ended), reopen=True, on_reopen=lambda error, pause_s: errors.append(error)
    )
    try:
        for number, result in enumerate(stream):
            if number == 0:
                replaced()
            if errors and isinstance(result, facewire.FrameResult):
                after += 1
            if after == 3:
                ended.set()
    finally:
        ended.set()
    return errors, after


def test_a_stream_goes_on_with_the_token_that_its_file_has_once_the_first_is_revoked(
    guarded: Guarded, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(guarded.old)

    def replaced() -> None:
        file.write_text(with_token(guarded.tokens, "new", Role.CAMERA))
        revoke_token(guarded.tokens, "old")

    own = _pair(guarded.folder / "server")  # which has no role
    with guarded.client(own, token=facewire.TokenFile(file)) as client:
        errors, after = results_after(client, replaced)
    assert [type(error) for error in errors] == [facewire.AuthenticationError]
    assert "revoked" in str(errors[0])
    assert after >= 3


def test_a_stream_goes_on_with_the_certificate_that_its_files_have_once_the_first_expires(
    guarded: Guarded,
) -> None:
    own = guarded.certificate("door", datetime.now(UTC) + SOON)

    def replaced() -> None:
        guarded.certificate("door")  # in the place of the other one

    with guarded.client(own) as client:
        errors, after = results_after(client, replaced)
    assert [type(error) for error in errors] == [facewire.AuthenticationError]
    assert "certificate of this call has expired" in str(errors[0])
    assert after >= 3


def test_a_stream_whose_certificate_expires_ends_and_further_calls_are_refused(
    guarded: Guarded,
) -> None:
    own = guarded.certificate("gate", datetime.now(UTC) + SOON)
    ended = threading.Event()
    with guarded.client(own) as client:
        client.server_info()
        with pytest.raises(facewire.AuthenticationError, match="has expired"):
            for _ in client.stream(frames(ended)):
                pass
        with pytest.raises(facewire.AuthenticationError, match="token is required"):
            client.server_info()  # a new call, on the connection that was there
    ended.set()
