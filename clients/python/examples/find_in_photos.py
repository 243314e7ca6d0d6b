"""Lists the photos that show a person.

python find_in_photos.py ada holidays/
"""

import sys
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
                faces = client.recognize(photo).faces
            except facewire.InvalidPictureError as error:
                print(f"{photo}: {error}", file=sys.stderr)
                return 0.0
            decisions = [face.decision for face in faces if face.decision is not None]
            return max((d.similarity for d in decisions if d.identity_id == identity_id), default=0)

        found = zip(threads.map(similarity, photos), photos, strict=True)
        for score, photo in sorted(found, reverse=True):
            if score > 0:
                print(f"{score:.3f} {photo}")


if __name__ == "__main__":
    main(*sys.argv[1:])
