"""The config of each call of a stream: all but the first one resume the call before, if its server does so."""

from facewire._values.errors import FacewireError, NotSupportedError
from facewire._values.results import StreamLimits
from facewire.v1 import recognition_pb2

__all__ = ["Resuming"]


class Resuming:
    """A stream's config, with the token that its last server gave it.

    Attributes:
        is_ending: the call is open, or is opened, only for the events that end the stream's tracks.
    """

    def __init__(self, config: recognition_pb2.StreamConfig) -> None:
        self.is_ending = False
        self._config = config
        self._token = b""

    def config(self) -> recognition_pb2.StreamConfig:
        """Returns the config of the next call."""
        config = recognition_pb2.StreamConfig()
        config.CopyFrom(self._config)
        config.resume_token = self._token
        return config

    def opened(self, limits: StreamLimits) -> None:
        """Keeps the token of a call that is open, for the next one: the same one again, or another if it was forgotten."""
        self._token = limits.resume_token

    def begins_to_end(self) -> bool:
        """Returns whether to open another call, without a frame: all are accounted for, and the tracks of the stream are still to end.

        It is once: a server that does not return would keep a film from its end.
        """
        begins = bool(self._token) and not self.is_ending
        self.is_ending |= begins
        return begins

    def is_refused(self, error: FacewireError) -> bool:
        """Returns whether the call is to be repeated without a token, which its server does not take: an older one."""
        is_refused = bool(self._token) and isinstance(error, NotSupportedError)
        if is_refused:
            self._token = b""
        return is_refused
