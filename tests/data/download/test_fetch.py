"""One file from a local server that interrupts connections, cannot resume, refuses, or sends another file."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from emokit.data.download import fetch as module
from emokit.data.download.fetch import fetch
from emokit.errors import DataError, WorkError

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ADVICE = "get it elsewhere"


def test_a_file_is_fetched_completely_and_its_progress_reported(served: Any, tmp_path: Path) -> None:
    served.files["a.zip"] = CONTENT
    steps: list[tuple[int, int]] = []
    progress = lambda *step: steps.append(step)  # noqa: E731
    assert fetch(f"{served.url}/a.zip", tmp_path / "a.zip", f"sha256:{SHA256}", ADVICE, progress) == SHA256
    assert (tmp_path / "a.zip").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
    assert steps[-1] == (512_000, 512_000)
    assert [total for _, total in steps] == [512_000] * len(steps)


def test_an_existing_file_with_the_right_checksum_is_not_fetched_again(served: Any, tmp_path: Path) -> None:
    served.files["a.zip"] = CONTENT
    md5 = hashlib.md5(CONTENT).hexdigest()
    for _ in range(2):
        assert fetch(f"{served.url}/a.zip", tmp_path / "a.zip", f"md5:{md5}", ADVICE) == SHA256
    assert len(served.asked) == 1


def test_after_an_interruption_only_the_missing_bytes_are_requested(served: Any, tmp_path: Path) -> None:
    served.files["a.zip"], served.cut_at, served.cuts = CONTENT, 262_144, 1
    assert fetch(f"{served.url}/a.zip", tmp_path / "a.zip", f"sha256:{SHA256}", ADVICE) == SHA256
    assert served.asked == [("a.zip", None), ("a.zip", "bytes=262144-")]


def test_a_server_without_ranges_is_asked_for_the_whole_file_again(served: Any, tmp_path: Path) -> None:
    served.files["a.zip"], served.cut_at, served.cuts, served.resumes = CONTENT, 262_144, 1, False
    assert fetch(f"{served.url}/a.zip", tmp_path / "a.zip", f"sha256:{SHA256}", ADVICE) == SHA256
    assert len(served.asked) == 2


def test_bytes_of_another_version_are_discarded(served: Any, tmp_path: Path) -> None:
    served.files["a.zip"], served.cut_at, served.cuts = bytes(512_000), 262_144, 5
    served.resumes = False
    with pytest.raises(WorkError):
        fetch(f"{served.url}/a.zip", tmp_path / "a.zip", None, ADVICE)
    served.files["a.zip"], served.version, served.resumes = CONTENT, '"2"', True
    assert fetch(f"{served.url}/a.zip", tmp_path / "a.zip", None, ADVICE) == SHA256


def test_a_connection_that_keeps_failing_is_one_sentence_and_the_received_bytes_are_kept(
    served: Any, tmp_path: Path
) -> None:
    served.files["a.zip"], served.cut_at, served.cuts = CONTENT, 0, 100
    url, path = f"{served.url}/a.zip", tmp_path / "a.zip"
    with pytest.raises(WorkError) as error:
        fetch(url, path, None, ADVICE)
    assert str(error.value) == (
        f"{url} could not be fetched (the connection was interrupted); the bytes received so far are kept, "
        "so repeat the command when the connection is better."
    )
    served.asked.clear()
    served.cut_at, served.cuts = 65_536, 3
    assert fetch(url, path, None, ADVICE) == SHA256
    assert [span for _, span in served.asked] == [None, "bytes=65536-", "bytes=131072-", "bytes=196608-"]


def test_the_call_after_an_interrupt_resumes(served: Any, tmp_path: Path) -> None:
    served.files["a.zip"] = CONTENT

    def stop(done: int, total: int) -> None:
        if done > 200_000:
            raise KeyboardInterrupt

    url, path = f"{served.url}/a.zip", tmp_path / "a.zip"
    with pytest.raises(KeyboardInterrupt):
        fetch(url, path, None, ADVICE, stop)
    assert not path.exists()
    assert fetch(url, path, None, ADVICE) == SHA256
    assert served.asked == [("a.zip", None), ("a.zip", "bytes=262144-")]


def test_a_complete_part_is_used(served: Any, tmp_path: Path) -> None:
    served.files["a.zip"] = CONTENT
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    (tmp_path / "a.zip.part.version").write_text('"1"')
    assert fetch(f"{served.url}/a.zip", tmp_path / "a.zip", None, ADVICE) == SHA256


def test_a_busy_server_is_retried(served: Any, tmp_path: Path) -> None:
    served.files["a.zip"], served.busy = CONTENT, 2
    assert fetch(f"{served.url}/a.zip", tmp_path / "a.zip", None, ADVICE) == SHA256
    served.busy = 9
    with pytest.raises(WorkError, match=r"could not be fetched \(the server answered 503 Service Unavailable\)"):
        fetch(f"{served.url}/a.zip", tmp_path / "b.zip", None, ADVICE)


def test_a_file_with_another_checksum_is_deleted_and_refused(served: Any, tmp_path: Path) -> None:
    served.files["a.zip"] = b"another"
    url, digest = f"{served.url}/a.zip", hashlib.sha256(b"another").hexdigest()
    with pytest.raises(DataError) as error:
        fetch(url, tmp_path / "a.zip", f"sha256:{SHA256}", ADVICE)
    assert str(error.value) == (
        f"{url} does not have the checksum sha256:{SHA256} (it has {digest}) and was deleted; "
        "repeat the command, and if that does not help, get it elsewhere."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_one_sentence(served: Any, tmp_path: Path) -> None:
    url = f"{served.url}/a.zip"
    with pytest.raises(DataError) as error:
        fetch(url, tmp_path / "a.zip", None, ADVICE)
    assert str(error.value) == f"{url} answered 404 Not Found; get it elsewhere."
    assert len(served.asked) == 1


def test_a_machine_without_a_network_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(
        WorkError,
        match=r"^http://127\.0\.0\.1:9/a could not be fetched \(Connection refused\); the bytes received so far are kept",
    ):
        fetch("http://127.0.0.1:9/a", tmp_path / "a", None, ADVICE)


def test_a_full_disk_is_one_sentence(served: Any, tmp_path: Path) -> None:
    served.files["a.zip"] = CONTENT

    def full(done: int, total: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(WorkError, match=rf"^The disk that holds {tmp_path / 'a.zip'} is full; free some space and run"):
        fetch(f"{served.url}/a.zip", tmp_path / "a.zip", None, ADVICE, full)


@pytest.mark.parametrize("address", ["file:///etc/hostname", "ftp://127.0.0.1/a.zip", "data:,a", "//[", "/a.zip"])
def test_a_redirection_to_another_kind_of_address_is_not_followed(served: Any, tmp_path: Path, address: str) -> None:
    served.leads_to = address
    url = f"{served.url}/a.zip"
    with pytest.raises(DataError) as error:
        fetch(url, tmp_path / "a.zip", None, ADVICE)
    fault = "leads to an address that is no http or https"
    if address == "/a.zip":
        fault = "leads from one address to another without end"
    else:
        assert len(served.asked) == 1
    assert str(error.value) == f"{url} {fault}; {ADVICE}."
    assert not list(tmp_path.iterdir())
