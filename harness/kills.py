"""Servers on one data folder, killed at random moments under load; after each kill the gallery is compared with what was acknowledged."""

import random
import shutil
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from facewire_server.backends.lmdb_gallery.backups import verify
from facewire_server.errors import ServerError
from harness.acknowledged import CHANGED, FOUND, LOST, Ledger
from harness.backups_made import BackupCommand, people_of_backup, search_finds
from harness.gallery_loads import GalleryClient, read_gallery
from harness.made_people import made_pair, portrait_of
from harness.running import RunningServer, ServerFailed, running_server

__all__ = ["FAULTS", "KilledServers"]

_NOT_STARTED: Final = "starts that failed"
_NOT_SOUND: Final = "verifications that failed"
_WRONG: Final = "vectors or counts that are wrong"
_BACK: Final = "revisions that went back"
_UNSEEN: Final = "acknowledged changes not in the next list"
_BAD_BACKUP: Final = "backups that are neither whole nor refused"
_NOT_FOUND: Final = "vectors that a search does not find"

FAULTS: Final = (
    LOST,
    FOUND,
    CHANGED,
    _UNSEEN,
    _WRONG,
    _BACK,
    _NOT_STARTED,
    _NOT_SOUND,
    _BAD_BACKUP,
    _NOT_FOUND,
)
"""Each kind of broken promise that is counted."""

_SERVERS: Final = 2
"""Servers that share the folder. Chosen, not measured."""

_CLIENTS: Final = 3
"""Clients of each. Chosen, not measured."""

_LOAD_S: Final = (0.05, 0.8)
"""Seconds of load before a kill, at least and at most. Chosen, not measured: dozens of writes."""

_BACKUP_S: Final = 2.5
"""Seconds within which a backup is killed. Chosen, not measured: the command takes about as long on two busy processors."""

_NOWHERE: Final = "127.0.0.1:1"
"""Address of model servers that are not there: a server that loads no model starts in a third of the processor time."""


class KilledServers:
    """Two servers on one folder, their clients, and what was counted.

    Attributes:
        counts: kills, acknowledged calls, backups, and each kind of `FAULTS`.
        examples: one line for each fault.
    """

    def __init__(self, scratch: Path, seed: int, *, module: str = "facewire_server") -> None:
        """Makes the clients; nothing runs yet.

        Args:
            scratch: an empty folder.
            seed: of all that is random but the moment within a call.
            module: what `python -m` runs as the server.
        """
        self.counts: Counter[str] = Counter(dict.fromkeys(FAULTS, 0))
        self.examples: list[str] = []
        self._scratch = scratch
        self._data = scratch / "data"
        self._random = random.Random(seed)
        self._module = module
        self._stacks = [ExitStack() for _ in range(_SERVERS)]
        self._servers: list[RunningServer | None] = [None] * _SERVERS
        self._clients = [
            [
                GalleryClient(f"c{slot}{one}", seed * 100 + slot * 10 + one)
                for one in range(_CLIENTS)
            ]
            for slot in range(_SERVERS)
        ]
        self._pictures = GalleryClient("p", seed, portrait_of(made_pair()[0]))
        self._contract = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for slot in range(_SERVERS):
            self._kill(slot)

    def round(self, *, is_whole: bool = False, has_backup: bool = False) -> None:
        """Loads the servers, kills one, both or the backup at a random moment, starts what was killed, and compares.

        Args:
            is_whole: the first server has its models, and one more client, which enrolls pictures.
            has_backup: a backup is made meanwhile; it is killed, or the servers are when it is finished.
        """
        if is_whole:
            self._kill(0)
        self._start(is_whole=is_whole)
        backup, before = None, []
        if has_backup:
            self.counts["backups"] += 1
            backup = BackupCommand(self._data, self._scratch / f"backup{self.counts['backups']}")
            before = [client.ledger.earlier() for client in self._all()]
        try:
            self._load_and_kill(backup, is_whole=is_whole)
        finally:
            if backup is not None:
                backup.kill()
        after = [client.ledger.earlier() for client in self._all()]
        self._start(is_whole=is_whole)
        self._compare()
        if backup is not None:
            self._check_backup(backup, before, after)
        if is_whole:
            self._kill(0)  # the next one has no models
        self.counts["rounds"] += 1

    def finish(self) -> None:
        """Ends the servers, and reads and searches all that they have left."""
        for slot in range(_SERVERS):
            self._kill(slot)
        self._verify()
        # Not those enrolled by pictures: their embeddings are the models'.
        people = {
            one: person
            for clients in self._clients
            for client in clients
            for one, person in client.ledger.people.items()
        }
        missed = search_finds(self._data / "gallery", self._contract, people)
        self._fault(_NOT_FOUND, missed, f"{missed} vectors")
        self.counts["acknowledged calls"] = sum(client.acknowledged for client in self._all())
        self._fault(_UNSEEN, sum(client.unseen for client in self._all()), "lists")

    def _all(self) -> list[GalleryClient]:
        return [*(client for clients in self._clients for client in clients), self._pictures]

    def _start(self, *, is_whole: bool) -> None:
        for slot, running in enumerate(self._servers):
            if running is not None:
                continue
            settings: dict[str, Any] = {"data": self._data}
            if not (is_whole and slot == 0):
                settings |= {"detector_address": _NOWHERE, "embedder_address": _NOWHERE}
            try:
                self._servers[slot] = self._stacks[slot].enter_context(
                    running_server(module=self._module, **settings)
                )
            except ServerFailed as error:
                self._fault(_NOT_STARTED, 1, str(error))
                raise

    def _kill(self, slot: int) -> None:
        server, self._servers[slot] = self._servers[slot], None
        if server is not None:
            server.kill()
        self._stacks[slot].close()

    def _load_and_kill(self, backup: BackupCommand | None, *, is_whole: bool) -> None:
        over = threading.Event()
        threads = []
        with ExitStack() as channels:
            for slot, clients in enumerate(self._clients):
                server = self._servers[slot]
                assert server is not None
                enrolling = [self._pictures] if is_whole and slot == 0 else []
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
                self._strike(backup)
            finally:
                over.set()
                for thread in threads:
                    thread.join()

    def _strike(self, backup: BackupCommand | None) -> None:
        if backup is not None:
            if self._random.random() < 0.5:
                time.sleep(self._random.uniform(0.0, _BACKUP_S))
                backup.kill()
                self.counts["backups killed"] += 1
                return
            if self._random.random() < 0.5 and (complaint := backup.wait()):
                self._fault(_BAD_BACKUP, 1, complaint)
        else:
            time.sleep(self._random.uniform(*_LOAD_S))
        for slot in self._random.choice([(0,), (1,), (0, 1)]):
            self._kill(slot)
            self.counts["servers killed"] += 1

    def _compare(self) -> None:
        for slot, server in enumerate(self._servers):
            assert server is not None
            with server.channel() as channel:
                stub = gallery_pb2_grpc.GalleryServiceStub(channel)
                if slot == 0:
                    self._pictures.finish(stub)
                gallery = stub.GetGallery(gallery_pb2.GetGalleryRequest()).gallery
                self._contract = gallery.model_contract_id
                read = read_gallery(stub)
            for client in self._all():
                own = {one: who for one, who in read.items() if one.startswith(f"{client.name}-")}
                for difference in client.ledger.compare(own):
                    self._fault(difference.kind, 1, difference.identity_id)
                if read.revision < client.ledger.revision:
                    self._fault(_BACK, 1, f"{client.ledger.revision} to {read.revision}")
            self._fault(_WRONG, len(read.wrong), ", ".join(read.wrong))

    def _check_backup(
        self, backup: BackupCommand, before: list[Ledger], after: list[Ledger]
    ) -> None:
        """What did not change while it was made, it must hold as it was acknowledged; or it must be refused."""
        for folder in backup.parts:
            restored = self._scratch / "restored"
            people = people_of_backup(folder, restored, self._contract)
            shutil.rmtree(restored, ignore_errors=True)
            if people is None and folder == backup.into:
                self._fault(_BAD_BACKUP, 1, "a backup that appeared is refused")
            if people is not None:
                self.counts["backups restored"] += 1
                for earlier, later in zip(before, after, strict=True):
                    settled = earlier.same_as(later)
                    own = {one: who for one, who in people.items() if one in settled}
                    for difference in earlier.restricted_to(settled).compare(own):
                        self._fault(_BAD_BACKUP, 1, str(difference))
            shutil.rmtree(folder)
        self._verify()

    def _verify(self) -> None:
        try:
            verify(self._data / "gallery")
        except (ServerError, OSError) as error:
            self._fault(_NOT_SOUND, 1, str(error))

    def _fault(self, kind: str, count: int, example: str) -> None:
        if count:
            self.counts[kind] += count
            self.examples.append(f"round {self.counts['rounds']}, {kind}: {example}")
