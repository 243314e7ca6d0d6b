"""A client that changes a gallery without a pause, and keeps a ledger of what was acknowledged."""

import random
from collections.abc import Callable
from typing import Final

import grpc

from facewire.v1 import face_pb2, gallery_pb2, gallery_pb2_grpc
from harness.acknowledged import Ledger, Person
from harness.gallery_records import import_requests

__all__ = ["CALL_S", "GalleryClient"]

_IMPORTED: Final = 24
"""People of an import. Chosen, not measured: with their templates less than the server's part of 2,048 records."""

_MOST_PEOPLE: Final = 80
"""People of a client, above which it deletes more than it enrolls. Chosen, not measured: with six clients a block is full."""

CALL_S: Final = 60.0
"""Seconds that a call may take. Chosen, not measured: a busy machine, not a lost call, must be what takes long."""


_NOT_WRITTEN: Final = "nothing was written"
"""What an error says of a write that was refused."""


class GalleryClient:
    """Enrolls, imports, renames, merges, splits, deletes and lists its own people, whose ids begin with its name, and their negative examples.

    Attributes:
        ledger: what was acknowledged.
        acknowledged: calls that succeeded.
        corrected: merges and splits among them.
        judged: negative examples that were added by a picture or deleted, among them.
        unseen: acknowledged changes that the client's next list did not show.
    """

    def __init__(self, name: str, seed: int, portrait: bytes = b"") -> None:
        """Makes the client; with a portrait it also enrolls pictures, and adds them as negative examples."""
        self.name = name
        self.ledger = Ledger()
        self.acknowledged = 0
        self.corrected = 0
        self.judged = 0
        self.unseen = 0
        self._portrait = portrait
        self._random = random.Random(seed)
        self._number = 0
        self._unfinished: (
            gallery_pb2.EnrollTemplatesRequest | gallery_pb2.AddNegativeExampleRequest | None
        ) = None

    def run(self, stub: gallery_pb2_grpc.GalleryServiceStub, *, until: Callable[[], bool]) -> None:
        """Calls until the function returns True, or the server is gone."""
        contract = ""
        try:
            self.finish(stub)
            contract = stub.GetGallery(
                gallery_pb2.GetGalleryRequest(), timeout=CALL_S
            ).gallery.model_contract_id
            while not until():
                try:
                    self._call(stub, contract)
                except grpc.RpcError as error:
                    if _NOT_WRITTEN not in (error.details() or ""):
                        raise
                    self.ledger.begin({})  # a promise, too: what was not written is not there
        except grpc.RpcError as error:
            if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
                raise

    def _call(self, stub: gallery_pb2_grpc.GalleryServiceStub, contract: str) -> None:
        steps: list[tuple[float, Callable[[], int]]] = [
            (3.0, lambda: self._create(stub)),
            (2.0, lambda: self._import(stub, contract)),
            (1.0, lambda: self._list(stub)),
        ]
        if self.ledger.people:
            # Few people are deleted while there are few, so that their number stands about the most.
            share = len(self.ledger.people) / _MOST_PEOPLE
            steps.append((2.0, lambda: self._rename(stub)))
            steps.append((1.0 + 8.0 * share, lambda: self._delete(stub)))
            steps.append((1.0, lambda: self._delete_template(stub)))
            steps.append((1.0, lambda: self._split(stub)))
        if any(person.negative_examples for person in self.ledger.people.values()):
            steps.append((2.0, lambda: self._delete_negative_example(stub)))
        if len(self.ledger.people) > 1:
            steps.append((1.0, lambda: self._merge(stub)))
        if self._portrait:
            steps.append((2.0, lambda: self._enroll(stub)))
            if self.ledger.people:
                steps.append((2.0, lambda: self._add_negative_example(stub)))
        weights = [weight for weight, _ in steps]
        _, step = self._random.choices(steps, weights)[0]
        revision = step()
        self.ledger.acknowledge(revision)
        self.acknowledged += 1

    def _new_id(self) -> str:
        self._number += 1
        return f"{self.name}-{self._number:06}"

    def _new_records(self, least: int, most: int) -> frozenset[str]:
        count = self._random.randint(least, most)
        return frozenset(f"{self._random.getrandbits(128):032x}" for _ in range(count))

    def _create(self, stub: gallery_pb2_grpc.GalleryServiceStub) -> int:
        who = self._new_id()
        self.ledger.begin({who: Person(who)})
        request = gallery_pb2.CreateIdentityRequest(identity_id=who, display_name=who)
        return int(stub.CreateIdentity(request, timeout=CALL_S).revision)

    def _import(self, stub: gallery_pb2_grpc.GalleryServiceStub, contract: str) -> int:
        people = {}
        for _ in range(self._random.randint(1, _IMPORTED)):
            who = self._new_id()
            people[who] = Person(who, self._new_records(1, 4), self._new_records(0, 2))
        self.ledger.begin(people)
        return int(stub.ImportGallery(import_requests(people, contract), timeout=CALL_S).revision)

    def _enroll(self, stub: gallery_pb2_grpc.GalleryServiceStub) -> int:
        who = self._new_id()
        self._unfinished = gallery_pb2.EnrollTemplatesRequest(
            identity_id=who,
            display_name=who,
            create_identity=True,
            images=[face_pb2.Image(data=self._portrait)],
            request_id=f"{who}-{self._random.getrandbits(32)}",
        )
        return self.finish(stub)

    def _add_negative_example(self, stub: gallery_pb2_grpc.GalleryServiceStub) -> int:
        who = self._random.choice(list(self.ledger.people))
        self._unfinished = gallery_pb2.AddNegativeExampleRequest(
            identity_id=who,
            image=face_pb2.Image(data=self._portrait),
            request_id=f"{who}-{self._random.getrandbits(32)}",
        )
        return self.finish(stub)

    def finish(self, stub: gallery_pb2_grpc.GalleryServiceStub) -> int:
        """Sends the picture again whose call was cut off, if one was: it must count once. Returns the last revision."""
        request = self._unfinished
        if request is None:
            return self.ledger.revision
        if isinstance(request, gallery_pb2.EnrollTemplatesRequest):
            enrolled = stub.EnrollTemplates(request, timeout=CALL_S)
            (result,) = enrolled.results
            person = Person(request.display_name, frozenset({result.template_id}))
            revision = int(enrolled.revision)
        else:
            added = stub.AddNegativeExample(request, timeout=CALL_S)
            person = self.ledger.people[request.identity_id]
            new = added.negative_example.negative_example_id
            person = person._replace(negative_examples=person.negative_examples | {new})
            revision = int(added.revision)
            self.judged += 1
        self.ledger.begin({request.identity_id: person})
        self._unfinished = None
        self.ledger.acknowledge(revision)
        return revision

    def _rename(self, stub: gallery_pb2_grpc.GalleryServiceStub) -> int:
        who = self._random.choice(list(self.ledger.people))
        name = f"{who}, {self._random.getrandbits(32)}"
        self.ledger.begin({who: self.ledger.people[who]._replace(name=name)})
        request = gallery_pb2.UpdateIdentityRequest(identity_id=who, display_name=name)
        return int(stub.UpdateIdentity(request, timeout=CALL_S).revision)

    def _delete(self, stub: gallery_pb2_grpc.GalleryServiceStub) -> int:
        who = self._random.choice(list(self.ledger.people))
        self.ledger.begin({who: None})
        request = gallery_pb2.DeleteIdentityRequest(identity_id=who)
        return int(stub.DeleteIdentity(request, timeout=CALL_S).revision)

    def _delete_template(self, stub: gallery_pb2_grpc.GalleryServiceStub) -> int:
        who = self._random.choice(list(self.ledger.people))
        person = self.ledger.people[who]
        if not person.templates:
            return self._delete(stub)
        template = self._random.choice(sorted(person.templates))
        self.ledger.begin({who: person._replace(templates=person.templates - {template})})
        request = gallery_pb2.DeleteTemplateRequest(template_id=template)
        return int(stub.DeleteTemplate(request, timeout=CALL_S).revision)

    def _delete_negative_example(self, stub: gallery_pb2_grpc.GalleryServiceStub) -> int:
        who, person = self._random.choice(
            [(who, one) for who, one in self.ledger.people.items() if one.negative_examples]
        )
        gone = self._random.choice(sorted(person.negative_examples))
        self.ledger.begin(
            {who: person._replace(negative_examples=person.negative_examples - {gone})}
        )
        request = gallery_pb2.DeleteNegativeExampleRequest(negative_example_id=gone)
        revision = int(stub.DeleteNegativeExample(request, timeout=CALL_S).revision)
        self.judged += 1
        return revision

    def _merge(self, stub: gallery_pb2_grpc.GalleryServiceStub) -> int:
        stays, goes = self._random.sample(list(self.ledger.people), 2)
        person, merged = self.ledger.people[stays], self.ledger.people[goes]
        both = person._replace(
            templates=person.templates | merged.templates,
            negative_examples=person.negative_examples | merged.negative_examples,
        )
        self.ledger.begin({stays: both, goes: None})
        request = gallery_pb2.MergeIdentitiesRequest(identity_id=stays, merged_identity_id=goes)
        revision = int(stub.MergeIdentities(request, timeout=CALL_S).revision)
        self.corrected += 1
        return revision

    def _split(self, stub: gallery_pb2_grpc.GalleryServiceStub) -> int:
        who = self._random.choice(list(self.ledger.people))
        person = self.ledger.people[who]
        if not person.templates:
            return self._delete(stub)
        count = self._random.randint(1, len(person.templates))
        part = frozenset(self._random.sample(sorted(person.templates), count))
        new = self._new_id()
        self.ledger.begin(
            {who: person._replace(templates=person.templates - part), new: Person(new, part)}
        )
        request = gallery_pb2.SplitIdentityRequest(
            identity_id=who, template_ids=sorted(part), new_identity_id=new
        )
        revision = int(stub.SplitIdentity(request, timeout=CALL_S).revision)
        self.corrected += 1
        return revision

    def _list(self, stub: gallery_pb2_grpc.GalleryServiceStub) -> int:
        """Lists the gallery: what was acknowledged is in the next list."""
        self.ledger.begin({})
        found: set[str] = set()
        token = ""
        while True:
            page = stub.ListIdentities(
                gallery_pb2.ListIdentitiesRequest(page_size=1000, page_token=token),
                timeout=CALL_S,
            )
            found.update(one.identity_id for one in page.identities)
            token = page.next_page_token
            if not token:
                break
        own = {one for one in found if one.startswith(f"{self.name}-")}
        self.unseen += len(own ^ self.ledger.people.keys())
        return self.ledger.revision
