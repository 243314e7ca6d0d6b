"""axe finds nothing in any view, in light and dark, wide and on a phone; what it saw is kept as pictures."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FilePayload, Page, expect

import facewire
from browser.test_unknown import visit
from facewire_server.access.roles import Role
from harness.browsers import Watched
from harness.console_running import RunningConsole, running_console
from harness.made_people import Person, portrait_of
from harness.roles import with_token
from harness.running import running_server

Open = Callable[..., Watched]
pytestmark = pytest.mark.timeout(300)  # sixteen scenes a test, on a busy machine

LOGIN = "0123456789abcdef0123456789abcdef"
SIZES = {"wide": (1280, 800), "phone": (390, 844)}


def live(page: Page) -> None:
    page.get_by_role("button", name="Use the webcam").click()
    expect(page.locator(".in-view strong").first).to_be_visible()


def why(page: Page) -> None:
    live(page)
    page.get_by_role("button", name="Why ").first.click()
    expect(page.get_by_role("dialog").get_by_text("The face now", exact=True)).to_be_visible()


def nothing(page: Page) -> None:
    expect(page.locator("main h1")).to_be_visible()


def enrolling(page: Page) -> None:
    page.get_by_role("button", name="Enroll a person").click()
    page.get_by_role("button", name="Use the webcam").click()
    expect(page.get_by_text("Good: take the picture")).to_be_visible()


def one_person(page: Page) -> None:
    page.get_by_role("button", name="Ada").click()
    expect(page.get_by_text("Picture 1")).to_be_visible()


def forgetting(page: Page) -> None:
    one_person(page)
    page.get_by_role("button", name="Forget…").click()


def naming(page: Page) -> None:
    page.get_by_role("button", name="Name the person of").first.click()
    expect(page.get_by_role("dialog").get_by_role("img")).to_have_count(1)


def forgetting_unknown(page: Page) -> None:
    page.get_by_role("button", name="Forget the person of").first.click()


def unknown(page: Page) -> None:
    expect(page.get_by_role("heading", name="1 unknown person")).to_be_visible()


def checkup(page: Page) -> None:
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_role("region", name="Probably one person under two names")).to_be_visible()


def merging(page: Page) -> None:
    checkup(page)
    page.get_by_role("button", name="Merge Ada Lovelace and Bo").click()


def splitting(page: Page) -> None:
    one_person(page)
    page.get_by_role("button", name="Some are someone else…").click()


def working(page: Page) -> None:
    """Health with everything that it can show: both charts, the stages, workers, models."""
    live(page)
    page.get_by_role("link", name="Health").click()
    for label in ("Round trips", "Frames"):
        expect(page.get_by_role("img", name=f"{label}: half below")).to_be_visible()
    expect(page.locator(".operations").get_by_text("1 process")).to_be_visible()


SCENES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "begin": ("live", nothing),
    "live": ("live", live),
    "why": ("live", why),
    "people": ("people", nothing),
    "enroll": ("people", enrolling),
    "person": ("people", one_person),
    "forget": ("people", forgetting),
    "split": ("people", splitting),
    "checkup": ("people", checkup),
    "merge": ("people", merging),
    "events": ("events", unknown),
    "naming": ("events", naming),
    "forget-unknown": ("events", forgetting_unknown),
    "health": ("health", nothing),
    "working": ("live", working),
}


class Looks:
    """Opens pages of one size and scheme, and collects what is found in each."""

    def __init__(self, open_page: Open, repository: Path, size: str, scheme: str) -> None:
        self._open_page = open_page
        self._name = f"{size}-{scheme}"
        self._pictures = repository / "build" / "page"
        self._pictures.mkdir(parents=True, exist_ok=True)
        width, height = SIZES[size]
        self._options: dict[str, object] = {
            "viewport": {"width": width, "height": height},
            "color_scheme": scheme,
            "reduced_motion": "reduce",
        }
        self.found: list[str] = []

    def open(self, view: str, **options: object) -> Watched:
        """Opens a view."""
        return self._open_page(view, **self._options, **options)

    def at(self, page: Page, scene: str) -> None:
        """Looks at a scene as it is now."""
        page.screenshot(path=self._pictures / f"{scene}-{self._name}.png")
        self.found += [
            f"{scene}: {each['id']}: {node['html'][:200]}"
            for each in Axe().run(page).response["violations"]
            for node in each["nodes"]
        ]
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        self.found += [f"{scene}: {wide} pixels wider than the window"] if wide > 0 else []


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=SIZES)
def looks(request: pytest.FixtureRequest, open_page: Open, repository: Path, scheme: str) -> Looks:
    return Looks(open_page, repository, request.param, scheme)


def test_axe_finds_nothing(
    looks: Looks, client: facewire.Client, pair: tuple[Person, Person], side_by_side: bytes
) -> None:
    visit(client, pair[1], "door")
    client.enroll("ada", [portrait_of(pair[0])] * 2, display_name="Ada Lovelace")
    client.add_negative_example("ada", portrait_of(pair[1]))
    with pytest.warns(facewire.SimilarIdentityWarning):
        client.enroll("bo", [portrait_of(pair[0])], display_name="Bo")
    for name, (view, scene) in SCENES.items():
        watched = looks.open(view)
        scene(watched.page)
        looks.at(watched.page, name)
        watched.page.close()
        watched.forgive("404 (Not Found)")  # pictures of earlier visitors went with their people
    page = looks.open("people").page
    page.get_by_role("button", name="Enroll a person").click()
    both = FilePayload(name="both.png", mimeType="image/png", buffer=side_by_side)
    page.locator("dialog input[type=file]").set_input_files(both)
    faces = page.get_by_role("group", name="Faces of picture 1").get_by_role("button")
    expect(faces).to_have_count(2)
    faces.first.click()
    looks.at(page, "several-faces")
    assert not looks.found, "\n".join(looks.found)


@pytest.fixture(scope="module")
def guarded(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningConsole]:
    """A console with a login, whose own token may only recognize."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "token").write_text(with_token(folder / "tokens", "camera", Role.CAMERA))
    (folder / "login").write_text(LOGIN)
    with (
        running_server(token_file=folder / "tokens") as server,
        running_console(
            server.address,
            server_token_file=folder / "token",
            login_token_file=folder / "login",
        ) as console,
    ):
        yield console


def test_axe_finds_nothing_where_something_is_refused(
    looks: Looks, guarded: RunningConsole
) -> None:
    watched = looks.open("people", at=guarded)
    page = watched.page
    page.get_by_label("Token").fill("x" * 32)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("This is not the token.")
    looks.at(page, "sign-in")
    page.get_by_label("Token").fill(LOGIN)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="This cannot be shown")).to_be_visible()
    looks.at(page, "refused")
    watched.forgive("401 (Unauthorized)")
    page.goto("about:blank")  # before its console ends
    assert not looks.found, "\n".join(looks.found)
