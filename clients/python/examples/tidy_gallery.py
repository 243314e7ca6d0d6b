"""Lists people with too few good pictures.

python tidy_gallery.py [SERVER]
"""

import sys

import facewire

ENOUGH = 3
GOOD_INTER_EYE_PX = 40


def main(server: str = "127.0.0.1:50051") -> None:
    """Prints id, name, and how many good pictures there are."""
    with facewire.Client(server) as client:
        for person in client.identities():
            templates = client.templates(person.identity_id)
            good = sum(each.quality.inter_eye_px >= GOOD_INTER_EYE_PX for each in templates)
            if good < ENOUGH:
                print(f"{person.identity_id}\t{person.display_name}\t{good} of {ENOUGH}")


if __name__ == "__main__":
    main(*sys.argv[1:])
