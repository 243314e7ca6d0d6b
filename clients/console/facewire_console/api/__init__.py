"""JSON over HTTP: the routes, which openapi.json describes one by one."""

from starlette.routing import BaseRoute, Route

from facewire_console.api import (
    checkup,
    corrections,
    document,
    events,
    frames,
    negatives,
    people,
    pictures,
    status,
    unknown,
)
from facewire_console.guard import login

__all__ = ["routes"]


def routes() -> list[BaseRoute]:
    """Returns all routes of the JSON API."""
    one = "/api/identities/{identity_id}"
    negative = f"{one}/negative-examples"
    negative_one = f"{negative}/{{negative_example_id}}"
    unknown_one = "/api/unknown/{unknown_id:int}"
    return [
        Route("/api/status", status.status, methods=["GET"]),
        Route("/api/metrics", status.metrics, methods=["GET"]),
        Route(login.LOGIN, login.log_in, methods=["POST"]),
        Route("/api/logout", login.log_out, methods=["POST"]),
        Route("/api/identities", people.list_identities, methods=["GET"]),
        Route("/api/identities", people.enroll, methods=["POST"]),
        Route(one, people.get_identity, methods=["GET"]),
        Route(one, people.rename, methods=["PATCH"]),
        Route(one, people.delete_identity, methods=["DELETE"]),
        Route(f"{one}/templates", people.list_templates, methods=["GET"]),
        Route(f"{one}/templates", people.add_templates, methods=["POST"]),
        Route(f"{one}/templates/{{template_id}}", people.delete_template, methods=["DELETE"]),
        Route("/api/merge", corrections.merge, methods=["POST"]),
        Route("/api/split", corrections.split, methods=["POST"]),
        Route(negative, negatives.list_negative_examples, methods=["GET"]),
        Route(negative, negatives.add_negative_example, methods=["POST"]),
        Route(negative_one, negatives.delete_negative_example, methods=["DELETE"]),
        Route("/api/checkup", checkup.check_gallery, methods=["GET"]),
        Route("/api/unknown", unknown.list_unknown, methods=["GET"]),
        Route("/api/unknown", unknown.forget_all, methods=["DELETE"]),
        Route(unknown_one, unknown.forget_unknown, methods=["DELETE"]),
        Route(f"{unknown_one}/identity", unknown.enroll_unknown, methods=["POST"]),
        Route(f"{unknown_one}/pictures/{{number:int}}", unknown.unknown_picture, methods=["GET"]),
        Route("/api/recognize", pictures.recognize, methods=["POST"]),
        Route("/api/compare", pictures.compare, methods=["POST"]),
        Route("/api/events", events.latest_events, methods=["GET"]),
        Route("/api/events/stream", events.event_stream, methods=["GET"]),
        Route("/api/tracks/{track_id:int}/crop", events.track_crop, methods=["GET"]),
        Route("/v1/frames/{camera}", frames.post_frame, methods=["POST"]),
        Route("/openapi.json", document.openapi, methods=["GET"]),
        Route("/docs", document.page, methods=["GET"]),
    ]
