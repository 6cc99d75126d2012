"""Transcripts of files and of a prepared folder, with the word errors where the words are known."""

import dataclasses
import shutil

import pandas
import pytest

from emokit.api.prepare import corpora_of, plan_of
from emokit.api.transcribe import count_prepared, error_rates, transcribe_inputs, transcribe_prepared, write_rows
from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.data.prepare import prepare
from emokit.data.prepared import open_prepared
from emokit.data.transcripts import Clip
from emokit.errors import DataError, UsageError
from emokit.modality.predictor import Input
from emokit.transcription.recogniser import SpeechRecogniser, load_recogniser
from tests.transcription.conftest import english_whisper, sounds, whisper, write_sound  # noqa: F401  fixtures


class Interrupted(SpeechRecogniser):
    """Transcribes some recordings of those that are named, and is stopped then; names what it was given."""

    def __init__(self, of, most=None):
        super().__init__(of.transcriber)
        self.most, self.names = most, []

    def transcribe(self, clips):
        for number, (clip, result) in enumerate(zip(clips, super().transcribe(clips), strict=True)):
            if number == self.most:
                raise KeyboardInterrupt
            self.names.append(clip.name)
            yield result


@pytest.fixture
def recogniser(whisper):  # noqa: F811
    return load_recogniser(str(whisper), device="cpu")


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """A prepared folder of two speakers, whose second utterance says something else than the corpus states."""
    folder = tmp_path_factory.mktemp("calls")
    lines = ["path,label,speaker,text,language"]
    for speaker in "ab":
        for name, text, label in (
            ("low", "Good morning!", "joy"),
            ("high", "a blue door", "anger"),
            ("middle", "Guten Morgen", "joy"),
            ("hush", "nothing at all", "anger"),
        ):
            language = "de" if name == "middle" else "en"
            seconds = 1.5 if speaker == "a" else 1.4
            write_sound(folder / speaker / f"{name}.wav", name, seconds)
            lines.append(f"{speaker}/{name}.wav,{label},{speaker},{text},{language}")
    (folder / "calls.csv").write_text("\n".join(lines) + "\n")
    plan = plan_of(corpora_of([f"calls={folder / 'calls.csv'}"]), policies={"calls": "train"})
    prepare(plan, folder / "prepared", LogMel(FeatureSettings()))
    return open_prepared(folder / "prepared")


def test_files_have_their_texts_and_errors(recogniser, sounds, tmp_path):  # noqa: F811
    folder = sounds("low", "hush")
    reports = []
    inputs = [Input(name, folder / f"{name}.wav") for name in ("low", "hush")]
    rows = list(transcribe_inputs(recogniser, inputs, lambda *report: reports.append(report)))
    assert [row.as_dict() for row in rows] == [
        {"file": "low", "language": "en", "text": "good morning", "flags": []},
        {"file": "hush", "error": "hush has no speech to transcribe; leave it out."},
    ]
    assert reports == [(1, 2), (2, 2)]
    assert write_rows(rows, tmp_path / "table.csv") == 2
    assert (tmp_path / "table.csv").read_text().splitlines() == [
        "file,language,text,flags,error",
        "low,en,good morning,,",
        "hush,,,,hush has no speech to transcribe; leave it out.",
    ]
    assert write_rows([], tmp_path / "none.csv") == 0


def test_the_words_of_a_prepared_folder_are_compared(recogniser, calls, tmp_path):
    rows = list(transcribe_prepared(recogniser, calls))
    errors = {row.name: (row.errors.errors, row.errors.words) for row in rows}
    assert {name.rpartition("/")[2]: value for name, value in errors.items() if "/a/" in name} == {
        "high": (1, 3),
        "hush": (3, 3),  # every word is missing
        "low": (0, 2),
        "middle": (0, 2),
    }
    rates = error_rates(rows, calls.table)
    assert list(rates) == ["calls"]
    assert (rates["calls"]["rate"], rates["calls"]["utterances"], rates["calls"]["cluster"]) == (0.4, 8, "speaker")
    assert rates["calls"]["per_cluster"] == {"a": 0.4, "b": 0.4}
    write_rows(rows, tmp_path / "table.parquet")
    table = pandas.read_parquet(tmp_path / "table.parquet")
    assert table["word_errors"].sum() == 8
    assert set(table) == {
        *("utterance_id", "corpus", "speaker", "known", "language", "text"),
        *("word_errors", "words", "flags", "error"),
    }


def test_an_interrupted_transcription_goes_on_where_it_was(recogniser, calls, tmp_path):
    prepared = open_prepared(shutil.copytree(calls.folder, tmp_path / "prepared"))
    shutil.rmtree(prepared.folder / "transcripts", ignore_errors=True)
    first, second, third = Interrupted(recogniser, 3), Interrupted(recogniser), Interrupted(recogniser)
    with pytest.raises(KeyboardInterrupt):
        list(transcribe_prepared(first, prepared))
    assert count_prepared(recogniser, prepared) == {"recordings": 8, "cached": 3}
    rows = list(transcribe_prepared(second, prepared))
    assert first.names + second.names == [row.name for row in rows] == prepared.table["utterance_id"].tolist()
    assert list(transcribe_prepared(third, prepared))[-1].as_dict() == rows[-1].as_dict()
    assert third.names == []
    assert open_prepared(prepared.folder).fingerprint == calls.fingerprint
    for row, again in zip(rows, transcribe_prepared(recogniser, calls), strict=True):
        assert row.as_dict() == again.as_dict()


def test_a_folder_that_may_only_be_read_is_transcribed_without_a_cache(recogniser, calls, tmp_path, monkeypatch):
    prepared = open_prepared(shutil.copytree(calls.folder, tmp_path / "prepared"))
    shutil.rmtree(prepared.folder / "transcripts", ignore_errors=True)
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert len(list(transcribe_prepared(recogniser, prepared))) == 8
    assert not (prepared.folder / "transcripts").exists()


def test_a_file_that_changed_since_it_was_prepared_has_no_transcript(recogniser, calls, tmp_path):
    copy = shutil.copytree(calls.folder.parent, tmp_path / "copy")
    write_sound(copy / "a" / "low.wav", "high")
    moved = dataclasses.replace(calls.recordings, roots={"calls": str(copy)})
    (row,) = calls.table[calls.table["path"] == "a/low.wav"].itertuples()
    clip = Clip("a", moved.path("calls", row.path), recording=moved.hashes[row.utterance_id])
    (result,) = recogniser.transcribe([clip])
    assert str(result) == (
        "a is another recording than the one that was prepared (its samples differ); put that one back, or run `emokit prepare` "
        "again."
    )


def test_a_transcript_is_no_known_text(recogniser, calls):
    marked = dataclasses.replace(calls, table=calls.table.assign(text_source="transcript"))
    rows = list(transcribe_prepared(recogniser, marked))
    assert [row.errors for row in rows] == [None] * 8
    assert error_rates(rows, calls.table) == {}


def test_a_folder_in_another_language_or_without_recordings_is_refused(english_whisper, recogniser, calls):  # noqa: F811
    with pytest.raises(UsageError) as refused:
        next(transcribe_prepared(load_recogniser(str(english_whisper), device="cpu"), calls))
    assert str(refused.value) == (
        "small-whisper.en knows English only and not the language de; name a multilingual model."
    )
    texts = dataclasses.replace(calls, table=calls.table.assign(path=None))
    with pytest.raises(DataError) as refused:
        next(transcribe_prepared(recogniser, texts))
    assert str(refused.value) == f"{calls.folder} has no recordings, only texts; name another folder with --data."
