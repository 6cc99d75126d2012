"""Transcripts from end to end: a fused run and Python, acted corpora, and what is refused."""

import json

import pytest
from typer.testing import CliRunner

import emokit
from emokit.cli.app import app
from emokit.data.prepared import open_prepared
from emokit.data.transcripts import Transcript
from emokit.errors import UsageError
from emokit.text.settings import TextSettings
from emokit.text.splits import rows_with_text
from tests.transcription.conftest import sounds, whisper  # noqa: F401  fixtures

runner = CliRunner()
pytestmark = pytest.mark.end_to_end


def predict(run, *words):
    return runner.invoke(app, ["predict", str(run), "--device", "cpu", *map(str, words)])


def test_a_fused_run_predicts_a_recording_by_its_sound_and_its_transcript(modality_runs, whisper, sounds):  # noqa: F811
    folder = sounds("low", "hush")
    result = predict(
        modality_runs / "late-fusion", folder / "low.wav", folder / "hush.wav", "--transcribe", whisper, "--json"
    )
    assert result.exit_code == 0, result.output
    low, hush = map(json.loads, result.stdout.splitlines())
    assert (low["text"], low["text_source"], low["language"]) == ("good morning", "transcript", "en")
    assert low["modalities"] == ["audio", "text"]
    assert (hush["text"], hush["modalities"]) == (None, ["audio"])
    assert f"{folder}/hush.wav has no speech to transcribe; leave it out." in hush["flags"]
    typed = predict(modality_runs / "late-fusion", folder / "low.wav", "--text", "good morning", "--json")
    assert json.loads(typed.stdout)["probabilities"] == low["probabilities"]
    table = predict(modality_runs / "late-fusion", folder / "low.wav", "--transcribe", whisper)
    header, row = (line.split("\t") for line in table.stdout.splitlines())
    assert (header[-1], row[-1]) == ("text", "good morning")


def test_python_predicts_recordings_of_a_text_run(modality_runs, whisper, sounds):  # noqa: F811
    path = sounds("middle") / "middle.wav"
    model = emokit.load(modality_runs / "text", "cpu", transcribe=whisper)
    results = [model.predict(value) for value in (path, str(path), path.read_bytes(), {"path": path})]
    assert {result.details["language"] for result in results} == {"de"}
    assert len({tuple(result.probabilities.values()) for result in results}) == 1
    with pytest.raises(UsageError, match="language was given without transcribe"):
        emokit.load(modality_runs / "text", "cpu", language="de")


def test_a_recording_without_a_recogniser_is_refused_with_the_option(modality_runs, sounds):  # noqa: F811
    path = sounds("low") / "low.wav"
    result = predict(modality_runs / "text", path)
    assert (result.exit_code, result.stderr) == (
        2,
        f"error: {path} is a file where a sentence was expected; name a file of sentences with --file, transcribe a recording "
        "with --transcribe MODEL, or pipe the sentence itself to -.\n",
    )


@pytest.mark.parametrize(
    ("run", "words", "sentence"),
    [
        ("audio", [], "--transcribe was given for audio, and it is an option of text or late-fusion; leave it out."),
        (
            "text",
            ["--data", "d", "--out", "t.csv"],
            "--transcribe m was given with --data, whose texts are those of `emokit prepare --transcribe`; leave it out.",
        ),
        ("text", ["--file", "f"], "--transcribe m was given with --file, whose texts are predicted; leave it out."),
        (
            "late-fusion",
            ["a.wav", "--text", "a"],
            "--transcribe m was given with --text, whose sentences are predicted; leave it out.",
        ),
    ],
)
def test_a_recogniser_that_does_nothing_is_refused(modality_runs, run, words, sentence):
    result = predict(modality_runs / run, *([] if words else ["a.wav"]), "--transcribe", "m", *words)
    assert (result.exit_code, result.stderr) == (2, f"error: {sentence}\n")


class Recogniser:
    """Writes the same words for every recording."""

    def __init__(self):
        self.identity = {"model": "stand-in"}

    def check(self, languages):
        pass

    def transcribe(self, clips):
        for _ in clips:
            yield Transcript("the same words", "en")


def test_a_text_run_reads_no_transcripts_of_an_acted_corpus_unless_asked(small_prepared, tmp_path):
    """Transcripts of a few sentences, repeated in every emotion, teach nothing of the emotion."""
    from emokit.api.prepare import corpora_of, plan_of
    from emokit.audio.settings import FeatureSettings
    from emokit.audio.spectrogram.log_mel import LogMel
    from emokit.data.prepare import prepare
    from emokit.data.synthesis.corpora import write_corpus

    write_corpus("savee", tmp_path / "savee", size=0.2)
    plan = plan_of(corpora_of(["savee"], roots=[f"savee={tmp_path / 'savee'}"]), recogniser=Recogniser())
    prepare(plan, tmp_path / "prepared", LogMel(FeatureSettings()))
    prepared = open_prepared(tmp_path / "prepared")
    with pytest.raises(UsageError, match="where a corpus that does not repeat a few sentences was expected"):
        rows_with_text(TextSettings(), prepared)
    chosen = TextSettings.make({"data": {"corpora": ["savee"]}})
    assert set(rows_with_text(chosen, prepared)["text_source"]) == {"transcript"}
