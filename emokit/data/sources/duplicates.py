"""Several files of one utterance: which one is taken.

Whether two files are the same is decided by their content. Of different ones, the one is taken that can be read and whose
sample rate and format most of the corpus has: a widespread download of RAVDESS has altered copies at 22,050 Hz beside the
originals at 48,000 Hz.
"""

import filecmp
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import soundfile

from emokit.data.audio_io.read import BadAudio, read_audio
from emokit.data.sources.tree import Dropped

COPY = "a copy of a file of the same name"
OTHER_CONTENT = "another file of the same name"
UNLIKE_THE_REST = "another file of the same name, unlike the rest of the corpus"
UNUSABLE = "another file of the same name, which cannot be used"

# Uncompressed audio first, video last.
PREFERENCE = {".wav": 0, ".flac": 1}


@dataclass(frozen=True, slots=True)
class Header:
    """What the header of an audio file says; None where soundfile does not read it."""

    suffix: str
    sample_rate: int | None = None
    subtype: str | None = None
    num_channels: int | None = None

    def __str__(self) -> str:
        if self.sample_rate is None:
            return self.suffix or "no suffix"
        channels = "1 channel" if self.num_channels == 1 else f"{self.num_channels} channels"
        return f"{self.suffix}, {self.sample_rate} Hz, {self.subtype}, {channels}"


def left_out(
    root: Path, files: Iterable[tuple[Hashable, PurePosixPath]], *, renamed: str = COPY, is_audio: bool = True
) -> dict[PurePosixPath, Dropped]:
    """The files that are not taken, each with its reason: all but one of each utterance.

    Args:
        root: of the corpus.
        files: the key of an utterance and a file of it, in order of preference; the first of equal ones is taken.
        renamed: the reason for a copy whose name differs from that of the file taken.
        is_audio: whether sample rate and format can decide between different files.
    """
    groups: dict[Hashable, list[PurePosixPath]] = defaultdict(list)
    for key, path in files:
        groups[key].append(path)
    contents = {key: _by_content(root, paths) for key, paths in groups.items()}
    majority = _Majority(root, contents) if is_audio and any(len(first) > 1 for first in contents.values()) else None
    dropped = {}
    for by_content in contents.values():
        taken = min(by_content, key=majority.rank) if majority and len(by_content) > 1 else next(iter(by_content))
        for first, paths in by_content.items():
            for path in paths:
                if first == taken:
                    reason, detail = (COPY if path.stem == taken.stem else renamed), ""
                else:
                    reason, detail = majority.reason(first, taken) if majority else (OTHER_CONTENT, "")
                if path != taken:
                    dropped[path] = Dropped(path.as_posix(), reason, f"taken: {taken.as_posix()}{detail}")
    return dropped


def _by_content(root: Path, paths: list[PurePosixPath]) -> dict[PurePosixPath, list[PurePosixPath]]:
    """The first file of each content -> all files of that content."""
    by_content: dict[PurePosixPath, list[PurePosixPath]] = {}
    for path in paths:
        first = next((other for other in by_content if _same_content(root / other, root / path)), path)
        by_content.setdefault(first, []).append(path)
    return by_content


def _same_content(first: Path, second: Path) -> bool:
    try:
        return filecmp.cmp(first, second, shallow=False)
    except OSError:  # one of them cannot be read
        return False


class _Majority:
    """What more than half of a corpus's utterances have, and how the files of one utterance rank by it."""

    def __init__(self, root: Path, contents: Mapping[Hashable, Iterable[PurePosixPath]]) -> None:
        self._root = root
        self._headers = {path: _header(root / path) for paths in contents.values() for path in paths}
        self._faults: dict[PurePosixPath, str] = {}
        rates: Counter[int] = Counter()
        formats: Counter[Header] = Counter()
        num_utterances = 0
        for paths in contents.values():
            # An utterance counts once for each rate and format that a file of it has.
            headers = {header for path in paths if (header := self._headers[path]).sample_rate is not None}
            num_utterances += bool(headers)
            rates.update({header.sample_rate for header in headers if header.sample_rate is not None})
            formats.update(headers)
        self._rates = {rate for rate, count in rates.items() if 2 * count > num_utterances}
        self._formats = {header for header, count in formats.items() if 2 * count > num_utterances}

    def rank(self, path: PurePosixPath) -> tuple[bool, bool, bool, int]:
        """The smallest is taken."""
        header = self._headers[path]
        return (
            bool(self._fault(path)),
            header.sample_rate not in self._rates,
            header not in self._formats,
            PREFERENCE.get(header.suffix, 2),
        )

    def reason(self, path: PurePosixPath, taken: PurePosixPath) -> tuple[str, str]:
        """Why a file was not taken, and the end of its detail."""
        unusable, *unlike, _ = self.rank(path)
        taken_unusable, *taken_unlike, _ = self.rank(taken)
        if unusable and not taken_unusable:
            return UNUSABLE, f"; this one is {self._fault(path)}"
        if not unusable and unlike != taken_unlike:
            return UNLIKE_THE_REST, f" ({self._headers[taken]}); this one: {self._headers[path]}"
        return OTHER_CONTENT, ""

    def _fault(self, path: PurePosixPath) -> str:
        """Why the audio of a file cannot be used; empty where it can."""
        if path not in self._faults:
            try:
                read_audio(self._root / path)
                self._faults[path] = ""
            except BadAudio as error:
                self._faults[path] = error.reason
        return self._faults[path]


def _header(path: Path) -> Header:
    suffix = path.suffix.lower()
    try:
        with path.open("rb") as file:
            info = soundfile.info(file)
    except (OSError, soundfile.SoundFileError):
        return Header(suffix)
    return Header(suffix, info.samplerate, info.subtype, info.channels)
