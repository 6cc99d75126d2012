"""Transcripts of a prepared folder: which utterances get one, how they are marked, and that nothing is transcribed twice."""

import json

import numpy
import pandas
import pytest
import soundfile

from emokit.api.prepare import corpora_of, plan_of
from emokit.audio.settings import FeatureSettings
from emokit.audio.spectrogram.log_mel import LogMel
from emokit.data.prepare import prepare
from emokit.data.prepared import open_prepared
from emokit.data.publish.rows import published
from emokit.data.transcripts import NotTranscribed, Transcript, TranscriptCache
from emokit.errors import UsageError

TEXTS = ("I am so glad", "leave me alone", "what a day", "no way")
IDENTITY = {"model": "stand-in", "sha256": "0" * 64}


class Recogniser:
    """Writes the name of each recording; counts them, and may be stopped after some."""

    def __init__(self, most=None, **results):
        self.identity, self.most, self.results, self.names, self.languages = IDENTITY, most, results, [], []

    def check(self, languages):
        self.languages = list(languages)

    def transcribe(self, clips):
        for clip in clips:
            if self.most is not None and len(self.names) >= self.most:
                raise KeyboardInterrupt
            self.names.append(clip.name)
            stem = clip.name.partition("/")[2]
            yield self.results.get(stem, Transcript(f"words of {stem}", clip.language or "en"))


@pytest.fixture
def table(tmp_path):
    """Twelve recordings of six speakers, of which the first two have a text."""
    lines = ["path,label,speaker,text,language,utterance_id"]
    for number in range(12):
        waveform = numpy.random.default_rng(number).uniform(-0.5, 0.5, 8000)
        soundfile.write(tmp_path / f"{number}.wav", waveform, 16_000, subtype="PCM_16")
        text = TEXTS[number] if number < 2 else ""
        language = "de" if number == 2 else ""
        lines.append(f"{number}.wav,{('joy', 'anger')[number % 2]},s{number // 2},{text},{language},u{number}")
    (tmp_path / "calls.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "calls.csv"


def prepared(table, recogniser, out="out", **options):
    corpora = corpora_of([f"calls={table}"])
    plan = plan_of(corpora, recogniser=recogniser)
    features = FeatureSettings()
    folder = table.parent / out
    prepare(plan, folder, LogMel(features), **options)
    return open_prepared(folder)


def rows(folder):
    return folder.table.set_index(folder.table["utterance_id"].str.partition("/")[2])


def test_utterances_without_a_text_get_a_marked_transcript_and_the_others_keep_theirs(table):
    recogniser = Recogniser()
    calls = rows(prepared(table, recogniser))
    assert sorted(recogniser.names, key=lambda name: int(name[7:])) == [f"calls/u{n}" for n in range(2, 12)]
    assert calls.loc[["u0", "u1", "u2", "u3"], "text"].tolist() == [*TEXTS[:2], "words of u2", "words of u3"]
    assert calls["text_source"].fillna("").loc[["u0", "u1", "u2"]].tolist() == ["", "", "transcript"]
    assert calls["language"].fillna("").loc[["u0", "u2", "u3"]].tolist() == ["", "de", "en"]


def test_the_languages_that_a_corpus_states_are_checked_before_audio_is_read(table):
    recogniser = Recogniser()
    prepared(table, recogniser)
    assert set(recogniser.languages) == {None, "de"}

    def refuse(languages):
        raise UsageError("no German")

    recogniser.check = refuse
    with pytest.raises(UsageError, match="no German"):
        prepared(table, recogniser, "other")
    assert not (table.parent / "other").exists()


def test_the_ledger_counts_transcripts_and_names_what_is_doubtful_or_missing(table):
    results = {
        "u3": NotTranscribed("calls/u3", "has no speech to transcribe"),
        "u4": Transcript("ai ai", "en", flags=("the words repeat themselves",)),
        "u5": Transcript("good morning", "de", "guten morgen"),
    }
    folder = prepared(table, Recogniser(**results))
    entry = folder.ledger["corpora"]["calls"]
    assert entry["transcripts"] == 9
    assert "the texts of 9 of its 12 utterances are transcripts by stand-in" in entry["notes"]
    assert entry["flagged"]["no text, as it has no speech to transcribe"] == ["calls/u3"]
    assert entry["flagged"]["transcript: the words repeat themselves"] == ["calls/u4"]
    calls = rows(folder)
    assert calls.loc["u5", ["text", "text_source", "language"]].tolist() == ["good morning", "translation", "de"]
    assert pandas.isna(calls.loc["u3", "text"])


def test_an_interrupted_prepare_transcribes_nothing_twice(table):
    with pytest.raises(KeyboardInterrupt):
        prepared(table, Recogniser(most=4))
    second = Recogniser()
    reports = []
    folder = prepared(table, second, transcribing=lambda done, total: reports.append((done, total)))
    assert len(second.names) == 6
    assert reports == [(done, 10) for done in range(1, 11)]
    assert folder.fingerprint == prepared(table, Recogniser(), "whole").fingerprint


def test_a_line_that_a_kill_cut_is_transcribed_again(table):
    folder = prepared(table, Recogniser()).folder
    (cache,) = (folder / "transcripts").iterdir()
    whole = cache.read_bytes()
    cache.write_bytes(whole[:-9])
    again = Recogniser()
    prepared(table, again, force=True)
    assert len(again.names) == 1
    assert len([line for line in cache.read_text().splitlines() if _is_json(line)]) == 10


def _is_json(line):
    try:
        return bool(json.loads(line))
    except ValueError:
        return False


def test_a_changed_recording_is_transcribed_again_and_another_recogniser_begins_its_own_cache(table, tmp_path):
    prepared(table, Recogniser())
    soundfile.write(tmp_path / "7.wav", numpy.random.default_rng(99).uniform(-0.5, 0.5, 8000), 16_000)
    again = Recogniser()
    prepared(table, again)
    assert again.names == ["calls/u7"]
    other = Recogniser()
    other.identity = {**IDENTITY, "language": "de"}
    with pytest.raises(UsageError, match=r"was made with other settings \(without transcripts.language\)"):
        prepared(table, other)
    prepared(table, other, force=True)
    assert len(other.names) == 10


def test_a_folder_without_transcripts_has_the_settings_that_it_had_before(table):
    folder = prepared(table, None)
    assert "transcripts" not in folder.settings
    assert "text_source" not in folder.table
    assert "transcripts" not in folder.ledger["corpora"]["calls"]


def test_an_export_keeps_the_mark_and_prepare_reads_it_again(table, tmp_path):
    folder = prepared(table, Recogniser())
    frame = published(folder).table
    assert frame["text_source"].notna().sum() == 10
    paths = folder.table["path"].map(lambda path: str(tmp_path / path))
    frame.assign(path=paths).to_csv(tmp_path / "again.csv", index=False)
    again = prepared(tmp_path / "again.csv", None, "again")
    assert rows(again)["text_source"].value_counts().to_dict() == {"transcript": 10}


def test_the_cache_keeps_what_it_was_given(tmp_path):
    results = {"a": Transcript("x\n\u2028y", "en", "o", ("f",)), "b": NotTranscribed("n", "has no speech")}
    cache = TranscriptCache(tmp_path, IDENTITY)
    for recording, result in results.items():
        cache.add(recording, None, result)
    again = TranscriptCache(tmp_path, IDENTITY)
    assert again.get("a", None) == results["a"]
    assert again.get("a", "de") is None
    assert again.get("b", None).reason == "has no speech"
