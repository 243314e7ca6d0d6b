"""`facewire gallery ...`: manages galleries, exports and imports them."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import typer
from rich.progress import Progress

from facewire import AlreadyExistsError
from facewire.cli._output import ERRORS, counted, print_json, print_table, work_progress
from facewire.cli._session import EXIT_INTERRUPTED, Server, session, usage_error

__all__ = ["create", "delete", "export", "import_", "list_", "purge"]


def list_(server: Server, *, as_json: bool) -> None:
    """Prints all galleries.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        galleries = list(client.galleries())
    if as_json:
        for gallery in galleries:
            print_json(gallery=gallery)
        return
    rows = [
        (
            each.gallery_id,
            each.display_name,
            str(each.identity_count),
            str(each.template_count),
            str(each.revision),
            f"{each.created_at:%Y-%m-%d %H:%M}",
        )
        for each in galleries
    ]
    columns = ["id", "name", " people", " templates", " revision", "since (UTC)"]
    print_table("Galleries", columns, rows)


def create(server: Server, gallery: str, *, display_name: str, as_json: bool) -> None:
    """Makes an empty gallery.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        made = client.create_gallery(gallery, display_name=display_name)
    if as_json:
        print_json(gallery=made)
    else:
        ERRORS.print(f"Gallery {made.gallery_id!r} is created.")


def delete(server: Server, gallery: str, *, sure: bool, as_json: bool) -> None:
    """Deletes a gallery with all its people, after a confirmation.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        people = counted(client.gallery(gallery).identity_count, "person", "people")
    if not sure:
        if as_json or not ERRORS.is_terminal:
            raise usage_error(f"this deletes {people}. Add --yes to do it.")
        if not _confirmed(f"Delete gallery {gallery!r} with {people}?"):
            raise typer.Exit(EXIT_INTERRUPTED)
    with session(server) as client:
        revision = client.delete_gallery(gallery)
    if as_json:
        print_json(gallery_id=gallery, status="deleted", revision=revision)
    else:
        ERRORS.print(f"Gallery {gallery!r} is deleted.")


def _confirmed(question: str) -> bool:
    """Asks; Ctrl-C means no. To be called outside of a session, in which Ctrl-C would end the command."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        return False


def purge(server: Server, *, as_json: bool) -> None:
    """Has everything erased that was deleted.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        rewritten = client.purge_deleted()
    if as_json:
        print_json(status="erased" if rewritten else "nothing to erase")
    elif rewritten:
        ERRORS.print("What was deleted is erased: the server's galleries are in a new file.")
    else:
        ERRORS.print("There was nothing to erase.")


def export(server: Server, file: Path, *, gallery: str, replace: bool, as_json: bool) -> None:
    """Writes a gallery to a file.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    if file.exists() and not replace:
        raise usage_error(f"{file} exists. Add --force to replace it.")
    with session(server) as client, _progress_bar("exporting", as_json=as_json) as progress:
        exported = client.export_gallery(file, gallery=gallery, progress=progress)
    if as_json:
        print_json(file=str(file), gallery=exported)
        return
    ERRORS.print(
        f"{file} holds {counted(exported.identity_count, 'person', 'people')} with "
        f"{counted(exported.template_count, 'template')}. This is biometric data: protect it like passwords."
    )


def import_(server: Server, file: Path, *, gallery: str, create: bool, as_json: bool) -> None:
    """Adds the people of a file to a gallery.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    interrupted = threading.Event()
    with session(server, interrupted) as client:
        if create:
            with suppress(AlreadyExistsError):  # this is the second run
                client.create_gallery(gallery)
        try:
            with _progress_bar("importing", as_json=as_json) as progress:
                result = client.import_gallery(file, gallery=gallery, progress=progress)
        except ValueError as error:
            if interrupted.is_set():
                raise
            raise usage_error(str(error)) from error
    if as_json:
        print_json(file=str(file), gallery_id=gallery, result=result)
        return
    ERRORS.print(
        f"{counted(result.identities_added, 'person', 'people')} and "
        f"{counted(result.templates_added, 'template')} added to gallery {gallery!r}; "
        f"{counted(result.templates_skipped, 'template')} existed already."
    )
    if result.negative_examples_added:
        ERRORS.print(f"{counted(result.negative_examples_added, 'negative example')} added.")
    if result.templates_poor:
        ERRORS.print(
            f"Warning: an enrollment would refuse {counted(result.templates_poor, 'template')} of this file: a "
            "stranger whose face is poor in the same way may get that person's name. If you have the pictures, "
            "enroll them into a new gallery: `facewire enroll` refuses the poor ones, and says why."
        )


@contextmanager
def _progress_bar(what: str, *, as_json: bool) -> Iterator[Callable[[int, int], None]]:
    """Shows a progress display; yields the function that updates it."""
    with work_progress(as_json=as_json) as bar:
        task = bar.add_task(what, total=None)
        yield _update(bar, task)


def _update(bar: Progress, task: int) -> Callable[[int, int], None]:
    # Called by gRPC's threads and from loops of thousands a second; rich takes both.
    return lambda done, total: bar.update(task, completed=done, total=total)  # type: ignore[arg-type] # rich's own name for an int
