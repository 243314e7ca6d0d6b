"""Who the person of a track is: evidence over several looks, without a clock, without I/O."""

from facewire_server.streams.verdicts.change import Change
from facewire_server.streams.verdicts.verdict import Verdict

__all__ = ["Change", "Verdict"]
