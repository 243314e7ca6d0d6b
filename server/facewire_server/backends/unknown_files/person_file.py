"""A person as the bytes of a file: plain, or sealed by the operator's key."""

from typing import Final

import numpy as np
from google.protobuf.message import DecodeError

from facewire_server.backends.crop_cipher import CropKeys, UnreadableCrop
from facewire_server.backends.lmdb_gallery.quality_records import quality_of, quality_record
from facewire_server.backends.unknown_files.records_pb2 import Person, Picture, Visit
from facewire_server.streams.journal import Crop
from facewire_server.streams.unknown.values import UnknownPerson, UnknownVisit

__all__ = ["PersonFormat", "UnreadablePerson"]

_PLAIN: Final = b"facewire unknown 1 plain\n"
"""How a file begins whose record is not encrypted."""

_SEALED: Final = b"facewire unknown 1 sealed\n"
"""How a file begins whose record is."""

_FLOAT32: Final = np.dtype("<f4")
"""Little-endian IEEE 754 binary32."""

_MOST_LENGTH: Final = 1.001
"""Of a mean of unit vectors, whose rounding errors are far smaller. Chosen, not measured."""


class UnreadablePerson(Exception):
    """A file is of another key, of another model contract, or not what was written."""


class PersonFormat:
    """How people are written, and read again."""

    def __init__(self, keys: CropKeys | None, model_contract_id: str) -> None:
        """Takes the keys, of which the first one seals (None: nothing is encrypted), and the contract of the embeddings."""
        self._keys = keys
        self._model_contract_id = model_contract_id

    def data_of(self, person: UnknownPerson) -> bytes:
        """Returns the bytes of a file."""
        record = Person(
            gallery_id=person.gallery_id,
            model_contract_id=self._model_contract_id,
            visits=map(_visit_record, person.visits),
        ).SerializeToString()
        if self._keys is None:
            return _PLAIN + record
        return _SEALED + self._keys.seal(record, _about(person.unknown_id))

    def person_of(self, unknown_id: int, data: bytes) -> UnknownPerson:
        """Reads the bytes of a file.

        Raises:
            UnreadablePerson: they cannot be used.
        """
        try:
            record = Person.FromString(self._opened(unknown_id, data))
            if record.model_contract_id != self._model_contract_id or not record.visits:
                raise UnreadablePerson("it is of another model contract, or holds no visit")
            visits = [_visit_of(visit, record.gallery_id) for visit in record.visits]
            if len({len(visit.looks_mean) for visit in visits}) != 1:
                raise UnreadablePerson("its embeddings are of several lengths")
        except (UnreadableCrop, DecodeError, ValueError) as error:
            raise UnreadablePerson("it is not what was written") from error
        return UnknownPerson(unknown_id, tuple(visits))

    def _opened(self, unknown_id: int, data: bytes) -> bytes:
        if data.startswith(_PLAIN):
            return data[len(_PLAIN) :]
        if self._keys is None or not data.startswith(_SEALED):
            raise UnreadablePerson("there is no key for it")
        return self._keys.open(data[len(_SEALED) :], _about(unknown_id))


def _about(unknown_id: int) -> bytes:
    """Returns what a sealed record belongs to: no file can take another one's place, nor a crop of a gallery."""
    return b"unknown %d" % unknown_id


def _visit_record(visit: UnknownVisit) -> Visit:
    record = Visit(
        camera_id=visit.camera_id,
        track_id=visit.track_id,
        visit_id=visit.visit_id,
        first_seen_us=visit.first_seen_us,
        last_seen_us=visit.last_seen_us,
        looks_mean=visit.looks_mean.astype(_FLOAT32, copy=False).tobytes(),
    )
    if visit.picture is not None:
        record.picture.CopyFrom(
            Picture(
                jpeg=visit.picture.jpeg,
                sequence=visit.picture.sequence,
                quality=quality_record(visit.picture.quality),
            )
        )
    return record


def _visit_of(record: Visit, gallery_id: str) -> UnknownVisit:
    looks_mean = np.frombuffer(record.looks_mean, _FLOAT32).astype(np.float32)
    if not 0.0 < float(np.linalg.norm(looks_mean)) < _MOST_LENGTH:  # a NaN neither
        raise ValueError("an embedding cannot be")
    return UnknownVisit(
        gallery_id=gallery_id,
        camera_id=record.camera_id,
        track_id=record.track_id,
        visit_id=record.visit_id,
        first_seen_us=record.first_seen_us,
        last_seen_us=record.last_seen_us,
        looks_mean=looks_mean,
        picture=_picture_of(record.picture) if record.HasField("picture") else None,
    )


def _picture_of(record: Picture) -> Crop:
    return Crop(record.jpeg, record.sequence, quality_of(record.quality))
