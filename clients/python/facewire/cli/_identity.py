"""`facewire identity ...`: the templates of one identity, and whose they are."""

from shlex import quote
from unicodedata import normalize

from facewire import FacewireError
from facewire.cli._output import ERRORS, counted, print_json, print_table
from facewire.cli._session import Server, session, usage_error

__all__ = ["delete_template", "merge", "split", "templates"]


def templates(server: Server, identity_id: str, *, gallery: str, as_json: bool) -> None:
    """Prints the templates of an identity.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        found = list(client.templates(identity_id, gallery=gallery))
    if as_json:
        for template in found:
            print_json(template=template)
        return
    rows = [
        (
            each.template_id,
            each.source,
            f"{each.quality.inter_eye_px:.0f}",
            f"{each.created_at:%Y-%m-%d %H:%M}",
        )
        for each in found
    ]
    print_table(identity_id, ["id", "source", " eyes (px)", "since (UTC)"], rows)


def delete_template(
    server: Server, identity_id: str, template_id: str, *, gallery: str, as_json: bool
) -> None:
    """Deletes a template of an identity.

    Raises:
        typer.Exit: with the exit code, unless it is 0; nothing is deleted if the template is another identity's.
    """
    with session(server) as client:
        owner = client.template(template_id, gallery=gallery).identity_id
        if normalize("NFC", owner) != normalize(
            "NFC", identity_id
        ):  # one id, as the server compares
            raise usage_error(f"template {template_id} is not of {identity_id}, but of {owner}.")
        revision = client.delete_template(template_id, gallery=gallery)
        try:
            left = client.identity(owner, gallery=gallery).template_count
        except FacewireError:  # the template is deleted: that is the answer
            left = None
    if as_json:
        print_json(
            identity_id=identity_id,
            template_id=template_id,
            status="deleted",
            revision=revision,
            template_count=left,
        )
        return
    rest = "" if left is None else f" {identity_id} has {counted(left, 'template')}."
    ERRORS.print(f"Template {template_id} is deleted.{rest}")
    if left == 0:
        ERRORS.print("Without a template a person is not recognized: enroll a picture.")


def merge(
    server: Server, identity_id: str, merged_identity_id: str, *, gallery: str, as_json: bool
) -> None:
    """Makes two identities one, and prints how it is taken back.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        moved = [each.template_id for each in client.templates(merged_identity_id, gallery=gallery)]
        identity = client.merge_identities(identity_id, merged_identity_id, gallery=gallery)
    if as_json:
        print_json(identity=identity, merged_identity_id=merged_identity_id, template_ids=moved)
        return
    ERRORS.print(
        f"{merged_identity_id} is {identity.identity_id} now, who has {counted(identity.template_count, 'template')}."
    )
    if examples := identity.negative_example_count:
        command = f"facewire identity negative-examples --gallery {quote(gallery)} -- {quote(identity.identity_id)}"
        ERRORS.print(
            f"{counted(examples, 'negative example')} of {identity.identity_id}: one that shows this person takes the name away. To look: {command}"
        )
    if moved:
        words = [identity.identity_id, merged_identity_id, *moved]
        options = f"--gallery {quote(gallery)} -- {' '.join(map(quote, words))}"
        ERRORS.print(f"If that was wrong: facewire identity split {options}")


def split(
    server: Server,
    identity_id: str,
    new_identity_id: str,
    template_ids: list[str],
    *,
    display_name: str,
    gallery: str,
    as_json: bool,
) -> None:
    """Makes one identity two.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    with session(server) as client:
        created = client.split_identity(
            identity_id, template_ids, new_identity_id, gallery=gallery, display_name=display_name
        )
    if as_json:
        print_json(identity=created)
    else:
        count = counted(created.template_count, "template")
        ERRORS.print(f"{count} of {identity_id} moved to {created.identity_id}.")
