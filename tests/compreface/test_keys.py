"""Who may come in: keys in a file, each for one gallery."""

import stat

import pytest

from facewire_console.compreface.__main__ import main
from facewire_console.compreface.keys import KeyFile, KeyFileError, add_key
from facewire_console.compreface.routes import routes
from facewire_console.settings import Settings, SettingsError
from harness.compreface_calls import Caller, address_of
from harness.console_running import running_console


def test_a_request_without_a_key_is_code_20(console) -> None:
    answer = Caller(address_of(console), None).get("/recognition/subjects")
    assert (answer.status, answer.body["code"]) == (400, 20)


def test_a_wrong_key_opens_nothing_and_its_picture_is_not_read(console, people) -> None:
    door = Caller(address_of(console), "00000000-0000-4000-8000-000000000000")
    for answer in (
        door.get("/recognition/subjects"),
        door.post("/recognition/recognize", file=people.ada),
        door.delete("/recognition/faces?subject=ada"),
    ):
        assert (answer.status, answer.body["code"]) == (404, 10)


def test_a_key_is_for_one_gallery(console, keys, client, door: Caller, people) -> None:
    door.add("ada", people.ada)
    other = client.create_gallery("another-gallery").gallery_id
    assert Caller(address_of(console), add_key(keys, other)).subjects() == []
    assert door.subjects() == ["ada"]


def test_a_key_whose_gallery_is_gone_opens_nothing(door: Caller, client, gallery) -> None:
    client.delete_gallery(gallery)
    answer = door.get("/recognition/subjects")
    assert (answer.status, answer.body["code"]) == (404, 10)


def test_a_line_that_was_taken_out_is_a_key_no_more(tmp_path) -> None:
    path = tmp_path / "keys"
    first, second = add_key(path, "one"), add_key(path, "two")
    file = KeyFile(path)
    assert (file.gallery_of(first), file.gallery_of(second)) == ("one", "two")
    lines = path.read_text().splitlines()
    path.write_text(f"# only the second\n\n{lines[1]}\n")
    assert (file.gallery_of(first), file.gallery_of(second)) == (None, "two")


def test_only_the_hash_of_a_key_is_kept(tmp_path) -> None:
    path = tmp_path / "keys"
    key = add_key(path, "one")
    assert key not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_may_write_is_refused(tmp_path, mode) -> None:
    path = tmp_path / "keys"
    add_key(path, "one")
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        KeyFile(path)


@pytest.mark.parametrize("text", ["a key\n", "00 one\n", f"{'0' * 64} ONE\n", f"{'0' * 64}\n", "é"])
def test_a_file_that_is_not_understood_is_refused(tmp_path, text) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyFileError):
        KeyFile(path)


def test_keys_open_nothing_while_their_file_cannot_be_read(tmp_path) -> None:
    path = tmp_path / "keys"
    key = add_key(path, "one")
    file = KeyFile(path)
    kept = path.read_text()
    path.write_text("damaged\n")
    for _ in range(2):
        with pytest.raises(KeyFileError):
            file.gallery_of(key)
    path.unlink()
    with pytest.raises(KeyFileError):
        file.gallery_of(key)
    path.write_text(kept)
    path.chmod(0o600)
    assert file.gallery_of(key) == "one"


def test_a_file_is_not_written_through_a_link(tmp_path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(KeyFileError):
        add_key(tmp_path / "link", "one")
    assert not (tmp_path / "elsewhere").exists()


def test_the_command_prints_a_key_once(tmp_path, capsys) -> None:
    path = tmp_path / "keys"
    assert main([str(path), "staff"]) == 0
    key = capsys.readouterr().out.strip()
    assert KeyFile(path).gallery_of(key) == "staff"
    assert main([str(path), "NO GALLERY"]) == 1
    assert "gallery" in capsys.readouterr().err


def test_the_door_is_closed_without_a_setting() -> None:
    assert routes(Settings()) == []


def test_a_console_does_not_start_with_keys_that_cannot_be_read(tmp_path) -> None:
    with pytest.raises(SettingsError, match="compreface_keys"):
        routes(Settings(compreface_keys=tmp_path / "none"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/recognition/nothing"),
        ("PATCH", "/recognition/faces"),
        ("GET", "/"),
        ("GET", "/recognition/recognize"),
    ],
)
def test_what_is_not_there_ends_in_the_doors_own_shape(door: Caller, method, path) -> None:
    answer = door.call(method, path)
    assert answer.status == 404
    assert set(answer.body) == {"message", "code"}


def test_a_server_that_is_away_is_code_41(keys, people) -> None:
    with running_console(server="127.0.0.1:1", compreface_keys=keys) as console:
        door = Caller(address_of(console), add_key(keys, "default"))
        answer = door.post("/recognition/recognize", file=people.ada)
        assert (answer.status, answer.body["code"]) == (500, 41)
