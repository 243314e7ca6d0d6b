"""A server that is started with a file of settings serves by it."""

from pathlib import Path

import pytest

import facewire
from facewire_server.configuration.env_file import format_env_file
from facewire_server.configuration.settings import Settings
from harness.running import running_server


def test_a_server_serves_by_its_file_of_settings(models: Path, tmp_path: Path) -> None:
    token = tmp_path / "my token # 1"
    token.write_text("s3cret-0123456789\n")
    file = tmp_path / "facewire.env"
    file.write_text(format_env_file(Settings(token_file=token, max_streams=1).described()))
    with running_server(env_file=file) as server:
        with (
            facewire.Client(server.address) as client,
            pytest.raises(facewire.AuthenticationError),
        ):
            client.gallery()
        with facewire.Client(server.address, token="s3cret-0123456789") as client:
            assert client.gallery().gallery_id == "default"
