"""Who works on a trial, and whether that worker still lives: by its process on this machine, by its heartbeat on others.

A heartbeat may starve where a long step holds Python's lock, so a lease is generous, and a process that lives on this machine
is never taken for dead.
"""

import functools
import os
import platform
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

BEAT_SECONDS = 10.0
HEARTBEAT_TIMEOUT_SECONDS = 180.0
# A worker that was claiming a trial and has not written its name: it has done nothing yet that could be lost.
NAMELESS_SECONDS = 20.0


def me() -> dict[str, Any]:
    """This process, so that others can look for it."""
    return {"host": _host(), "pid": os.getpid(), "born": _born(os.getpid())}


def is_alive(owner: dict[str, Any]) -> bool | None:
    """Whether a worker lives; None where it runs on another machine and cannot be looked for."""
    if owner.get("host") != _host():
        return None
    pid = int(owner["pid"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        if _born(pid) is None:
            return None  # another user's, which this machine hides
    return _born(pid) == owner.get("born")  # the number may belong to another process by now


@functools.cache
def _host() -> str:
    """This machine since it was started; of containers that share its kernel, this one."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]
        return f"{platform.node()}/{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return platform.node()


def _born(pid: int) -> str | None:
    """When a process was started, in the kernel's own count; None where it does not tell, or the process has ended."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state == "Z" else rest[18]


class Heartbeat:
    """Calls `beat` every few seconds from a thread of its own, until it says that the trial is lost."""

    def __init__(self, beat: Callable[[int], bool]) -> None:
        self.is_lost = False
        self._beat = beat
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        count = 0
        while not self._over.wait(BEAT_SECONDS):
            count += 1
            if not self._beat(count):
                self.is_lost = True
                return
