"""What a change of the tokens was is said in labels, and has room in a line of the audit log."""

import json
from dataclasses import replace

from facewire_server.access.audit_lines import MAX_LINE_BYTES
from facewire_server.access.roles import Role
from facewire_server.access.token_differences import differences
from facewire_server.access.tokens import Token, digest_of


def camera(label: str) -> Token:
    return Token(label, digest_of(label.encode()), frozenset({Role.CAMERA}))


def test_tokens_that_were_added_revoked_and_changed_are_named() -> None:
    kept, gone, narrowed, new = map(camera, ("kept", "gone", "narrowed", "new"))
    other = replace(narrowed, galleries=frozenset({"staff"}))
    assert differences([kept, gone, narrowed], [new, other, kept]) == {
        "tokens": 3,
        "added": ["new"],
        "revoked": ["gone"],
        "changed": ["narrowed"],
    }


def test_many_tokens_have_room_in_a_line() -> None:
    before = [camera(f"{n:04}{'x' * 60}") for n in range(1000)]
    after = [camera(f"{n:04}{'y' * 60}") for n in range(500)]
    both = [replace(token, roles=frozenset(Role)) for token in before[500:]]
    found = differences(before, [*after, *both])
    assert found["tokens"] == 1000
    assert found["added"][-1] == "... and 488 more"
    assert len(json.dumps(found)) < MAX_LINE_BYTES - 500
