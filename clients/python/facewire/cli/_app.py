"""The commands and what they have in common: which server, and how to exit."""

from pathlib import Path
from typing import Annotated

import typer

from facewire import FaceSelection, TokenFile, __version__
from facewire.cli import (
    _compare,
    _doctor,
    _enroll,
    _events,
    _explain,
    _frigate,
    _gallery_app,
    _identity_app,
    _mqtt,
    _people,
    _recognize,
    _status,
    _unknown_app,
    _watch,
)
from facewire.cli._session import Server
from facewire.cli._shared_options import (
    AlarmsOption,
    GalleryOption,
    JsonOption,
    MaxFmrOption,
    MaxFpirOption,
    MinFaceOption,
    PairThresholdOption,
    Rotation,
    StrangersOption,
    ThresholdOption,
    decision_policy,
    pair_policy,
)

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
  1    done, but some pictures, frames or people were refused, a person has no picture, or a
       film ends early; or the output pipe was closed
  2    the command was used wrongly, a file cannot be read or written, or a camera
       refuses the password
  3    the server cannot be reached, is not ready or has no room: try again
  4    the server refuses: another token, gallery or limit is needed
  5    a fault of the server
  130  interrupted by Ctrl-C
"""

app.add_typer(_gallery_app.app, name="gallery")
app.add_typer(_identity_app.app, name="identity")
app.add_typer(_unknown_app.app, name="unknown")
app.command()(_events.events)
app.command()(_explain.explain)
app.command()(_mqtt.mqtt)
app.command()(_frigate.frigate)


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
        str | None,
        typer.Option(
            envvar="FACEWIRE_TOKEN",
            help="The server's token. Other users see it in the list of processes: prefer the environment.",
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(
            envvar="FACEWIRE_CLIENT_TOKEN_FILE",
            dir_okay=False,
            help="File of the server's token, in place of the token; read again once the server refuses it.",
        ),
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
    client_cert: Annotated[
        Path | None,
        typer.Option(
            envvar="FACEWIRE_CLIENT_CERT",
            exists=True,
            dir_okay=False,
            help="Encrypt; show this certificate (PEM) to a server that asks for one.",
        ),
    ] = None,
    client_key: Annotated[
        Path | None,
        typer.Option(
            envvar="FACEWIRE_CLIENT_KEY",
            exists=True,
            dir_okay=False,
            help="Key of that certificate (PEM), if it is not in the same file.",
        ),
    ] = None,
    timeout_s: Annotated[
        float,
        typer.Option(
            "--timeout", min=0.1, metavar="SECONDS", help="How long a call to the server may take."
        ),
    ] = 30.0,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Recognizes people in pictures and films through a facewire server."""
    if token and token_file:
        raise typer.BadParameter(
            "the token is given, and a file of it, too (FACEWIRE_TOKEN, FACEWIRE_CLIENT_TOKEN_FILE): leave one out"
        )
    source = TokenFile(token_file) if token_file else token
    context.obj = Server(
        target=server,
        token=source,
        tls=tls,
        tls_ca=tls_ca,
        client_cert=client_cert,
        client_key=client_key,
        timeout_s=timeout_s,
    )


@app.command()
def enroll(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False)],
    gallery: GalleryOption = "default",
    selection: Annotated[
        FaceSelection,
        typer.Option(case_sensitive=False, help="Which face of a picture is the person's."),
    ] = FaceSelection.ONLY,
    min_face_px: MinFaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enrolls the people of FOLDER.

    Each sub-folder is a person, and all pictures in it are theirs. A picture in
    FOLDER itself shows the person of its name: `Ada.jpg` and `Ada_02.jpg` are both Ada's.
    HEIC pictures need the extra `heic`.

    After an interruption run it again: no picture is enrolled twice.
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
    gallery: GalleryOption = "default",
    annotate: Annotated[
        Path | None,
        typer.Option(
            metavar="OUT",
            help="Paint the faces into this file; of several pictures, into a folder.",
        ),
    ] = None,
    min_face_px: MinFaceOption = None,
    threshold: ThresholdOption = None,
    max_fpir: MaxFpirOption = None,
    false_alarms_a_month: AlarmsOption = None,
    strangers_a_day: StrangersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recognizes the people in each PICTURE."""
    _recognize.run(
        context.obj,
        pictures,
        gallery=gallery,
        annotate_to=annotate,
        min_face_px=min_face_px or 0,
        decision=decision_policy(threshold, max_fpir, false_alarms_a_month, strangers_a_day),
        as_json=as_json,
    )


@app.command()
def compare(
    context: typer.Context,
    first: Annotated[Path, typer.Argument(metavar="A")],
    second: Annotated[Path, typer.Argument(metavar="B")],
    selection: Annotated[
        FaceSelection,
        typer.Option(case_sensitive=False, help="Which face of each picture to compare."),
    ] = FaceSelection.LARGEST,
    min_face_px: MinFaceOption = None,
    threshold: PairThresholdOption = None,
    max_fmr: MaxFmrOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compares two pictures: do they show the same person? No gallery is used.

    Says how often two different people are as similar, and what the threshold follows from.
    """
    _compare.run(
        context.obj,
        first,
        second,
        selection=selection,
        min_face_px=min_face_px or 0,
        decision=pair_policy(threshold, max_fmr),
        as_json=as_json,
    )


@app.command()
def identities(
    context: typer.Context, gallery: GalleryOption = "default", as_json: JsonOption = False
) -> None:
    """Lists the identities of a gallery."""
    _people.identities(context.obj, gallery=gallery, as_json=as_json)


@app.command()
def forget(
    context: typer.Context,
    identity_ids: Annotated[list[str], typer.Argument(metavar="IDENTITY...")],
    gallery: GalleryOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Deletes each IDENTITY with its templates. The next search does not find it."""
    _people.forget(context.obj, identity_ids, gallery=gallery, as_json=as_json)


@app.command()
def doctor(
    context: typer.Context,
    gallery: GalleryOption = "default",
    limit: Annotated[
        int, typer.Option(min=1, max=100, help="Most findings of a kind that are listed.")
    ] = 20,
    as_json: JsonOption = False,
) -> None:
    """Lists what in a gallery harms its recognition: people who are there twice or look alike, wrong and poor pictures."""
    _doctor.run(context.obj, gallery=gallery, limit=limit, as_json=as_json)


@app.command()
def status(context: typer.Context, as_json: JsonOption = False) -> None:
    """Shows whether the server is ready, its model, its limits and its galleries."""
    _status.run(context.obj, as_json=as_json)


@app.command()
def watch(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="VIDEO|CAMERA|URL")],
    gallery: GalleryOption = "default",
    camera: Annotated[str, typer.Option(help="The camera's name, for the server's events.")] = "",
    every_frame: Annotated[
        bool | None,
        typer.Option(
            "--every-frame/--newest",
            help="Recognize every frame, or the newest that there is time for.",
            show_default="every frame of a file, the newest of a camera",
        ),
    ] = None,
    rotation: Annotated[
        Rotation,
        typer.Option(
            help="Of a camera that hangs turned: the clockwise turn that makes its pictures upright, degrees."
        ),
    ] = Rotation.NONE,
    annotate: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write a film (.mp4, .avi) of what was seen.")
    ] = None,
    csv: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Write a table (CSV) with a row for each visit: who, from when to when.",
        ),
    ] = None,
    min_face_px: MinFaceOption = None,
    threshold: ThresholdOption = None,
    max_fpir: MaxFpirOption = None,
    false_alarms_a_month: AlarmsOption = None,
    strangers_a_day: StrangersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shows who is in a film or in front of a camera, and prints a line for each visit that is over.

    The source is a video file, a camera's number (0 is the first) or an address
    (rtsp://...). If a camera in the network or its server is lost, the command waits for its return, also
    for a camera that is absent at the start; a wrong password ends it. Ctrl-C ends it, and prints who
    was seen so far.
    """
    _watch.run(
        context.obj,
        source,
        gallery=gallery,
        camera_name=camera,
        every_frame=every_frame,
        rotation_degrees=int(rotation.value),
        annotate_to=annotate,
        csv_to=csv,
        min_face_px=min_face_px or 0,
        decision=decision_policy(threshold, max_fpir, false_alarms_a_month, strangers_a_day),
        as_json=as_json,
    )
