"""A session with the official SDK of CompreFace: `python sdk_session.py PORT KEY FOLDER`; prints what each call returns as JSON.

In a process of its own: the SDK's package has the name of the folder of these tests, and its code warns.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any


def main(port: str, key: str, folder: Path) -> dict[str, Any]:
    """Adds, lists, recognizes, verifies, renames and deletes."""
    ada, again, bo = (str(folder / f"{name}.jpg") for name in ("ada", "ada_again", "bo"))
    compreface = importlib.import_module("compreface").CompreFace
    options = {
        "limit": 0, "det_prob_threshold": 0.8, "prediction_count": 2, "face_plugins": "landmarks", "status": True,
    }  # fmt: skip
    service = compreface("http://127.0.0.1", port, options)
    recognition = service.init_face_recognition(key)
    faces, subjects = recognition.get_face_collection(), recognition.get_subjects()
    done: dict[str, Any] = {
        "made": subjects.add("bo"),
        "added": faces.add(ada, "ada"),
        "added_bo": faces.add(Path(bo).read_bytes(), "bo"),
        "subjects": subjects.list(),
        "listed": faces.list(),
        "recognized": recognition.recognize(again),
        "verified": service.init_face_verification(key).verify(ada, again),
        "detected": service.init_face_detection(key).detect(bo),
    }
    done["verified_example"] = faces.verify(again, done["added"]["image_id"])
    done["renamed"] = subjects.update("ada", "Ada Lovelace")
    done["recognized_again"] = recognition.recognize(Path(again).read_bytes())
    done["deleted"] = faces.delete(done["added"]["image_id"])
    done["deleted_all"] = faces.delete_all("bo")
    done["emptied"] = subjects.delete_all()
    done["left"] = subjects.list()
    return done


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))))
