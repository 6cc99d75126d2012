"""One file over HTTP: gone on with after a cut connection, checked, whole or absent."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pooch
import requests

from emokit.errors import DataError, WorkError
from emokit.files import explained_disk_errors, file_hash
from emokit.version import __version__

BLOCK_BYTES = 2**16  # what a cut connection may lose
TRIES = 5  # in a row without a single new byte
PAUSE_SECONDS = 1.0
TIMEOUT_SECONDS = 60.0

# Called with (bytes there, bytes in all); the latter is 0 where the server does not say.
Progress = Callable[[int, int], None]


def fetch(url: str, path: Path, checksum: str | None, advice: str, progress: Progress | None = None) -> str:
    """Fetch `url` to `path`, or go on with what an earlier call left behind; a file that is there and right is kept.

    Args:
        url: http or https.
        path: the file to make; beside it lies `NAME.part` while it is not whole.
        checksum: `md5:…` or `sha256:…`; None where none is published.
        advice: what a user should do where the file cannot be had: the end of a sentence.
        progress: told how far it is.

    Returns:
        The SHA-256 of the file.

    Raises:
        DataError: the server has no such file, or another one than the checksum says.
        WorkError: the connection fails again and again, or the disk is full; what came is kept.
    """
    pooch.get_logger().setLevel("WARNING")  # one place prints
    downloader = Resuming(path.with_name(f"{path.name}.part"), advice, progress)
    try:
        with explained_disk_errors(path):
            pooch.retrieve(url, checksum, fname=path.name, path=path.parent, downloader=downloader)
    except ValueError as error:
        found = re.search(r"but got (\w+)", str(error))
        if not found:
            raise
        raise DataError(
            f"{url} is another file than {checksum} (it has {found[1]}) and was deleted; "
            f"give the same command again, and if it stays so, {advice}."
        ) from error
    return file_hash(path)


class Resuming:
    """A downloader for pooch, whose own one begins anew after every cut."""

    def __init__(self, part: Path, advice: str, progress: Progress | None) -> None:
        self.part, self.advice, self.progress = part, advice, progress
        # Which version of the file the part is of, so that two versions are never joined.
        self.version = part.with_name(f"{part.name}.version")

    def __call__(self, url: str, output_file: str, _: Any, check_only: bool = False) -> None:
        """What pooch calls: fetch `url` whole into `output_file`."""
        failures = 0
        while True:
            before = self._num_bytes()
            try:
                self._go_on(url)
                break
            except requests.RequestException as error:
                failures = 1 if self._num_bytes() > before else failures + 1
                if failures >= TRIES:
                    raise WorkError(
                        f"{url} could not be fetched ({_reason(error)}); what came of it is kept, "
                        "so give the same command again when the connection is better."
                    ) from error
                time.sleep(PAUSE_SECONDS * failures)
        self.part.replace(output_file)
        self.version.unlink(missing_ok=True)

    def _num_bytes(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _go_on(self, url: str) -> None:
        """Ask for what is missing, or for everything where that cannot be had; raise where the answer is cut short."""
        start = self._num_bytes() if self.version.exists() else 0
        headers = {"Accept-Encoding": "identity", "User-Agent": f"emokit/{__version__}"}
        if start:
            headers |= {"Range": f"bytes={start}-", "If-Range": self.version.read_text(encoding="utf-8")}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
            span = response.headers.get("Content-Range", "")
            if response.status_code == 416 and span == f"bytes */{start}":
                return  # it was whole already
            if response.status_code == 416 or (response.status_code == 206 and not span.startswith(f"bytes {start}-")):
                self.version.unlink()
                raise requests.ConnectionError("the server changed its mind")
            if response.status_code == 429 or response.status_code >= 500:
                raise requests.ConnectionError(f"the server answered {response.status_code} {response.reason}")
            if response.status_code >= 400:
                raise DataError(f"{url} answered {response.status_code} {response.reason}; {self.advice}.")
            if response.status_code != 206:
                start = 0
                self._note_version(response)
            total = start + int(response.headers.get("Content-Length") or 0)
            with self.part.open("ab" if start else "wb") as file:
                for block in response.iter_content(BLOCK_BYTES):
                    file.write(block)
                    if self.progress:
                        self.progress(file.tell(), total)
        if total > start and self._num_bytes() != total:
            raise requests.ConnectionError(f"{self._num_bytes()} of {total} bytes came")

    def _note_version(self, response: requests.Response) -> None:
        tag = response.headers.get("ETag", "")
        # A weak tag names what looks alike, not the same bytes.
        version = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
        if version:
            self.version.write_text(version, encoding="utf-8")
        else:
            self.version.unlink(missing_ok=True)


def _reason(error: requests.RequestException) -> str:
    """What happened, without the objects that requests quotes."""
    text = str(error)
    if "IncompleteRead" in text:
        return "the connection breaks off"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT_SECONDS:g} s"
    system = re.search(r"\[Errno -?\d+\] ([\w ]+)", text)
    return system[1] if system else text
