"""The commands and what they have in common: which server, and how to exit."""

from pathlib import Path
from typing import Annotated

import typer

from facewire import FaceSelection, __version__
from facewire.cli import _enroll, _recognize, _watch
from facewire.cli._session import Server

__all__ = ["app"]

app = typer.Typer(
    name="facewire",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_EXIT_CODES = """\b
Exit codes:
  0    done
  1    done, but some pictures or frames were refused
  2    the command was used wrongly
  3    the server cannot be reached, or is not ready: try again
  4    the server refuses: another token, gallery or limit is needed
  5    a fault of the server
  130  interrupted by Ctrl-C
"""

Gallery = Annotated[str, typer.Option("--gallery", "-g", help="Whom to look for, or where to add.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
MinFace = Annotated[
    int | None,
    typer.Option(
        "--min-face-px",
        min=8,
        max=65535,
        help="Smallest face to find, pixels. Smaller is slower.",
        show_default="a part of the picture's shorter side",
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"facewire {__version__}")
        raise typer.Exit


@app.callback(epilog=_EXIT_CODES)
def _options(
    context: typer.Context,
    server: Annotated[
        str, typer.Option(envvar="FACEWIRE_SERVER", metavar="HOST:PORT", help="The server.")
    ] = "127.0.0.1:50051",
    token: Annotated[
        str | None, typer.Option(envvar="FACEWIRE_TOKEN", help="The server's token.")
    ] = None,
    tls: Annotated[bool, typer.Option("--tls", help="Encrypt; trust the public roots.")] = False,
    tls_ca: Annotated[
        Path | None,
        typer.Option(
            envvar="FACEWIRE_TLS_CA",
            exists=True,
            dir_okay=False,
            help="Encrypt; trust the certificates of this PEM file.",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Recognises people in pictures and films through a facewire server."""
    context.obj = Server(target=server, token=token, tls=tls, tls_ca=tls_ca)


@app.command()
def enroll(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    gallery: Gallery = "default",
    selection: Annotated[
        FaceSelection,
        typer.Option(case_sensitive=False, help="Which face of a picture is the person's."),
    ] = FaceSelection.ONLY,
    min_face_px: MinFace = None,
    as_json: Json = False,
) -> None:
    """Enrolls the people of FOLDER.

    A sub-folder is a person, and all pictures in it are theirs. A picture that lies in
    FOLDER itself is the person of its name: `Ada.jpg` and `Ada_02.jpg` are both Ada's.

    Interrupted and run again, it goes on: what is enrolled is not enrolled twice.
    """
    _enroll.run(
        context.obj,
        folder,
        gallery=gallery,
        selection=selection,
        min_face_px=min_face_px or 0,
        as_json=as_json,
    )


@app.command()
def recognize(
    context: typer.Context,
    pictures: Annotated[list[Path], typer.Argument(metavar="PICTURE...")],
    gallery: Gallery = "default",
    min_face_px: MinFace = None,
    as_json: Json = False,
) -> None:
    """Says who is in each PICTURE."""
    _recognize.run(
        context.obj, pictures, gallery=gallery, min_face_px=min_face_px or 0, as_json=as_json
    )


@app.command()
def watch(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="VIDEO|CAMERA|URL")],
    gallery: Gallery = "default",
    camera: Annotated[str, typer.Option(help="The camera's name, for the server's events.")] = "",
    every_frame: Annotated[
        bool | None,
        typer.Option(
            "--every-frame/--newest",
            help="Look at every frame, or at the newest there is time for.",
            show_default="every frame of a file, the newest of a camera",
        ),
    ] = None,
    min_face_px: MinFace = None,
    as_json: Json = False,
) -> None:
    """Says who is seen when in a film, or in front of a camera.

    The source is a video file, a camera's number (0 is the first) or an address
    (rtsp://...). Ctrl-C ends it, and prints who was seen so far.
    """
    _watch.run(
        context.obj,
        source,
        gallery=gallery,
        camera=camera,
        every_frame=every_frame,
        min_face_px=min_face_px or 0,
        as_json=as_json,
    )
