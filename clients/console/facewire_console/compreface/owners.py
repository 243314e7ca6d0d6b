"""Whose examples are: remembered by ids alone, so that an image id is found without a look at everyone's examples."""

from collections import OrderedDict
from typing import Final

__all__ = ["Owners"]

_MOST: Final = 10_000
"""Examples whose owners are remembered. Chosen, not measured: 3 MB."""


class Owners:
    """The identity of each template that the door has added, listed or found lately: a hint, which the gallery confirms."""

    def __init__(self) -> None:
        self._identities: OrderedDict[str, str] = OrderedDict()

    def note(self, template_id: str, identity_id: str) -> None:
        """Remembers whose a template is."""
        self._identities[template_id] = identity_id
        self._identities.move_to_end(template_id)
        while len(self._identities) > _MOST:
            self._identities.popitem(last=False)

    def of(self, template_id: str) -> str | None:
        """Returns the identity that a template was of; None if that is not remembered."""
        return self._identities.get(template_id)

    def forget(self, template_id: str) -> None:
        """Forgets a template, which is gone."""
        self._identities.pop(template_id, None)
