"""Times of pictures: a film's goes on, a camera's is when the picture was taken, and what comes late is no news."""

import math

import pytest

from facewire.video._av.stamps import BestStamp
from facewire.video._film_time import FilmTime
from facewire.video._live_time import LiveTime
from facewire.video._settling import Settling


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ([5.0, 5.1, 5.2], [0, 0.1, 0.2]),
        ([0, 0.1, 0.2, 0, 0.1], [0, 0.1, 0.2, 0.3, 0.4]),  # joined
        ([0, 0.1, 900, 900.1], [0, 0.1, 0.2, 0.3]),  # a leap
        ([0, 0.1, 9.1], [0, 0.1, 9.1]),  # a scene at rest
        ([7, 7, 7, 7], [0, 0.1, 0.2, 0.3]),  # a clock that stands
        ([None, None, None], [0, 0.1, 0.2]),
        ([0, None, 0.2, 0.3], [0, 0.1, 0.2, 0.3]),
        ([0.2, 0.1, 0.0], [0, 0.1, 0.2]),  # a clock that runs backwards
    ],
)
def test_a_film_goes_on_whatever_its_clock_does(stamps, expected):
    film_time = FilmTime(frame_s=0.1, longest_gap_s=10)
    assert [film_time.at_s(stamp) for stamp in stamps] == pytest.approx(expected)


def test_a_film_of_a_picture_a_minute_takes_its_minutes():
    film_time = FilmTime(frame_s=60, longest_gap_s=10)
    assert [film_time.at_s(stamp) for stamp in [0, 60, 120]] == [0, 60, 120]


def taken(arrivals, live_time=None):
    live_time = live_time or LiveTime()
    return [live_time.taken_s(stamp_s, arrived_s) for stamp_s, arrived_s in arrivals]


def test_pictures_that_a_stall_held_up_are_as_old_as_they_are():
    pace = [(900 + n / 10, 50 + n / 10) for n in range(20)]
    late = [(902 + n / 10, 57.0) for n in range(50)]  # five seconds of them at once
    again = [(907 + n / 10, 57 + n / 10) for n in range(20)]
    expected = [stamp_s - 850 for stamp_s, _ in [*pace, *late, *again]]
    assert taken([*pace, *late, *again]) == pytest.approx(expected)


def test_the_quickest_picture_sets_the_clock():
    arrivals = [(0, 10.3), (0.1, 10.35), (0.2, 10.2), (0.3, 10.4)]
    assert taken(arrivals) == pytest.approx([10.3, 10.35, 10.2, 10.3])


def test_no_picture_is_taken_after_it_arrived():
    arrivals = [(n * 0.11, 5 + n * 0.1) for n in range(100)]  # a clock that is too fast
    assert all(
        at_s <= arrived_s + 1e-9
        for at_s, (_, arrived_s) in zip(taken(arrivals), arrivals, strict=True)
    )


def test_a_way_that_has_become_longer_is_the_new_way_after_a_while():
    live_time = LiveTime()
    taken([(n / 10, n / 10) for n in range(100)], live_time)
    slower = taken([(n / 10, n / 10 + 3) for n in range(100, 500)], live_time)
    assert slower[0] == pytest.approx(10)  # three seconds old
    assert slower[-1] == pytest.approx(49.9 + 3)


def test_one_picture_without_a_stamp_is_no_newer_than_the_one_before():
    assert taken([(5, 50), (5.1, 55), (None, 55), (5.3, 55)]) == pytest.approx(
        [50, 50.1, 50.1, 50.3]
    )
    assert taken([(5, 50), (None, 51), (None, 52)]) == pytest.approx(
        [50, 50, 52]
    )  # the clock has ended


def test_a_clock_that_leaps_or_steps_back_is_a_new_clock():
    arrivals = [(50, 10), (50.1, 10.1), (3, 10.2), (3.1, 10.3), (8000, 10.4), (8000.1, 10.5)]
    assert taken(arrivals) == pytest.approx([arrived_s for _, arrived_s in arrivals])


def test_a_picture_without_a_time_stamp_was_taken_when_it_arrived():
    assert taken([(None, 4.0), (None, 4.5)]) == [4.0, 4.5]


def test_what_was_there_before_the_opening_is_held_back_until_the_source_must_wait():
    settling = Settling(frame_s=0.1, now_s=100)
    backlog = [settling.ready_s(100 + n * 0.005, waited_s=0) for n in range(1, 20)]
    assert all(ready_s > 100 + n * 0.005 for n, ready_s in enumerate(backlog, 1))
    assert all(ready_s >= 100 + (n + 1) * 0.005 for n, ready_s in enumerate(backlog, 1))
    assert settling.ready_s(100.2, waited_s=0.09) == 100.2
    assert settling.ready_s(100.3, waited_s=0) == 100.3  # once settled, until the next stall


def test_what_comes_at_once_after_a_stall_is_held_back():
    settling = Settling(frame_s=0.1, now_s=100)
    at_pace = [settling.ready_s(100 + n / 10, waited_s=0.09) for n in range(1, 11)]
    assert at_pace == [100 + n / 10 for n in range(1, 11)]
    assert settling.ready_s(106, waited_s=5) == pytest.approx(106.2)
    assert settling.ready_s(106.004, waited_s=0) == pytest.approx(106.024)
    assert settling.ready_s(106.104, waited_s=0.09) == 106.104


def test_what_comes_in_pieces_after_a_stall_is_held_back_while_it_is_late():
    settling = Settling(frame_s=0.1, now_s=100)
    assert settling.ready_s(100.1, waited_s=0.09) == 100.1
    assert settling.ready_s(106.0, 5.8, 5.9) == math.inf
    pieces = [(106.01, 0.01, 4.0), (106.03, 0.02, 2.0), (106.05, 0.02, 0.6)]
    assert [settling.ready_s(*each) for each in pieces] == [math.inf] * 3
    assert settling.ready_s(106.1, 0.05, 0.02) == 106.1


def test_late_pictures_are_passed_over_for_a_second_at_most():
    settling = Settling(frame_s=0.1, now_s=100)
    late = [settling.ready_s(100 + n / 10, waited_s=0.09, late_s=3.0) for n in range(1, 15)]
    assert late == [math.inf] * 9 + [100 + n / 10 for n in range(10, 15)]


def test_a_picture_from_before_a_stall_is_not_handed_on_after_it():
    settling = Settling(frame_s=0.1, now_s=100)
    assert settling.ready_s(100.1, waited_s=0.09) == 100.1
    assert settling.ready_s(105.2, waited_s=5.1, late_s=5.2) == math.inf
    assert settling.ready_s(110.2, waited_s=5.0, late_s=0.1) == pytest.approx(110.4)


def test_small_pictures_of_a_backlog_are_held_back_though_reading_them_takes_most_of_the_time():
    settling = Settling(frame_s=0.04, now_s=100)
    for n in range(1, 21):
        settling.ready_s(100 + n / 100, waited_s=0.009)
    assert settling.ready_s(102.2, waited_s=2) > 102.2
    backlog = [(102.2 + n * 0.0005, 0.0004) for n in range(1, 100)]
    assert all(settling.ready_s(*each) > each[0] for each in backlog)
    assert settling.ready_s(102.26, waited_s=0.002) > 102.26  # between two pieces of the backlog
    assert settling.ready_s(102.27, waited_s=0.009) == 102.27


def test_without_a_clock_a_backlog_in_pieces_is_held_back_to_its_end():
    settling = Settling(frame_s=0.1, now_s=100)
    for n in range(1, 21):
        settling.ready_s(100 + n / 10, waited_s=0.09, has_clock=False)
    assert settling.ready_s(105, waited_s=3, has_clock=False) > 105
    pieces = [(105 + n * 0.05 + m / 1000, 0.04 * (m == 0)) for n in range(1, 9) for m in range(9)]
    assert all(settling.ready_s(*each, has_clock=False) > each[0] for each in pieces)
    after = [105.6, 105.7, 105.8, 105.9]
    ready = [settling.ready_s(each, waited_s=0.09, has_clock=False) for each in after]
    assert [at_s == ready_s for at_s, ready_s in zip(after, ready, strict=True)] == [
        False, False, True, True,
    ]  # fmt: skip


def test_pictures_that_are_decoded_too_slowly_are_held_back_for_a_second_at_most():
    settling = Settling(frame_s=0.1, now_s=100)
    ready = [settling.ready_s(100 + n * 0.15, waited_s=0) for n in range(1, 20)]
    assert all(ready_s <= max(101, 100 + n * 0.15) for n, ready_s in enumerate(ready, 1))
    assert ready[7:] == [100 + n * 0.15 for n in range(8, 20)]


def test_a_slow_camera_does_not_stall_with_each_picture():
    settling = Settling(frame_s=0.04, now_s=0)
    ready = [settling.ready_s(float(n), waited_s=0.9) for n in range(1, 60, 2)]
    assert ready[-1] == 59  # a picture every two seconds, though the source states 25 in one


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        ([(3, 1), (4, 2), (5, 3)], [3, 4, 5]),
        ([(1, 2), (3, 3), (2, 4), (5, 5), (4, 6)], [1, 3, 4, 5, 6]),
        ([(9, 8), (1, 0), (2, 1)], [9, 1, 2]),  # both step back: a joined film
        ([(None, 1), (None, 2)], [1, 2]),
        ([(1, None), (2, None)], [1, 2]),
        ([(None, None)], [None]),
    ],
)
def test_the_time_stamp_that_keeps_order_is_taken(stamps, expected):
    best = BestStamp()
    assert [best.of(shown, decoded) for shown, decoded in stamps] == expected
