"""The rows of a prepared folder as other programs get them, under names of columns that `emokit prepare` reads again."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas
import soundfile

from emokit.data.audio_io.faults import BadAudio
from emokit.data.audio_io.segments import read_segment
from emokit.data.prepared import Prepared
from emokit.data.recordings import Recordings
from emokit.data.utterance import SPLITS
from emokit.errors import DataError

# Column of the table of utterances -> name in an export. The last four are for people: `emokit prepare` does not use them.
COLUMNS = {
    "utterance_id": "utterance_id",
    "text": "text",
    "text_source": "text_source",
    "label": "label",
    "soft_label": "soft_label",
    "speaker": "speaker",
    "gender": "gender",
    "language": "language",
    "sentence": "sentence_id",
    "dialogue": "dialogue",
    "turn": "turn",
    "fold": "fold",
    "corpus": "corpus",
    "raw_label": "raw_label",
    "intensity": "intensity",
    "take": "take",
}
SPAN = {"start_seconds": "start", "end_seconds": "end"}
# Columns whose values are unique within a corpus only.
WITHIN_A_CORPUS = ("speaker", "dialogue", "sentence")


@dataclass(frozen=True)
class Published:
    """The rows of a prepared folder.

    Attributes:
        table: one row per utterance, with the columns of `COLUMNS` and `SPAN` that have values, under their new names.
        files: the recording of each row; None for text.
        recordings: where they are, with the hashes of what was prepared.
    """

    prepared: Prepared
    table: pandas.DataFrame
    files: tuple[Path | None, ...]
    recordings: Recordings

    @property
    def has_audio(self) -> bool:
        """Whether a row has a recording."""
        return any(self.files)

    @property
    def splits(self) -> list[str]:
        """The splits that have rows."""
        present = set(self.table["split"])
        return [split for split in SPLITS if split in present]

    def recording(self, index: int) -> bytes | None:
        """The file of a row, or the part of it that the utterance is, as a wav file of the same samples; None for text.

        Raises:
            DataError: it is not the recording that was prepared, or cannot be read.
        """
        path = self.files[index]
        if path is None:
            return None
        row = self.prepared.table.iloc[index]
        segment = self.recordings.segments.get(row["utterance_id"])
        try:
            audio = read_segment(path, segment)
        except BadAudio as error:
            raise DataError(
                f"{path} cannot be read any more ({error.reason}); put it back, or run `emokit prepare` again."
            ) from error
        self.recordings.check(row["utterance_id"], path, audio.recording_hash())
        if segment is None:
            return path.read_bytes()
        content = io.BytesIO()
        soundfile.write(content, audio.waveform, audio.sample_rate, format="WAV", subtype="FLOAT")
        return content.getvalue()

    def rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The number and the values of each row; None where it has none."""
        for index, values in enumerate(self.table.to_dict("records")):
            yield index, {name: None if _is_missing(value) else value for name, value in values.items()}


def published(prepared: Prepared) -> Published:
    """The rows of a prepared folder, in the order of its table.

    With several corpora, ids, speakers, dialogues and sentences begin with the name of the corpus; with one they do not.
    """
    table = prepared.table
    # The hashes are read with the features, which texts do not have.
    recordings = prepared.recordings if table["path"].notna().any() else Recordings(prepared.folder)
    files = tuple(
        recordings.path(corpus, path) if isinstance(path, str) else None
        for corpus, path in zip(table["corpus"], table["path"], strict=True)
    )
    local = table["utterance_id"].str.partition("/")[2]
    result = table.copy()
    # A speaker that is the utterance itself stands for one that is not known.
    result["speaker"] = result["speaker"].where(result["speaker"] != local)
    if table["corpus"].nunique() > 1:
        for column in WITHIN_A_CORPUS:
            result[column] = result["corpus"] + "/" + result[column]
    else:
        result["utterance_id"] = local
        result = result.drop(columns="corpus")
    if result["raw_label"].equals(result["label"]):
        result = result.drop(columns="raw_label")
    columns = {**COLUMNS, **SPAN, "split": "split"}
    used = {name: columns[name] for name in columns if name in result and result[name].notna().any()}
    return Published(prepared, result[list(used)].rename(columns=used), files, recordings)


def _is_missing(value: Any) -> bool:
    return not isinstance(value, list | tuple) and getattr(value, "ndim", 0) == 0 and pandas.isna(value)
