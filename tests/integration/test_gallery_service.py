"""The gallery service over a real server, before a gallery in memory."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any

import grpc
import numpy as np
import pytest

from facewire.v1 import face_pb2, gallery_pb2
from facewire_server.galleries.records import (
    EnrollmentResult,
    GalleryInfo,
    GalleryRecord,
    IdentityInfo,
    NewIdentity,
)
from facewire_server.logs.formatters import JsonLines, Text
from facewire_server.logs.listener import LogListener
from facewire_server.logs.rate_limit import RateLimit
from facewire_server.rpc import gallery as gallery_service
from facewire_server.types import FaceSelection, Quality
from fakes.gallery import MemoryGallery
from fakes.recognizer import CONTRACT_ID, FakeEnroller
from fakes.wire import DEFAULTS, LIMITS, PICTURE, UNKNOWN_FORMAT, reason_and_fields, served

INVALID = grpc.StatusCode.INVALID_ARGUMENT
NOT_FOUND = grpc.StatusCode.NOT_FOUND


async def a_gallery(*, people: int = 0, templates: int = 0) -> MemoryGallery:
    gallery = MemoryGallery(model_contract_id=CONTRACT_ID, dimension=4)
    for number in range(people):
        results = [
            EnrollmentResult(f"{number:016x}{row:016x}", quality=Quality(32.0, 1.0, 1.0))
            for row in range(templates)
        ]
        embeddings = np.eye(4, dtype=np.float32)[np.arange(templates) % 4]
        person = f"person-{number:03}"
        if templates:
            await gallery.enroll("default", NewIdentity(person, "", True), results, embeddings)
        else:
            await gallery.create_identity("default", person, person)
    return gallery


async def refused(call: Any) -> tuple[grpc.StatusCode, str, list[str]]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), *reason_and_fields(caught.value)


async def exported(wire: Any, gallery_id: str = "") -> list[gallery_pb2.ExportGalleryResponse]:
    call = wire.galleries.ExportGallery(gallery_pb2.ExportGalleryRequest(gallery_id=gallery_id))
    return [response async for response in call]


async def test_galleries_from_birth_to_death() -> None:
    async with served(gallery=await a_gallery()) as wire:
        call = wire.galleries
        made = await call.CreateGallery(gallery_pb2.CreateGalleryRequest(gallery_id="doors"))
        assert (made.gallery.display_name, made.gallery.model_contract_id) == ("doors", CONTRACT_ID)
        request = gallery_pb2.CreateGalleryRequest(gallery_id="doors")
        code, reason, _ = await refused(call.CreateGallery(request))
        assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, "GALLERY_EXISTS")
        found = await call.GetGallery(gallery_pb2.GetGalleryRequest(gallery_id="doors"))
        assert found.gallery == made.gallery
        listed = await call.ListGalleries(gallery_pb2.ListGalleriesRequest(page_size=1))
        assert [gallery.gallery_id for gallery in listed.galleries] == ["default"]
        listed = await call.ListGalleries(
            gallery_pb2.ListGalleriesRequest(page_size=1, page_token=listed.next_page_token)
        )
        assert [gallery.gallery_id for gallery in listed.galleries] == ["doors"]
        assert listed.next_page_token == ""
        await call.DeleteGallery(gallery_pb2.DeleteGalleryRequest(gallery_id="doors"))
        code, reason, _ = await refused(
            call.GetGallery(gallery_pb2.GetGalleryRequest(gallery_id="doors"))
        )
        assert (code, reason) == (NOT_FOUND, "GALLERY_NOT_FOUND")


async def test_a_gallery_is_deleted_only_by_name() -> None:
    async with served(gallery=await a_gallery()) as wire:
        call = wire.galleries.DeleteGallery(gallery_pb2.DeleteGalleryRequest())
        assert await refused(call) == (INVALID, "FIELD_INVALID", ["gallery_id"])


async def test_what_cannot_be_seen_is_refused_and_named() -> None:
    async with served(gallery=await a_gallery()) as wire:
        call = wire.galleries
        unseen = gallery_pb2.CreateIdentityRequest(identity_id="ada\u200b")
        assert await refused(call.CreateIdentity(unseen)) == (
            INVALID,
            "FIELD_INVALID",
            ["identity_id"],
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.CreateIdentity(unseen)
        assert caught.value.details() == (
            "identity_id holds U+200B ZERO WIDTH SPACE, which cannot be seen"
        )
        for request in (
            call.CreateIdentity(
                gallery_pb2.CreateIdentityRequest(identity_id="ada", display_name="\x1b[31mAda")
            ),
            call.CreateGallery(
                gallery_pb2.CreateGalleryRequest(gallery_id="doors", display_name=" ")
            ),
        ):
            assert await refused(request) == (INVALID, "FIELD_INVALID", ["display_name"])
        # One that an earlier version exported comes in, and goes.
        records = (header(), identity("ada\u200b"))
        done = await call.ImportGallery(imported(*records))
        assert done.identities_added == 1
        await call.DeleteIdentity(gallery_pb2.DeleteIdentityRequest(identity_id="ada\u200b"))


async def test_identities_from_birth_to_death() -> None:
    async with served(gallery=await a_gallery()) as wire:
        call = wire.galleries
        made = await call.CreateIdentity(gallery_pb2.CreateIdentityRequest(identity_id="张伟"))
        assert made.identity.display_name == "张伟"
        changed = await call.UpdateIdentity(
            gallery_pb2.UpdateIdentityRequest(identity_id="张伟", display_name="Zhang Wei")
        )
        assert changed.revision > made.revision
        found = await call.GetIdentity(gallery_pb2.GetIdentityRequest(identity_id="张伟"))
        assert found.identity == changed.identity
        unnamed = gallery_pb2.UpdateIdentityRequest(identity_id="张伟")
        assert await refused(call.UpdateIdentity(unnamed)) == (
            INVALID,
            "FIELD_INVALID",
            ["display_name"],
        )
        gone = await call.DeleteIdentity(gallery_pb2.DeleteIdentityRequest(identity_id="张伟"))
        assert gone.deleted_template_count == 0
        of_gone = gallery_pb2.GetIdentityRequest(identity_id="张伟")
        assert await refused(call.GetIdentity(of_gone)) == (NOT_FOUND, "IDENTITY_NOT_FOUND", [])


@pytest.mark.parametrize("page_size", [1, 3, 7, 1000])
async def test_pages_together_are_the_whole_list(page_size: int) -> None:
    async with served(gallery=await a_gallery(people=7)) as wire:
        found, token = [], None
        while token != "":
            request = gallery_pb2.ListIdentitiesRequest(page_size=page_size, page_token=token or "")
            page = await wire.galleries.ListIdentities(request)
            assert 1 <= len(page.identities) <= page_size
            found += [identity.identity_id for identity in page.identities]
            token = page.next_page_token
    assert found == [f"person-{number:03}" for number in range(7)]


async def test_templates_are_listed_and_deleted() -> None:
    async with served(gallery=await a_gallery(people=1, templates=3)) as wire:
        request = gallery_pb2.ListTemplatesRequest(identity_id="person-000", page_size=2)
        page = await wire.galleries.ListTemplates(request)
        assert len(page.templates) == 2
        request.page_token = page.next_page_token
        rest = await wire.galleries.ListTemplates(request)
        assert len(rest.templates) == 1
        doomed = gallery_pb2.DeleteTemplateRequest(template_id=rest.templates[0].template_id)
        await wire.galleries.DeleteTemplate(doomed)
        assert await refused(wire.galleries.DeleteTemplate(doomed)) == (
            NOT_FOUND,
            "TEMPLATE_NOT_FOUND",
            [],
        )


async def test_an_enrollment_answers_each_picture() -> None:
    enroller = FakeEnroller()
    images = [face_pb2.Image(data=data) for data in (b"good", b"text")]
    request = gallery_pb2.EnrollTemplatesRequest(
        identity_id="id-1",
        images=images,
        request_id="r-1",
        create_identity=True,
        display_name="One",
        source="door",
    )
    async with served(gallery=await a_gallery(), enroller=enroller) as wire:
        answer = await wire.galleries.EnrollTemplates(request)
    good, bad = answer.results
    assert good.template_id == "0" * 32
    assert (good.box.x_px, good.box.width_px, good.quality.inter_eye_px) == (1.0, 10.0, 32.0)
    assert good.refusal == face_pb2.ERROR_REASON_UNSPECIFIED
    assert (bad.template_id, bad.refusal) == ("", face_pb2.ERROR_REASON_IMAGE_UNDECODABLE)
    assert not bad.HasField("box")
    assert not bad.HasField("quality")
    assert enroller.calls == [
        {
            "gallery_id": "default",
            "identity": NewIdentity("id-1", "One", True),
            "selection": FaceSelection.ONLY,
            "detection": DEFAULTS.picture,
            "source": "door",
            "request_id": "r-1",
        }
    ]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"identity_id": ""}, "identity_id"),
        ({"images": []}, "images"),
        ({"images": [face_pb2.Image(data=b"x")] * 11}, "images"),
        ({"images": [face_pb2.Image(data=b"x" * PICTURE.max_frame_bytes)] * 2}, "images"),
        ({"images": [face_pb2.Image(data=b"x", format=UNKNOWN_FORMAT)]}, "images[0].format"),
        ({"request_id": "x" * 129}, "request_id"),
        ({"source": "x" * 257}, "source"),
        ({"display_name": "x" * 257}, "display_name"),
        ({"selection": 99}, "selection"),
    ],
)
async def test_an_enrollment_that_cannot_be_names_its_field(
    fields: dict[str, Any], field: str
) -> None:
    whole: dict[str, Any] = {"identity_id": "id-1", "images": [face_pb2.Image(data=b"x")]} | fields
    request = gallery_pb2.EnrollTemplatesRequest(**whole)
    async with served(gallery=await a_gallery()) as wire:
        call = wire.galleries.EnrollTemplates(request)
        assert await refused(call) == (INVALID, "FIELD_INVALID", [field])


async def test_what_was_exported_is_imported_unchanged_and_twice_is_once() -> None:
    async with served(gallery=await a_gallery(people=5, templates=150)) as wire:
        await wire.galleries.CreateGallery(gallery_pb2.CreateGalleryRequest(gallery_id="copy"))
        export = await exported(wire)
        assert export[0].record.header.dimension == 4
        assert export[0].record.header.gallery.template_count == 750
        requests = [
            gallery_pb2.ImportGalleryRequest(
                gallery_id="copy" if row == 0 else "", record=response.record
            )
            for row, response in enumerate(export)
        ]
        done = await wire.galleries.ImportGallery(iter(requests))
        assert (done.identities_added, done.templates_added, done.templates_skipped) == (5, 750, 0)
        again = await wire.galleries.ImportGallery(iter(requests))
        assert (again.identities_added, again.templates_added) == (0, 0)
        assert again.templates_skipped == 750
        copy = await exported(wire, "copy")
        assert copy[1:] == export[1:]


def imported(*records: gallery_pb2.GalleryRecord) -> Iterator[gallery_pb2.ImportGalleryRequest]:
    return iter([gallery_pb2.ImportGalleryRequest(record=record) for record in records])


def header(dimension: int = 4, contract_id: str = CONTRACT_ID) -> gallery_pb2.GalleryRecord:
    gallery = gallery_pb2.Gallery(model_contract_id=contract_id)
    return gallery_pb2.GalleryRecord(
        header=gallery_pb2.ExportHeader(gallery=gallery, dimension=dimension)
    )


def identity(identity_id: str = "a") -> gallery_pb2.GalleryRecord:
    return gallery_pb2.GalleryRecord(identity=gallery_pb2.Identity(identity_id=identity_id))


def template(embedding: bytes, template_id: str = "a" * 32) -> gallery_pb2.GalleryRecord:
    known = gallery_pb2.Template(template_id=template_id, identity_id="a", detection_score=0.9)
    return gallery_pb2.GalleryRecord(
        template=gallery_pb2.ExportedTemplate(template=known, embedding=embedding)
    )


UNIT = np.array([1, 0, 0, 0], "<f4").tobytes()
NAN = np.array([np.nan, 0, 0, 0], "<f4").tobytes()


@pytest.mark.parametrize(
    ("records", "code", "reason"),
    [
        ([], INVALID, "OUT_OF_ORDER"),
        ([identity()], INVALID, "OUT_OF_ORDER"),
        ([header(), header()], INVALID, "OUT_OF_ORDER"),
        ([header(), gallery_pb2.GalleryRecord()], INVALID, "OUT_OF_ORDER"),
        ([header(), template(UNIT)], INVALID, "OUT_OF_ORDER"),
        ([header(0)], INVALID, "FIELD_INVALID"),
        ([header(), identity("\n")], INVALID, "FIELD_INVALID"),
        ([header(), identity(), template(UNIT[1:])], INVALID, "FIELD_INVALID"),
        ([header(), identity(), template(NAN)], INVALID, "FIELD_INVALID"),
        ([header(), identity(), template(UNIT, "../x")], INVALID, "FIELD_INVALID"),
        ([header(contract_id="d" * 64)], grpc.StatusCode.FAILED_PRECONDITION, "CONTRACT_MISMATCH"),
    ],
)
async def test_an_import_that_is_none_is_refused(
    records: list[gallery_pb2.GalleryRecord], code: grpc.StatusCode, reason: str
) -> None:
    async with served(gallery=await a_gallery()) as wire:
        assert (await refused(wire.galleries.ImportGallery(imported(*records))))[:2] == (
            code,
            reason,
        )


async def test_an_import_over_the_transport_limit_is_not_taken_for_complete() -> None:
    gallery = await a_gallery()
    async with served(gallery=gallery) as wire:
        call = wire.galleries.ImportGallery()
        for record in (header(), identity(), template(UNIT)):
            await call.write(gallery_pb2.ImportGalleryRequest(record=record))
        too_large = template(b"x" * (4 << 20))
        await call.write(gallery_pb2.ImportGalleryRequest(record=too_large))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await wire.server._calls.ended()
        assert (await gallery.get_gallery("default")).identity_count == 0


class EndlessGallery(MemoryGallery):
    """An export without end that knows when it was closed."""

    def __init__(self) -> None:
        super().__init__(model_contract_id=CONTRACT_ID, dimension=4)
        self.closed = 0
        self.read = 0

    @asynccontextmanager
    async def export_records(
        self, gallery_id: str
    ) -> AsyncIterator[tuple[GalleryInfo, AsyncIterator[GalleryRecord]]]:
        async def records() -> AsyncGenerator[GalleryRecord, None]:
            while True:
                self.read += 1
                yield IdentityInfo("x" * 128, "y" * 60_000, 0, 0)  # fills buffers soon

        info = await self.get_gallery(gallery_id)
        try:
            async with aclosing(records()) as endless:
                yield info, endless
        finally:
            self.closed += 1


async def test_a_cancelled_export_lets_go_of_the_gallery() -> None:
    gallery = EndlessGallery()
    async with served(gallery=gallery) as wire:
        call = wire.galleries.ExportGallery(gallery_pb2.ExportGalleryRequest())
        await call.read()
        await call.read()
        call.cancel()
        await wire.server._calls.ended()
    assert gallery.closed == 1


async def test_an_export_that_nobody_reads_is_ended() -> None:
    gallery = EndlessGallery()
    async with served(gallery=gallery, limits=replace(LIMITS, slow_reader_timeout_s=0.2)) as wire:
        call = wire.galleries.ExportGallery(gallery_pb2.ExportGalleryRequest())
        await call.wait_for_connection()
        while not gallery.closed:
            await asyncio.sleep(0.01)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in call:
                pass
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert reason_and_fields(caught.value)[0] == "SLOW_READER"


async def test_an_export_ends_in_its_time_however_steadily_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gallery_service, "_EXPORT_S", 0.2)
    gallery = EndlessGallery()
    async with served(gallery=gallery) as wire:
        call = wire.galleries.ExportGallery(gallery_pb2.ExportGalleryRequest())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in call:
                pass
        assert reason_and_fields(caught.value)[0] == "SLOW_READER"
        await wire.server._calls.ended()
    assert gallery.closed == 1


async def test_each_write_returns_the_revision_that_it_made() -> None:
    async with served(gallery=await a_gallery(people=2, templates=2)) as wire:
        call = wire.galleries
        request = gallery_pb2.ListTemplatesRequest(identity_id="person-000")
        template_id = (await call.ListTemplates(request)).templates[0].template_id
        before = (await call.GetGallery(gallery_pb2.GetGalleryRequest())).gallery.revision
        writes: tuple[tuple[Any, Any], ...] = (
            (call.CreateIdentity, gallery_pb2.CreateIdentityRequest(identity_id="ada")),
            (
                call.UpdateIdentity,
                gallery_pb2.UpdateIdentityRequest(identity_id="ada", display_name="Ada"),
            ),
            (call.DeleteTemplate, gallery_pb2.DeleteTemplateRequest(template_id=template_id)),
            (call.DeleteIdentity, gallery_pb2.DeleteIdentityRequest(identity_id="person-001")),
            (call.DeleteGallery, gallery_pb2.DeleteGalleryRequest(gallery_id="default")),
        )
        for write, change in writes:
            made = (await write(change)).revision
            now = (await call.GetGallery(gallery_pb2.GetGalleryRequest())).gallery.revision
            assert before < made == now
            before = now


async def test_a_deleted_identity_takes_all_its_templates_along() -> None:
    async with served(gallery=await a_gallery(people=1, templates=3)) as wire:
        gone = await wire.galleries.DeleteIdentity(
            gallery_pb2.DeleteIdentityRequest(identity_id="person-000")
        )
        assert gone.deleted_template_count == 3


async def test_an_import_goes_into_one_gallery() -> None:
    gallery = await a_gallery()
    requests = [
        gallery_pb2.ImportGalleryRequest(record=header()),
        gallery_pb2.ImportGalleryRequest(record=identity(), gallery_id="other"),
    ]
    async with served(gallery=gallery) as wire:
        assert await refused(wire.galleries.ImportGallery(iter(requests))) == (
            INVALID,
            "FIELD_INVALID",
            ["gallery_id"],
        )
    assert (await gallery.get_gallery("default")).identity_count == 0


async def test_no_id_or_name_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    listener = LogListener(RateLimit())
    with caplog.at_level(logging.DEBUG):
        async with served(gallery=await a_gallery(people=2, templates=1), emit=listener) as wire:
            await wire.galleries.CreateIdentity(
                gallery_pb2.CreateIdentityRequest(identity_id="alice", display_name="Alice")
            )
            request = gallery_pb2.GetIdentityRequest(identity_id="bob-is-not-here")
            await refused(wire.galleries.GetIdentity(request))
            export = await exported(wire)
            requests = [gallery_pb2.ImportGalleryRequest(record=one.record) for one in export]
            await wire.galleries.ImportGallery(iter(requests))
    formats = Text(), JsonLines()
    ours = [
        each.format(record)
        for record in caplog.records
        if record.name.startswith("facewire")
        for each in formats
    ]
    assert ours
    assert not [
        text for text in ours if "alice" in text.lower() or "bob" in text or "person" in text
    ]


class CommittingGallery(MemoryGallery):
    """A write that is under way when its client goes, and that ends as if it were there."""

    def __init__(self) -> None:
        super().__init__(model_contract_id=CONTRACT_ID, dimension=4)
        self.begun, self.cancelled, self.release = (asyncio.Event() for _ in range(3))

    async def create_identity(
        self, gallery_id: str, identity_id: str, display_name: str
    ) -> tuple[IdentityInfo, int]:
        self.begun.set()
        while not self.release.is_set():
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                self.cancelled.set()
        return await super().create_identity(gallery_id, identity_id, display_name)


async def test_a_write_whose_client_went_away_is_finished_quietly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gallery = CommittingGallery()
    async with served(gallery=gallery) as wire:
        request = gallery_pb2.CreateIdentityRequest(identity_id="a")
        call = wire.galleries.CreateIdentity(request)
        waiting = asyncio.ensure_future(call)
        await gallery.begun.wait()
        call.cancel()
        await asyncio.wait([waiting])
        await gallery.cancelled.wait()
        gallery.release.set()
        await wire.server._calls.ended()
        assert (await gallery.get_gallery("default")).identity_count == 1
        await wire.galleries.GetGallery(gallery_pb2.GetGalleryRequest())  # it serves on
    assert [record.getMessage() for record in caplog.records if record.levelno >= 30] == []
