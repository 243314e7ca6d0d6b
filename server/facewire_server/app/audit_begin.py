"""Begins an audit log with the galleries that there are, so that none is without a line later."""

from facewire_server.access.audit_lines import AuditLineError
from facewire_server.access.audit_trail import Trail
from facewire_server.events import AuditFailed, Emit
from facewire_server.galleries.records import StoreStatistics

__all__ = ["note_galleries"]


async def note_galleries(trail: Trail, found: StoreStatistics, emit: Emit) -> None:
    """Keeps a line for each gallery, with its revision; a failure is an event. Several workers may each do so."""
    try:
        for one in found.galleries:
            fields = {"gallery": one.gallery_id, "revision": one.revision}
            await trail.keep({"who": "server", "what": "gallery_found", **fields})
    except (OSError, AuditLineError) as error:
        emit(AuditFailed(type(error), str(error)))
