"""Settings become the values of the rooms."""

import pytest

from facewire_server.app.values import max_connections, serving_limits
from facewire_server.configuration.settings import Settings


@pytest.mark.parametrize(
    ("setting", "open_files", "most"),
    [(1000, 1_048_576, 1000), (1000, 1024, 896), (20, 1024, 20), (1000, 64, 1)],
)
def test_connections_leave_files_for_the_rest(setting: int, open_files: int, most: int) -> None:
    assert max_connections(Settings(max_connections=setting), open_files) == most


def test_the_limits_of_calls_and_streams_are_the_settings() -> None:
    limits = serving_limits(
        Settings(max_calls_per_connection=7, request_timeout_s=1.5, stream_idle_timeout_s=60.0)
    )
    assert limits.max_calls_per_connection == 7
    assert (limits.request_timeout_s, limits.stream_idle_timeout_s) == (1.5, 60.0)
