"""The command `facewire-server`: runs a server, checks a running one, prints settings, or saves the galleries."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path

from facewire_server import audit_command, doctor_flags, evaluate_flags, token_command
from facewire_server.command_flags import COMMANDS, USAGE, command_parser
from facewire_server.configuration.env_file import format_env_file
from facewire_server.configuration.settings import Settings, SettingsError
from facewire_server.configuration.sources import read
from facewire_server.errors import ServerError
from facewire_server.host.disk_faults import next_step
from facewire_server.workers.orders import WORK

__all__ = ["main"]


def main() -> int:
    """Runs one command of the command line.

    Returns:
        0 if the command did its work, 1 if the server cannot run or `health` finds it not live
        or not ready, 2 if the command line or a setting is wrong, 3 if a stop was not waited for to its end,
        4 if workers died again and again.
    """
    command, *arguments = sys.argv[1:] or ["--help"]
    if command in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    if command not in COMMANDS:
        print(f"facewire-server: there is no command {command!r}\n{USAGE}", end="", file=sys.stderr)
        return 2
    if command == WORK:
        return _work(*arguments)
    flags = command_parser(command).parse_args(arguments)
    try:
        settings = read(flags, os.environ)
        if command == "config":
            text = format_env_file(settings.described())
            sys.stdout.buffer.write(text.encode())  # UTF-8, whatever the locale says
            return 0
    except SettingsError as error:
        print(f"facewire-server: {error}", file=sys.stderr)
        return 2
    if command == "token":
        return token_command.run_token_command(flags, settings)
    if command == "audit":
        return _audit(flags, settings)
    if command == "health":
        return _print_health(settings, live=flags.live)
    if command == "gallery":
        return _gallery(flags, settings)
    if command == "crops":
        return _crops(flags, settings)
    if command == "reembed":
        return _reembed(flags, settings)
    if command == "evaluate":
        return _of_labels(_evaluate(flags, settings))
    if command == "calibrate":
        return _of_labels(_calibrate(flags, settings))
    return _run(settings)


def _failed(error: Exception) -> int:
    print(f"facewire-server: {error}{next_step(error)}", file=sys.stderr)
    return 1


def _run(settings: Settings) -> int:
    try:
        if settings.workers > 1:
            from facewire_server.workers.serving import supervise

            return asyncio.run(supervise(settings, os.environ))
        # Imported late: a process that only prints settings, or starts workers, loads no engine.
        from facewire_server.app import serve

        asyncio.run(serve(settings))
    except (ServerError, SettingsError, OSError) as error:
        return _failed(error)
    return 0


def _work(table: str, slot_count: str, slot: str, control: str) -> int:
    """Runs one of several workers; its parent alone starts it, with all settings as variables."""
    from facewire_server.app import serve
    from facewire_server.workers.parent import Parent
    from facewire_server.workers.table import Slot, Table

    try:
        settings = read(command_parser(WORK).parse_args([]), os.environ)
        loads = Slot(Table(int(slot_count), int(table)), int(slot))
        parent = Parent(int(control), loads, end_within_s=settings.drain_s)
        asyncio.run(serve(settings, parent))
    except (ServerError, SettingsError, OSError) as error:
        print(f"facewire-server: {error}", file=sys.stderr)
        return 1
    return 0


def _audit(flags: argparse.Namespace, settings: Settings) -> int:
    from facewire_server.backends.lmdb_gallery.stats import gallery_infos

    def revisions(data: Path) -> dict[str, int]:
        return {one.gallery_id: one.revision for one in gallery_infos(data / "gallery")}

    return audit_command.run_audit_command(flags, settings, revisions)


def _gallery(flags: argparse.Namespace, settings: Settings) -> int:
    if flags.folder is None and flags.verb in ("backup", "restore"):
        print(f"facewire-server: gallery {flags.verb} needs the backup's folder", file=sys.stderr)
        return 2
    if flags.folder is not None and flags.verb == "doctor":
        print("facewire-server: gallery doctor takes no folder: --data names it", file=sys.stderr)
        return 2
    from facewire_server.app.doctor_command import run_doctor_command
    from facewire_server.app.gallery_files import run_gallery_command

    try:
        if flags.verb == "doctor":
            text, is_sound = run_doctor_command(flags, settings)
            print(text)
            return 0 if is_sound or not flags.check else doctor_flags.FOUND
        print(
            run_gallery_command(
                flags.verb,
                flags.folder,
                settings,
                is_replacing=flags.replace,
                keeps_deleted=flags.keep_deleted,
            )
        )
    except (ServerError, SettingsError, OSError) as error:
        return _failed(error)
    return 0


def _crops(flags: argparse.Namespace, settings: Settings) -> int:
    from facewire_server.app.crops_command import run_crops_command

    try:
        print(run_crops_command(flags.verb, settings))
    except (ServerError, SettingsError, OSError) as error:
        return _failed(error)
    return 0


def _reembed(flags: argparse.Namespace, settings: Settings) -> int:
    from facewire_server.app.reembed_command import PeopleLacking, run_reembed_command

    command = run_reembed_command(
        settings,
        contract=flags.contract,
        backup=flags.backup,
        report=flags.report,
        drop=flags.drop,
    )
    try:
        print(asyncio.run(command))
    except (ServerError, SettingsError, PeopleLacking, OSError) as error:
        return _failed(error)
    return 0


async def _evaluate(flags: argparse.Namespace, settings: Settings) -> int:
    from facewire_server.app.evaluate_command import run_evaluate_command

    text, is_fair = await run_evaluate_command(flags, settings)
    print(text)
    return 0 if is_fair else evaluate_flags.GATE_FAILED


async def _calibrate(flags: argparse.Namespace, settings: Settings) -> int:
    from facewire_server.app.calibrate_command import run_calibrate_command

    calibration, basis = await run_calibrate_command(flags, settings)
    print(calibration)
    print(basis, file=sys.stderr)
    return 0


def _of_labels(command: Coroutine[None, None, int]) -> int:
    """Runs a command that takes labeled pictures through the line."""
    from facewire_server.evaluation.labels import LabelError

    # SIGTERM as Ctrl-C, which asyncio takes: models and files are closed, and the last line says how to go on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        return asyncio.run(command)
    except LabelError as error:
        print(f"facewire-server: {error}", file=sys.stderr)
        return evaluate_flags.LABELS_WRONG
    except KeyboardInterrupt:
        print("facewire-server: stopped; with --embeddings the next run goes on", file=sys.stderr)
        return evaluate_flags.STOPPED
    except (ServerError, SettingsError, OSError) as error:
        return _failed(error)


def _print_health(settings: Settings, *, live: bool) -> int:
    # Imported late: gRPC must not be loaded where workers are started.
    from facewire_server.healthcheck import NoAnswer, health

    try:
        serving = health(settings)
    except NoAnswer as error:
        print(f"facewire-server: {error}", file=sys.stderr)
        return 1
    for name, healthy in serving.items():
        print(f"{name or 'process'} {'SERVING' if healthy else 'NOT_SERVING'}")
    return 0 if live or all(serving.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
