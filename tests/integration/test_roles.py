"""The token matrix: every method with every role, on a real server; and what each refused call is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest

from facewire_server.access.roles import Role
from facewire_server.rpc.services import METHODS
from harness.role_matrix import NO_GALLERY, NO_TOKEN, OTHER, OWN, Cell, matrix
from harness.roles import Outcome, bearer, called, with_token
from harness.running import RunningServer, running_server

C, E, O, X = "camera", "enroller", "operator", "exporter"  # noqa: E741 - columns of a table

# By hand, and not from the server's table: who may call what.
MATRIX = {
    "StreamRecognize": (C, E, O),
    "Recognize": (C, E, O),
    "Compare": (C, E, O),
    "WatchTracks": (O,),
    "GetTrackCrop": (E, O),
    "GetServerInfo": (C, E, O, X),
    "CreateGallery": (E, O),
    "GetGallery": (E, O),
    "ListGalleries": (E, O),
    "DeleteGallery": (E, O),
    "CreateIdentity": (E, O),
    "GetIdentity": (E, O),
    "ListIdentities": (E, O),
    "UpdateIdentity": (E, O),
    "DeleteIdentity": (E, O),
    "EnrollTemplates": (E, O),
    "ListTemplates": (E, O),
    "DeleteTemplate": (E, O),
    "ExportGallery": (X,),
    "ImportGallery": (E, O),
    "PurgeDeleted": (O,),
    "ListUnknownPeople": (O,),
    "GetUnknownPictures": (E, O),
    "EnrollUnknown": (E, O),
    "ForgetUnknown": (O,),
    "GetTemplate": (E, O),
    "CheckGallery": (O,),
    "MergeIdentities": (E, O),
    "SplitIdentity": (E, O),
    "AddNegativeExample": (E, O),
    "ListNegativeExamples": (E, O),
    "DeleteNegativeExample": (E, O),
    "Check": (C, E, O, X),
    "List": (C, E, O, X),
    "Watch": (C, E, O, X),
    "ServerReflectionInfo": (C, E, O, X),
}
OPEN = ("Check", "List", "Watch")
OF_GALLERIES = [
    path
    for path, method in METHODS.items()
    if "gallery_id" in method.input_type.fields_by_name or method.name == "StreamRecognize"
]
REFUSED = grpc.StatusCode.PERMISSION_DENIED
UNKNOWN = grpc.StatusCode.UNAUTHENTICATED


class Guarded(NamedTuple):
    """A server with tokens, by label."""

    server: RunningServer
    channel: grpc.Channel
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def guarded(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    file = tmp_path_factory.mktemp("tokens") / "tokens"
    tokens = {role.value: with_token(file, role.value, role) for role in Role}
    everything = (Role.OPERATOR, Role.EXPORTER)
    tokens["all"] = with_token(file, "all", *everything)
    tokens["staff"] = with_token(file, "staff", *everything, galleries=frozenset({"staff", "gone"}))
    with running_server(token_file=file) as server, server.channel() as channel:
        for gallery_id in ("staff", "guests"):
            path = "/facewire.v1.GalleryService/CreateGallery"
            made = called(channel, path, bearer(tokens["all"]), gallery_id)
            assert made.code is grpc.StatusCode.OK
        yield Guarded(server, channel, tokens)


def test_the_matrix_has_every_method() -> None:
    assert [method.name for method in METHODS.values()] == list(MATRIX)


@pytest.fixture(scope="module")
def cells(models: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Cell]:
    return matrix(tmp_path_factory.mktemp("matrix"))


def test_the_matrix_has_every_method_with_every_role_for_the_callers_gallery_and_another(
    cells: list[Cell],
) -> None:
    expected = [
        (path, role, gallery)
        for path in METHODS
        for role in (NO_TOKEN, C, E, O, X)
        for gallery in ((OWN, OTHER) if path in OF_GALLERIES else (NO_GALLERY,))
    ]
    assert [(cell.path, cell.role, cell.gallery) for cell in cells] == expected


@pytest.mark.parametrize("path", METHODS)
def test_every_method_is_for_its_roles_and_its_callers_galleries_and_says_so_to_all_others(
    cells: list[Cell], path: str
) -> None:
    roles = MATRIX[path.rpartition("/")[2]]
    needed, named = " or ".join(roles), ",".join(roles)
    for cell in (cell for cell in cells if cell.path == path):
        about = f"{cell.role}, {cell.gallery}"
        if cell.path.rpartition("/")[2] in OPEN:
            assert cell.is_allowed, about
        elif cell.role == NO_TOKEN:
            assert (cell.outcome.code, cell.outcome.reason) == (UNKNOWN, "TOKEN_REQUIRED"), about
        elif cell.role not in roles:
            text = f"this needs the role {needed}; the caller's is {cell.role}"
            assert cell.outcome == Outcome(REFUSED, text, "ROLE_REQUIRED", named), about
        elif cell.gallery == OTHER:
            text = f"this needs the role {needed} for this gallery; the caller is limited to other galleries"
            assert cell.outcome == Outcome(REFUSED, text, "ROLE_REQUIRED", named), about
        else:
            assert cell.is_allowed, (about, cell.outcome)


@pytest.mark.parametrize("path", METHODS)
def test_without_a_valid_token_only_health_is_served(guarded: Guarded, path: str) -> None:
    right = guarded.tokens["all"]
    for metadata in ((), bearer("wrong"), bearer(right[:-1]), bearer(right) * 2):
        outcome = called(guarded.channel, path, metadata)
        if path.rpartition("/")[2] in OPEN:
            assert outcome.code not in (REFUSED, UNKNOWN)
        else:
            assert (outcome.code, outcome.reason) == (UNKNOWN, "TOKEN_REQUIRED")


@pytest.mark.parametrize("path", OF_GALLERIES)
def test_a_token_that_is_limited_to_galleries_does_not_find_out_whether_there_are_others(
    guarded: Guarded, path: str
) -> None:
    mine = bearer(guarded.tokens["staff"])
    existing, missing, default = (
        called(guarded.channel, path, mine, each) for each in ("guests", "nowhere", "default")
    )
    assert existing == missing == default
    assert (existing.code, existing.reason) == (REFUSED, "ROLE_REQUIRED")
    assert existing.roles == ",".join(MATRIX[path.rpartition("/")[2]])
    if not path.endswith("Gallery"):  # those would make, empty or fill it
        assert called(guarded.channel, path, mine, "staff").code is not REFUSED


def test_a_method_that_does_not_exist_is_said_to_callers_only(guarded: Guarded) -> None:
    call = guarded.channel.unary_unary("/facewire.v1.GalleryService/Nothing", bytes, bytes)
    for metadata, code in (
        ((), UNKNOWN),
        (bearer(guarded.tokens[C]), grpc.StatusCode.UNIMPLEMENTED),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            call(b"", metadata=metadata)
        assert caught.value.code() is code


def test_headers_that_are_odd_neither_open_nor_break_the_server(guarded: Guarded) -> None:
    path = "/facewire.v1.RecognitionService/GetServerInfo"
    right = guarded.tokens["all"]
    for value in (
        "Bearer " + "x" * 6000,
        f"Bearer {right}=",
        f"Bearer {right},Bearer {right}",
        f"Basic {right}",
        " ",
    ):
        outcome = called(guarded.channel, path, (("authorization", value),))
        assert (outcome.code, outcome.reason) == (UNKNOWN, "TOKEN_REQUIRED")
    large = (("authorization", f"Bearer {right}"), *((f"x-{n}", "x" * 4000) for n in range(20)))
    assert called(guarded.channel, path, large).code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert called(guarded.channel, path, bearer(right)).code is grpc.StatusCode.OK
    assert "internal_error" not in guarded.server.log()


def test_the_log_names_who_was_refused_and_what_is_missing_and_no_token(guarded: Guarded) -> None:
    called(guarded.channel, "/facewire.v1.GalleryService/ExportGallery", bearer(guarded.tokens[C]))
    log = guarded.server.log()
    assert '"event": "role_refused"' in log
    assert '"caller": "token camera"' in log
    assert not any(token in log for token in guarded.tokens.values())
