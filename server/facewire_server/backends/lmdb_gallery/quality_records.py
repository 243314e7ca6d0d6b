"""Converts the quality of a face to its stored record and back."""

from facewire_server.backends.lmdb_gallery import records_pb2 as records
from facewire_server.types import Quality, QualityFault

__all__ = ["quality_of", "quality_record"]


def quality_record(quality: Quality) -> records.Quality:
    """Returns the record of a quality."""
    fields = quality._asdict() | {"faults": [fault.value for fault in quality.faults]}
    return records.Quality(**fields)


def quality_of(record: records.Quality) -> Quality:
    """Returns the quality of a record; what an earlier version did not store is 0, a later version's fault is left out."""
    known = {fault.value: fault for fault in QualityFault}
    return Quality(
        record.inter_eye_px,
        record.sharpness,
        record.brightness,
        record.directional_sharpness,
        record.embedding_norm,
        record.yaw,
        record.pitch,
        tuple(known[word] for word in record.faults if word in known),
    )
