"""`POST /v1/frames/{camera}`: one stream a camera, held open between the posts."""

from concurrent.futures import ThreadPoolExecutor

import facewire
from console.described import checked
from harness.console_running import running_console

FRAMES = ("POST", "/v1/frames/{camera}")


def test_a_camera_is_followed_over_its_posts(console, server, gallery, portrait, gray) -> None:
    console.send_form(f"/api/identities?gallery={gallery}", [("name", "Ada"), ("image", portrait)])
    with console.browser() as board:  # one connection for all, as boards should
        results = [
            checked(board.send("POST", f"/v1/frames/door?gallery={gallery}", portrait), *FRAMES)
            for _ in range(3)
        ]
    assert [each["sequence"] for each in results] == [1, 2, 3]
    tracks = {face["track_id"] for each in results for face in each["faces"]}
    assert len(tracks) == 1, "one person, one track"
    assert None not in tracks
    events = [event for each in results for event in each["events"]]
    assert [event["type"] for event in events][:2] == ["tentative", "confirmed"]
    assert (events[1]["name"], events[1]["camera"]) == ("Ada", "door")


def test_a_bad_picture_does_not_end_the_stream(console, gallery, portrait) -> None:
    path = f"/v1/frames/gate?gallery={gallery}"
    assert console.send("POST", path, portrait).json()["sequence"] == 1
    bad = console.send("POST", path, b"no picture")
    assert (bad.status, bad.reason) == (422, "IMAGE_UNDECODABLE")
    empty = console.send("POST", path, b"")
    assert (empty.status, empty.reason) == (422, "IMAGE_EMPTY")
    assert console.send("POST", path, portrait).json()["sequence"] == 3


def test_posts_of_one_camera_at_the_same_time_wait_for_each_other(
    console, gallery, portrait
) -> None:
    path = f"/v1/frames/busy?gallery={gallery}"
    with ThreadPoolExecutor(8) as boards:
        answers = list(boards.map(lambda _: console.send("POST", path, portrait), range(8)))
    done = [each.json()["sequence"] for each in answers if each.status == 200]
    assert sorted(done) == list(range(1, len(done) + 1)), "each picture has its own result"
    assert len(done) >= 4
    assert {each.reason for each in answers if each.status != 200} <= {"CAMERA_BUSY"}


def test_the_number_of_cameras_is_bounded(server, portrait) -> None:
    with running_console(server.address, max_cameras=2) as console:
        assert console.send("POST", "/v1/frames/a", portrait).status == 200
        assert console.send("POST", "/v1/frames/b", portrait).status == 200
        third = console.send("POST", "/v1/frames/c", portrait)
        assert (third.status, third.reason) == (429, "TOO_MANY_CAMERAS")
        assert int(third.headers["retry-after"]) >= 1
        assert console.send("POST", "/v1/frames/a", portrait).json()["sequence"] == 2


def test_an_unknown_gallery_and_an_endless_name_are_refused(console, portrait) -> None:
    assert console.send("POST", "/v1/frames/x?gallery=no", portrait).reason == "GALLERY_NOT_FOUND"
    long = console.send("POST", f"/v1/frames/{'x' * 129}", portrait)
    assert (long.status, long.reason) == (400, "BAD_REQUEST")


def test_streams_end_with_the_console(models, server, portrait) -> None:
    with running_console(server.address) as console:
        console.send("POST", "/v1/frames/last", portrait)
        with facewire.Client(server.address) as client:
            feed = client.watch_tracks(cameras=["last"], after_event=1)
            seen = [next(feed).state for _ in range(2)]
            console._end()
            while seen[-1] is not facewire.TrackState.ENDED:
                seen.append(next(feed).state)
