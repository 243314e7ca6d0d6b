"""The topics of one bridge."""

from dataclasses import dataclass

from facewire._mqtt.names import key_of

__all__ = ["OFFLINE", "ONLINE", "Topics"]

ONLINE, OFFLINE = "online", "offline"
"""What Home Assistant expects of availability, by default."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics below a prefix, and Home Assistant's own.

    Attributes:
        prefix: how all topics of this bridge begin.
        discovery_prefix: how Home Assistant's begin.
    """

    prefix: str
    discovery_prefix: str

    def __post_init__(self) -> None:
        for prefix in (self.prefix, self.discovery_prefix):
            if not prefix or set(prefix) & set("#+\0") or prefix[0] in "/$" or prefix[-1] == "/":
                raise ValueError(f"{prefix!r} cannot be how topics begin")

    @property
    def node(self) -> str:
        """This bridge, in ids of Home Assistant."""
        return key_of(self.prefix)

    @property
    def available(self) -> str:
        """Whether this bridge is connected. Retained."""
        return f"{self.prefix}/available"

    @property
    def events(self) -> str:
        """Every track event."""
        return f"{self.prefix}/events"

    def camera(self, key: str) -> str:
        """The events of one camera."""
        return f"{self.prefix}/cameras/{key}/event"

    def people_before(self, key: str) -> str:
        """How many people are before one camera."""
        return f"{self.prefix}/cameras/{key}/people"

    def person(self, key: str) -> str:
        """Where one person is."""
        return f"{self.prefix}/people/{key}"

    @property
    def cameras_config(self) -> str:
        """The device whose entities are cameras. Retained."""
        return f"{self.discovery_prefix}/device/{self.node}/config"

    @property
    def people_config(self) -> str:
        """The device whose entities are people. Not retained."""
        return f"{self.discovery_prefix}/device/{self.node}_people/config"

    @property
    def birth(self) -> str:
        """Home Assistant says here that it has started."""
        return f"{self.discovery_prefix}/status"
