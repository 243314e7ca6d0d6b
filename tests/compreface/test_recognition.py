"""Recognizing, detecting and verifying: fields, options and limits."""

import base64

import pytest

from harness.compreface_calls import Caller, form


def test_a_box_is_in_whole_pixels_and_holds_the_face(door: Caller, people) -> None:
    (face,) = door.recognize(people.ada)
    assert set(face) == {"box", "subjects"}
    box = face["box"]
    assert all(isinstance(box[side], int) for side in ("x_min", "y_min", "x_max", "y_max"))
    assert 0 <= box["x_min"] < box["x_max"]
    assert 0 <= box["y_min"] < box["y_max"]
    assert 0.7 <= box["probability"] <= 1


def test_landmarks_and_times_come_if_they_are_asked_for(door: Caller, people) -> None:
    answer = door.post(
        "/recognition/recognize?face_plugins=age,landmarks,gender&status=true", file=people.ada
    )
    (face,) = answer.body["result"]
    left_eye, right_eye, nose, left_mouth, _ = face["landmarks"]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_eye[1] < nose[1] < left_mouth[1]
    assert set(face) == {"box", "subjects", "landmarks", "execution_time"}  # no age, no gender
    assert face["execution_time"]["detector"] > 0
    assert set(answer.body["plugins_versions"]) == {"detector", "calculator"}


def test_a_limit_leaves_the_largest_faces(door: Caller, people) -> None:
    both = door.recognize(people.both)
    assert len(both) == 2

    def area(face):
        box = face["box"]
        return (box["x_max"] - box["x_min"]) * (box["y_max"] - box["y_min"])

    (largest,) = door.recognize(people.both, "?limit=1")
    assert area(largest) == max(map(area, both))
    assert len(door.recognize(people.both, "?limit=0")) == 2


def test_a_high_detection_threshold_leaves_faces_out(door: Caller, people) -> None:
    answer = door.post("/detection/detect?det_prob_threshold=1", file=people.ada)
    assert (answer.status, answer.body["code"]) == (400, 28)
    assert len(door.recognize(people.ada, "?det_prob_threshold=0.0")) == 1  # below the server's own


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("det_prob_threshold=1.5", 26),
        ("det_prob_threshold=high", 26),
        ("det_prob_threshold=nan", 26),
        ("limit=-1", 26),
        ("limit=1e3", 26),
        ("limit=99999999999999999999", 26),
        ("prediction_count=0", 12),
        ("prediction_count=many", 12),
    ],
)
def test_an_option_out_of_range_is_refused(door: Caller, people, query: str, code: int) -> None:
    answer = door.post(f"/recognition/recognize?{query}", file=people.ada)
    assert (answer.status, answer.body["code"]) == (400, code)


def test_detection_names_nobody(door: Caller, people) -> None:
    door.add("ada", people.ada)
    answer = door.post("/detection/detect", file=people.both)
    assert [set(face) for face in answer.body["result"]] == [{"box"}, {"box"}]


def test_a_picture_may_come_as_base64(door: Caller, people) -> None:
    door.add("ada", people.ada)
    plain = base64.b64encode(people.ada_again).decode()
    for text in (plain, f"data:image/jpeg;base64,{plain}", "\n".join([plain[:76], plain[76:]])):
        answer = door.send("/recognition/recognize", {"file": text})
        assert answer.status == 200
        assert answer.body["result"][0]["subjects"][0]["subject"] == "ada"


def test_an_example_may_come_as_base64(door: Caller, people) -> None:
    encoded = base64.b64encode(people.ada).decode()
    answer = door.send("/recognition/faces?subject=ada", {"file": encoded})
    assert answer.status == 201
    assert door.subjects() == ["ada"]


def test_two_pictures_of_one_person_match(door: Caller, people) -> None:
    def similarity(source: bytes, target: bytes) -> float:
        answer = door.post("/verification/verify", source_image=source, target_image=target)
        (result,) = answer.body["result"]
        assert "box" in result["source_image_face"]
        (match,) = result["face_matches"]
        assert "box" in match
        return match["similarity"]

    assert similarity(people.ada, people.ada_again) >= 0.6
    assert similarity(people.ada, people.bo) < 0.4


def test_of_several_faces_a_source_is_refused_and_a_target_says_which_one_it_was(
    door: Caller, people
) -> None:
    answer = door.post("/verification/verify", source_image=people.both, target_image=people.ada)
    assert (answer.status, answer.body["code"]) == (400, 31)
    answer = door.post("/verification/verify", source_image=people.both, target_image=people.both)
    assert (answer.status, answer.body["code"]) == (400, 31)
    detected = door.post("/detection/detect", file=people.both).body["result"]
    assert len(detected) == 2
    for source in (people.ada_again, people.bo):
        answer = door.post("/verification/verify", source_image=source, target_image=people.both)
        (match,) = answer.body["result"][0]["face_matches"]
        assert match["box"] in [face["box"] for face in detected]


def test_two_pictures_may_come_as_base64(door: Caller, people) -> None:
    encoded = base64.b64encode(people.ada).decode()
    answer = door.send("/verification/verify", {"source_image": encoded, "target_image": encoded})
    assert answer.body["result"][0]["face_matches"][0]["similarity"] > 0.9


def test_a_face_is_verified_against_an_example(door: Caller, people) -> None:
    ada, bo = door.add("ada", people.ada), door.add("bo", people.bo)

    def similarities(image_id: str, picture: bytes) -> list[float]:
        answer = door.post(f"/recognition/faces/{image_id}/verify", file=picture)
        return [face["similarity"] for face in answer.body["result"]]

    (same,) = similarities(ada, people.ada_again)
    (other,) = similarities(bo, people.ada_again)
    assert same >= 0.6
    assert other < 0.4
    assert sorted(each >= 0.6 for each in similarities(ada, people.both)) == [False, True]


def test_an_example_that_is_not_there_verifies_nothing(door: Caller, people) -> None:
    missing = "00000000-0000-4000-8000-000000000000"
    answer = door.post(f"/recognition/faces/{missing}/verify", file=people.ada)
    assert (answer.status, answer.body["code"]) == (404, 11)


def test_a_picture_of_several_people_is_no_example(door: Caller, people) -> None:
    answer = door.post("/recognition/faces?subject=ada", file=people.both)
    assert (answer.status, answer.body["code"]) == (400, 31)
    assert door.subjects() == []


def test_a_picture_that_is_none_is_refused(door: Caller) -> None:
    answer = door.post("/recognition/recognize", file=b"<html>")
    assert (answer.status, answer.body["code"]) == (400, 21)


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (form([("picture", "1.jpg", b"x")])[0], form([])[1], 33),
        (form([("file", "1.jpg", b"")])[0], form([])[1], 33),
        (form([("file", None, b"text")])[0], form([])[1], 33),
        (b"no form at all", form([])[1], 26),
        (b"", "multipart/form-data", 26),
        (b"", "text/plain", 26),
        (b"{", "application/json", 26),
        (b"[" * 50_000, "application/json", 26),
        (b"{}", "application/json", 33),
        (b'["file"]', "application/json", 33),
        (b'{"file": 5}', "application/json", 33),
        (b'{"file": ""}', "application/json", 33),
        (b'{"file": "not base64!"}', "application/json", 26),
        ('{"file": "ünicode"}'.encode(), "application/json", 26),
    ],
)
def test_a_body_without_a_picture_is_refused(
    door: Caller, body: bytes, content_type: str, code: int
) -> None:
    answer = door.call("POST", "/recognition/recognize", body, content_type)
    assert (answer.status, answer.body["code"]) == (400, code)


def test_a_picture_of_more_than_5_mb_is_refused(door: Caller, people) -> None:
    limit = 5 << 20
    padded = people.ada + b"\0" * (limit - len(people.ada))  # a JPEG ends where it says so
    assert len(door.recognize(padded)) == 1
    answer = door.post("/recognition/recognize", file=padded + b"\0")
    assert (answer.status, answer.body["code"]) == (400, 26)
    encoded = base64.b64encode(padded).decode()
    assert door.send("/recognition/recognize", {"file": encoded}).status == 200


def test_a_form_of_many_parts_is_refused(door: Caller, people) -> None:
    parts = [("file", "1.jpg", people.ada)] * 2
    answer = door.call("POST", "/recognition/recognize", *form(parts))
    assert (answer.status, answer.body["code"]) == (400, 26)
    fields = [(f"field{number}", None, b"x") for number in range(100)]
    answer = door.call("POST", "/recognition/recognize", *form(fields))
    assert (answer.status, answer.body["code"]) == (400, 26)
