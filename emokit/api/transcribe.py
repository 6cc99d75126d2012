"""`emokit transcribe`: recordings to texts, and the word error rate where the words are known."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas

from emokit.data.audio_io.faults import BadAudio
from emokit.data.prepared import Prepared
from emokit.data.transcripts import Clip, NotTranscribed, Transcript, TranscriptCache, transcripts_of
from emokit.data.utterance import has_speakers
from emokit.errors import DataError
from emokit.modality.predictor import Input
from emokit.transcription.recogniser import SpeechRecogniser
from emokit.transcription.word_errors import WordErrors, rate, word_errors

NUMBERS = ("word_errors", "words")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Row:
    """A recording and its transcript, or why it has none.

    Attributes:
        name: its file or utterance id.
        result: the transcript or the error.
        facts: of the corpus, of an utterance of a prepared folder.
        errors: of its words, where they are known.
    """

    name: str
    result: Transcript | NotTranscribed | BadAudio
    facts: Mapping[str, Any]
    errors: WordErrors | None = None

    def as_dict(self) -> dict[str, Any]:
        """Its transcript as plain values; `original` only of a translation, word errors only where the words are known."""
        counts = {"word_errors": self.errors.errors, "words": self.errors.words} if self.errors else {}
        if not isinstance(self.result, Transcript):
            return {**self.facts, **counts, "error": str(self.result)}
        values = {**self.facts, "language": self.result.language, "text": self.result.text}
        if self.result.original is not None:
            values["original"] = self.result.original
        return {**values, **counts, "flags": list(self.result.flags)}


def transcribe_inputs(
    recogniser: SpeechRecogniser, inputs: Sequence[Input], progress: Progress | None = None
) -> Iterator[Row]:
    """Transcribe audio files in their order."""
    clips = [Clip(item.name, item.path) for item in inputs if item.path is not None]
    for done, (clip, result) in enumerate(zip(clips, recogniser.transcribe(clips), strict=True), start=1):
        if progress:
            progress(done, len(clips))
        yield Row(clip.name, result, {"file": clip.name})


def transcribe_prepared(
    recogniser: SpeechRecogniser, prepared: Prepared, progress: Progress | None = None
) -> Iterator[Row]:
    """Transcribe the utterances of a prepared folder that have a recording, with the errors where the corpus has the words.

    Transcripts are cached in the folder, so that an interrupted command goes on where it was; one that may only be read is
    transcribed anew each time.

    Raises:
        UsageError: the model does not know the language of a corpus.
        DataError: no utterance has a recording.
    """
    rows, clips, cache = _of_prepared(recogniser, prepared)
    for done, (row, result) in enumerate(zip(rows, transcripts_of(clips, recogniser, cache), strict=True), start=1):
        if progress:
            progress(done, len(rows))
        facts = {"utterance_id": row.utterance_id, "corpus": row.corpus, "speaker": row.speaker}
        known = _value(row.text) if _value(getattr(row, "text_source", None)) is None else None
        if known is None:
            yield Row(row.utterance_id, result, facts)
            continue
        language = recogniser.language or _value(row.language)
        if isinstance(result, Transcript):
            written, language = result.original or result.text, result.language or language
        else:
            written = ""  # every word is missing
        yield Row(row.utterance_id, result, {**facts, "known": known}, word_errors(known, written, language))


def count_prepared(recogniser: SpeechRecogniser, prepared: Prepared) -> dict[str, int]:
    """How many recordings `transcribe_prepared` would transcribe, and how many transcripts are cached.

    Returns:
        `recordings`, those of all utterances, and `cached`.

    Raises:
        UsageError, DataError: as `transcribe_prepared` raises them.
    """
    _, clips, cache = _of_prepared(recogniser, prepared)
    known = 0 if cache is None else sum(cache.get(clip.recording, clip.language) is not None for clip in clips)
    return {"recordings": len(clips), "cached": known}


def _of_prepared(
    recogniser: SpeechRecogniser, prepared: Prepared
) -> tuple[list[Any], list[Clip], TranscriptCache | None]:
    """The rows with a recording, the recordings, and the cache of their transcripts where the folder may be written."""
    table = prepared.table[prepared.table["path"].notna()]
    if table.empty:
        raise DataError(f"{prepared.folder} has no recordings, only texts; name another folder with --data.")
    recogniser.check(table["language"].dropna())
    recordings = prepared.recordings
    rows = list(table.itertuples())
    clips = [
        Clip(
            row.utterance_id,
            recordings.path(row.corpus, row.path),
            recordings.segments.get(row.utterance_id),
            _value(row.language),
            recordings.hashes.get(row.utterance_id),
        )
        for row in rows
    ]
    is_writable = os.access(prepared.folder, os.W_OK)
    return rows, clips, TranscriptCache(prepared.folder, recogniser.identity) if is_writable else None


def error_rates(rows: Sequence[Row], table: pandas.DataFrame) -> dict[str, dict[str, Any]]:
    """Corpus -> its word error rate, where words are known; bad audio does not count.

    Args:
        rows: of `transcribe_prepared`.
        table: the utterances of the prepared folder.
    """
    rates = {}
    for corpus in sorted({row.facts["corpus"] for row in rows}):
        entries = [
            (str(row.facts["speaker"]), row.errors)
            for row in rows
            if row.facts["corpus"] == corpus and row.errors and not isinstance(row.result, BadAudio)
        ]
        if entries:
            is_named = has_speakers(table[table["corpus"] == corpus])
            rates[corpus] = rate(entries, "speaker" if is_named else "utterance")
    return rates


def write_rows(rows: Sequence[Row], out: Path) -> int:
    """Write the transcripts as a table, parquet, CSV or TSV by its ending; a recording without one has its error.

    Returns:
        the number of rows; nothing is written where there are none.
    """
    from emokit.delimited import is_delimited, write_table
    from emokit.files import whole_file

    values = [row.as_dict() for row in rows]
    if not values:
        return 0
    columns = list(dict.fromkeys(name for entry in values for name in entry))
    cells = [[_cell(entry.get(name)) for name in columns] for entry in values]
    if is_delimited(out):
        write_table(out, columns, cells)
    else:
        frame = pandas.DataFrame(cells, columns=columns)
        frame = frame.astype({name: "Int32" if name in NUMBERS else "string" for name in columns})
        with whole_file(out) as temporary:
            frame.to_parquet(temporary.absolute(), index=False)
    return len(values)


def _cell(value: Any) -> Any:
    return "; ".join(value) if isinstance(value, list) else value


def _value(value: Any) -> str | None:
    return None if value is None or pandas.isna(value) else str(value)
