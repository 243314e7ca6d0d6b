"""`facewire unknown ...`: lists, names and erases people whom a gallery does not know."""

import warnings
from pathlib import Path

import typer

from facewire import EnrollResult, SimilarIdentityWarning
from facewire.cli._output import ERRORS, counted, print_json, print_table, words
from facewire.cli._session import EXIT_REFUSED, Server, session, usage_error

__all__ = ["forget", "list_", "name", "pictures"]


def list_(server: Server, *, gallery: str, as_json: bool) -> None:
    """Prints the unknown people of a gallery.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        people = list(client.unknown_people(gallery=gallery))
    if as_json:
        for person in people:
            print_json(unknown=person)
        return
    rows = [
        (
            str(person.unknown_id),
            str(person.visit_count),
            f"{person.first_seen:%Y-%m-%d %H:%M}",
            f"{person.last_seen:%Y-%m-%d %H:%M}",
            ", ".join(person.camera_ids),
            str(person.picture_count),
        )
        for person in people
    ]
    if rows:
        columns = ["id", " visits", "first seen (UTC)", "last seen", "cameras", " pictures"]
        print_table(f"Unknown people, gallery {gallery}", columns, rows)
    ERRORS.print(f"{counted(len(rows), 'unknown person', 'unknown people')}, gallery {gallery!r}.")


def pictures(server: Server, unknown_id: int, folder: Path, *, gallery: str, as_json: bool) -> None:
    """Writes the pictures of an unknown person to a folder, which must be new or empty.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise usage_error(f"{folder} is there already, and not an empty folder")
    with session(server) as client:
        found = client.unknown_pictures(unknown_id, gallery=gallery)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number, picture in enumerate(found, start=1):
            path = folder / f"{number}.jpg"
            path.touch(mode=0o600)
            path.write_bytes(picture.image.data)
            if as_json:
                print_json(picture=path, camera_id=picture.camera_id, last_seen=picture.last_seen)
    except OSError as error:
        raise usage_error(str(error)) from error
    if not as_json:
        ERRORS.print(f"{counted(len(found), 'picture')} written to {folder}: biometric data.")


def name(
    server: Server,
    unknown_id: int,
    identity_id: str,
    *,
    gallery: str,
    display_name: str,
    as_json: bool,
) -> None:
    """Enrolls an unknown person from their pictures.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore", SimilarIdentityWarning)  # `_report` says it
        result = client.enroll_unknown(
            unknown_id, identity_id, gallery=gallery, display_name=display_name
        )
    if as_json:
        print_json(enrolled=result)
    else:
        _report(result)
    if not result.accepted_count:
        raise typer.Exit(EXIT_REFUSED)


def forget(server: Server, unknown_id: int | None, *, gallery: str, as_json: bool) -> None:
    """Erases an unknown person, or all of a gallery (None).

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        if unknown_id is None:
            count = client.forget_all_unknown(gallery=gallery)
        else:
            client.forget_unknown(unknown_id, gallery=gallery)
            count = 1
    if as_json:
        print_json(forgotten_count=count)
    else:
        ERRORS.print(f"{counted(count, 'unknown person', 'unknown people')} erased.")


def _report(result: EnrollResult) -> None:
    refused = [picture for picture in result.pictures if not picture.accepted]
    for picture in refused:
        reason = words(picture.refusal) if picture.refusal else ""
        ERRORS.print(f"Refused: {reason}. {picture.detail}")
    for similar in sorted({picture.similar_identity_id for picture in result.pictures} - {""}):
        ERRORS.print(f"Warning: a picture also matches {similar}: one person under two names?")
    ERRORS.print(
        f"{counted(result.accepted_count, 'picture')} of {result.identity_id} enrolled, {len(refused)} refused."
    )
    if not result.accepted_count:
        ERRORS.print("The person is still unknown: enroll them with another picture.")
