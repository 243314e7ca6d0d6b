"""The comments of the protos are the manual: the statuses that they name are the ones that are sent."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from grpc import StatusCode

from facewire.v1 import face_pb2
from facewire_server.rpc.status import STATUSES

STATUS_OF = {
    face_pb2.ErrorReason.Name(reason).removeprefix("ERROR_REASON_"): code.name
    for code, reason in STATUSES.values()
} | {
    "INTERNAL": StatusCode.INTERNAL.name,  # in no table, on purpose
}
PAIR = re.compile(r"`([A-Z_]+)` \(([A-Z_., ]+)\)")
"""As in the comment of a method: `STATUS` (REASON, IMAGE_...)."""


def protos(repository: Path) -> dict[str, str]:
    return {
        path.name: path.read_text(encoding="utf-8")
        for path in sorted((repository / "protos" / "facewire" / "v1").glob("*.proto"))
    }


def reasons_named(text: str) -> Iterator[tuple[str, str]]:
    """Status and reason of each pair in a text's comments; "IMAGE_..." names all of that prefix."""
    prose = re.sub(r"\n\s*// ?", " ", text)
    for status, names in PAIR.findall(prose):
        for name in re.split(r",\s*", names):
            if name.endswith("..."):
                prefix = name.removesuffix("...")
                yield from ((status, each) for each in STATUS_OF if each.startswith(prefix))
            else:
                yield status, name


def enum_comments(text: str) -> dict[str, str]:
    """The first word of the comment above each reason of the enum."""
    return {
        reason: status
        for status, reason in re.findall(
            r"// ([A-Z_]+): (?:[^\n]*\n\s*// )*[^\n]*\n\s*ERROR_REASON_(\w+) =", text
        )
    }


def test_the_comment_of_each_reason_begins_with_its_status(repository: Path) -> None:
    assert enum_comments(protos(repository)["face.proto"]) == STATUS_OF


@pytest.mark.parametrize("name", ["gallery.proto", "recognition.proto"])
def test_the_comments_of_the_methods_name_the_statuses_that_are_sent(
    repository: Path, name: str
) -> None:
    pairs = list(reasons_named(protos(repository)[name]))
    assert len(pairs) > 10
    for status, reason in pairs:
        assert STATUS_OF[reason] == status, f"{name} says `{status}` ({reason})"


def test_a_false_status_is_found() -> None:
    (pair,) = reasons_named("// * `NOT_FOUND`\n  // (GALLERY_EXISTS): there is one.")
    assert pair == ("NOT_FOUND", "GALLERY_EXISTS")
    assert STATUS_OF["GALLERY_EXISTS"] != "NOT_FOUND"
    text = "  // UNKNOWN: one line\n  // and another.\n  ERROR_REASON_NO_FACE = 8;"
    assert enum_comments(text) == {"NO_FACE": "UNKNOWN"}
