"""`GetServerInfo` says what the server was built with, and what it says is true."""

import dataclasses
from typing import Any

import grpc
import pytest

from facewire.v1 import face_pb2, recognition_pb2
from facewire_server.rpc.server_info import server_info_message
from facewire_server.types import PictureLimits
from fakes.error_rates import by_size
from fakes.limits import serving_limits
from fakes.wire import DEFAULTS, config, served

LIMITS = serving_limits(PictureLimits(max_frame_bytes=1000, max_pixels=2000))


def info(**changes: Any) -> recognition_pb2.GetServerInfoResponse:
    values: dict[str, Any] = {
        "model_contract_id": "c" * 64, "model_contract_name": "sface", "picture_timeout_s": 10.0,
        "defaults": DEFAULTS, "limits": LIMITS,
    }  # fmt: skip
    return server_info_message(**values | changes)


def test_limits_and_defaults_are_those_of_the_services():
    allowed = dataclasses.replace(
        LIMITS,
        max_in_flight=3,
        max_streams=5,
        request_timeout_s=1.5,
        max_calls_per_connection=7,
    )
    policy = dataclasses.replace(DEFAULTS.decision, threshold=0.5, min_margin=0.0)
    told = info(
        limits=allowed,
        picture_timeout_s=2.5,
        defaults=dataclasses.replace(DEFAULTS, decision=policy),
    )
    limits = told.limits
    assert (limits.max_frame_bytes, limits.max_pixels) == (1000, 2000)
    assert limits.max_message_bytes == 1000 + 2**20
    assert (limits.max_in_flight, limits.max_streams, limits.frame_timeout_ms) == (3, 5, 2500)
    assert (limits.request_timeout_ms, limits.max_calls_per_connection) == (1500, 7)
    assert limits.max_faces == DEFAULTS.picture.max_faces
    assert (limits.max_enroll_images, limits.max_enroll_bytes) == (10, 1000)
    assert (told.decision_defaults.threshold, told.decision_defaults.min_margin) == (0.5, 0.0)
    assert told.decision_defaults.HasField("min_margin")
    assert told.server_version.count(".") == 2
    assert (told.model_contract_id, told.model_contract_name) == ("c" * 64, "sface")


def test_thresholds_of_some_sizes_are_listed_where_the_wanted_rate_is_in_force():
    rates = by_size((10, 0.25), (100, 0.5), (1000, 0.6))
    told = info(
        defaults=dataclasses.replace(
            DEFAULTS,
            decision=dataclasses.replace(DEFAULTS.decision, threshold=None, error_rates=rates),
        )
    )
    assert not told.decision_defaults.HasField("threshold")
    assert told.decision_defaults.max_fpir == pytest.approx(rates.max_fpir)
    listed = {one.identity_count: one.threshold for one in told.threshold_steps}
    assert list(listed) == [10, 30, 100, 300, 1000, 3000, 10_000]
    assert (listed[10], listed[100], listed[1000]) == pytest.approx((0.25, 0.5, 0.6))
    assert recognition_pb2.FEATURE_ERROR_RATES in told.features
    without = info()
    assert without.decision_defaults.threshold == 0.375
    assert not without.decision_defaults.HasField("max_fpir")
    assert recognition_pb2.FEATURE_ERROR_RATES in without.absent_features
    assert not without.threshold_steps


def test_a_server_that_looks_for_attacks_says_so():
    feature = recognition_pb2.FEATURE_PRESENTATION_ATTACKS
    assert feature in info(scores_attacks=True).features
    assert feature in info().absent_features


def test_settings_beyond_a_field_are_told_as_its_most():
    told = info(limits=dataclasses.replace(LIMITS, max_streams=2**40), picture_timeout_s=1e9)
    assert told.limits.max_streams == told.limits.frame_timeout_ms == 2**32 - 1


def test_a_long_name_keeps_to_its_bound_and_is_still_text():
    assert info(model_contract_name="ä" * 50).model_contract_name == "ä" * 32
    assert info(model_contract_name="x" + "ä" * 50).model_contract_name == "x" + "ä" * 31


def test_each_feature_of_the_contract_is_there_or_not():
    told = info()
    names = {*told.features, *told.absent_features}
    assert names == set(recognition_pb2.Feature.values()) - {recognition_pb2.FEATURE_UNSPECIFIED}
    assert len(told.features) + len(told.absent_features) == len(names)


def test_all_formats_but_the_unspecified_are_listed_once():
    assert list(info().image_formats) == face_pb2.ImageFormat.values()[1:]


async def test_the_wire_takes_what_is_said_to_be_present_and_nothing_that_is_absent():
    async with served() as wire:
        said = await wire.recognition.GetServerInfo(recognition_pb2.GetServerInfoRequest())
        requests: dict[int, dict[str, Any]] = {
            recognition_pb2.FEATURE_TRACKS: {},
            recognition_pb2.FEATURE_RESUME: {"resume_token": b"x"},
            recognition_pb2.FEATURE_EVENTS_ONLY: {
                "detail": recognition_pb2.RESPONSE_DETAIL_EVENTS_ONLY
            },
        }
        for feature, fields in requests.items():
            assert feature in said.features
            stream = wire.recognition.StreamRecognize(iter([config(**fields)]))
            assert (await anext(aiter(stream))).started.resume_token
        assert recognition_pb2.FEATURE_TRACK_CROPS in said.absent_features
        with pytest.raises(grpc.RpcError) as caught:
            await wire.recognition.GetTrackCrop(recognition_pb2.GetTrackCropRequest(track_id=1))
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_token_is_needed_as_for_every_method():
    async with served(token="secret") as wire:
        with pytest.raises(grpc.RpcError) as caught:
            await wire.recognition.GetServerInfo(recognition_pb2.GetServerInfoRequest())
        assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
