"""The whole line on a real face: a real server, real models, the client that people use."""

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from PIL import Image

import facewire
from facewire import CompareOutcome, FaceSelection, ImageFormat, Outcome
from fakes.layouts import layouts
from fakes.odd_pictures import STORED
from harness.running import RunningServer, running_server

Pixels = NDArray[np.uint8]
EXIF_ORIENTATION = 0x0112


def jpeg(pixels: cv2.typing.MatLike, quality: int = 90, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, **options)
    return file.getvalue()


def turned(pixels: cv2.typing.MatLike, degrees: float) -> cv2.typing.MatLike:
    side = pixels.shape[0]
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1.0)
    return cv2.warpAffine(pixels, matrix, (side, side), borderMode=cv2.BORDER_REFLECT)


def scaled(pixels: cv2.typing.MatLike, by: float) -> cv2.typing.MatLike:
    return cv2.resize(pixels, None, fx=by, fy=by, interpolation=cv2.INTER_AREA)


def decision_of(face: facewire.Face) -> facewire.Decision:
    """The decision that every face of a recognition has."""
    assert face.decision is not None
    return face.decision


MATED: dict[str, Callable[[Pixels], cv2.typing.MatLike]] = {
    "as enrolled": lambda pixels: pixels,
    "mirrored": lambda pixels: np.ascontiguousarray(pixels[:, ::-1]),
    "turned left": lambda pixels: turned(pixels, 20),
    "turned right": lambda pixels: turned(pixels, -20),
    "half the size": lambda pixels: scaled(pixels, 0.5),
    "three times the size": lambda pixels: cv2.resize(pixels, None, fx=3, fy=3),
    "dark": lambda pixels: (pixels * 0.25).astype(np.uint8),
    "bright": lambda pixels: np.clip(pixels * 1.4, 0, 255).astype(np.uint8),
    "gray": lambda pixels: cv2.cvtColor(
        cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB
    ),
    "blurred": lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 2),
    "small in a large picture": lambda pixels: np.pad(
        scaled(pixels, 0.5), ((300, 500), (900, 200), (0, 0)), constant_values=90
    ),
}


@pytest.fixture
def enrolled(client: facewire.Client, gallery: str, astronaut: Pixels) -> str:
    """A gallery that knows the astronaut."""
    result = client.enroll("eileen", [jpeg(astronaut)], gallery=gallery, display_name="Eileen")
    assert result.accepted_count == 1
    return gallery


@pytest.mark.parametrize("kind", MATED)
def test_the_enrolled_face_is_known_in_other_pictures(
    client: facewire.Client, enrolled: str, astronaut: Pixels, kind: str
) -> None:
    answer = client.recognize(jpeg(MATED[kind](astronaut)), gallery=enrolled)
    known = [face for face in answer.faces if decision_of(face).outcome is Outcome.KNOWN]
    assert [decision_of(face).identity_id for face in known] == ["eileen"]
    assert decision_of(known[0]).similarity > decision_of(known[0]).threshold


def test_the_same_face_is_unknown_to_an_empty_gallery(
    client: facewire.Client, gallery: str, astronaut: Pixels
) -> None:
    (face,) = client.recognize(jpeg(astronaut), gallery=gallery).faces
    assert decision_of(face).outcome is Outcome.UNKNOWN


def test_a_face_that_fills_the_picture_is_found(
    client: facewire.Client, enrolled: str, astronaut: Pixels
) -> None:
    (face,) = client.recognize(jpeg(astronaut), gallery=enrolled).faces
    x, y = int(face.box.x_px), int(face.box.y_px)
    tight = astronaut[y : y + int(face.box.height_px), x : x + int(face.box.width_px)]
    (again,) = client.recognize(jpeg(np.ascontiguousarray(tight)), gallery=enrolled).faces
    assert decision_of(again).identity_id == "eileen"


def test_nobody_is_found_where_there_is_nobody(client: facewire.Client, gallery: str) -> None:
    y, x = np.mgrid[0:480, 0:640]
    sky = np.stack([x // 4, y // 3, 255 - y // 4], -1).astype(np.uint8)
    assert client.recognize(jpeg(sky), gallery=gallery).faces == ()


@pytest.mark.parametrize("gain", [0.12, 0.08, 0.05])
def test_the_enrolled_face_is_known_at_night(
    client: facewire.Client, enrolled: str, astronaut: Pixels, gain: float
) -> None:
    noise = np.random.default_rng(1).normal(0, 1.5, astronaut.shape)
    dark = np.clip(astronaut * gain + noise, 0, 255).astype(np.uint8)
    (face,) = client.recognize(jpeg(dark, quality=95), gallery=enrolled).faces
    assert decision_of(face).outcome is Outcome.KNOWN
    assert face.quality.brightness < 255 * gain  # as received


def test_noise_of_a_camera_in_the_dark_is_no_face(client: facewire.Client) -> None:
    for sigma in (0.5, 1.5, 4.0):
        noise = np.random.default_rng(2).normal(2, sigma, (480, 640, 3))
        assert (
            client.recognize(jpeg(np.clip(noise, 0, 255).astype(np.uint8), quality=95)).faces == ()
        )


PLACES_PX = (40, 1500, 2800, 4300, 6100, 8700)


def panorama(astronaut: Pixels) -> Pixels:
    """9000x120 pixels, with a face of about 27 at each of `PLACES_PX`."""
    wide = np.full((120, 9000, 3), 110, np.uint8)
    for left in PLACES_PX:
        wide[:, left : left + 120] = cv2.resize(astronaut, (120, 120), interpolation=cv2.INTER_AREA)
    return wide


def test_small_faces_of_a_panorama_are_found_each_once(
    client: facewire.Client, astronaut: Pixels
) -> None:
    wanted = facewire.DetectionOptions(min_face_px=20)
    found = client.recognize(jpeg(panorama(astronaut)), detection=wanted)
    assert len(found.faces) == len(PLACES_PX)
    centers = sorted(face.box.x_px + face.box.width_px / 2 for face in found.faces)
    np.testing.assert_allclose(np.subtract(centers, PLACES_PX), 52, atol=8)
    assert found.smallest_face_px == 20


def test_a_frame_that_is_searched_more_coarsely_than_asked_says_so(
    client: facewire.Client, astronaut: Pixels
) -> None:
    wanted = facewire.DetectionOptions(min_face_px=20)
    frames = [jpeg(panorama(astronaut)), jpeg(astronaut)]
    with client.stream(
        frames, detection=wanted, policy=facewire.FramePolicy.EVERY_FRAME
    ) as results:
        searched = [
            result.smallest_face_px
            for result in results
            if isinstance(result, facewire.FrameResult)
        ]
    assert searched == pytest.approx([20 * 9000 / 4096, 20])


@pytest.mark.parametrize("size", [(4, 1), (1, 1), (384, 54), (54, 30)])
def test_a_tiny_picture_is_searched_for_faces_of_eight_pixels(
    client: facewire.Client, size: tuple[int, int]
) -> None:
    tiny = client.recognize(jpeg(np.full((size[1], size[0], 3), 90, np.uint8)))
    assert tiny.faces == ()
    assert tiny.smallest_face_px == 8


def test_all_eight_exif_orientations_give_the_same_face(
    client: facewire.Client, enrolled: str, astronaut: Pixels
) -> None:
    boxes = []
    for orientation, stored in STORED.items():
        exif = Image.Exif()
        exif[EXIF_ORIENTATION] = orientation
        data = jpeg(np.ascontiguousarray(stored(astronaut)), 95, exif=exif)
        (face,) = client.recognize(data, gallery=enrolled).faces
        assert decision_of(face).identity_id == "eileen"
        boxes.append([face.box.x_px, face.box.y_px, face.box.width_px, face.box.height_px])
    np.testing.assert_allclose(boxes, np.broadcast_to(boxes[0], (8, 4)), atol=3)


def test_every_layout_of_pixels_gives_the_same_face(
    client: facewire.Client, enrolled: str, astronaut: Pixels
) -> None:
    side = astronaut.shape[0]
    planar = cv2.cvtColor(astronaut, cv2.COLOR_RGB2YUV_I420)
    chroma = planar[side:].reshape(2, side // 2, side // 2)
    nv12 = np.concatenate([planar[:side].ravel(), np.stack(list(chroma), -1).ravel()]).tobytes()
    png = io.BytesIO()
    Image.fromarray(np.dstack([astronaut, np.full((side, side), 255, np.uint8)])).save(png, "PNG")
    webp = io.BytesIO()
    Image.fromarray(astronaut).save(webp, "WEBP")
    gray = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)

    def raw(data: bytes, layout: ImageFormat) -> facewire.Image:
        return facewire.Image(data, layout, width_px=side, height_px=side)

    pictures: dict[str, bytes | facewire.Image] = {
        "png with alpha": png.getvalue(),
        "webp": webp.getvalue(),
        "rgb": raw(astronaut.tobytes(), ImageFormat.RGB8),
        "bgr": raw(astronaut[..., ::-1].tobytes(), ImageFormat.BGR8),
        "gray": raw(gray.tobytes(), ImageFormat.GRAY8),
        "nv12": raw(nv12, ImageFormat.NV12),
        **layouts(astronaut),
    }
    for kind, picture in pictures.items():
        (face,) = client.recognize(picture, gallery=enrolled).faces
        assert decision_of(face).identity_id == "eileen", kind
        assert decision_of(face).similarity > (0.8 if kind == "gray" else 0.95), kind


def test_comparison_needs_no_gallery(client: facewire.Client, astronaut: Pixels) -> None:
    same = client.compare(jpeg(astronaut), jpeg(turned(astronaut, 10)))
    assert same.outcome is CompareOutcome.SAME
    assert not isinstance(same.first, facewire.Face)


def test_48_megapixels_are_handled_in_bounded_memory(
    server: RunningServer, client: facewire.Client, enrolled: str, astronaut: Pixels
) -> None:
    large = cv2.resize(astronaut, (6900, 6900), interpolation=cv2.INTER_LINEAR)
    data = jpeg(large, 80)
    process = psutil.Process(server.pid)
    before = process.memory_info().rss
    for _ in range(3):
        (face,) = client.recognize(data, gallery=enrolled).faces
        assert decision_of(face).identity_id == "eileen"
    # One picture at full size is 143 MB; its pixels are held once, and not for ever.
    assert process.memory_info().rss - before < 300 << 20


@pytest.mark.parametrize("size", [(1, 65_535), (65_535, 1), (20_000, 8), (8, 20_000)])
def test_a_strip_of_a_picture_costs_no_more_than_a_picture(
    server: RunningServer, client: facewire.Client, gallery: str, size: tuple[int, int]
) -> None:
    """The models' memory must follow neither side: what is measured is the most ever held."""
    width, height = size
    noise = np.random.default_rng(0).integers(0, 255, width * height, np.uint8).tobytes()
    image = facewire.Image(noise, ImageFormat.GRAY8, width, height)
    before = peak_bytes(server)
    client.recognize(image, gallery=gallery, detection=facewire.DetectionOptions(min_face_px=8))
    assert peak_bytes(server) - before < 300 << 20


def peak_bytes(server: RunningServer) -> int:
    status = Path(f"/proc/{server.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) << 10


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda good: b"", "IMAGE_EMPTY"),
        (lambda good: b"GET / HTTP/1.1", "IMAGE_UNDECODABLE"),
        (lambda good: good[: len(good) // 2], "IMAGE_UNDECODABLE"),
        (
            lambda good: b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0\0\xff\xff" * 2 + bytes(99),
            "IMAGE_TOO_MANY_PIXELS",
        ),
        (lambda good: good + bytes(16 << 20), "IMAGE_TOO_MANY_BYTES"),
    ],
)
def test_a_picture_that_cannot_be_used_is_told_with_its_field(
    client: facewire.Client, astronaut: Pixels, make: Callable[[bytes], bytes], reason: str
) -> None:
    with pytest.raises(facewire.InvalidPictureError) as failure:
        client.recognize(make(jpeg(astronaut)))
    assert failure.value.reason.name == reason
    assert failure.value.field == "image"


def test_a_stream_names_the_face_in_every_frame(
    client: facewire.Client, enrolled: str, astronaut: Pixels
) -> None:
    frames = [jpeg(turned(astronaut, degrees)) for degrees in range(-10, 11, 4)]
    with client.stream(
        frames, gallery=enrolled, policy=facewire.FramePolicy.EVERY_FRAME
    ) as results:
        named = [
            [decision_of(face).identity_id for face in result.faces]
            for result in results
            if isinstance(result, facewire.FrameResult)
        ]
    assert named == [["eileen"]] * len(frames)


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_stream_of_a_turned_camera_finds_the_faces_of_the_upright_picture(
    client: facewire.Client, enrolled: str, astronaut: Pixels, degrees: int
) -> None:
    upright = np.ascontiguousarray(astronaut[:400])  # wider than high: an exchange of sides shows
    hanging = np.ascontiguousarray(np.rot90(upright, degrees // 90))  # counterclockwise
    seen: list[facewire.FrameResult] = []
    for frame, rotation_degrees in ((upright, 0), (hanging, degrees)):
        with client.stream([frame], gallery=enrolled, rotation_degrees=rotation_degrees) as results:
            seen += (one for one in results if isinstance(one, facewire.FrameResult))
    expected, result = seen
    assert decision_of(expected.faces[0]).identity_id == "eileen"
    tracks = {face.track_id for frame in seen for face in frame.faces}
    assert len(tracks) == 2, "another stream has other tracks"
    faces = tuple(
        dataclasses.replace(face, track_id=other.track_id)
        for face, other in zip(result.faces, expected.faces, strict=True)
    )
    assert dataclasses.replace(result, timings=expected.timings, faces=faces) == expected


def test_bad_pictures_are_refused_one_by_one_and_the_good_one_is_enrolled(
    client: facewire.Client, gallery: str, astronaut: Pixels
) -> None:
    two = np.concatenate([astronaut, astronaut], axis=1)
    pictures = [b"text", jpeg(astronaut), jpeg(two), jpeg(np.zeros((99, 99, 3), np.uint8))]
    result = client.enroll("eileen", pictures, gallery=gallery, selection=FaceSelection.ONLY)
    reasons = [picture.refusal and picture.refusal.name for picture in result.pictures]
    assert reasons == ["IMAGE_UNDECODABLE", None, "SEVERAL_FACES", "NO_FACE"]
    assert client.gallery(gallery).template_count == 1


def test_a_forgotten_person_is_not_found_by_the_next_call(
    client: facewire.Client, enrolled: str, astronaut: Pixels
) -> None:
    client.delete_identity("eileen", gallery=enrolled)
    (face,) = client.recognize(jpeg(astronaut), gallery=enrolled).faces
    assert decision_of(face).outcome is Outcome.UNKNOWN


def test_enrolled_people_survive_a_restart(models: Path, tmp_path: Path, astronaut: Pixels) -> None:
    for start in range(2):
        with running_server(data=tmp_path) as server, facewire.Client(server.address) as client:
            if start == 0:
                client.enroll("eileen", [jpeg(astronaut)])
            (face,) = client.recognize(jpeg(astronaut)).faces
            assert decision_of(face).identity_id == "eileen"


def test_two_servers_on_one_gallery_see_each_others_people_at_once(
    models: Path, tmp_path: Path, astronaut: Pixels
) -> None:
    with (
        running_server(data=tmp_path) as one,
        running_server(data=tmp_path) as two,
        facewire.Client(one.address) as here,
        facewire.Client(two.address) as there,
    ):
        for turn in range(5):
            here.enroll(f"eileen {turn}", [jpeg(astronaut)])
            (face,) = there.recognize(jpeg(astronaut)).faces
            assert decision_of(face).identity_id == f"eileen {turn}"
            there.delete_identity(f"eileen {turn}")
            (face,) = here.recognize(jpeg(astronaut)).faces
            assert decision_of(face).outcome is Outcome.UNKNOWN


def test_the_process_holds_no_tensorflow(server: RunningServer) -> None:
    assert "libopenvino" in server.maps()
    assert "libtensorflow" not in server.maps()


def test_the_log_names_nobody(
    server: RunningServer, client: facewire.Client, enrolled: str, astronaut: Pixels
) -> None:
    client.recognize(jpeg(astronaut), gallery=enrolled)
    assert "listening" in server.log()
    assert "eileen" not in server.log().lower()
