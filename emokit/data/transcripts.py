"""Transcripts in a prepared folder: what a recogniser returns, the cache of it, and the texts that utterances get from it.

A recogniser is handed in by whoever calls `prepare`; nothing here knows a model. What it wrote is cached under the hash of the
recording as soon as it is known, so that an interrupted `prepare` transcribes nothing twice.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas

from emokit.data.audio_io.faults import BadAudio
from emokit.data.audio_io.segments import Segment
from emokit.data.catalogue import Corpus
from emokit.data.ledger import Ledger
from emokit.data.recordings import recording_path, segments_of
from emokit.data.utterance import TRANSCRIPT, TRANSLATION, Utterance
from emokit.errors import DataError
from emokit.files import explained_disk_errors
from emokit.settings import key_of

TRANSCRIPTS = "transcripts"
"""The folder of the cache in a prepared folder."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording to transcribe."""

    name: str
    """Names it in errors."""
    path: Path
    segment: Segment | None = None
    language: str | None = None
    """ISO 639-1, where the corpus states it."""
    recording: str | None = None
    """The hash that its samples must have; None where any recording is right and none is known."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a recogniser wrote down for a recording."""

    text: str
    language: str | None = None
    """ISO 639-1: that of the speech, given or detected."""
    original: str | None = None
    """What was said in that language, where `text` is a translation."""
    flags: tuple[str, ...] = ()
    """What makes it doubtful: one short phrase each."""

    @property
    def source(self) -> str:
        """`transcript` or `translation`."""
        return TRANSCRIPT if self.original is None else TRANSLATION


class NotTranscribed(DataError):
    """A recording that has no transcript: `reason` is a short phrase, `advice` says what to do."""

    def __init__(self, name: str, reason: str, advice: str = "leave it out") -> None:
        super().__init__(name, reason, advice)
        self.name, self.reason, self.advice = name, reason, advice

    def __str__(self) -> str:
        return f"{self.name} {self.reason}; {self.advice}."


class Recogniser(Protocol):
    """Transcribes recordings."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What identifies its transcripts, as plain values without secrets; `model` is the name of the model."""
        ...

    def check(self, languages: Iterable[str | None]) -> None:
        """Refuse languages that corpora state and the model does not know, before hours of work.

        Raises:
            UsageError: names the first of them.
        """
        ...

    def transcribe(self, clips: Sequence[Clip]) -> Iterator[Transcript | NotTranscribed | BadAudio]:
        """Transcribe recordings in their order; what is wrong with one does not stop the others."""
        ...


class TranscriptCache:
    """What a recogniser wrote, by recording and stated language: one line of JSON each, appended as soon as it is known."""

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        """Read it; `folder` is a prepared folder."""
        self.path = folder / TRANSCRIPTS / f"{key_of(dict(identity))}.jsonl"
        self._known: dict[tuple[str | None, str | None], Transcript | NotTranscribed] = {}
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.is_file() else []
        self._is_cut = bool(lines) and not lines[-1].endswith(b"\n")  # by a kill
        for line in lines:
            try:
                entry = json.loads(line)
                self._known[entry["recording"], entry["stated"]] = _read(entry)
            except (ValueError, LookupError, TypeError):  # cut or damaged: transcribed again
                continue

    def missing(self, clips: Iterable[Clip]) -> list[Clip]:
        """The recordings without a transcript, each once for a language, in their order."""
        first: dict[tuple[str | None, str | None], Clip] = {}
        for clip in clips:
            first.setdefault((clip.recording, clip.language), clip)
        return [clip for key, clip in first.items() if key not in self._known]

    def get(self, recording: str | None, language: str | None) -> Transcript | NotTranscribed | None:
        """The transcript of a recording in a stated language; None where it is not known."""
        return self._known.get((recording, language))

    def add(self, recording: str | None, language: str | None, result: Transcript | NotTranscribed) -> None:
        """Store a transcript."""
        self._known[recording, language] = result
        values = {"reason": result.reason} if isinstance(result, NotTranscribed) else asdict(result)
        line = json.dumps({"recording": recording, "stated": language, **values}, ensure_ascii=True) + "\n"
        with explained_disk_errors(self.path):
            self.path.parent.mkdir(exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write("\n" * self._is_cut + line)
            self._is_cut = False


def _read(entry: Mapping[str, Any]) -> Transcript | NotTranscribed:
    if "reason" in entry:
        return NotTranscribed("", str(entry["reason"]))
    return Transcript(str(entry["text"]), entry["language"], entry["original"], tuple(entry["flags"]))


def transcripts_of(
    clips: Sequence[Clip], recogniser: Recogniser, cache: TranscriptCache | None
) -> Iterator[Transcript | NotTranscribed | BadAudio]:
    """The transcripts of recordings in their order; what the cache lacks is transcribed, and added as soon as it is known.

    Args:
        clips: with the hashes of their recordings; one recording in one language is transcribed once.
        recogniser: that the cache belongs to.
        cache: None where nothing can be stored.
    """
    pending = clips if cache is None else cache.missing(clips)
    written = recogniser.transcribe(pending)
    fresh = {id(clip) for clip in pending}
    bad: dict[tuple[str | None, str | None], BadAudio] = {}
    for clip in clips:
        key = (clip.recording, clip.language)
        if id(clip) not in fresh:
            result = (cache.get(*key) if cache else None) or bad[key]
        else:
            result = next(written)
            if isinstance(result, BadAudio):
                bad[key] = result
            elif cache:
                cache.add(*key, result)
        if isinstance(result, NotTranscribed):
            result = NotTranscribed(clip.name, result.reason, result.advice)
        yield result


def to_transcribe(utterances: Iterable[Utterance]) -> list[Utterance]:
    """The utterances that have a recording and no text."""
    return [utterance for utterance in utterances if utterance.path is not None and utterance.text is None]


def with_transcripts(
    table: pandas.DataFrame,
    corpora: Iterable[Corpus],
    recogniser: Recogniser,
    folder: Path,
    ledger: Ledger,
    progress: Callable[[int, int], None] | None = None,
) -> pandas.DataFrame:
    """The table with a transcript as the text of every utterance that has a recording and no text.

    Args:
        table: of utterances, with their `recording`.
        corpora: with their roots.
        recogniser: transcribes what the cache lacks.
        folder: the prepared folder, with the cache.
        ledger: gets the flags, and per corpus how many texts are transcripts.
        progress: called with (transcribed, to transcribe).
    """
    roots, segments = {corpus.name: corpus.root for corpus in corpora if corpus.root}, segments_of(table)
    is_pending = table["path"].notna() & table["text"].isna() & table["corpus"].isin(list(roots))
    rows = list(table[is_pending].itertuples())
    clips = [
        Clip(
            row.utterance_id,
            recording_path(roots[row.corpus], row.path),
            segments.get(row.utterance_id),
            None if pandas.isna(row.language) else row.language,
            row.recording,
        )
        for row in rows
    ]
    results = []
    for written in transcripts_of(clips, recogniser, TranscriptCache(folder, recogniser.identity)):
        if isinstance(written, BadAudio):  # it was readable a moment ago
            raise written
        results.append(written)
        if progress:
            progress(len(results), len(rows))
    columns: dict[str, list[Any]] = {
        name: table[name].astype(object).where(table[name].notna(), None).tolist()
        for name in ("text", "language", "text_source")
    }
    positions = {index: position for position, index in enumerate(table.index)}
    counts: Counter[str] = Counter()
    for row, result in zip(rows, results, strict=True):
        if not isinstance(result, Transcript):
            ledger.flag(row.corpus, row.utterance_id, f"no text, as it {result.reason}")
            continue
        position = positions[row.Index]
        columns["text"][position], columns["text_source"][position] = result.text, result.source
        columns["language"][position] = columns["language"][position] or result.language
        counts[row.corpus] += 1
        for flag in result.flags:
            ledger.flag(row.corpus, row.utterance_id, f"transcript: {flag}")
    ledger.transcripts = dict(counts)
    for corpus, number in counts.items():
        total, model = int((table["corpus"] == corpus).sum()), recogniser.identity["model"]
        ledger.note(corpus, f"the texts of {number} of its {total} utterances are transcripts by {model}")
    return table.assign(**{name: pandas.array(values, dtype="string") for name, values in columns.items()})
