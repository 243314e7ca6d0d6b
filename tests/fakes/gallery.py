"""The gallery ports in dictionaries: slow, in memory, and plain enough to be believed."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facewire_server.backends.lmdb_gallery import memory
from facewire_server.errors import (
    GalleryExists,
    GalleryFull,
    GalleryNotFound,
    IdentityExists,
    IdentityNotFound,
    InvalidField,
    ModelContractMismatch,
    NegativeExampleNotFound,
    RequestIdReused,
    TemplateNotFound,
)
from facewire_server.galleries.checkup import EnrolledPeople, StoredTemplate
from facewire_server.galleries.embeddings import checked_embeddings
from facewire_server.galleries.fusion import Fused, fuse
from facewire_server.galleries.ids import (
    checked_gallery_id,
    checked_new_identity_id,
    checked_template_id,
    composed,
    spellings,
)
from facewire_server.galleries.pairs import gallery_pairs
from facewire_server.galleries.ports import (
    Corrections,
    EnrolledReader,
    Enrollments,
    GalleryAdmin,
    KeptCrops,
    LiveSearch,
    NegativeExamples,
    People,
    SearchedMeans,
)
from facewire_server.galleries.records import (
    DEFAULT_GALLERY_ID,
    MAX_NEGATIVE_EXAMPLES,
    MAX_PASSED_OVER,
    AddedNegativeExample,
    Correction,
    DeletedIdentity,
    Enrollment,
    EnrollmentResult,
    ExportedNegativeExample,
    ExportedTemplate,
    GalleryInfo,
    GalleryRecord,
    GallerySize,
    IdentityInfo,
    ImportCounts,
    NegativeExampleInfo,
    NewIdentity,
    NewNegativeExample,
    PersonName,
    PersonReference,
    Presence,
    SearchResult,
    StoreStatistics,
    TemplateInfo,
)
from facewire_server.galleries.transfer import checked_parts
from facewire_server.thresholds import GalleryPairs
from facewire_server.types import Candidate, Quality, Rgb

__all__ = ["Gallery", "MemoryGallery"]


class Gallery(
    LiveSearch,
    SearchedMeans,
    Enrollments,
    EnrolledReader,
    KeptCrops,
    GalleryAdmin,
    Corrections,
    NegativeExamples,
    People,
    Protocol,
):
    """All ports of a gallery together, as its tests need them."""


_PLACES = count()


@dataclass
class _Negative:
    info: NegativeExampleInfo
    embedding: NDArray[np.float32]
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    request_id: str = ""
    fingerprint: bytes = b""
    number: int = field(default_factory=lambda: next(_PLACES))


@dataclass
class _Person:
    display_name: str
    created_at_us: int
    templates: dict[str, ExportedTemplate] = field(default_factory=dict)
    crops: dict[str, Rgb] = field(default_factory=dict)
    number: int = field(default_factory=count(1).__next__)
    merged: list[tuple[int, int]] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    negatives: list[_Negative] = field(default_factory=list)

    def similarity(self, probe: NDArray[np.float32]) -> float:
        """The similarity of a probe to the best of the person's means."""
        return max((_similarity(one.mean, probe) for one in self.fused()), default=0.0)

    def negative_similarity(self, probe: NDArray[np.float32]) -> float | None:
        return max((_similarity(one.embedding, probe) for one in self.negatives), default=None)

    def require_room(self, count: int = 1) -> None:
        if len(self.negatives) + count > MAX_NEGATIVE_EXAMPLES:
            raise GalleryFull("too many negative examples; nothing was written")

    def add(self, template: ExportedTemplate) -> None:
        """Adds a new template."""
        self.templates[template.info.template_id] = template
        self.places[template.info.template_id] = next(_PLACES)

    def take(self, other: "_Person", template_ids: Iterable[str], identity_id: str) -> None:
        """Moves templates, with their crops, from another person; those that were added first come first."""
        for one in template_ids:
            template = other.templates.pop(one)
            info = replace(template.info, identity_id=identity_id)
            self.templates[one] = replace(template, info=info)
            self.places[one] = other.places[one]
            if one in other.crops:
                self.crops[one] = other.crops.pop(one)
        self.templates = {
            one: self.templates[one] for one in sorted(self.templates, key=self.places.__getitem__)
        }

    def fused(self) -> tuple[Fused, ...]:
        """What the person is searched by."""
        if not self.templates:
            return ()
        return fuse(np.stack([template.embedding for template in self.templates.values()]))


@dataclass
class _Remembered:
    fingerprint: bytes
    identity_id: str
    answer: Enrollment


@dataclass
class _Room:
    display_name: str
    revision: int
    model_contract_id: str
    created_at_us: int
    people: dict[str, _Person] = field(default_factory=dict)
    remembered: dict[str, _Remembered] = field(default_factory=dict)

    def template_ids(self) -> set[str]:
        return {template_id for person in self.people.values() for template_id in person.templates}


class MemoryGallery:
    """Galleries in dictionaries.

    Attributes:
        capacity: templates beyond which writes raise GalleryFull; None = any number.
    """

    def __init__(
        self,
        *,
        model_contract_id: str,
        dimension: int,
        capacity: int | None = None,
    ) -> None:
        self._keeps_crops = False
        self.capacity = capacity
        self._contract = model_contract_id
        self._dimension = dimension
        self._rooms: dict[str, _Room] = {}
        self._highest_deleted_revision = 0
        self._create(DEFAULT_GALLERY_ID, "")

    def under_contract(self, model_contract_id: str) -> "MemoryGallery":
        """The same galleries as an object made for another contract sees them."""
        other = copy(self)
        other._contract = model_contract_id
        return other

    def keeping_crops(self) -> "MemoryGallery":
        """The same galleries as an object sees them that keeps the crops of what it enrolls."""
        other = copy(self)
        other._keeps_crops = True
        return other

    async def search(self, gallery_id: str, probes: NDArray[np.float32], k: int) -> SearchResult:
        if k < 1:
            raise ValueError("k must be 1 or more")
        probes = checked_embeddings(probes, self._dimension)
        room = self._usable(gallery_id)
        return SearchResult(
            room.revision,
            tuple(_first(self._ranked(room, probe), k) for probe in probes),
            self._info(gallery_id).enrolled_count,
            self._pairs(room),
        )

    def _ranked(self, room: _Room, probe: NDArray[np.float32]) -> list[Candidate]:
        found = []
        for identity_id, person in room.people.items():
            best = None
            ids = list(person.templates)
            for fused in person.fused():
                similarity = _similarity(fused.mean, probe)
                if best is None or similarity > best.similarity:
                    oldest = ids[fused.rows[0]]
                    negative = person.negative_similarity(probe)
                    best = Candidate(identity_id, person.display_name, similarity, oldest, negative)
            if best:
                found.append(best)
        return sorted(found, key=lambda one: (-one.similarity, one.identity_id.encode()))

    def _pairs(self, room: _Room) -> GalleryPairs:
        rows, row_owners, means, mean_owners = [], [], [], []
        for number, person in enumerate(room.people.values()):
            vectors = [template.embedding for template in person.templates.values()]
            fused = person.fused()
            means += [one.mean for one in fused]
            mean_owners += [number] * len(fused)
            members = sorted(row for one in fused for row in one.rows)[:8]
            rows += [vectors[row] for row in members]
            row_owners += [number] * len(members)
        if not rows:
            return GalleryPairs()
        return gallery_pairs(
            np.stack(rows), np.array(row_owners), np.stack(means), np.array(mean_owners)
        )

    async def mean_templates(self, gallery_id: str, template_id: str) -> tuple[str, ...]:
        for person in self._usable(gallery_id).people.values():
            ids = list(person.templates)
            for one in person.fused():
                if ids[one.rows[0]] == template_id:
                    return tuple(ids[row] for row in one.rows)
        return ()

    async def check_searchable(self, gallery_id: str) -> None:
        self._usable(gallery_id)

    async def presence(self, gallery_id: str, identity_ids: Collection[str] = ()) -> Presence:
        room = self._usable(gallery_id)
        missing = (one for one in identity_ids if one not in room.people)
        return Presence(room.revision, frozenset(missing))

    async def statistics(self) -> StoreStatistics:
        sizes = (
            GallerySize(one.gallery_id, one.revision, one.identity_count, one.template_count)
            for one in map(self._info, sorted(self._rooms))
        )
        return StoreStatistics(0, 0, 0, 0, 0, tuple(sizes))

    async def create_gallery(self, gallery_id: str, display_name: str) -> GalleryInfo:
        return self._create(gallery_id, display_name)

    def _create(self, gallery_id: str, display_name: str) -> GalleryInfo:
        checked_gallery_id(gallery_id)
        if gallery_id in self._rooms:
            raise GalleryExists("it exists")
        self._rooms[gallery_id] = _Room(
            display_name or gallery_id,
            self._highest_deleted_revision + 1,
            self._contract,
            _now_us(),
        )
        return self._info(gallery_id)

    async def get_gallery(self, gallery_id: str) -> GalleryInfo:
        return self._info(gallery_id)

    def _info(self, gallery_id: str) -> GalleryInfo:
        room = self._room(gallery_id)
        return GalleryInfo(
            gallery_id=gallery_id,
            display_name=room.display_name,
            revision=room.revision,
            identity_count=len(room.people),
            template_count=len(room.template_ids()),
            model_contract_id=room.model_contract_id,
            created_at_us=room.created_at_us,
            pairs=self._pairs(room),
            negative_example_count=sum(len(one.negatives) for one in room.people.values()),
        )

    async def list_galleries(self, after: str, limit: int) -> list[GalleryInfo]:
        ids = sorted(one for one in self._rooms if one > after)
        return [self._info(one) for one in ids[:limit]]

    async def delete_gallery(self, gallery_id: str) -> int:
        room = self._room(gallery_id)
        revision = room.revision + 1
        if gallery_id == DEFAULT_GALLERY_ID:
            self._rooms[gallery_id] = _Room(
                room.display_name, revision, self._contract, room.created_at_us
            )
        else:
            del self._rooms[gallery_id]
            self._highest_deleted_revision = max(self._highest_deleted_revision, revision)
        return revision

    async def create_identity(
        self, gallery_id: str, identity_id: str, display_name: str
    ) -> tuple[IdentityInfo, int]:
        room = self._room(gallery_id)
        if _stored_id(room, identity_id) in room.people:
            raise IdentityExists("it exists")
        identity_id = checked_new_identity_id(identity_id)
        room.people[identity_id] = _Person(display_name or identity_id, _now_us())
        room.revision += 1
        return self._identity(room, identity_id), room.revision

    async def get_identity(self, gallery_id: str, identity_id: str) -> IdentityInfo:
        return self._identity(self._room(gallery_id), identity_id)

    def _identity(self, room: _Room, identity_id: str) -> IdentityInfo:
        identity_id = _stored_id(room, identity_id)
        person = self._person(room, identity_id)
        return IdentityInfo(
            identity_id,
            person.display_name,
            len(person.templates),
            person.created_at_us,
            len(person.negatives),
        )

    async def list_identities(self, gallery_id: str, after: str, limit: int) -> list[IdentityInfo]:
        room = self._room(gallery_id)
        ids = sorted((one for one in room.people if one.encode() > after.encode()), key=str.encode)
        return [self._identity(room, one) for one in ids[:limit]]

    async def update_identity(
        self, gallery_id: str, identity_id: str, display_name: str
    ) -> tuple[IdentityInfo, int]:
        room = self._room(gallery_id)
        self._person(room, identity_id).display_name = display_name
        room.revision += 1
        return self._identity(room, identity_id), room.revision

    async def delete_identity(self, gallery_id: str, identity_id: str) -> DeletedIdentity:
        room = self._room(gallery_id)
        identity_id = _stored_id(room, identity_id)
        person = self._person(room, identity_id)
        del room.people[identity_id]
        room.remembered = {
            key: one for key, one in room.remembered.items() if one.identity_id != identity_id
        }
        room.revision += 1
        return DeletedIdentity(len(person.templates), room.revision, person.number)

    def change_count(self) -> int:
        return self._highest_deleted_revision + sum(room.revision for room in self._rooms.values())

    async def references(
        self, gallery_id: str, identity_ids: Collection[str]
    ) -> dict[str, PersonReference]:
        room = self._rooms.get(gallery_id)
        found: dict[str, PersonReference] = {}
        for one in identity_ids if room else ():
            assert room is not None
            if person := room.people.get(_stored_id(room, one)):
                found[one] = PersonReference(gallery_id, person.number, person.created_at_us)
        return found

    async def names(
        self, references: Collection[PersonReference]
    ) -> dict[PersonReference, PersonName]:
        people = {
            PersonReference(gallery_id, *known): PersonName(identity_id, person.display_name)
            for gallery_id, room in self._rooms.items()
            for identity_id, person in room.people.items()
            for known in ((person.number, person.created_at_us), *person.merged)
        }
        return {one: people[one] for one in references if one in people}

    async def list_templates(
        self, gallery_id: str, identity_id: str, after: str, limit: int
    ) -> list[TemplateInfo]:
        person = self._person(self._room(gallery_id), identity_id)
        infos = [template.info for template in person.templates.values()]
        start = 0
        if after:
            if after not in person.templates:
                raise TemplateNotFound("no such template")
            start = list(person.templates).index(after) + 1
        return infos[start : start + limit]

    async def get_template(self, gallery_id: str, template_id: str) -> TemplateInfo:
        for person in self._room(gallery_id).people.values():
            if template_id in person.templates:
                return person.templates[template_id].info
        raise TemplateNotFound("no such template")

    async def enrolled_people(
        self, gallery_id: str, most: int
    ) -> tuple[GalleryInfo, EnrolledPeople | None]:
        room, info = self._room(gallery_id), self._info(gallery_id)
        if max(info.template_count, info.identity_count) > most:
            return info, None
        people = sorted(
            (one for one in room.people.items() if one[1].templates), key=lambda one: one[1].number
        )
        means, ids, starts = [], [], [0]
        stored: list[StoredTemplate] = []
        embeddings: list[NDArray[np.float32]] = []
        for place, (_, person) in enumerate(people):
            templates = list(person.templates.values())
            fused = person.fused()
            means += [one.mean for one in fused]
            ids += [templates[one.rows[0]].info.template_id for one in fused]
            starts.append(len(means))
            searched = {row for one in fused for row in one.rows}
            embeddings += [one.embedding for one in templates]
            stored += [
                StoredTemplate(place, one.info.template_id, one.info.quality, row in searched)
                for row, one in enumerate(templates)
            ]
        return info, EnrolledPeople(
            identity_ids=tuple(identity_id for identity_id, _ in people),
            display_names=tuple(person.display_name for _, person in people),
            starts=np.array(starts, np.int64),
            means=np.array(means, np.float32).reshape(-1, self._dimension),
            template_ids=tuple(ids),
            templates=tuple(stored),
            embeddings=np.array(embeddings, np.float32).reshape(-1, self._dimension),
        )

    async def delete_template(self, gallery_id: str, template_id: str) -> tuple[int, int]:
        room = self._room(gallery_id)
        for person in room.people.values():
            if person.templates.pop(template_id, None):
                person.crops.pop(template_id, None)
                room.revision += 1
                return person.places.pop(template_id), room.revision
        raise TemplateNotFound("no such template")

    async def merge_identities(
        self, gallery_id: str, identity_id: str, merged_identity_id: str
    ) -> Correction:
        room = self._room(gallery_id)
        identity_id, merged_id = (
            _stored_id(room, identity_id),
            _stored_id(room, merged_identity_id),
        )
        person, merged = self._person(room, identity_id), self._person(room, merged_id)
        if person is merged:
            raise InvalidField("one and the same", field="merged_identity_id")
        person.require_room(len(merged.negatives))
        moved = list(merged.templates)
        for negative in merged.negatives:
            negative.info = replace(negative.info, identity_id=identity_id)
        # In the order in which they were added, as templates are.
        person.negatives = sorted(
            [*person.negatives, *merged.negatives], key=lambda one: one.info.created_at_us
        )
        person.take(merged, moved, identity_id)
        person.merged += [(merged.number, merged.created_at_us), *merged.merged]
        del room.people[merged_id]
        for one in room.remembered.values():
            if one.identity_id == merged_id:
                one.identity_id = identity_id
        room.revision += 1
        info = self._identity(room, identity_id)
        return Correction(info, len(moved), room.revision, person.number, merged.number)

    async def split_identity(
        self,
        gallery_id: str,
        identity_id: str,
        template_ids: Sequence[str],
        new_identity_id: str,
        display_name: str,
    ) -> Correction:
        room = self._room(gallery_id)
        identity_id = _stored_id(room, identity_id)
        person = self._person(room, identity_id)
        if _stored_id(room, new_identity_id) in room.people:
            raise IdentityExists("it exists")
        new_id = checked_new_identity_id(new_identity_id)
        moved = set(template_ids)
        if not moved <= person.templates.keys():
            raise TemplateNotFound("no such template")
        created = _Person(display_name or new_id, _now_us())
        created.take(person, [one for one in person.templates if one in moved], new_id)
        room.people[new_id] = created
        for request_id, one in list(room.remembered.items()):
            accepted = {result.template_id for result in one.answer.results} - {""}
            if one.identity_id == identity_id and accepted <= moved:
                one.identity_id = new_id
            elif one.identity_id == identity_id and accepted & moved:
                del room.remembered[request_id]
        room.revision += 1
        info = self._identity(room, new_id)
        return Correction(info, len(moved), room.revision, created.number, person.number)

    async def remembered_enrollment(
        self, gallery_id: str, request_id: str, fingerprint: bytes
    ) -> Enrollment | None:
        return self._recall(gallery_id, request_id, fingerprint)

    def _recall(self, gallery_id: str, request_id: str, fingerprint: bytes) -> Enrollment | None:
        found = self._room(gallery_id).remembered.get(request_id)
        if found and found.fingerprint != fingerprint:
            raise RequestIdReused("another request", field="request_id")
        if found is None:
            return None
        info = self._info(gallery_id)
        return replace(found.answer, identity_count=info.enrolled_count, pairs=info.pairs)

    async def check_enrollable(self, gallery_id: str, identity: NewIdentity) -> None:
        self._check_enrollable(self._usable(gallery_id), identity)

    def _check_enrollable(self, room: _Room, identity: NewIdentity) -> str:
        identity_id = _stored_id(room, identity.identity_id)
        if identity_id in room.people:
            return identity_id
        if not identity.create:
            raise IdentityNotFound("no such identity")
        return checked_new_identity_id(identity_id)

    async def enroll(
        self,
        gallery_id: str,
        identity: NewIdentity,
        results: Sequence[EnrollmentResult],
        embeddings: NDArray[np.float32],
        *,
        source: str = "",
        request_id: str = "",
        fingerprint: bytes = b"",
        crops: Rgb | None = None,
    ) -> Enrollment:
        embeddings = checked_embeddings(embeddings, self._dimension)
        accepted = [result for result in results if result.template_id]
        if len(accepted) != len(embeddings):
            raise ValueError("an embedding for each accepted picture is wanted")
        room = self._usable(gallery_id)
        answer = self._recall(gallery_id, request_id, fingerprint)
        if answer:
            return answer
        identity_id = self._check_enrollable(room, identity)
        if not accepted:
            return self._enrollment(gallery_id, results)
        self._check_new(room, [result.template_id for result in accepted])
        now = _now_us()
        person = room.people.setdefault(
            identity_id, _Person(identity.display_name or identity_id, now)
        )
        for result, embedding in zip(accepted, embeddings, strict=True):
            info = TemplateInfo(
                result.template_id,
                identity_id,
                result.quality or Quality(0.0, 0.0, 0.0),
                result.detection_score,
                now,
                source,
            )
            person.add(ExportedTemplate(info, embedding.copy()))
        if self._keeps_crops and crops is not None:
            for result, crop in zip(accepted, crops, strict=True):
                person.crops[result.template_id] = crop.copy()
        room.revision += 1
        answer = self._enrollment(gallery_id, results)
        if request_id:
            room.remembered[request_id] = _Remembered(fingerprint, identity_id, answer)
            if len(room.remembered) > memory.ENROLLMENTS_KEPT:
                del room.remembered[next(iter(room.remembered))]
        return answer

    def _enrollment(self, gallery_id: str, results: Sequence[EnrollmentResult]) -> Enrollment:
        info = self._info(gallery_id)
        return Enrollment(tuple(results), info.revision, info.enrolled_count, info.pairs)

    @asynccontextmanager
    async def export_records(
        self, gallery_id: str
    ) -> AsyncIterator[tuple[GalleryInfo, AsyncIterator[GalleryRecord]]]:
        room = self._usable(gallery_id)
        records: list[GalleryRecord] = []
        for identity_id in sorted(room.people, key=str.encode):
            records.append(self._identity(room, identity_id))
            for template in room.people[identity_id].templates.values():
                records.append(replace(template, embedding=template.embedding.copy()))
            for negative in room.people[identity_id].negatives:
                records.append(ExportedNegativeExample(negative.info, negative.embedding.copy()))

        async def exported() -> AsyncGenerator[GalleryRecord, None]:
            for record in records:
                yield record

        async with aclosing(exported()) as open_export:
            yield self._info(gallery_id), open_export

    async def import_records(
        self,
        gallery_id: str,
        model_contract_id: str,
        records: AsyncIterator[GalleryRecord],
        *,
        committed: Callable[[ImportCounts], None] = lambda counts: None,
    ) -> ImportCounts:
        if model_contract_id != self._contract:
            raise ModelContractMismatch("the export was made with another model")
        self._usable(gallery_id)
        counts = {
            "identities_added": 0,
            "templates_added": 0,
            "templates_skipped": 0,
            "negative_examples_added": 0,
            "negative_examples_skipped": 0,
        }
        async for part in checked_parts(records, self._dimension):
            room = self._usable(gallery_id)
            added = dict.fromkeys(counts, 0)
            for record in part:
                self._import(room, record, added)
            if any(number for name, number in added.items() if name.endswith("added")):
                room.revision += 1
            committed(ImportCounts(**added, revision=room.revision))
            counts = {name: counts[name] + added[name] for name in counts}
        return ImportCounts(**counts, revision=self._room(gallery_id).revision)

    def _import(self, room: _Room, record: GalleryRecord, counts: dict[str, int]) -> None:
        if isinstance(record, IdentityInfo):
            if _stored_id(room, record.identity_id) not in room.people:
                room.people[composed(record.identity_id)] = _Person(
                    record.display_name or record.identity_id, record.created_at_us
                )
                counts["identities_added"] += 1
        elif isinstance(record, ExportedNegativeExample):
            if _negative(room, record.info.negative_example_id):
                counts["negative_examples_skipped"] += 1
                return
            identity_id = _stored_id(room, record.info.identity_id)
            person = room.people[identity_id]
            person.require_room()
            negative = replace(record.info, identity_id=identity_id)
            person.negatives.append(_Negative(negative, record.embedding.copy()))
            counts["negative_examples_added"] += 1
        elif record.info.template_id in room.template_ids():
            counts["templates_skipped"] += 1
        else:
            self._check_new(room, [record.info.template_id])
            identity_id = _stored_id(room, record.info.identity_id)
            info = replace(record.info, identity_id=identity_id)
            room.people[identity_id].add(ExportedTemplate(info, record.embedding.copy()))
            counts["templates_added"] += 1

    async def negative_example_of_request(
        self, gallery_id: str, identity_id: str, request_id: str, fingerprint: bytes
    ) -> AddedNegativeExample | None:
        person = self._person(self._usable(gallery_id), identity_id)
        earlier = self._earlier(gallery_id, person, request_id, fingerprint)
        if earlier is None:
            person.require_room()
        return earlier

    def _earlier(
        self, gallery_id: str, person: _Person, request_id: str, fingerprint: bytes
    ) -> AddedNegativeExample | None:
        found = [one for one in person.negatives if request_id and one.request_id == request_id]
        for one in found:
            if one.fingerprint == fingerprint:
                return self._added(gallery_id, person, one, is_new=False)
        if found:
            raise RequestIdReused("another request", field="request_id")
        return None

    def _added(
        self, gallery_id: str, person: _Person, one: _Negative, *, is_new: bool
    ) -> AddedNegativeExample:
        info, similarity = self._info(gallery_id), person.similarity(one.embedding)
        found = info.revision, info.enrolled_count, is_new, info.pairs
        return AddedNegativeExample(one.info, one.box, similarity, *found)

    async def add_negative_example(
        self, gallery_id: str, example: NewNegativeExample, embedding: NDArray[np.float32]
    ) -> AddedNegativeExample:
        (embedding,) = checked_embeddings(embedding[None], self._dimension)
        room = self._usable(gallery_id)
        identity_id = _stored_id(room, example.identity_id)
        person = self._person(room, identity_id)
        request = example.request_id, example.fingerprint
        if earlier := self._earlier(gallery_id, person, *request):
            return earlier
        checked_template_id(example.negative_example_id, "negative_example_id")
        if _negative(room, example.negative_example_id):
            raise InvalidField("it exists", field="negative_example_id")
        person.require_room()
        info = NegativeExampleInfo(
            example.negative_example_id,
            identity_id,
            example.quality,
            example.detection_score,
            _now_us(),
            example.source,
        )
        person.negatives.append(_Negative(info, embedding.copy(), example.box, *request))
        room.revision += 1
        return self._added(gallery_id, person, person.negatives[-1], is_new=True)

    async def list_negative_examples(
        self, gallery_id: str, identity_id: str, after: str, limit: int
    ) -> list[NegativeExampleInfo]:
        infos = [one.info for one in self._person(self._room(gallery_id), identity_id).negatives]
        ids = [one.negative_example_id for one in infos]
        if after and after not in ids:
            raise NegativeExampleNotFound("no such negative example")
        start = ids.index(after) + 1 if after else 0
        return infos[start : start + limit]

    async def delete_negative_example(
        self, gallery_id: str, negative_example_id: str
    ) -> tuple[int, int]:
        room = self._room(gallery_id)
        found = _negative(room, negative_example_id)
        if not found:
            raise NegativeExampleNotFound("no such negative example")
        person, negative = found
        person.negatives.remove(negative)
        room.revision += 1
        return negative.number, room.revision

    async def kept_crop(self, gallery_id: str, template_id: str) -> Rgb | None:
        for person in self._room(gallery_id).people.values():
            if template_id in person.templates:
                return person.crops.get(template_id)
        raise TemplateNotFound("no such template")

    def close(self) -> None:
        self._rooms.clear()

    def _room(self, gallery_id: str) -> _Room:
        if gallery_id not in self._rooms:
            raise GalleryNotFound("no such gallery")
        return self._rooms[gallery_id]

    def _usable(self, gallery_id: str) -> _Room:
        room = self._room(gallery_id)
        if room.model_contract_id != self._contract:
            raise ModelContractMismatch("made with another model")
        return room

    def _person(self, room: _Room, identity_id: str) -> _Person:
        person = room.people.get(_stored_id(room, identity_id))
        if person is None:
            raise IdentityNotFound("no such identity")
        return person

    def _check_new(self, room: _Room, template_ids: Sequence[str]) -> None:
        known = room.template_ids()
        for template_id in template_ids:
            checked_template_id(template_id)
            if template_id in known:
                raise InvalidField("a template of this id exists", field="template_id")
            known.add(template_id)
        stored = sum(len(one.template_ids()) for one in self._rooms.values())
        if self.capacity is not None and stored + len(template_ids) > self.capacity:
            raise GalleryFull("full; nothing was written")


def _similarity(vector: NDArray[np.float32], probe: NDArray[np.float32]) -> float:
    return float(np.float32((vector.astype(np.float64) * probe).sum()))


def _first(ranked: Sequence[Candidate], k: int) -> tuple[Candidate, ...]:
    """The k first that count, and those before them that are passed over, at most `MAX_PASSED_OVER`."""
    found: list[Candidate] = []
    nearer = 0
    for one in ranked:
        if len(found) - nearer == k:
            break
        nearer += one.is_nearer_to_negative_example
        if nearer > MAX_PASSED_OVER:
            break
        found.append(one)
    return tuple(found)


def _negative(room: _Room, negative_example_id: str) -> tuple[_Person, _Negative] | None:
    for person in room.people.values():
        for one in person.negatives:
            if one.info.negative_example_id == negative_example_id:
                return person, one
    return None


def _stored_id(room: _Room, identity_id: str) -> str:
    return next((one for one in spellings(identity_id) if one in room.people), identity_id)


def _now_us() -> int:
    return time.time_ns() // 1000
