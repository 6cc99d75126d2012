"""Recordings to transcripts: files in batches, and every kind that has none."""

import numpy
import pytest
import soundfile

from emokit.data.audio_io.faults import BadAudio
from emokit.data.audio_io.segments import Segment
from emokit.data.transcripts import Clip, NotTranscribed, Transcript
from emokit.errors import UsageError
from emokit.transcription.recogniser import SpeechRecogniser, load_recogniser
from emokit.transcription.translate import Translator
from tests.transcription.conftest import RATE, SPOKEN, sound
from tests.transcription.test_translate import marian  # noqa: F401  a fixture


@pytest.fixture
def recogniser(whisper):
    return load_recogniser(str(whisper), device="cpu")


def clips(folder, *names):
    return [Clip(name, folder / f"{name}.wav") for name in names]


def test_good_and_bad_recordings_come_in_their_order(recogniser, sounds):
    folder = sounds("low", "hush", "high")
    (folder / "damaged.wav").write_bytes(b"RIFF, but no audio")
    steady = numpy.random.default_rng(0).normal(0, 0.1, 2 * RATE)
    soundfile.write(folder / "steady.wav", steady, RATE)
    low, damaged, hush, steady, high = recogniser.transcribe(clips(folder, "low", "damaged", "hush", "steady", "high"))
    assert (low, high) == (Transcript(*SPOKEN["low"]), Transcript(*SPOKEN["high"]))
    assert isinstance(damaged, BadAudio)
    assert str(hush) == "hush has no speech to transcribe; leave it out."
    assert str(steady) == "steady has no speech to transcribe; leave it out."


def test_a_segment_is_transcribed_by_itself(recogniser, tmp_path):
    long = numpy.concatenate([sound("low"), sound("high")])
    soundfile.write(tmp_path / "long.wav", long, RATE, subtype="FLOAT")
    seconds = len(sound("low")) / RATE
    parts = [Segment(0.0, seconds), Segment(seconds, None)]
    results = recogniser.transcribe([Clip("long", tmp_path / "long.wav", part) for part in parts])
    assert [result.text for result in results] == ["good morning", "a red door"]


def test_more_recordings_than_a_batch_and_other_sample_rates(recogniser, tmp_path):
    for number in range(10):
        soundfile.write(tmp_path / f"{number}.wav", numpy.repeat(sound("low"), 3), 3 * RATE, subtype="FLOAT")
    results = list(recogniser.transcribe([Clip(str(n), tmp_path / f"{n}.wav") for n in range(10)]))
    assert [result.text for result in results] == ["good morning"] * 10


def test_the_language_of_the_command_goes_before_that_of_the_corpus(whisper, sounds):
    (clip,) = clips(sounds("low"), "low")
    clip = Clip(clip.name, clip.path, language="en")
    assert load_recogniser(str(whisper), language="German", device="cpu").one(clip.path, "low").language == "de"
    (stated,) = load_recogniser(str(whisper), device="cpu").transcribe([clip])
    assert stated.language == "en"


def test_a_corpus_in_a_language_that_the_model_does_not_know_is_refused(recogniser, english_whisper):
    recogniser.check(["de", None, "en"])
    with pytest.raises(UsageError, match=r"small-whisper\.en knows English only and not the language de"):
        load_recogniser(str(english_whisper), device="cpu").check(["en", "de"])
    load_recogniser(str(english_whisper), language="en", device="cpu").check(["de"])  # as the user says so


def test_transcripts_are_translated(recogniser, marian, sounds):  # noqa: F811
    translating = SpeechRecogniser(recogniser.transcriber, None, Translator(str(marian), "cpu"))
    middle, low = translating.transcribe(clips(sounds("low", "middle"), "middle", "low"))
    assert middle == Transcript("good morning", "de", "guten morgen")
    assert low == Transcript("good morning", "en")
    assert set(translating.identity) == {"model", "sha256", "translation"}


def test_an_api_is_named_by_its_url(api, sounds):
    (clip,) = clips(sounds("low"), "low")
    assert load_recogniser(api.url).one(clip.path, "low") == Transcript("good morning", "en")


def test_what_an_api_refuses_names_the_recording(api, sounds):
    api.answers = [(400, "no")]
    (clip,) = clips(sounds("low"), "low")
    result = load_recogniser(api.url).one(clip.path, "low.wav")
    assert isinstance(result, NotTranscribed)
    assert str(result) == f"low.wav was refused by {api.url}/audio/transcriptions (400 Bad Request: no); leave it out."
