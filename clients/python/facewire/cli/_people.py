"""`facewire identities` and `facewire forget`: lists and deletes identities."""

import typer

from facewire import ErrorReason, NotFoundError
from facewire.cli._output import ERRORS, counted, print_json, print_table
from facewire.cli._session import EXIT_REFUSED, Server, session

__all__ = ["forget", "identities"]


def identities(server: Server, *, gallery: str, as_json: bool) -> None:
    """Prints the identities of a gallery.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    rows = []
    with session(server) as client:
        for person in client.identities(gallery=gallery):
            if as_json:
                print_json(identity=person)
            else:
                since = f"{person.created_at:%Y-%m-%d %H:%M}"
                count = str(person.template_count)
                rows.append((person.identity_id, person.display_name, count, since))
    if as_json:
        return
    if rows:
        print_table(f"Gallery {gallery}", ["id", "name", " templates", "since (UTC)"], rows)
    ERRORS.print(f"{counted(len(rows), 'person', 'people')} in gallery {gallery!r}.")


def forget(server: Server, identity_ids: list[str], *, gallery: str, as_json: bool) -> None:
    """Deletes identities with their templates; one that is unknown does not stop the rest.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    unknown = False
    with session(server) as client:
        for identity_id in identity_ids:
            try:
                revision = client.delete_identity(identity_id, gallery=gallery)
            except NotFoundError as error:
                if error.reason is not ErrorReason.IDENTITY_NOT_FOUND:
                    raise
                unknown = True
                revision = 0
            status = "deleted" if revision else "unknown"
            if as_json:
                print_json(identity_id=identity_id, status=status, revision=revision)
            else:
                ERRORS.print(f"{identity_id}: {status}")
    if unknown:
        if not as_json:
            ERRORS.print("`facewire identities` lists the people of a gallery.")
        raise typer.Exit(EXIT_REFUSED)
