"""Servers, their workers and commands beside them, killed at random moments under load; after each kill the gallery is compared with what was acknowledged."""

import random
import shutil
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from facewire_server.backends.lmdb_gallery.backups import verify
from facewire_server.backends.lmdb_gallery.erasure import compact
from facewire_server.errors import ServerError
from harness.acknowledged import Ledger
from harness.gallery_commands import Beside, GalleryCommand
from harness.gallery_loads import GalleryClient
from harness.gallery_reading import read_gallery
from harness.killed_servers import SERVERS, ServerPair
from harness.left_galleries import ids_in_files, people_of_backup, search_finds
from harness.made_people import made_pair, portrait_of
from harness.promises import (
    BAD_BACKUP,
    NOT_ERASED,
    NOT_FOUND,
    NOT_SOUND,
    REVISION_BACK,
    UNSEEN,
    WRONG,
    Promises,
)

__all__ = ["KilledServers"]

_CLIENTS: Final = 3
"""Clients of each server. Chosen, not measured."""

_LOAD_S: Final = (0.05, 1.5)
"""Seconds of load before a kill, at least and at most. Chosen, not measured: dozens of writes, and a switch, which the servers
begin every second, in two of three."""

_COMMAND_S: Final = 1.5
"""Seconds within which a command is killed, or the servers beside it, until one has shown how long it takes. Chosen, not measured."""


class KilledServers:
    """Servers on one folder, their clients, and the promises that they keep.

    Attributes:
        promises: counts of kills, acknowledged calls and backups, and what was broken.
    """

    def __init__(self, scratch: Path, seed: int, *, module: str = "facewire_server") -> None:
        """Makes the clients; nothing runs yet.

        Args:
            scratch: an empty folder.
            seed: of all that is random but the moment within a call.
            module: what `python -m` runs as the server.
        """
        self.promises = Promises()
        self._scratch = scratch
        self._data = scratch / "data"
        self._random = random.Random(seed)
        self._servers = ServerPair(self._data, self.promises, module)
        self._clients = [
            [
                GalleryClient(f"c{slot}{one}", seed * 100 + slot * 10 + one)
                for one in range(_CLIENTS)
            ]
            for slot in range(SERVERS)
        ]
        self._pictures = GalleryClient("p", seed, portrait_of(made_pair()[0]))
        self._command_s = dict.fromkeys(Beside, _COMMAND_S)
        self._contract = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._servers.close()

    def round(self, *, has_models: bool = False, beside: Beside | None = None) -> None:
        """Loads the servers, kills a worker, servers or the command at a random moment, starts what was killed, and compares.

        Args:
            has_models: the first server has its models, and one more client, which enrolls pictures.
            beside: a command that runs meanwhile; it is killed, or the servers are, while it runs or when it is finished.
        """
        self._servers.start(has_models=has_models)
        command, before = None, []
        if beside is not None:
            self.promises.counts[f"commands: {beside.value}"] += 1
            number = self.promises.counts["rounds"]
            command = GalleryCommand(beside, self._data, self._scratch / f"backup{number}")
            before = [client.ledger.earlier() for client in self._all()]
        try:
            self._load_and_kill(command, has_models=has_models)
        finally:
            if command is not None:
                command.kill()
        after = [client.ledger.earlier() for client in self._all()]
        self._servers.start(has_models=has_models)
        self._compare()
        if command is not None:
            self._check_backup(command, before, after)
        self.promises.counts["rounds"] += 1

    def finish(self) -> None:
        """Ends the servers, reads and searches all that they have left, and has what was deleted erased."""
        self._servers.close()
        self._verify()
        people = {one: who for each in self._all() for one, who in each.ledger.people.items()}
        # Not those enrolled by pictures: their embeddings are the models'.
        imported = {
            one: who for one, who in people.items() if one not in self._pictures.ledger.people
        }
        missed = search_finds(self._data / "gallery", self._contract, imported)
        self.promises.broken(NOT_FOUND, missed, f"{missed} searches")
        try:
            is_erased = compact(self._data / "gallery")
            self.promises.broken(NOT_ERASED, not is_erased, "the old file is still there")
        except (ServerError, OSError) as error:
            self.promises.broken(NOT_ERASED, 1, str(error))
        left = ids_in_files(self._data / "gallery", but=people)
        self.promises.broken(NOT_ERASED, len(left), ", ".join(sorted(left)[:5]))
        self.promises.counts["acknowledged calls"] = sum(one.acknowledged for one in self._all())
        self.promises.counts["merges and splits among them"] = sum(
            one.corrected for one in self._all()
        )
        self.promises.counts["negative examples added by a picture or deleted"] = sum(
            one.judged for one in self._all()
        )
        self.promises.broken(UNSEEN, sum(client.unseen for client in self._all()), "lists")

    def _all(self) -> list[GalleryClient]:
        return [*(client for clients in self._clients for client in clients), self._pictures]

    def _load_and_kill(self, command: GalleryCommand | None, *, has_models: bool) -> None:
        over = threading.Event()
        threads = []
        with ExitStack() as channels:
            for slot, (server, clients) in enumerate(
                zip(self._servers.running, self._clients, strict=True)
            ):
                enrolling = [self._pictures] if has_models and slot == 0 else []
                for client in (*clients, *enrolling):
                    stub = gallery_pb2_grpc.GalleryServiceStub(
                        channels.enter_context(server.channel())
                    )
                    threads.append(
                        threading.Thread(
                            target=client.run, args=(stub,), kwargs={"until": over.is_set}
                        )
                    )
            for thread in threads:
                thread.start()
            try:
                self._strike(command)
            finally:
                over.set()
                for thread in threads:
                    thread.join()

    def _strike(self, command: GalleryCommand | None) -> None:
        if command is None:
            time.sleep(self._random.uniform(*_LOAD_S))
            self._kill_servers()
            return
        began_s = time.monotonic()
        if self._random.random() < 0.25:
            if complaint := command.wait():
                self.promises.broken(BAD_BACKUP, 1, f"{command.beside.value}: {complaint}")
            self._command_s[command.beside] = time.monotonic() - began_s
            self._kill_servers()
            return
        time.sleep(self._random.uniform(0.0, self._command_s[command.beside]))
        if self._random.random() < 0.5:
            self._kill_servers()
        elif command.kill():
            self.promises.counts[f"killed: {command.beside.value}"] += 1

    def _kill_servers(self) -> None:
        self._servers.kill(self._random)
        if any(path.suffix in (".part", ".erase") for path in (self._data / "gallery").iterdir()):
            self.promises.counts["kills that left files of a switch"] += 1

    def _compare(self) -> None:
        for slot, server in enumerate(self._servers.running):
            with server.channel() as channel:
                stub = gallery_pb2_grpc.GalleryServiceStub(channel)
                # Of two workers one may be in the middle of its start.
                gallery = stub.GetGallery(
                    gallery_pb2.GetGalleryRequest(), wait_for_ready=True, timeout=60
                ).gallery
                if slot == 0:
                    self._pictures.finish(stub)
                self._contract = gallery.model_contract_id
                read = read_gallery(stub)
            for client in self._all():
                own = {one: who for one, who in read.items() if one.startswith(f"{client.name}-")}
                for difference in client.ledger.compare(own):
                    self.promises.broken(difference.kind, 1, difference.identity_id)
                if read.revision < client.ledger.revision:
                    text = f"{client.ledger.revision} to {read.revision}"
                    self.promises.broken(REVISION_BACK, 1, text)
            self.promises.broken(WRONG, len(read.wrong), ", ".join(read.wrong))

    def _check_backup(
        self, command: GalleryCommand, before: list[Ledger], after: list[Ledger]
    ) -> None:
        """What did not change while it was made, it must hold as it was acknowledged; or it must be refused."""
        for folder in command.parts:
            restored = self._scratch / "restored"
            people = people_of_backup(folder, restored, self._contract)
            shutil.rmtree(restored, ignore_errors=True)
            if people is None and folder == command.into:
                self.promises.broken(BAD_BACKUP, 1, "a backup that appeared is refused")
            if people is not None:
                self.promises.counts["backups restored"] += 1
                for earlier, later in zip(before, after, strict=True):
                    settled = earlier.same_as(later)
                    own = {one: who for one, who in people.items() if one in settled}
                    for difference in earlier.restricted_to(settled).compare(own):
                        self.promises.broken(BAD_BACKUP, 1, str(difference))
            shutil.rmtree(folder)

    def _verify(self) -> None:
        try:
            verify(self._data / "gallery")
        except (ServerError, OSError) as error:
            self.promises.broken(NOT_SOUND, 1, str(error))
