"""`facewire enroll FOLDER`: enrolls the people of a folder; may be run again.

The gallery itself records which pictures are enrolled: each template's `source` begins with the
digest of its picture. A request id made of the digest would be simpler, but then pictures of
a deleted person could not be enrolled again: the server would return its first response.
"""

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from facewire import (
    Client,
    ContractMismatchError,
    DetectionOptions,
    ErrorReason,
    FaceSelection,
    Gallery,
    Image,
    InvalidRequestError,
    NotFoundError,
    NotSupportedError,
    SimilarIdentityWarning,
)
from facewire.cli._enrolled import InForce, PictureOutcome, report
from facewire.cli._folder import People, Person, people_of
from facewire.cli._interrupts import raised_by_ctrl_c
from facewire.cli._output import print_json, work_progress
from facewire.cli._pictures import source_of
from facewire.cli._session import EXIT_REFUSED, Server, advised, session, text_of, usage_error

__all__ = ["run"]


def run(
    server: Server,
    folder: Path,
    *,
    gallery: str,
    selection: FaceSelection,
    min_face_px: int,
    as_json: bool,
) -> None:
    """Enrolls, showing progress; prints what was refused and why.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    options = _Options(gallery, selection, DetectionOptions(min_face_px=min_face_px))
    outcomes: list[PictureOutcome] = []
    in_force = InForce()
    bar = work_progress(as_json=as_json)
    with session(server) as client:
        with raised_by_ctrl_c():
            found = people_of(folder)
        if not found.picture_count:
            report(found, outcomes, gallery, in_force, as_json=as_json)
            raise usage_error(
                f"there is no picture in {folder}. Put each person's into a sub-folder of their name."
            )
        described = _check_model(client, gallery)
        in_force.threshold, in_force.source = described.threshold, described.threshold_source
        try:
            with bar, warnings.catch_warnings():
                warnings.simplefilter("ignore", SimilarIdentityWarning)  # the report has a table
                task = bar.add_task("enrolling", total=found.picture_count)
                for outcome in _enroll(client, found, options, in_force):
                    outcomes.append(outcome)
                    bar.advance(task)
                    if as_json:
                        print_json(**asdict(outcome))
        finally:  # also after an error or Ctrl-C: what was enrolled stays enrolled
            report(found, outcomes, gallery, in_force, as_json=as_json)
    if found.without_picture or any(outcome.status == "refused" for outcome in outcomes):
        raise typer.Exit(EXIT_REFUSED)


@dataclass(frozen=True, slots=True)
class _Options:
    gallery: str
    selection: FaceSelection
    detection: DetectionOptions


def _check_model(client: Client, gallery: str) -> Gallery:
    """Returns the gallery; refuses one of another model, even if no picture is left to enroll.

    Raises:
        ContractMismatchError: the gallery was made with another model.
    """
    described = client.gallery(gallery)
    try:
        served = client.server_info().model_contract_id
    except NotSupportedError:
        return described  # of an older server, which refuses each picture itself
    if described.model_contract_id != served:
        raise ContractMismatchError(
            f"Gallery {gallery!r} was made with another model.",
            advice="Run the server with that model, or enroll into a new gallery.",
            reason=ErrorReason.CONTRACT_MISMATCH,
        )
    return described


def _enroll(
    client: Client, found: People, options: _Options, in_force: InForce
) -> Iterator[PictureOutcome]:
    for person in found.people:
        if not _is_text(person.identity_id):
            for picture in person.pictures:
                detail = "the name is not UTF-8 and cannot be an id: rename it"
                yield PictureOutcome(picture, person.identity_id, "refused", detail=detail)
            continue
        done = _digests(client, person, options.gallery)
        for picture in person.pictures:
            try:
                with raised_by_ctrl_c():
                    data = picture.read_bytes()
            except OSError as error:
                yield PictureOutcome(
                    picture, person.identity_id, "refused", detail=str(error.strerror)
                )
                continue
            digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
            if digest in done:
                yield PictureOutcome(picture, person.identity_id, "present")
                continue
            try:
                image = Image.from_bytes(data, name=picture.name)
            except ValueError as error:  # HEIC that cannot be read here
                yield PictureOutcome(
                    picture,
                    person.identity_id,
                    "refused",
                    reason=ErrorReason.IMAGE_UNDECODABLE,
                    detail=str(error),
                )
                continue
            outcome = _enroll_picture(client, person, picture, image, digest, options, in_force)
            if outcome.status == "enrolled":  # a second file may hold the same picture
                done.add(digest)
            yield outcome


def _is_text(name: str) -> bool:
    """Returns whether a name from the disk can be sent: it may hold bytes that are not UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _digests(client: Client, person: Person, gallery: str) -> set[str]:
    """Returns the digests of the pictures that are enrolled."""
    try:
        return {
            template.source.partition(" ")[0]
            for template in client.templates(person.identity_id, gallery=gallery)
        }
    except NotFoundError as error:
        if error.reason is not ErrorReason.IDENTITY_NOT_FOUND:
            raise
    except InvalidRequestError:
        pass  # no identity can have such a name: each picture will be refused
    return set()


def _enroll_picture(
    client: Client,
    person: Person,
    picture: Path,
    image: Image,
    digest: str,
    options: _Options,
    in_force: InForce,
) -> PictureOutcome:
    # One picture a call: only so does each template carry its own source.
    source = source_of(f"{digest} {picture.name}")
    try:
        enrolled = client.enroll(
            person.identity_id,
            image,
            gallery=options.gallery,
            display_name=person.display_name,
            selection=options.selection,
            source=source,
            detection=options.detection,
        )
    except InvalidRequestError as error:
        return PictureOutcome(
            picture, person.identity_id, "refused", reason=error.reason, detail=text_of(error)
        )
    in_force.threshold, in_force.source = enrolled.threshold, enrolled.threshold_source
    (result,) = enrolled.pictures
    return PictureOutcome(
        picture,
        person.identity_id,
        "enrolled" if result.accepted else "refused",
        template_id=result.template_id,
        reason=result.refusal or "",
        faults=result.quality.faults if result.quality and not result.accepted else (),
        detail=advised(result.detail, result.refusal),
        similar_identity_id=result.similar_identity_id,
        similar_identity_similarity=result.similar_identity_similarity,
    )
