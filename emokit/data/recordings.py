"""The recordings of a prepared folder: where each one is, and whether it still is the one that was prepared.

Whoever opens a recording after `emokit prepare` finds its path here, and has it compared with the hash that was stored: under
the same name another recording may lie by now, which would get the label and the split of the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas

from emokit.data.audio_io.segments import Segment, read_segment
from emokit.errors import DataError
from emokit.names import escaped, unescaped

ROOTS = "roots"


class OtherRecording(DataError):
    """A file that holds another recording than the one that was prepared."""


def stored_roots(roots: Mapping[str, Path]) -> dict[str, str]:
    """Corpus -> root, as `settings.yaml` stores it."""
    return {name: escaped(str(root)) for name, root in roots.items()}


def read_roots(settings: Mapping[str, Any]) -> dict[str, str]:
    """Corpus -> root, from the content of a prepared folder's `settings.yaml`."""
    return {str(name): unescaped(str(root)) for name, root in (settings.get(ROOTS) or {}).items() if root}


def segments_of(table: pandas.DataFrame) -> dict[str, Segment]:
    """Utterance id -> its part of its file, of the utterances of a table that are segments."""
    if not {"start_seconds", "end_seconds"} & set(table.columns):
        return {}
    empty = pandas.Series(None, index=table.index, dtype=object)
    starts, ends = (table.get(name, empty).astype(object) for name in ("start_seconds", "end_seconds"))
    starts, ends = starts.where(starts.notna(), None), ends.where(ends.notna(), None)
    rows = zip(table["utterance_id"], starts, ends, strict=True)
    return {name: segment for name, start, end in rows if (segment := Segment.of(start, end))}


def recording_path(root: Path | str, path: str) -> Path:
    """The file of an utterance: below the root of its corpus, by the path in the table of utterances."""
    return Path(root) / unescaped(path)


@dataclass(frozen=True)
class Recordings:
    """The recordings of a prepared folder."""

    folder: Path
    """The prepared folder."""
    roots: Mapping[str, str] = field(default_factory=dict)
    """Corpus -> its root."""
    hashes: Mapping[str, str] = field(default_factory=dict)
    """Utterance id -> SHA-256 of the decoded samples, as `prepare` stored it."""
    segments: Mapping[str, Segment] = field(default_factory=dict)
    """Utterance id -> its part of its file, of utterances that have no file of their own."""

    def path(self, corpus: str, path: str) -> Path:
        """The file of an utterance.

        Raises:
            DataError: the folder does not say where the corpus is.
        """
        if corpus not in self.roots:
            raise DataError(f"{self.folder} names no root of {corpus}; run `emokit prepare` again with the same --out.")
        return recording_path(self.roots[corpus], path)

    def check(self, utterance_id: str, path: Path, recording: str | None = None) -> None:
        """Refuse a file that does not hold the recording that was prepared under this id.

        Args:
            utterance_id: of the utterance.
            path: its file.
            recording: the hash of the samples, where the file has been read; else it is read here.

        Raises:
            OtherRecording: it holds another one.
            DataError: it cannot be read, or no hash is stored.
        """
        expected = self.hashes.get(utterance_id)
        if not expected:
            raise DataError(
                f"{self.folder} has no hash of the recording of {utterance_id}; "
                "run `emokit prepare` again with the same --out."
            )
        if (recording or read_segment(path, self.segments.get(utterance_id)).recording_hash()) != expected:
            raise OtherRecording(
                f"{path} holds another recording than the one that was prepared as {utterance_id}; "
                "put that one back, or run `emokit prepare` again."
            )
