"""The life of the parent: the port is reserved, then workers serve it until a signal comes."""

import dataclasses
import os
import sys
from collections.abc import Mapping
from contextlib import closing

from facewire_server.configuration.settings import ENVIRONMENT_PREFIX, Settings
from facewire_server.host.ports import reserved_port
from facewire_server.host.signals import handle_signals
from facewire_server.logs import logging_to_stderr
from facewire_server.telemetry.merged import serving_merged
from facewire_server.workers.orders import WORK
from facewire_server.workers.process import WorkerProcess, environment_of
from facewire_server.workers.supervision import Supervisor
from facewire_server.workers.table import Table, slots_of

__all__ = ["supervise"]


async def supervise(settings: Settings, environment: Mapping[str, str]) -> int:
    """Runs the workers of a server until SIGTERM or SIGINT; returns the exit status.

    SIGHUP lets all reload tokens and certificates; SIGUSR2 replaces the workers, one after the other. When all take calls, this
    prints one line to standard output: "facewire.v1 on HOST:PORT".

    Args:
        settings: of the server.
        environment: that the workers inherit; its settings count for nothing.

    Raises:
        OSError: the address cannot be used, or the system has no process for a worker.
    """
    slot_count = slots_of(settings.workers)
    with (
        reserved_port(settings.listen) as port,
        closing(_Stderr()) as stderr,
        closing(Table(slot_count)) as table,
    ):
        signals = handle_signals()
        address = f"{settings.listen.rpartition(':')[0]}:{port}"
        command = (sys.executable, "-m", "facewire_server", WORK, str(table.file), str(slot_count))
        own = dataclasses.replace(settings, listen=address).described()
        variables = environment_of(
            environment, ENVIRONMENT_PREFIX, {variable: text for variable, text, _ in own}
        )
        with logging_to_stderr(settings.log_format) as log:
            supervisor = Supervisor(
                lambda slot: WorkerProcess.start(
                    (*command, str(slot)), variables, stderr.file, (table.file,)
                ),
                settings.workers,
                table=table,
                lame_duck_s=settings.lame_duck_s,
                drain_s=settings.drain_s,
                emit=log,
            )
            async with serving_merged(
                settings.metrics_listen,
                supervisor.metrics,
                supervisor.ended_metrics,
                lambda: supervisor.deaths.count,
                log,
            ):
                return await supervisor.run(
                    signals, lambda: print(f"facewire.v1 on {address}", flush=True)
                )


class _Stderr:
    """Standard error as it is before the log of this process captures it."""

    def __init__(self) -> None:
        self.file = os.dup(2)

    def close(self) -> None:
        os.close(self.file)
