"""Everything an operator can set: names, types, defaults and bounds. `sources` reads the values, `checks` checks them.

The setting `x_y` is the flag `--x-y` and the variable `FACEWIRE_X_Y`.
"""

import dataclasses
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

__all__ = ["ENVIRONMENT_PREFIX", "Setting", "Settings", "SettingsError", "all_settings"]

ENVIRONMENT_PREFIX = "FACEWIRE_"
"""Prefix of every variable, so that no other program's variable is read."""


class SettingsError(Exception):
    """A setting has a value that cannot be used; the text names the setting and what is allowed."""


class _About(NamedTuple):
    text: str
    least: float | None = None
    most: float | None = None

    @property
    def bounds(self) -> str:
        """The bounds in words, "at least 0, at most 1"; empty if there are none."""
        parts = []
        if self.least is not None:
            parts.append(f"at least {self.least:.15g}")
        if self.most is not None:
            parts.append(f"at most {self.most:.15g}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one server process."""

    listen: Annotated[str, _About("address and port to serve on")] = "127.0.0.1:50051"
    insecure_listen: Annotated[
        bool,
        _About("serve other machines without TLS and a token: whoever reaches the port may use it"),
    ] = False
    tls_certificate: Annotated[
        Path | None, _About("PEM certificate chain of the server; needs tls_key")
    ] = None
    tls_key: Annotated[Path | None, _About("PEM private key of the certificate")] = None
    tls_client_ca: Annotated[
        Path | None,
        _About(
            "PEM certificates of those who sign clients' certificates: every client must show one, which may name its role; "
            "empty = none is asked for"
        ),
    ] = None
    token_file: Annotated[
        Path | None,
        _About(
            "file of the tokens that calls must send, made by `facewire-server token add`; or a plain token, or several, one a "
            "line, which may do everything"
        ),
    ] = None
    trusted_proxies: Annotated[
        str,
        _About(
            "proxies in front of this server, as addresses or networks with commas between, or `unix`: their "
            "x-forwarded-for names the client, and max_calls_per_connection is not theirs; empty = none"
        ),
    ] = ""
    data: Annotated[
        Path, _About("folder of the gallery, biometric data, and of the journal of tracks")
    ] = Path("data")
    models: Annotated[Path, _About("folder of the SavedModels")] = Path("models")
    detector: Annotated[
        str,
        _About(
            "what finds faces: mtcnn; or dlib, whose frontal detector is slower and finds fewer, and needs the extra `dlib`"
        ),
    ] = "mtcnn"
    detector_address: Annotated[
        str,
        _About(
            "TensorFlow Serving of `mtcnn`: host:port, or several of these with commas between; empty = run it here"
        ),
    ] = ""
    embedder_address: Annotated[
        str,
        _About(
            "TensorFlow Serving of `embedding`, or of the model that the contract names, in the same form; empty = run it here"
        ),
    ] = ""
    models_tls_ca: Annotated[
        Path | None, _About("PEM certificates to check those servers with; empty = no TLS")
    ] = None
    embed_frames: Annotated[
        str,
        _About(
            "how the embedder that runs here embeds frames: float32, bfloat16, or auto: bfloat16 if it is faster on this "
            "processor; what is stored, and a decision that could differ, is always in float32"
        ),
    ] = "auto"
    model_contract: Annotated[
        str, _About("model contract: the name of one that comes with the server, or a JSON file")
    ] = "sface"
    accept_non_commercial: Annotated[
        bool,
        _About(
            "run a model whose weights are licensed for non-commercial use only: you say that yours is such a use"
        ),
    ] = False
    presentation_attacks: Annotated[
        bool,
        _About(
            "score faces for hints of a presentation attack, such as a face on a screen: experimental, and no proof that a person "
            "is there; the model runs here, and is built by `facewire-models --only presentation_attack`"
        ),
    ] = False
    gallery_max_bytes: Annotated[
        int, _About("bytes that the gallery may grow to on disk", least=1 << 20)
    ] = 64 << 30
    erase_within_s: Annotated[
        float,
        _About(
            "seconds after a deletion at which the gallery's file begins to be rewritten without what was deleted",
            least=0.0,
            most=31_536_000.0,
        ),
    ] = 600.0
    events_keep_hours: Annotated[
        float,
        _About(
            "hours that track events are kept; events_keep_count may end it earlier",
            least=0.0,
            most=8784.0,
        ),
    ] = 24.0
    events_keep_count: Annotated[
        int, _About("most track events that are kept", least=1, most=100_000_000)
    ] = 100_000
    keep_crops: Annotated[
        bool,
        _About(
            "keep the best picture of each track's face, for consoles and for enrolling: biometric data"
        ),
    ] = False
    keep_unknown_hours: Annotated[
        float,
        _About(
            "hours that visits of unknown people are kept, grouped by person, with embeddings and pictures, so that they can be "
            "named later: biometric data of people who have not agreed; 0 = none is; encrypted with the first key of "
            "enrollment_crop_key_file, if there is one",
            least=0.0,
            most=8784.0,
        ),
    ] = 0.0
    keep_enrollment_crops: Annotated[
        bool,
        _About(
            "keep the aligned face of each picture that is enrolled from now on, encrypted, so that another model can embed it "
            "(`reembed`): biometric data; needs enrollment_crop_key_file"
        ),
    ] = False
    enrollment_crop_key_file: Annotated[
        Path | None,
        _About(
            "file of the keys of these faces, 64 hexadecimal digits a line: the first encrypts, all decrypt; without it the faces "
            "are lost"
        ),
    ] = None
    threads: Annotated[
        int,
        _About(
            "processors to use; 0 = as many as affinity and CPU quota allow this process",
            least=0,
            most=1024,
        ),
    ] = 0
    workers: Annotated[
        int,
        _About(
            "processes that serve the one port, each with its own models and its part of the processors; 1 = no further "
            "process",
            least=1,
            most=64,
        ),
    ] = 1
    threshold: Annotated[
        float,
        _About(
            "lowest cosine similarity of a match, of every gallery and of Compare; 0 = as the wanted error rates say",
            least=0.0,
            most=1.0,
        ),
    ] = 0.0
    max_fpir: Annotated[
        float,
        _About(
            "wanted share of looks at people who are not enrolled that give a name; each gallery's threshold follows from it",
            least=1e-9,
            most=0.5,
        ),
    ] = 0.003
    false_alarms_a_month: Annotated[
        float,
        _About(
            "wanted false names a month, on average, among strangers_a_day: in place of max_fpir; 0 = max_fpir counts",
            least=0.0,
        ),
    ] = 0.0
    strangers_a_day: Annotated[
        float,
        _About("visits a day of people who are not enrolled; for false_alarms_a_month", least=0.0),
    ] = 0.0
    compare_max_fmr: Annotated[
        float,
        _About(
            "wanted share of comparisons of two different people in Compare that match",
            least=1e-9,
            most=0.5,
        ),
    ] = 0.0001
    min_margin: Annotated[
        float,
        _About(
            "smallest lead over a second best that also reaches the threshold; below it a match is "
            "AMBIGUOUS",
            least=0.0,
            most=1.0,
        ),
    ] = 0.03
    min_inter_eye_px: Annotated[
        float, _About("eye distance in pixels below which a face is TOO_POOR", least=0.0)
    ] = 8.0
    min_norm: Annotated[
        float,
        _About(
            "length of an embedding before it is normalized, below which a face is TOO_POOR, in the model's "
            "scale; 0 = any, -1 = as the model contract states",
            least=-1.0,
        ),
    ] = -1.0
    max_upside_down: Annotated[
        float,
        _About(
            "similarity to what upside-down faces have in common, above which a face is TOO_POOR; 0 = any",
            least=0.0,
            most=1.0,
        ),
    ] = 0.42
    min_directional_sharpness: Annotated[
        float,
        _About("sharpness along the worse axis below which a face is TOO_POOR; 0 = any", least=0.0),
    ] = 0.0
    compare_min_directional_sharpness: Annotated[
        float,
        _About(
            "sharpness along the worse axis below which a face of Compare is blurred; 0 = none is",
            least=0.0,
        ),
    ] = 6.0
    compare_blurred_raise: Annotated[
        float,
        _About(
            "added to the threshold of Compare if both faces are blurred and the request sets none",
            least=0.0,
            most=1.0,
        ),
    ] = 0.1
    enroll_min_inter_eye_px: Annotated[
        float, _About("smallest eye distance to enroll, pixels", least=0.0)
    ] = 16.0
    enroll_min_norm: Annotated[
        float,
        _About(
            "smallest norm to enroll, as min_norm; 0 = any, -1 = as the model contract states",
            least=-1.0,
        ),
    ] = -1.0
    enroll_max_upside_down: Annotated[
        float,
        _About("largest similarity to enroll, as max_upside_down; 0 = any", least=0.0, most=1.0),
    ] = 0.4
    enroll_min_directional_sharpness: Annotated[
        float,
        _About(
            "smallest sharpness along the worse axis to enroll, variance of the luma's second derivative; "
            "0 = any",
            least=0.0,
        ),
    ] = 6.0
    enroll_max_yaw: Annotated[
        float,
        _About(
            "furthest turn to a side to enroll: shift of the nose in distances from eyes to mouth; 0 = any",
            least=0.0,
        ),
    ] = 0.35
    enroll_max_pitch: Annotated[
        float, _About("furthest turn up or down to enroll, as enroll_max_yaw; 0 = any", least=0.0)
    ] = 0.45
    enroll_min_brightness: Annotated[
        float,
        _About("smallest mean luma of a face to enroll, of 255; 0 = any", least=0.0, most=255.0),
    ] = 20.0
    enroll_max_brightness: Annotated[
        float,
        _About("largest mean luma of a face to enroll, of 255; 0 = any", least=0.0, most=255.0),
    ] = 200.0
    enroll_min_eye_brightness: Annotated[
        float,
        _About(
            "smallest luma of the eyes to enroll, divided by that of the cheeks: dark glasses; 0 = any",
            least=0.0,
        ),
    ] = 0.2
    min_score: Annotated[float, _About("lowest detection score of a face", least=0.7, most=1.0)] = (
        0.9
    )
    max_faces: Annotated[int, _About("most faces in one picture", least=1, most=1024)] = 256
    max_frame_bytes: Annotated[
        int, _About("most bytes of one picture", least=1 << 10, most=1 << 30)
    ] = 16 << 20
    max_pixels: Annotated[
        int, _About("most pixels of one picture", least=1 << 10, most=1 << 30)
    ] = 50_000_000
    max_stream_pixels: Annotated[
        int,
        _About(
            "most pixels of one frame of a stream; at most max_pixels counts",
            least=1 << 10,
            most=1 << 30,
        ),
    ] = 4096 * 3072
    max_held_bytes: Annotated[
        int,
        _About(
            "bytes of pictures, as they arrived, that wait or are in work: half of them for streams, half "
            "for calls",
            least=1 << 20,
        ),
    ] = 256 << 20
    max_streams: Annotated[int, _About("most streams open at the same time", least=1)] = 64
    max_calls_per_connection: Annotated[
        int,
        _About("most open calls of one connection, its streams included and health not", least=1),
    ] = 48
    max_connections: Annotated[
        int,
        _About(
            "most connections; fewer if the limit of open files of the process is lower", least=1
        ),
    ] = 1000
    max_in_flight: Annotated[
        int, _About("credit: most unanswered frames of a stream", least=1, most=64)
    ] = 4
    pictures_at_once: Annotated[
        int,
        _About(
            "pictures worked on at the same time; 0 = one more than processors, and 16 more if a "
            "model is elsewhere",
            least=0,
        ),
    ] = 0
    frame_timeout_s: Annotated[
        float, _About("most seconds from a picture's arrival to its result", least=0.1)
    ] = 10.0
    request_timeout_s: Annotated[
        float,
        _About(
            "most seconds until the request of a call has come, and until the next one of an import",
            least=0.1,
        ),
    ] = 10.0
    stream_idle_timeout_s: Annotated[
        float, _About("most seconds that a stream may stay open without a frame", least=0.1)
    ] = 600.0
    slow_reader_timeout_s: Annotated[
        float, _About("most seconds that a client may leave results unread", least=0.1)
    ] = 30.0
    lame_duck_s: Annotated[
        float,
        _About(
            "seconds to go on serving after SIGTERM, with the health NOT_SERVING, so that proxies notice; SIGINT "
            "and a second SIGTERM end them",
            least=0.0,
        ),
    ] = 5.0
    drain_s: Annotated[
        float,
        _About("seconds to finish calls when the server is stopped, after lame_duck_s", least=0.0),
    ] = 10.0
    log_format: Annotated[str, _About("text, json, or auto: text on a terminal, else json")] = (
        "auto"
    )
    metrics_listen: Annotated[
        str,
        _About(
            "address and port of the metrics, over HTTP without TLS or a token: whoever reaches it "
            "reads them; empty = none"
        ),
    ] = ""
    metrics_cameras: Annotated[
        str,
        _About("camera ids that metrics may show, with commas between; all others are `other`"),
    ] = ""
    traces_endpoint: Annotated[
        str,
        _About(
            "OpenTelemetry collector that takes traces, OTLP over gRPC: http://host:port or "
            "https://host:port; empty = none"
        ),
    ] = ""
    traces_sample: Annotated[
        float, _About("share of pictures that are traced", least=0.0, most=1.0)
    ] = 0.01

    def described(self) -> list[tuple[str, str, str]]:
        """Returns variable, value and explanation of each setting.

        The value is text that `sources.read` reads back; it is empty for a path that is not set.
        Secrets are files, so no value is one.
        """
        return [
            (setting.variable, _formatted(getattr(self, setting.name)), setting.about.text)
            for setting in all_settings()
        ]

    @property
    def proxies(self) -> tuple[str, ...]:
        """The addresses and networks of `trusted_proxies`."""
        names = (one.strip() for one in self.trusted_proxies.split(","))
        return tuple(one for one in names if one)

    @property
    def shown_cameras(self) -> frozenset[str]:
        """The ids of `metrics_cameras`."""
        ids = (one.strip() for one in self.metrics_cameras.split(","))
        return frozenset(one for one in ids if one)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach `listen`."""
        host = self.listen.rpartition(":")[0].strip("[]")
        if host == "localhost" or self.listen.startswith("unix:"):
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:  # a DNS name may resolve to any address
            return False


class Setting(NamedTuple):
    """One setting, without a value.

    Attributes:
        name: of its field in `Settings`.
        type: int, float, bool, str, Path or Path | None.
        about: its explanation and bounds.
    """

    name: str
    type: Any
    about: _About

    @property
    def variable(self) -> str:
        """Its variable, `FACEWIRE_X_Y`."""
        return ENVIRONMENT_PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        """Its flag, `--x-y`."""
        return "--" + self.name.replace("_", "-")


def all_settings() -> list[Setting]:
    """Returns every setting, in the order of `Settings`."""
    hints = get_type_hints(Settings, include_extras=True)
    return [
        Setting(field.name, *get_args(hints[field.name])[:2])
        for field in dataclasses.fields(Settings)
    ]


def _formatted(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
