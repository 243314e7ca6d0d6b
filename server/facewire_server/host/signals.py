"""Handles signals: SIGTERM and SIGINT stop a server, the second one at once; SIGHUP reloads its credentials.

SIGUSR2 replaces the workers of a server that has several.
"""

import asyncio
import os
import signal
from dataclasses import dataclass, field

__all__ = ["Signals", "handle_signals"]


@dataclass(frozen=True, slots=True)
class Signals:
    """Set when a signal comes.

    Attributes:
        stop: by SIGTERM, by SIGINT, and by SIGHUP if the server's terminal was closed.
        at_once: by the same, but not by the first SIGTERM: a person at a terminal, or a second signal, does not wait
            for proxies to notice.
        reload: by any other SIGHUP; the waiting task clears it.
        replace: by SIGUSR2; the waiting task clears it.
    """

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: asyncio.Event = field(default_factory=asyncio.Event)
    reload: asyncio.Event = field(default_factory=asyncio.Event)
    replace: asyncio.Event = field(default_factory=asyncio.Event)

    def stop_at_once(self) -> None:
        """Sets `stop` and `at_once`."""
        self.stop.set()
        self.at_once.set()


def handle_signals(*, is_worker: bool = False) -> Signals:
    """Handles the signals in the running event loop, from now on.

    Args:
        is_worker: the process is one of several workers. Its parent says when to stop at once: a service manager that sends
            SIGTERM to all processes of a server would do so with the signal that the parent passes on, too.
    """
    signals = Signals()
    # The kernel also sends SIGHUP when a terminal is closed: a server that was started there by
    # hand would go on unseen and keep its port. `nohup` asks for that, by ignoring SIGHUP.
    ends_with_terminal = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _has_terminal()

    def terminate() -> None:
        if signals.stop.is_set() and not is_worker:
            signals.at_once.set()
        signals.stop.set()

    def hang_up() -> None:
        if ends_with_terminal and not _has_terminal():
            signals.stop_at_once()
        else:
            signals.reload.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, terminate)
    loop.add_signal_handler(signal.SIGINT, terminate if is_worker else signals.stop_at_once)
    loop.add_signal_handler(signal.SIGHUP, hang_up)
    loop.add_signal_handler(signal.SIGUSR2, signals.replace.set)
    return signals


def _has_terminal() -> bool:
    """Whether this process has a controlling terminal, and that is still open."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
