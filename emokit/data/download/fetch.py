"""Fetch one file over HTTP: resume interrupted downloads, verify the checksum, keep complete files only."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pooch
import requests

from emokit.errors import DataError, WorkError
from emokit.files import explained_disk_errors, file_hash
from emokit.runtime import VERSION

BLOCK_BYTES = 2**16  # an interrupted connection loses at most this much
TRIES = 5  # in a row without a new byte
PAUSE_SECONDS = 1.0
TIMEOUT_SECONDS = 60.0

# Called with (bytes received, bytes in total); the total is 0 where the server does not send it.
Progress = Callable[[int, int], None]


def fetch(url: str, path: Path, checksum: str | None, advice: str, progress: Progress | None = None) -> str:
    """Fetch `url` to `path`; resumes an interrupted download and skips a file that exists with the right checksum.

    Args:
        url: http or https.
        path: the file to write; until it is complete, its bytes are in `NAME.part` beside it.
        checksum: `md5:…` or `sha256:…`; None where none is published.
        advice: what a user should do if the file cannot be fetched: the end of a sentence.
        progress: called after each block.

    Returns:
        The SHA-256 of the file.

    Raises:
        DataError: the server has no such file, leads to no address of http or https, or has one with another checksum.
        WorkError: the connection keeps failing, or the disk is full; the bytes so far are kept.
    """
    pooch.get_logger().setLevel("WARNING")  # only cli/console.py prints
    downloader = ResumingDownloader(path.with_name(f"{path.name}.part"), advice, progress)
    try:
        with explained_disk_errors(path):
            pooch.retrieve(url, checksum, fname=path.name, path=path.parent, downloader=downloader)
    except ValueError as error:
        match = re.search(r"but got (\w+)", str(error))
        if not match:
            raise
        raise DataError(
            f"{url} does not have the checksum {checksum} (it has {match[1]}) and was deleted; "
            f"repeat the command, and if that does not help, {advice}."
        ) from error
    return file_hash(path)


class ResumingDownloader:
    """A downloader for pooch that resumes; pooch's own restarts after every interruption."""

    def __init__(self, part: Path, advice: str, progress: Progress | None) -> None:
        self.part, self.advice, self.progress = part, advice, progress
        # The version of the file that `part` belongs to, so that bytes of two versions are never joined.
        self.version = part.with_name(f"{part.name}.version")

    def __call__(self, url: str, output_file: str, _: Any, check_only: bool = False) -> None:
        """Fetch `url` completely into `output_file`; called by pooch."""
        failures = 0
        while True:
            before = self._num_bytes()
            try:
                self._resume(url)
                break
            except requests.exceptions.TooManyRedirects as error:
                raise DataError(f"{url} leads from one address to another without end; {self.advice}.") from error
            except ValueError as error:  # of requests and of urllib, on an address; trying again gives the same one
                raise DataError(f"{url} leads to an address that is no http or https; {self.advice}.") from error
            except requests.RequestException as error:
                failures = 1 if self._num_bytes() > before else failures + 1
                if failures >= TRIES:
                    raise WorkError(
                        f"{url} could not be fetched ({_reason(error)}); the bytes received so far are kept, "
                        "so repeat the command when the connection is better."
                    ) from error
                time.sleep(PAUSE_SECONDS * failures)
        self.part.replace(output_file)
        self.version.unlink(missing_ok=True)

    def _num_bytes(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _resume(self, url: str) -> None:
        """Request the missing bytes, or all of them if the server cannot resume; raises if the response is incomplete."""
        start = self._num_bytes() if self.version.exists() else 0
        headers = {"Accept-Encoding": "identity", "User-Agent": f"emokit/{VERSION}"}
        if start:
            headers |= {"Range": f"bytes={start}-", "If-Range": self.version.read_text(encoding="utf-8")}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
            span = response.headers.get("Content-Range", "")
            if response.status_code == 416 and span == f"bytes */{start}":
                return  # the part was complete already
            if response.status_code == 416 or (response.status_code == 206 and not span.startswith(f"bytes {start}-")):
                self.version.unlink()
                raise requests.ConnectionError("the server sent another range than requested")
            if response.status_code == 429 or response.status_code >= 500:
                raise requests.ConnectionError(f"the server answered {response.status_code} {response.reason}")
            if response.status_code >= 400:
                raise DataError(f"{url} answered {response.status_code} {response.reason}; {self.advice}.")
            if response.status_code != 206:
                start = 0
                self._write_version(response)
            total = start + int(response.headers.get("Content-Length") or 0)
            with self.part.open("ab" if start else "wb") as file:
                for block in response.iter_content(BLOCK_BYTES):
                    file.write(block)
                    if self.progress:
                        self.progress(file.tell(), total)
        if total > start and self._num_bytes() != total:
            raise requests.ConnectionError(f"received {self._num_bytes()} of {total} bytes")

    def _write_version(self, response: requests.Response) -> None:
        tag = response.headers.get("ETag", "")
        # A weak tag does not guarantee the same bytes.
        version = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
        if version:
            self.version.write_text(version, encoding="utf-8")
        else:
            self.version.unlink(missing_ok=True)


def _reason(error: requests.RequestException) -> str:
    """What happened, without the object representations in requests' messages."""
    text = str(error)
    if "IncompleteRead" in text:
        return "the connection was interrupted"
    if isinstance(error, requests.Timeout):
        return f"no answer within {TIMEOUT_SECONDS:g} s"
    system = re.search(r"\[Errno -?\d+\] ([\w ]+)", text)
    return system[1] if system else text
