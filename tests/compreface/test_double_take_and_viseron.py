"""Whole sequences of the programs that call CompreFace, byte for byte as they write them."""

import base64
import json
from typing import Any

import cv2
import numpy as np

from harness.compreface_calls import Caller, address_of, exchange, form

USER_AGENT = "User-Agent: axios/0.27.2"
ACCEPT = "Accept: application/json, text/plain, */*"


class DoubleTake:
    """Double Take's detector "compreface": its requests, and how it reads the responses."""

    def __init__(self, address: str, key: str) -> None:
        self.address = address
        self.key = key

    def ask(self, line: str, picture: bytes | None = None) -> tuple[int, Any]:
        head = [f"{line} HTTP/1.1", ACCEPT, USER_AGENT, f"x-api-key: {self.key}"]
        body = b""
        if picture is not None:
            body, content_type = form([("file", "1a2b3c.jpg", picture)])
            head.insert(2, f"Content-Type: {content_type}")
        return exchange(self.address, head, body)

    def train(self, name: str, picture: bytes) -> tuple[int, Any]:
        return self.ask(f"POST /api/v1/recognition/faces?subject={name}", picture)

    def remove(self, name: str) -> tuple[int, Any]:
        return self.ask(f"DELETE /api/v1/recognition/faces?subject={name}")

    def recognize(self, picture: bytes) -> list[dict[str, Any]]:
        """What it makes of a response, with its default thresholds."""
        _, data = self.ask(
            "POST /api/v1/recognition/recognize?face_plugins=undefined&det_prob_threshold=0.8",
            picture,
        )
        if "result" not in data:
            assert data["code"] == 28, data  # or else it throws
            return []
        found = []
        for face in data["result"]:
            confidence = round(face["subjects"][0]["similarity"] * 100, 2)
            box = face["box"]
            area = (box["x_max"] - box["x_min"]) * (box["y_max"] - box["y_min"])
            found.append(
                {
                    "name": face["subjects"][0]["subject"].lower()
                    if confidence >= 40
                    else "unknown",
                    "match": confidence >= 60 and area >= 10_000,
                }
            )
        return found


def test_double_take_trains_recognizes_and_removes(console, key, door: Caller, people) -> None:
    double_take = DoubleTake(address_of(console), key)
    assert double_take.train("Ada", people.ada)[0] == 201
    assert double_take.train("Bo", people.bo)[0] == 201
    assert double_take.recognize(people.ada_again) == [{"name": "ada", "match": True}]
    assert double_take.recognize(people.nobody) == []
    assert double_take.remove("Bo")[1] == {"deleted": 1}
    assert double_take.recognize(people.bo) == [{"name": "unknown", "match": False}]
    assert double_take.remove("ada")[1] == {"deleted": 1}
    assert door.subjects() == []


def test_double_take_removes_nobody_else(console, key, door: Caller, people) -> None:
    double_take = DoubleTake(address_of(console), key)
    double_take.train("Ada", people.ada)
    assert double_take.remove("bo")[1] == {"deleted": 0}
    assert double_take.remove("")[0] == 405
    assert door.subjects() == ["Ada"]


def test_viseron_enrolls_a_folder_and_recognizes(console, key, door: Caller, people) -> None:
    # As its component does: everyone is deleted first, then enrolled from a JPEG of OpenCV, named "image.jpg".
    def post(path: str, picture: bytes) -> Any:
        body, content_type = form([("file", "image.jpg", picture)])
        head = [
            f"POST {path} HTTP/1.1",
            "User-Agent: python-requests/2.26.0",
            "Accept-Encoding: gzip, deflate",
            "Accept: */*",
            f"Content-Type: {content_type}",
            f"x-api-key: {key}",
        ]
        return exchange(address_of(console), head, body)[1]

    for name, picture in (("ada", people.ada), ("bo", people.bo)):
        door.delete(f"/recognition/faces?subject={name}")
        pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
        assert pixels is not None
        again = cv2.imencode(".jpg", pixels)[1].tobytes()
        assert "message" not in post(f"/api/v1/recognition/faces?subject={name}", again)
    query = "?&limit=0&det_prob_threshold=0.8&prediction_count=1&status=False"
    result = post(f"/api/v1/recognition/recognize{query}", people.ada_again)["result"]
    subject = result[0]["subjects"][0]
    assert subject["subject"] == "ada"
    assert subject["similarity"] >= 0.5
    assert "result" not in post(f"/api/v1/recognition/recognize{query}", people.nobody)


def test_stash_and_others_may_send_base64(console, key, people) -> None:
    body = json.dumps({"file": base64.b64encode(people.ada).decode()}).encode()
    head = [
        "POST /api/v1/recognition/recognize?limit=10&prediction_count=3&face_plugins=landmarks,gender,age,calculator,mask HTTP/1.1",
        f"x-api-key: {key}",
        "Content-Type: application/json; charset=utf-8",
    ]
    status, answer = exchange(address_of(console), head, body)
    assert status == 200
    assert len(answer["result"][0]["landmarks"]) == 5
