"""The rows of a prepared folder for other programs."""

import io
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
import soundfile

from emokit.data.audio_io.read import read_audio
from emokit.data.audio_io.segments import Segment, read_segment
from emokit.data.prepared import Prepared
from emokit.data.publish.rows import published
from emokit.errors import DataError


def test_one_corpus_has_its_own_ids_and_only_columns_with_values(calls: Prepared) -> None:
    rows = published(calls)
    assert list(rows.table.columns) == [
        "utterance_id", "text", "label", "speaker", "gender", "language", "sentence_id", "dialogue", "turn", "split",
    ]  # fmt: skip
    assert rows.splits == ["train", "dev", "test"]
    assert rows.has_audio
    assert set(rows.table["speaker"]) == {"03", "3", "x y"}


def test_speakers_that_are_not_known_are_left_out(texts: Prepared) -> None:
    rows = published(texts)
    assert "speaker" not in rows.table
    assert not rows.has_audio
    assert rows.recording(0) is None


def test_several_corpora_are_told_apart(two_corpora: Prepared) -> None:
    table = published(two_corpora).table
    assert set(table["utterance_id"].str.partition("/")[0]) == {"emodb", "goemotions"} == set(table["corpus"])
    assert all(table["speaker"].dropna().str.startswith("emodb/"))


def test_a_recording_is_its_file(calls: Prepared) -> None:
    rows = published(calls)
    path = rows.files[3]
    assert path is not None
    assert rows.recording(3) == path.read_bytes()


def test_a_part_of_a_file_is_cut_out_of_it_with_the_same_samples(calls: Prepared) -> None:
    table = calls.table.assign(start_seconds=0.02, end_seconds=0.06)
    rows = published(replace(calls, table=table))
    path = rows.files[0]
    assert path is not None
    whole, segment = read_audio(path), read_segment(path, Segment(0.02, 0.06))
    hashes = {table["utterance_id"].iloc[0]: segment.recording_hash()}
    rows = replace(rows, recordings=replace(rows.recordings, hashes=hashes))
    samples, rate = soundfile.read(io.BytesIO(rows.recording(0) or b""), dtype="float32")
    assert rate == whole.sample_rate
    first, last = round(0.02 * rate), round(0.06 * rate)
    assert numpy.array_equal(samples, whole.waveform[first:last])


def test_another_recording_is_refused(calls: Prepared, tmp_path: Path) -> None:
    rows = published(calls)
    files = (*rows.files[:1], rows.files[0], *rows.files[2:])
    with pytest.raises(DataError, match="holds another recording than the one that was prepared as calls/"):
        replace(rows, files=files).recording(1)
    with pytest.raises(DataError) as error:
        replace(rows, files=(tmp_path / "none.wav",)).recording(0)
    assert str(error.value).startswith(f"{tmp_path}/none.wav cannot be read any more (")
