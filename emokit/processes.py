"""Processes of this machine: which one this is, and whether another still runs."""

import functools
import hashlib
import os
import platform
from pathlib import Path

CLOCK_SECONDS = 5.0  # between a disk's clock and the kernel's


@functools.cache
def machine() -> str:
    """Eight hexadecimal digits for this machine; containers that share a kernel differ."""
    try:
        name = f"{platform.node()}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        name = platform.node()
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def started(pid: int) -> str | None:
    """The start time of a process in the kernel's clock ticks; None if it has ended or the kernel does not tell."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state == "Z" else rest[18]


def is_running(pid: int, since: float) -> bool:
    """Whether a process of this machine runs, and has the same id since `since` (seconds since 1970)."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # another user's
    ticks = started(pid)
    if ticks is None:
        return not Path("/proc/self/stat").exists()  # ended, unless this system has no /proc
    return _boot_time() + int(ticks) / os.sysconf("SC_CLK_TCK") <= since + CLOCK_SECONDS


@functools.cache
def _boot_time() -> float:
    """Seconds since 1970."""
    for line in Path("/proc/stat").read_text(encoding="ascii").splitlines():
        if line.startswith("btime "):
            return float(line.split()[1])
    return 0.0
