"""Is the worker of a trial alive? On this machine its process is looked up, on others its heartbeat is watched.

A long step that holds Python's lock delays the heartbeat, so the timeout is generous, and a process that runs on this machine is
never declared dead by its heartbeat.
"""

import functools
import os
import platform
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from emokit.processes import started as _started

HEARTBEAT_SECONDS = 10.0
HEARTBEAT_TIMEOUT_SECONDS = 180.0
# Shorter for a trial that was claimed by a worker that never wrote its name: it has done no work that could be lost.
NAMELESS_SECONDS = 20.0


def this_process() -> dict[str, Any]:
    """What identifies this process to other workers."""
    return {"host": _host(), "pid": os.getpid(), "started": _started(os.getpid())}


def is_alive(owner: dict[str, Any]) -> bool | None:
    """Whether a worker's process runs; None on another machine, where it cannot be looked up."""
    if owner.get("host") != _host():
        return None
    pid = int(owner["pid"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        if _started(pid) is None:
            return None  # another user's process, hidden by this machine
    return _started(pid) == owner.get("started")  # the pid may have been reused


@functools.cache
def _host() -> str:
    """This machine since it was booted; of containers that share a kernel, this container."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
        return f"{platform.node()}/{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return platform.node()


class Heartbeat:
    """Calls `send(count)` every few seconds from its own thread, until `send` returns False: the trial is lost.

    Args:
        send: writes the count, which grows by one, to the storage.
    """

    def __init__(self, send: Callable[[int], bool]) -> None:
        self.is_lost = False
        self._send = send
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        count = 0
        while not self._stop.wait(HEARTBEAT_SECONDS):
            count += 1
            if not self._send(count):
                self.is_lost = True
                return
