"""Every error has its status, and nothing else of an error leaves the server."""

import pytest
from google.rpc import code_pb2, error_details_pb2

from facewire.v1 import face_pb2
from facewire_server import errors
from facewire_server.events import Event, InternalError, ignore
from facewire_server.rpc.status import (
    RETRY_AFTER_S,
    STATUSES,
    _internal,
    _status,
    reason_of,
    shortened,
)
from facewire_server.streams.journal import StreamForgotten

RESERVED = {
    face_pb2.ERROR_REASON_UNSPECIFIED,
    face_pb2.ERROR_REASON_INTERNAL,  # for what is in no table
}


def leaves(kind: type[errors.ServerError]) -> set[type[errors.ServerError]]:
    # Those of other modules, and of other tests, say nothing about the table.
    below = [one for one in kind.__subclasses__() if one.__module__ == errors.__name__]
    return set().union(*map(leaves, below)) if below else {kind}


def test_the_table_is_complete() -> None:
    assert set(STATUSES) == leaves(errors.ServerError)


def test_every_reason_of_the_contract_is_used_once_or_reserved() -> None:
    used = [reason for _, reason in STATUSES.values()]
    assert len(used) == len(set(used))
    assert set(used) | RESERVED == set(face_pb2.ErrorReason.values())
    assert not set(used) & RESERVED


def test_a_forgotten_stream_may_be_opened_again_and_one_that_was_taken_over_not() -> None:
    forgotten = _status(StreamForgotten("open a new one"), ignore)
    taken = _status(errors.StreamTakenOver("by another one"), ignore)
    assert (forgotten.code, taken.code) == (code_pb2.UNAVAILABLE, code_pb2.ABORTED)


def test_a_status_tells_reason_domain_and_field() -> None:
    status = _status(errors.InvalidField("too large", field="page_size"), ignore)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    assert status.code == code_pb2.INVALID_ARGUMENT
    assert status.details[0].Unpack(info)
    assert status.details[1].Unpack(bad)
    assert (info.reason, info.domain) == ("FIELD_INVALID", "facewire")
    assert bad.field_violations[0].field == "page_size"


def test_a_status_tells_the_roles_with_which_a_call_is_allowed() -> None:
    status = _status(errors.RoleRequired("no", roles=("enroller", "operator")), ignore)
    info = error_details_pb2.ErrorInfo()
    assert status.code == code_pb2.PERMISSION_DENIED
    assert status.details[0].Unpack(info)
    assert (info.reason, dict(info.metadata)) == ("ROLE_REQUIRED", {"roles": "enroller,operator"})


@pytest.mark.parametrize(("error", "after_s"), RETRY_AFTER_S.items())
def test_a_call_that_was_refused_for_a_while_says_for_how_long(error, after_s) -> None:
    status = _status(error("full"), ignore)
    retry = error_details_pb2.RetryInfo()
    assert status.details[1].Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 1000 * after_s >= 0


def test_all_that_is_unavailable_for_a_while_says_for_how_long() -> None:
    assert leaves(errors.Unavailable) <= set(RETRY_AFTER_S)


@pytest.mark.parametrize("text", ["x" * 100_000, "é" * 100_000, "🙂" * 100_000])
def test_a_status_stays_below_4_kib(text: str) -> None:
    status = _status(errors.InvalidField(text, field="f" * 60), ignore)
    percent_encoded = 3 * len(status.message.encode())
    assert percent_encoded + status.ByteSize() * 4 / 3 < 4096


def test_a_text_is_not_cut_within_a_character() -> None:
    assert shortened("aé", 2) == "a"
    assert shortened("aé", 3) == "aé"


def test_what_is_in_no_table_is_internal_and_keeps_its_text() -> None:
    for error in (KeyError("alice"), errors.ServerError("alice"), errors.NotFound("alice")):
        status = _internal(error, ignore) if isinstance(error, KeyError) else _status(error, ignore)
        assert status.code == code_pb2.INTERNAL
        assert "alice" not in str(status)


def test_a_log_entry_has_the_stack_and_not_the_message() -> None:
    events: list[Event] = []
    name = "".join(["al", "ice"])  # not in the source line that a stack quotes
    try:
        try:
            raise OSError(28, name)
        except OSError as cause:
            raise KeyError(name) from cause
    except KeyError as error:
        status = _internal(error, events.append)
    (event,) = events
    assert isinstance(event, InternalError)
    assert event.log_id == status.message.split()[-1]
    assert "KeyError" in event.stack
    assert "OSError (errno 28)" in event.stack
    assert "test_a_log_entry_has_the_stack" in event.stack
    assert name not in event.stack


def test_errors_have_reasons_and_what_is_in_no_table_is_internal() -> None:
    class Renamed(errors.NoFace):
        """As after a refactoring that split the class."""

    assert reason_of(errors.NoFace("")) == face_pb2.ERROR_REASON_NO_FACE
    assert reason_of(Renamed("")) == face_pb2.ERROR_REASON_NO_FACE
    assert reason_of(errors.ServerError("")) == face_pb2.ERROR_REASON_INTERNAL


def test_a_log_entry_has_what_an_error_interrupted_without_saying_so() -> None:
    """An error in an `except` block has a context and no cause."""
    events: list[Event] = []
    try:
        try:
            raise OSError(28, "no space")
        except OSError:
            int("missing")
    except ValueError as error:
        _internal(error, events.append)
    (event,) = events
    assert isinstance(event, InternalError)
    assert "builtins.ValueError" in event.stack
    assert "OSError (errno 28)" in event.stack


def test_only_a_request_at_fault_names_a_field() -> None:
    """A model that is away is not the field's fault, whichever picture it was asked about."""
    status = _status(errors.ModelUnavailable("away"), ignore)
    assert "BadRequest" not in str(status)
