"""Locks: one process writes into a folder, another one is told which, and a killed one is no obstacle."""

import errno
import os
import platform
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import pytest

from emokit import locks
from emokit.errors import DataError, UsageError, WorkError
from emokit.locks import Held, hold, locked, new_result, patience, release, released_on_error, releasing

HOLD = """
import sys
from pathlib import Path
from emokit.locks import hold
hold(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Any]:
    """Another process that holds the lock of `tmp_path / "run"`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "run")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_another_process_is_told_who_holds_the_lock(tmp_path: Path, holder: Any) -> None:
    run = tmp_path / "run"
    with pytest.raises(Held) as caught:
        hold(run)
    assert str(caught.value) == (
        f"{run} is in use by process {holder.pid} on {platform.node()}; wait until that ends, or name another folder."
    )
    assert caught.value.exit_code == 4
    (run / ".lock").write_text("\x1b[2J")  # not what emokit writes
    with pytest.raises(Held, match="is in use by another process; wait"):
        hold(run)


def test_a_killed_holder_is_no_obstacle(tmp_path: Path, holder: Any) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with locked(tmp_path / "run"):
        assert f"process {os.getpid()} on" in (tmp_path / "run" / ".lock").read_text()
    assert names(tmp_path / "run") == []


def test_with_patience_the_end_of_the_holder_is_waited_for(tmp_path: Path, holder: Any) -> None:
    threading.Timer(2 * locks.WAIT_SECONDS, holder.kill).start()
    with patience():
        hold(tmp_path / "run")
    release(tmp_path / "run")


def test_work_that_every_process_needs_is_waited_for_and_its_holder_named(
    tmp_path: Path, holder: Any, caplog: pytest.LogCaptureFixture
) -> None:
    threading.Timer(1.5, holder.kill).start()
    with locks.awaited(tmp_path / "run"):
        assert (tmp_path / "run" / ".lock").read_text() == f"process {os.getpid()} on {platform.node()}"
    assert caplog.messages == [
        f"{tmp_path / 'run'} is in use by process {holder.pid} on {platform.node()}; waiting until that ends."
    ]
    assert not (tmp_path / "run" / ".lock").exists()


def test_a_process_that_holds_the_lock_keeps_it(tmp_path: Path) -> None:
    with locked(tmp_path):
        with locked(tmp_path):
            pass
        assert (tmp_path / ".lock").exists()
        hold(tmp_path)
    assert names(tmp_path) == []
    release(tmp_path)  # once more is no error


def test_holding_removes_what_killed_processes_left_in_the_folders(tmp_path: Path) -> None:
    for name in (
        ".a.999999999.part",
        f".b.{os.getpid()}.part",
        "sub/.c.999999999@other.part",
        "fold/.d.999999999.part",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "fold" / ".lock").touch()  # whoever holds that one removes it
    with locked(tmp_path):
        assert names(tmp_path) == [f".b.{os.getpid()}.part", ".lock", "fold", "sub"]
    assert (names(tmp_path / "sub"), names(tmp_path / "fold")) == ([], [".d.999999999.part", ".lock"])


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    (tmp_path / ".lock").symlink_to(tmp_path / "thesis.tex")
    with pytest.raises(DataError) as caught:
        hold(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / '.lock'} is a link, which emokit did not make; delete it and run the command again."
    )
    assert (tmp_path / "thesis.tex").read_text() == ""


def test_a_disk_that_cannot_lock_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(filelock.FileLock, "acquire", fail)
    with pytest.raises(WorkError) as caught:
        hold(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path} is on a disk that cannot lock files (No locks available), so two commands could write into it at "
        "once; name a folder on another disk."
    )


def test_an_error_releases_the_lock(tmp_path: Path) -> None:
    @releasing
    def work(folder: Path, value: int) -> int:
        hold(folder)
        return 1 // value

    assert work(tmp_path, 1) == 1
    assert names(tmp_path) == []
    with pytest.raises(ZeroDivisionError):
        work(tmp_path, 0)
    assert names(tmp_path) == []
    hold(tmp_path)
    with released_on_error(tmp_path):
        pass
    assert names(tmp_path) == [".lock"]
    with pytest.raises(KeyboardInterrupt), released_on_error(tmp_path):
        raise KeyboardInterrupt
    assert names(tmp_path) == []


def fail_in(out: Path) -> None:
    with new_result(out, force=True, what="about.json", unfinished="{}"):
        (out / "half").mkdir()
        raise RuntimeError


def test_a_new_result_has_its_mark_first_and_an_error_leaves_an_empty_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with new_result(out, force=False, what="about.json", unfinished="{}"):
        assert names(out) == [".lock", "about.json"]
        assert (out / "about.json").read_text() == "{}"
    with (
        pytest.raises(UsageError, match="exists and is not empty"),
        new_result(out, force=False, what="about.json", unfinished="{}"),
    ):
        pass
    with pytest.raises(RuntimeError):
        fail_in(out)
    assert names(out) == []
    with pytest.raises(RuntimeError):
        fail_in(tmp_path / "new")
    assert names(tmp_path) == ["out"]  # what was not there before is not left behind


def test_a_folder_of_somebody_else_is_refused_before_it_is_locked(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    before = tmp_path.stat().st_mtime_ns
    with (
        pytest.raises(UsageError, match=r"has no about\.json"),
        new_result(tmp_path, force=True, what="about.json", unfinished="{}"),
    ):
        pass
    assert tmp_path.stat().st_mtime_ns == before
