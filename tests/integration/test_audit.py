"""Who changed a gallery or took it away, how much, and to which revision: over a real server."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NoReturn

import grpc
import numpy as np
import pytest

from facewire.v1 import face_pb2, gallery_pb2
from facewire_server.access.audit_revisions import Logged
from facewire_server.errors import GalleryDamaged, GalleryFull, StorageBusy
from facewire_server.events import Event, GalleryChanged, GalleryExported
from facewire_server.galleries.records import GalleryRecord, ImportCounts
from fakes.gallery import MemoryGallery
from fakes.recognizer import CONTRACT_ID
from fakes.wire import Wire, served, until

Import = gallery_pb2.ImportGalleryRequest


def memory_gallery() -> MemoryGallery:
    return MemoryGallery(model_contract_id=CONTRACT_ID, dimension=4)


def of_galleries(events: list[Event]) -> list[GalleryChanged | GalleryExported]:
    return [event for event in events if isinstance(event, GalleryChanged | GalleryExported)]


def said(event: Event) -> tuple[Any, ...]:
    """What a change says, without its caller's address."""
    assert isinstance(event, GalleryChanged)
    assert event.peer.startswith("ipv4:127.0.0.1:")
    counts = event.identity_count, event.template_count
    return event.action, event.gallery_id, *counts, event.revision, event.is_complete


async def exported(wire: Wire, gallery_id: str = "") -> list[Any]:
    call = wire.galleries.ExportGallery(gallery_pb2.ExportGalleryRequest(gallery_id=gallery_id))
    return [response.record async for response in call]


def records(header: Any, people: int, *, fault: bool = False) -> list[Import]:
    """An import of people with a template each; at fault at the end, if asked."""
    record = type(header)
    made = [Import(gallery_id="staff", record=header)]
    for number in range(people):
        identity = gallery_pb2.Identity(identity_id=f"p{number}", display_name="x")
        made.append(Import(record=record(identity=identity)))
        template = gallery_pb2.ExportedTemplate(
            template=gallery_pb2.Template(template_id=f"{number:032x}", identity_id=f"p{number}"),
            embedding=np.eye(4, dtype="<f4")[number % 4].tobytes(),
        )
        made.append(Import(record=record(template=template)))
    if fault:
        made.append(Import(record=record(identity=gallery_pb2.Identity(identity_id=""))))
    return made


async def test_every_change_is_an_event() -> None:
    events: list[Event] = []
    async with served(gallery=memory_gallery(), emit=events.append) as wire:
        call = wire.galleries
        made = await call.CreateGallery(gallery_pb2.CreateGalleryRequest(gallery_id="staff"))
        created = await call.CreateIdentity(
            gallery_pb2.CreateIdentityRequest(gallery_id="staff", identity_id="ada")
        )
        updated = await call.UpdateIdentity(
            gallery_pb2.UpdateIdentityRequest(
                gallery_id="staff", identity_id="ada", display_name="Ada"
            )
        )
        enrolled = await call.EnrollTemplates(
            gallery_pb2.EnrollTemplatesRequest(
                gallery_id="staff",
                identity_id="ada",
                images=[face_pb2.Image(data=data) for data in (b"good", b"text", b"good")],
            )
        )
        (header, *_) = await exported(wire, "staff")
        imported = await call.ImportGallery(iter(records(header, people=3)))
        template = await call.DeleteTemplate(
            gallery_pb2.DeleteTemplateRequest(gallery_id="staff", template_id=f"{0:032x}")
        )
        identity = await call.DeleteIdentity(
            gallery_pb2.DeleteIdentityRequest(gallery_id="staff", identity_id="p1")
        )
        gone = await call.DeleteGallery(gallery_pb2.DeleteGalleryRequest(gallery_id="staff"))
    changes = [event for event in of_galleries(events) if isinstance(event, GalleryChanged)]
    assert [said(event) for event in changes] == [
        ("create_gallery", "staff", 0, 0, made.gallery.revision, True),
        ("create_identity", "staff", 1, 0, created.revision, True),
        ("update_identity", "staff", 1, 0, updated.revision, True),
        ("enroll", "staff", 1, 2, enrolled.revision, True),
        ("import", "staff", 3, 3, imported.revision, True),
        ("delete_template", "staff", 0, 1, template.revision, True),
        ("delete_identity", "staff", 1, 1, identity.revision, True),
        ("delete_gallery", "staff", 3, 1, gone.revision, True),
    ]


class CannotBeRead(MemoryGallery):
    """Has a gallery whose record is damaged."""

    async def get_gallery(self, gallery_id: str) -> NoReturn:
        raise GalleryDamaged("damaged")


async def test_a_gallery_whose_record_cannot_be_read_is_deleted_and_the_event_has_no_counts() -> (
    None
):
    events: list[Event] = []
    gallery = CannotBeRead(model_contract_id=CONTRACT_ID, dimension=4)
    await gallery.create_gallery("staff", "")
    async with served(gallery=gallery, emit=events.append) as wire:
        request = gallery_pb2.DeleteGalleryRequest(gallery_id="staff")
        gone = await wire.galleries.DeleteGallery(request)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await wire.galleries.DeleteGallery(request)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    (event,) = of_galleries(events)
    assert said(event) == ("delete_gallery", "staff", 0, 0, gone.revision, True)


async def test_what_changes_nothing_is_no_event() -> None:
    events: list[Event] = []
    async with served(gallery=memory_gallery(), emit=events.append) as wire:
        call = wire.galleries
        bad = face_pb2.Image(data=b"text")
        await call.EnrollTemplates(
            gallery_pb2.EnrollTemplatesRequest(identity_id="ada", images=[bad])
        )
        await call.GetGallery(gallery_pb2.GetGalleryRequest())
        with pytest.raises(grpc.aio.AioRpcError):
            await call.DeleteIdentity(gallery_pb2.DeleteIdentityRequest(identity_id="nobody"))
    assert of_galleries(events) == []


async def test_an_import_and_its_event_say_how_many_templates_an_enrollment_would_refuse() -> None:
    events: list[Event] = []
    async with served(gallery=memory_gallery(), emit=events.append) as wire:
        call = wire.galleries
        (header, *_) = await exported(wire)
        await call.CreateGallery(gallery_pb2.CreateGalleryRequest(gallery_id="staff"))
        sent = records(header, people=4)
        for row, eyes_px in ((2, 15.0), (4, 17.0), (6, 3.0)):  # of the fourth nothing is known
            sent[row].record.template.template.quality.inter_eye_px = eyes_px
        imported = await call.ImportGallery(iter(sent))
    last = of_galleries(events)[-1]
    assert said(last) == ("import", "staff", 4, 4, 2, True)
    assert imported.templates_poor == 2
    assert isinstance(last, GalleryChanged)
    assert last.poor_count == 2


async def test_an_import_that_breaks_off_says_what_it_left() -> None:
    gallery = memory_gallery()
    events: list[Event] = []
    async with served(gallery=gallery, emit=events.append) as wire:
        await wire.galleries.CreateGallery(gallery_pb2.CreateGalleryRequest(gallery_id="staff"))
        (header, *_) = await exported(wire, "staff")
        events.clear()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await wire.galleries.ImportGallery(iter(records(header, people=3000, fault=True)))
        await until(lambda: bool(of_galleries(events)))
        left = (
            await wire.galleries.GetGallery(gallery_pb2.GetGalleryRequest(gallery_id="staff"))
        ).gallery
    (event,) = of_galleries(events)
    counts = left.identity_count, left.template_count
    assert 0 < left.template_count < 3000
    assert said(event) == ("import", "staff", *counts, left.revision, False)
    written = f"{counts[0]} identities, {counts[1]} templates and 0 negative examples were written before that"
    assert written in (caught.value.details() or "")


def negative_examples(header: Any, count: int) -> list[Import]:
    """An import of negative examples of a person."""
    record = type(header)
    identity = gallery_pb2.Identity(identity_id="p0", display_name="x")
    made = [Import(gallery_id="staff", record=header), Import(record=record(identity=identity))]
    for number in range(count):
        info = gallery_pb2.NegativeExample(
            negative_example_id=f"{900 + number:032x}", identity_id="p0"
        )
        embedding = np.eye(4, dtype="<f4")[number].tobytes()
        exported = gallery_pb2.ExportedNegativeExample(negative_example=info, embedding=embedding)
        made.append(Import(record=record(negative_example=exported)))
    return made


class Lines:
    """An audit log in memory."""

    def __init__(self) -> None:
        self.kept: list[Mapping[str, Any]] = []

    async def keep(self, fields: Mapping[str, Any]) -> None:
        self.kept.append({"n": len(self.kept) + 1, **fields})

    def logged(self) -> Logged:
        found = Logged()
        for one in self.kept:
            found.take(json.dumps(one).encode())
        return found


async def test_an_import_has_a_line_of_its_end_whatever_it_added() -> None:
    lines, events, gallery = Lines(), list[Event](), memory_gallery()
    async with served(gallery=gallery, emit=events.append, trail=lines) as wire:
        call = wire.galleries
        await call.CreateGallery(gallery_pb2.CreateGalleryRequest(gallery_id="staff"))
        (header, *_) = await exported(wire, "staff")
        people = records(header, people=1)
        await call.ImportGallery(iter(people))
        events.clear()

        async def ended(requests: list[Import]) -> Mapping[str, Any]:
            await call.ImportGallery(iter(requests))
            assert lines.logged().imports == set()
            assert lines.kept[-1]["what"] == "import"
            return lines.kept[-1]

        assert "revision" not in await ended(people), "nothing is new"
        assert of_galleries(events) == []
        negatives = await ended(negative_examples(header, 2))
        (event,) = of_galleries(events)
        assert event.negative_example_count == negatives["negative_examples"] == 2
        assert (negatives["identities"], negatives["templates"]) == (0, 0)
        assert negatives["revisions"] == [(negatives["revision"],) * 2]
        with pytest.raises(grpc.aio.AioRpcError):
            await ended(records(header, people=0, fault=True))
        assert (lines.kept[-1]["what"], lines.kept[-1]["complete"]) == ("import", False)
        await exported(wire, "staff")
        assert lines.kept[-1]["negative_examples"] == 2, "they left with the export"
        # A change without a line shows.
        assert lines.logged().missing({"staff": negatives["revision"]}) == {}
        _, revision, _ = await gallery.delete_identity("staff", "p0")
        assert list(lines.logged().missing({"staff": revision})) == ["staff"]


class FailsInItsSecondPart(MemoryGallery):
    """Adds the records of an import until the second part begins."""

    def __init__(self, error: Exception) -> None:
        super().__init__(model_contract_id=CONTRACT_ID, dimension=4)
        self._error = error

    async def import_records(
        self,
        gallery_id: str,
        model_contract_id: str,
        records: AsyncIterator[GalleryRecord],
        *,
        committed: Callable[[ImportCounts], None] = lambda counts: None,
    ) -> NoReturn:
        committed(ImportCounts(1, 2, 0, 5))
        raise self._error


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (GalleryFull("the disk is full; nothing was written"), "the disk is full; 1 identities"),
        (StorageBusy("held for 5 s; nothing was written"), "held for 5 s; 1 identities"),
        (KeyError("a name"), "; 1 identities"),
    ],
)
async def test_whatever_breaks_an_import_off_says_what_was_written(
    error: Exception, text: str
) -> None:
    async with served(gallery=FailsInItsSecondPart(error)) as wire:
        (header, *_) = await exported(wire)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await wire.galleries.ImportGallery(iter([Import(record=header)]))
    details = caught.value.details() or ""
    assert f"{text}, 2 templates and 0 negative examples were written before that" in details
    assert "nothing was written" not in details
    assert "a name" not in details


async def test_an_export_is_an_event_whether_or_not_it_is_read_to_its_end() -> None:
    events: list[Event] = []
    async with served(gallery=memory_gallery(), emit=events.append) as wire:
        await wire.galleries.CreateGallery(gallery_pb2.CreateGalleryRequest(gallery_id="staff"))
        (header, *_) = await exported(wire, "staff")
        await wire.galleries.ImportGallery(iter(records(header, people=3)))
        events.clear()
        await exported(wire, "staff")
        call = wire.galleries.ExportGallery(gallery_pb2.ExportGalleryRequest(gallery_id="none"))
        with pytest.raises(grpc.aio.AioRpcError):
            await call.read()
    (event,) = of_galleries(events)
    assert isinstance(event, GalleryExported)
    counts = event.identity_count, event.template_count
    assert (event.gallery_id, *counts, event.is_complete) == ("staff", 3, 3, True)
    assert event.peer.startswith("ipv4:127.0.0.1:")
