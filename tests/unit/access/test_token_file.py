"""The file of tokens: what is read of it, what is refused, and how it is changed."""

import os
import re
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from facewire_server.access.roles import EVERY_ROLE, Role
from facewire_server.access.token_changes import add_token, revoke_token
from facewire_server.access.token_file import TokenFileError, format_tokens, parse_tokens
from facewire_server.access.tokens import Token, Tokens, digest_of
from fakes.python import PATHS

HEAD = '{"facewire_tokens": 1}\n'
DIGEST = "ab" * 32
NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)

ADD_MANY = """
import sys
from pathlib import Path
from facewire_server.access.roles import Role
from facewire_server.access.token_changes import add_token
from facewire_server.access.tokens import Token
for number in range(20):
    print(add_token(Path(sys.argv[1]), Token(f"{sys.argv[2]}-{number}", b"", frozenset({Role.CAMERA}))).secret)
"""


def camera(label: str) -> Token:
    return Token(label, b"", frozenset({Role.CAMERA}))


def row(fields: str) -> str:
    return HEAD + "{" + fields + "}\n"


def test_what_is_written_is_read() -> None:
    tokens = (
        Token("door", b"\1" * 32, frozenset({Role.CAMERA})),
        Token(
            "backup@host",
            b"\2" * 32,
            frozenset({Role.OPERATOR, Role.EXPORTER}),
            frozenset({"staff", "guests"}),
            NOON,
        ),
    )
    assert parse_tokens(format_tokens(tokens)) == tokens
    assert parse_tokens(format_tokens(())) == ()


def test_a_file_of_plain_tokens_is_read_as_before() -> None:
    first, second = parse_tokens("0123456789abcdef\n\n fedcba9876543210 \n")
    assert (first.label, first.roles, first.galleries, first.expires) == (
        "plain-1",
        EVERY_ROLE,
        None,
        None,
    )
    assert Tokens([first, second]).find(b"fedcba9876543210", NOON) == second


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ('{"facewire_tokens": 2}\n', "later version"),
        ('{"facewire_tokens": 1, "x": 1}\n', "later version"),
        (HEAD + "0123456789abcdef\n", "line 2 is not"),
        (HEAD + "[" * 100_000 + "\n", "line 2 is not"),
        (row(f'"label": "a", "sha256": "{DIGEST}", "roles": ["camera"], "hours": 1'), "1 fields"),
        (row(f'"label": "a b", "sha256": "{DIGEST}", "roles": ["camera"]'), "no label"),
        (row(f'"sha256": "{DIGEST}", "roles": ["camera"]'), "no label"),
        (row(f'"label": "a", "sha256": "{DIGEST[1:]}", "roles": ["camera"]'), "64 hexadecimal"),
        (row(f'"label": "a", "sha256": "{DIGEST}", "roles": []'), "roles must"),
        (row(f'"label": "a", "sha256": "{DIGEST}", "roles": "camera"'), "roles must"),
        (row(f'"label": "a", "sha256": "{DIGEST}", "roles": ["root"]'), "roles must"),
        (row(f'"label": "a", "sha256": "{DIGEST}", "roles": [["camera"]]'), "roles must"),
        (
            row(f'"label": "a", "sha256": "{DIGEST}", "roles": ["camera"], "galleries": []'),
            "galleries",
        ),
        (
            row(f'"label": "a", "sha256": "{DIGEST}", "roles": ["camera"], "galleries": ["A"]'),
            "galleries",
        ),
        (
            row(f'"label": "a", "sha256": "{DIGEST}", "roles": ["camera"], "galleries": null'),
            "galleries",
        ),
        (
            row(f'"label": "a", "sha256": "{DIGEST}", "roles": ["camera"], "expires": "soon"'),
            "expires",
        ),
        (
            row(
                f'"label": "a", "sha256": "{DIGEST}", "roles": ["camera"], "expires": "2027-01-31T00:00:00"'
            ),
            "expires",
        ),
    ],
)
def test_a_line_that_is_not_understood_as_a_whole_is_refused(text: str, reported: str) -> None:
    with pytest.raises(TokenFileError, match=reported) as refused:
        parse_tokens(text)
    assert DIGEST not in str(refused.value)


def test_two_tokens_of_one_label_or_one_digest_are_refused() -> None:
    for second in (Token("a", b"\2" * 32, EVERY_ROLE), Token("b", b"\1" * 32, EVERY_ROLE)):
        with pytest.raises(TokenFileError, match="one label"):
            parse_tokens(format_tokens([Token("a", b"\1" * 32, EVERY_ROLE), second]))


def test_a_token_is_shown_once_and_its_hash_is_kept_in_a_file_of_the_owner(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    added = add_token(path, camera("door"))
    assert re.fullmatch(r"fw_[\w-]{43}", added.secret)
    assert added.hashed_count == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    assert added.secret not in text
    (token,) = parse_tokens(text)
    assert token.digest == digest_of(added.secret.encode())
    assert Tokens([token]).find(added.secret.encode(), NOON) == token
    assert [one.name for one in tmp_path.iterdir()] == ["tokens"]


def test_a_label_is_of_one_token_until_that_is_revoked(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    add_token(path, camera("door"))
    add_token(path, camera("gate"))
    with pytest.raises(TokenFileError, match="a token door already"):
        add_token(path, camera("door"))
    revoke_token(path, "door")
    assert [one.label for one in parse_tokens(path.read_text())] == ["gate"]
    with pytest.raises(TokenFileError, match="no token door"):
        revoke_token(path, "door")
    add_token(path, camera("door"))
    for label in ("door", "gate"):
        revoke_token(path, label)
    assert parse_tokens(path.read_text()) == ()


def test_plain_tokens_are_hashed_with_the_first_change_and_stay_valid(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("0123456789abcdef\n")
    path.chmod(0o644)
    assert add_token(path, camera("door")).hashed_count == 1
    assert "0123456789abcdef" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    plain = Tokens(parse_tokens(path.read_text())).find(b"0123456789abcdef", NOON)
    assert plain is not None
    assert (plain.label, plain.roles) == ("plain-1", EVERY_ROLE)


def test_a_file_that_is_no_file_of_tokens_and_a_link_are_left_as_they_are(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("short\n")
    link = tmp_path / "tokens"
    link.symlink_to(other)
    for path in (other, link):
        with pytest.raises(TokenFileError):
            add_token(path, camera("door"))
    assert other.read_text() == "short\n"
    assert link.is_symlink()


def test_processes_that_add_at_once_lose_no_token(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    environment = os.environ | {"PYTHONPATH": PATHS}
    adding = [
        subprocess.Popen(
            [sys.executable, "-c", ADD_MANY, path, name],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "abc"
    ]
    secrets = [line for one in adding for line in one.communicate(timeout=60)[0].split()]
    tokens = Tokens(parse_tokens(path.read_text()))
    assert len({tokens.find(secret.encode(), NOON) for secret in secrets} - {None}) == 60


def test_a_token_longer_than_any_is_not_hashed() -> None:
    long = Token("long", digest_of(b"x" * 513), EVERY_ROLE)
    longest = Token("longest", digest_of(b"x" * 512), EVERY_ROLE)
    tokens = Tokens([long, longest])
    assert tokens.find(b"x" * 513, NOON) is None
    assert tokens.find(b"x" * 512, NOON) == longest
