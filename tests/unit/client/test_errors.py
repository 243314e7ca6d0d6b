"""A gRPC status becomes the error that its reason, or else its code, asks for."""

from types import SimpleNamespace

import grpc
import pytest

import facewire
from facewire import ErrorReason
from facewire._values import errors
from facewire._wire.grpc_status import _BY_REASON, error_from_rpc
from fakes.server import failure


def failed(code, detail="", trailing=()):
    return SimpleNamespace(
        code=lambda: code, details=lambda: detail, trailing_metadata=lambda: trailing
    )


def from_status(status):
    return error_from_rpc(
        failed(status.code, status.details, status.trailing_metadata), target="server:1"
    )


def test_every_reason_of_the_contract_has_an_error():
    assert set(_BY_REASON) == set(ErrorReason) - {ErrorReason.UNSPECIFIED}


@pytest.mark.parametrize(("reason", "meaning"), _BY_REASON.items())
def test_a_reason_decides_the_error_whatever_the_code(reason, meaning):
    error = from_status(failure(grpc.StatusCode.UNKNOWN, reason.value, "what happened"))
    assert type(error) is meaning[0]
    assert error.reason is reason
    assert str(error).startswith("what happened.")


def test_every_error_is_in_the_tree_of_the_docstring_and_public():
    for name in errors.__all__:
        assert name in errors.__doc__.split()
        assert name in facewire.__all__
        assert issubclass(getattr(facewire, name), facewire.FacewireError)


def test_the_field_at_fault_is_named():
    status = failure(grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID", field="images[3]")
    assert from_status(status).field == "images[3]"


RETRYABLE = {
    "TOO_MANY_STREAMS", "SLOW_READER", "TOO_MANY_CALLS", "OUT_OF_MEMORY", "MODEL_UNAVAILABLE",
    "WORKER_BUSY", "STORAGE_BUSY", "SHUTTING_DOWN", "TIMED_OUT",
}  # fmt: skip


@pytest.mark.parametrize("reason", _BY_REASON)
def test_every_error_says_whether_it_is_worth_trying_again(reason):
    error = from_status(failure(grpc.StatusCode.UNKNOWN, reason.value))
    assert error.retryable == (reason.value in RETRYABLE)
    assert error.retry_after_s is None


@pytest.mark.parametrize("name", [name for name in errors.__all__ if name != "FacewireError"])
def test_a_class_says_it_if_there_is_no_reason(name):
    passing = issubclass(
        getattr(facewire, name), facewire.UnavailableError | facewire.DeadlineError
    )
    assert getattr(facewire, name)("what happened").retryable == passing


def test_when_to_try_again_is_what_the_server_says():
    full = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", retry_after_s=5.25)
    assert from_status(full).retry_after_s == 5.25
    leaving = facewire.ReconnectError("leaving", after_s=1.5)
    assert (leaving.retryable, leaving.retry_after_s) == (True, 1.5)


def test_a_limit_of_a_proxy_that_says_when_is_worth_trying_again():
    limited = failure(grpc.StatusCode.RESOURCE_EXHAUSTED)
    said = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, retry_after_s=2)
    assert not from_status(limited).retryable
    assert (from_status(said).retryable, from_status(said).retry_after_s) == (True, 2.0)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, facewire.UnreachableError),
        (grpc.StatusCode.DEADLINE_EXCEEDED, facewire.DeadlineError),
        (grpc.StatusCode.UNIMPLEMENTED, facewire.NotSupportedError),
        (grpc.StatusCode.PERMISSION_DENIED, facewire.AuthenticationError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, facewire.LimitError),
        (grpc.StatusCode.DATA_LOSS, facewire.ServerError),
        (grpc.StatusCode.INTERNAL, facewire.UnreachableError),
        (grpc.StatusCode.UNKNOWN, facewire.UnreachableError),
        (grpc.StatusCode.CANCELLED, facewire.UnreachableError),
        (None, facewire.UnreachableError),
    ],
)
def test_without_a_reason_the_code_decides_and_the_server_is_named(code, kind):
    error = error_from_rpc(failed(code), target="server:1")
    assert type(error) is kind
    assert error.reason is ErrorReason.UNSPECIFIED
    assert "server:1" in str(error)


@pytest.mark.parametrize("text", ["Exception deserializing response!", "Exception serializing"])
def test_a_message_that_this_process_cannot_read_is_no_broken_connection(text):
    error = error_from_rpc(failed(grpc.StatusCode.INTERNAL, text), target="server:1")
    assert type(error) is facewire.ServerError


def test_the_cause_at_the_end_of_a_text_that_is_not_known_is_shown():
    text = "failed to connect to all addresses; last error: UNKNOWN: ipv4:1.2.3.4:1: Odd"
    error = error_from_rpc(failed(grpc.StatusCode.UNAVAILABLE, text), target="server:1")
    assert str(error).startswith("server:1: the server is not reached (Odd). Is a facewire")


def test_a_message_over_grpcs_own_limit_is_a_picture_of_too_many_bytes():
    text = "SERVER: Received message larger than max (20 vs. 10)"
    error = error_from_rpc(failed(grpc.StatusCode.RESOURCE_EXHAUSTED, text), target="server:1")
    assert type(error) is facewire.InvalidPictureError
    assert error.reason is ErrorReason.IMAGE_TOO_MANY_BYTES


@pytest.mark.parametrize("damaged", [b"\xff\xff\xff", b"\x1a\x05\x0a\xff", b"", b"\x1a\x00"])
def test_damaged_details_are_passed_over(damaged):
    trailing = (("other", "x"), ("grpc-status-details-bin", damaged))
    error = error_from_rpc(failed(grpc.StatusCode.NOT_FOUND, "gone", trailing), target="server:1")
    assert type(error) is facewire.NotFoundError
    assert error.reason is ErrorReason.UNSPECIFIED


def test_reasons_of_others_and_of_a_newer_contract_are_passed_over():
    status = failure(grpc.StatusCode.NOT_FOUND, "MADE_UP_LATER")
    assert from_status(status).reason is ErrorReason.UNSPECIFIED
