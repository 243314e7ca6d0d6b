"""`facewire identity not ...`: faces that were taken for a person and are not this person."""

from pathlib import Path
from shlex import quote

from facewire import AddedNegativeExample, DetectionOptions, FaceSelection
from facewire.cli._output import ERRORS, print_json, print_table
from facewire.cli._pictures import read_picture, source_of
from facewire.cli._session import Server, session

__all__ = ["add", "list_of", "take_back"]


def add(
    server: Server,
    identity_id: str,
    picture: Path,
    *,
    gallery: str,
    selection: FaceSelection,
    min_face_px: int,
    as_json: bool,
) -> None:
    """Adds a negative example, and prints what it means and how it is taken back.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        added = client.add_negative_example(
            identity_id,
            read_picture(picture),
            gallery=gallery,
            selection=selection,
            source=source_of(picture.name),
            detection=DetectionOptions(min_face_px=min_face_px),
        )
    if as_json:
        print_json(picture=str(picture), added=added)
        return
    for line in _lines(identity_id, gallery, added):
        ERRORS.print(line)


def list_of(server: Server, identity_id: str, *, gallery: str, as_json: bool) -> None:
    """Prints the negative examples of an identity.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        found = list(client.negative_examples(identity_id, gallery=gallery))
    if as_json:
        for example in found:
            print_json(negative_example=example)
        return
    rows = [
        (
            each.negative_example_id,
            each.source,
            f"{each.quality.inter_eye_px:.0f}",
            f"{each.created_at:%Y-%m-%d %H:%M}",
        )
        for each in found
    ]
    print_table(f"not {identity_id}", ["id", "source", " eyes (px)", "since (UTC)"], rows)


def take_back(server: Server, negative_example_id: str, *, gallery: str, as_json: bool) -> None:
    """Deletes a negative example.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        revision = client.delete_negative_example(negative_example_id, gallery=gallery)
    if as_json:
        print_json(negative_example_id=negative_example_id, status="deleted", revision=revision)
    else:
        ERRORS.print(f"Negative example {negative_example_id} is deleted.")


def _lines(identity_id: str, gallery: str, added: AddedNegativeExample) -> list[str]:
    lines = [
        f"A face that is nearer to this one than to {identity_id} no longer gets the name. Similarity to {identity_id}: "
        f"{added.similarity:.3f}, the threshold is {added.threshold:.3f}."
    ]
    if added.similarity < added.threshold:
        lines.append("It does not reach the threshold as it is, so it may change little.")
    example = added.example.negative_example_id
    lines.append(
        f"If that was wrong: facewire identity delete-negative-example --gallery {quote(gallery)} -- {example}"
    )
    return lines
