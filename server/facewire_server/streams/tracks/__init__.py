"""Tracks of one stream: which faces of successive frames are one person, without pictures, names or clocks.

Motion predicts where a face is next; where that leaves a choice, the embedding decides; until it has, a track's name is
held back. Times are seconds of the stream's track clock, never frames; lengths are widths of the face.
"""

from facewire_server.streams.tracks.doubles import same_as
from facewire_server.streams.tracks.tracker import Tracker
from facewire_server.streams.tracks.values import Proposal, Seen, Sighting, TrackRecord

__all__ = ["Proposal", "Seen", "Sighting", "TrackRecord", "Tracker", "same_as"]
