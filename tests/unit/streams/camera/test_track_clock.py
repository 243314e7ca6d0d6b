"""The time of tracks never goes back, whatever a camera's clock does."""

import pytest

from facewire_server.streams.camera.track_clock import TrackClock


def times(*frames: tuple[float, float]) -> list[float]:
    """Times of frames, each with the camera's clock (0 = none) and its arrival, in seconds."""
    clock = TrackClock()
    return [clock.frame(round(captured_s * 1e6), arrived_s) for captured_s, arrived_s in frames]


def test_the_cameras_clock_counts_if_it_states_one() -> None:
    """A film may be sent faster than it was recorded."""
    assert times((5.0, 0.0), (5.1, 0.01), (5.3, 0.011)) == pytest.approx([0.0, 0.1, 0.3])


def test_without_one_the_arrival_counts() -> None:
    assert times((0, 7.0), (0, 7.25), (0, 8.0)) == pytest.approx([0.0, 0.25, 1.0])


def test_frames_that_arrive_at_the_same_moment_have_an_order() -> None:
    first, second = times((0, 7.0), (0, 7.0))
    assert first < second


@pytest.mark.parametrize("leap_s", [-3600.0, -0.001, 0.0, 61.0, 1e9])
def test_a_step_back_and_a_leap_count_as_a_usual_frame(leap_s: float) -> None:
    steady = [(100 + row / 10, row / 10) for row in range(10)]
    again = [(100.9 + leap_s + row / 10, 1.0 + row / 10) for row in range(3)]
    found = times(*steady, *again)
    assert found[-3:] == pytest.approx([1.0, 1.1, 1.2], abs=0.011)


def test_after_a_true_pause_a_camera_that_started_again_is_believed_to_have_paused() -> None:
    found = times((100.0, 0.0), (100.1, 0.1), (1.0, 30.0))
    assert found[-1] == pytest.approx(30.0, abs=0.01)


@pytest.mark.parametrize("seconds_a_unit", [1e-3, 1e-6])
def test_a_camera_that_states_milliseconds_or_seconds_has_the_time_of_its_arrivals(
    seconds_a_unit: float,
) -> None:
    """The field holds microseconds: a tenth of a second would be 0.1 ms, or nothing, and no track would ever end."""
    frames = [(100 * seconds_a_unit + row / 10 * seconds_a_unit, row / 10) for row in range(30)]
    found = times(*frames)
    assert found[-1] - found[-11] == pytest.approx(1.0)
    clock = TrackClock()
    for captured_s, arrived_s in frames:
        clock.frame(round(captured_s * 1e6), arrived_s)
    assert clock.usual_step_s == pytest.approx(0.1)
    assert clock.after(2.9 + 2.0) == pytest.approx(clock.at_s + 2.0), "as of one without a clock"


def test_a_film_that_is_sent_a_hundred_times_slower_than_it_was_recorded_keeps_its_own_time() -> (
    None
):
    frames = [(1 + row / 30, row * 100 / 30) for row in range(40)]
    assert times(*frames)[-1] == pytest.approx(39 / 30)


def test_a_network_that_stalls_does_not_make_a_good_clock_a_bad_one() -> None:
    arrived_s = [row / 30 + (60.0 if row > 20 else 0.0) for row in range(40)]
    frames = [(1 + row / 30, arrived) for row, arrived in enumerate(arrived_s)]
    assert times(*frames)[-1] == pytest.approx(39 / 30)


def test_while_no_frame_comes_time_goes_on() -> None:
    clock = TrackClock()
    assert clock.after(99.0) == 0.0
    clock.frame(0, 10.0)
    clock.frame(0, 10.5)
    assert clock.after(12.0) == pytest.approx(2.0)
    assert clock.after(10.0) == pytest.approx(0.5)


def test_a_film_that_is_sent_slowly_does_not_end_its_tracks() -> None:
    clock = TrackClock()
    clock.frame(1_000_000, 10.0)
    assert clock.after(14.9) == 0.0
    assert clock.after(17.0) == pytest.approx(2.0)


def test_the_usual_step_is_a_median() -> None:
    clock = TrackClock()
    assert clock.usual_step_s == 0.0
    for arrived_s in (0.0, 0.1, 0.2, 5.0, 5.1, 5.2):
        clock.frame(0, arrived_s)
    assert clock.usual_step_s == pytest.approx(0.1)
