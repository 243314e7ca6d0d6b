"""Visits of people whom the gallery does not know: grouped, kept for as long as the operator allows, and named later."""

from facewire_server.streams.unknown.keeper import SearchedGallery, UnknownKeeper
from facewire_server.streams.unknown.ports import UnknownPeople, UnknownStore, UnknownVisits
from facewire_server.streams.unknown.unkept import NotKeptUnknown
from facewire_server.streams.unknown.values import MAX_PICTURES, UnknownPerson, UnknownVisit

__all__ = [
    "MAX_PICTURES",
    "NotKeptUnknown",
    "SearchedGallery",
    "UnknownKeeper",
    "UnknownPeople",
    "UnknownPerson",
    "UnknownStore",
    "UnknownVisit",
    "UnknownVisits",
]
