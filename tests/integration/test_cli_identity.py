"""`facewire identity`: templates are listed, and two identities are merged and split."""

import json

import grpc
import pytest

import facewire
from fakes.server import FakeServer, failure


@pytest.fixture
def fake(portrait):
    with FakeServer() as server:
        with facewire.Client(server.address) as client:
            client.enroll("ada", [portrait[:, 8:], portrait], source="door")
            with pytest.warns(facewire.SimilarIdentityWarning):
                client.enroll("ada 2", [portrait[:, 8:], portrait], source="door")
        yield server


def counts(fake) -> dict[str, int]:
    with facewire.Client(fake.address) as client:
        return {each.identity_id: each.template_count for each in client.identities()}


def of(fake, identity_id: str) -> list[str]:
    with facewire.Client(fake.address) as client:
        return [each.template_id for each in client.templates(identity_id)]


def test_the_templates_of_an_identity_are_listed(run, fake):
    shown = run("identity", "templates", "ada", server=fake.address).stdout
    assert all(one in shown for one in of(fake, "ada"))
    assert "door" in shown
    listed = run("identity", "templates", "ada", "--json", server=fake.address).stdout
    ids = [json.loads(line)["template"]["template_id"] for line in listed.splitlines()]
    assert ids == of(fake, "ada")


def test_a_template_of_an_identity_is_deleted(run, fake):
    first, second = of(fake, "ada")
    done = run("identity", "delete-template", "ada", first, server=fake.address)
    assert done.stderr == f"Template {first} is deleted. ada has 1 template.\n"
    assert counts(fake) == {"ada": 1, "ada 2": 2}
    last = run("identity", "delete-template", "ada", second, "--json", server=fake.address)
    said = json.loads(last.stdout)
    assert (said["template_id"], said["status"], said["template_count"]) == (second, "deleted", 0)
    assert run("identity", "delete-template", "ada", first, server=fake.address).returncode == 4


def test_an_id_is_the_same_in_both_of_its_spellings(run, fake):
    with facewire.Client(fake.address) as client:
        client.split_identity("ada", of(fake, "ada")[:1], "Zo\u00eb")
    (template,) = of(fake, "Zo\u00eb")
    done = run("identity", "delete-template", "Zoe\u0308", template, server=fake.address)
    assert (done.returncode, done.stdout) == (0, "")
    assert counts(fake)["Zo\u00eb"] == 0


def test_a_template_is_deleted_also_if_it_is_not_known_how_many_are_left(run, fake):
    first, _ = of(fake, "ada")
    gone = failure(grpc.StatusCode.NOT_FOUND, "IDENTITY_NOT_FOUND", "there is no such identity")
    fake.fail_next("GetIdentity", gone)
    done = run("identity", "delete-template", "ada", first, server=fake.address)
    assert (done.returncode, done.stderr) == (0, f"Template {first} is deleted.\n")
    assert counts(fake)["ada"] == 1


def test_a_template_of_someone_else_is_not_deleted(run, fake):
    (other, _) = of(fake, "ada 2")
    refused = run("identity", "delete-template", "ada", other, server=fake.address)
    assert refused.returncode == 2
    assert f"template {other} is not of ada, but of ada 2" in refused.stderr
    assert counts(fake) == {"ada": 2, "ada 2": 2}


def test_who_has_no_template_left_is_not_recognized_and_that_is_said(run, fake):
    first, second = of(fake, "ada")
    run("identity", "delete-template", "ada", first, server=fake.address)
    done = run("identity", "delete-template", "ada", second, server=fake.address)
    assert "Without a template a person is not recognized" in done.stderr


def test_what_is_merged_is_taken_back_by_the_printed_command(run, fake):
    moved = of(fake, "ada 2")
    merged = run("identity", "merge", "ada", "ada 2", server=fake.address)
    assert "ada 2 is ada now, who has 4 templates." in merged.stderr
    assert counts(fake) == {"ada": 4}
    said = merged.stderr.splitlines()[-1]
    assert said == (
        f"If that was wrong: facewire identity split --gallery default -- ada 'ada 2' {' '.join(moved)}"
    )
    taken_back = run("identity", "split", "-g", "default", "--", "ada", "ada 2", *moved, server=fake.address)  # fmt: skip
    assert taken_back.stderr == "2 templates of ada moved to ada 2.\n"
    assert counts(fake) == {"ada": 2, "ada 2": 2}


def test_a_merge_says_that_negative_examples_may_take_the_name_away(run, fake, portrait):
    with facewire.Client(fake.address) as client:
        client.add_negative_example("ada 2", portrait)
    merged = run("identity", "merge", "ada", "ada 2", server=fake.address)
    assert (
        "1 negative example of ada: one that shows this person takes the name away."
        in merged.stderr
    )
    assert "facewire identity negative-examples --gallery default -- ada\n" in merged.stderr


def test_a_program_reads_who_stays_and_what_was_moved(run, fake):
    moved = of(fake, "ada 2")
    merged = run("identity", "merge", "ada", "ada 2", "--json", server=fake.address)
    answer = json.loads(merged.stdout)
    assert (answer["identity"]["template_count"], answer["template_ids"]) == (4, moved)
    split = run("identity", "split", "ada", "bo", moved[0], "--name", "Bo", "--json", server=fake.address)  # fmt: skip
    created = json.loads(split.stdout)["identity"]
    assert (created["display_name"], created["template_count"]) == ("Bo", 1)


def test_who_is_not_there_is_not_merged(run, fake):
    assert run("identity", "merge", "ada", "nobody", server=fake.address).returncode == 4
    assert counts(fake) == {"ada": 2, "ada 2": 2}
