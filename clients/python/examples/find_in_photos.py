"""Lists the photos that show a person.

python find_in_photos.py ada holidays/
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import facewire

AT_ONCE = 4  # the client is safe for threads; the server works on some pictures at a time


def main(identity_id: str, folder: str, server: str = "127.0.0.1:50051") -> None:
    """Prints path and similarity, most similar first."""
    photos = [path for path in Path(folder).rglob("*") if path.suffix.lower() in (".jpg", ".png")]
    with facewire.Client(server) as client, ThreadPoolExecutor(AT_ONCE) as threads:

        def similarity(photo: Path) -> float:
            try:
                decisions = [face.decision for face in recognized(client, photo).faces]
            except facewire.InvalidPictureError as error:
                print(f"{photo}: {error}", file=sys.stderr)
                return 0.0
            return max((d.similarity for d in decisions if d.identity_id == identity_id), default=0)

        found = zip(threads.map(similarity, photos), photos, strict=True)
        for score, photo in sorted(found, reverse=True):
            if score > 0:
                print(f"{score:.3f} {photo}")


def recognized(client: facewire.Client, photo: Path) -> facewire.Recognition:
    """Recognizes a photo; waits while the server has no room."""
    while True:
        try:
            return client.recognize(photo)
        except facewire.LimitError as error:
            if not error.retryable:
                raise
            time.sleep(error.retry_after_s or 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
