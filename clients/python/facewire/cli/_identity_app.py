"""The commands under `facewire identity`."""

from pathlib import Path
from typing import Annotated

import typer

from facewire import FaceSelection
from facewire.cli import _identity, _negatives
from facewire.cli._shared_options import GalleryOption, JsonOption, MinFaceOption

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="One identity: its templates; a face that is not this person; two that are one person, and one that is two.",
)

IdentityId = Annotated[str, typer.Argument(metavar="IDENTITY")]


@app.command()
def templates(
    context: typer.Context,
    identity_id: IdentityId,
    gallery: GalleryOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Lists the templates of IDENTITY, oldest first."""
    _identity.templates(context.obj, identity_id, gallery=gallery, as_json=as_json)


@app.command()
def delete_template(
    context: typer.Context,
    identity_id: IdentityId,
    template_id: Annotated[str, typer.Argument(metavar="TEMPLATE")],
    gallery: GalleryOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Deletes TEMPLATE of IDENTITY, of `templates` or `facewire doctor`. This cannot be undone."""
    _identity.delete_template(
        context.obj, identity_id, template_id, gallery=gallery, as_json=as_json
    )


@app.command("not")
def not_this_person(
    context: typer.Context,
    identity_id: IdentityId,
    picture: Annotated[Path, typer.Argument(metavar="PICTURE")],
    gallery: GalleryOption = "default",
    selection: Annotated[
        FaceSelection,
        typer.Option(case_sensitive=False, help="Which face of the picture is meant."),
    ] = FaceSelection.ONLY,
    min_face_px: MinFaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Says that the face in PICTURE, which was taken for IDENTITY, is another person's: a negative example.

    From then on a face that is nearer to it than to IDENTITY does not get the name. Prints the command that takes it back.
    """
    _negatives.add(
        context.obj,
        identity_id,
        picture,
        gallery=gallery,
        selection=selection,
        min_face_px=min_face_px or 0,
        as_json=as_json,
    )


@app.command()
def negative_examples(
    context: typer.Context,
    identity_id: IdentityId,
    gallery: GalleryOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Lists the negative examples of IDENTITY, oldest first."""
    _negatives.list_of(context.obj, identity_id, gallery=gallery, as_json=as_json)


@app.command()
def delete_negative_example(
    context: typer.Context,
    negative_example_id: Annotated[str, typer.Argument(metavar="EXAMPLE")],
    gallery: GalleryOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Takes back the negative example EXAMPLE, of `negative-examples`: faces get the name again."""
    _negatives.take_back(context.obj, negative_example_id, gallery=gallery, as_json=as_json)


@app.command()
def merge(
    context: typer.Context,
    identity_id: IdentityId,
    merged_identity_id: Annotated[str, typer.Argument(metavar="MERGED")],
    gallery: GalleryOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Makes two identities that are one person into IDENTITY: the templates of MERGED become its, and MERGED is deleted.

    Prints the command that takes it back, but for what was seen of MERGED, which stays IDENTITY's.
    """
    _identity.merge(context.obj, identity_id, merged_identity_id, gallery=gallery, as_json=as_json)


@app.command()
def split(
    context: typer.Context,
    identity_id: IdentityId,
    new_identity_id: Annotated[str, typer.Argument(metavar="NEW")],
    template_ids: Annotated[list[str], typer.Argument(metavar="TEMPLATE...")],
    name: Annotated[str, typer.Option(help="For people.", show_default="the id")] = "",
    gallery: GalleryOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Makes an identity NEW of some templates of IDENTITY, which are another person's."""
    _identity.split(
        context.obj,
        identity_id,
        new_identity_id,
        template_ids,
        display_name=name,
        gallery=gallery,
        as_json=as_json,
    )
