"""`emokit transcribe` and `emokit prepare --transcribe`, as a user types them."""

import json
import shutil

import pandas
import pytest
from typer.testing import CliRunner

from emokit.cli.app import app
from tests.api.test_transcribe import calls  # noqa: F401  a fixture
from tests.audio.conftest import write_encoder
from tests.transcription.conftest import api, english_whisper, sounds, whisper, write_sound  # noqa: F401  fixtures
from tests.transcription.test_translate import marian  # noqa: F401  a fixture

runner = CliRunner()
pytestmark = pytest.mark.end_to_end


def transcribe(*words, **how):
    return runner.invoke(app, ["transcribe", "--device", "cpu", *map(str, words)], **how)


def test_files_are_printed_with_language_and_text_and_errors_do_not_stop_the_others(whisper, sounds):  # noqa: F811
    folder = sounds("low", "hush", "middle")
    (folder / "note.txt").write_text("no audio")
    result = transcribe(folder, "--model", whisper)
    assert result.exit_code == 3
    assert result.stdout.splitlines() == [
        "recording\tlanguage\ttext",
        f"{folder}/low.wav\ten\tgood morning",
        f"{folder}/middle.wav\tde\tguten morgen",
    ]
    assert f"error: {folder}/hush.wav has no speech to transcribe; leave it out." in result.stderr.splitlines()
    assert "1 of 3 recordings could not be transcribed" in result.stderr.splitlines()
    assert "transcribing: 3 of 3" in result.stderr.splitlines()
    assert "note.txt" in result.stderr


def test_json_has_one_object_per_recording(whisper, sounds):  # noqa: F811
    path = sounds("low") / "low.wav"
    result = transcribe("-", "--model", whisper, "--json", input=path.read_bytes())
    assert result.exit_code == 0, result.output
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"file": "-", "language": "en", "text": "good morning", "flags": []}
    ]


def test_a_translation_stands_beside_what_was_spoken(whisper, marian, sounds):  # noqa: F811
    path = sounds("middle") / "middle.wav"
    result = transcribe(path, "--model", whisper, "--translate", marian)
    assert result.stdout.splitlines() == [
        "recording\tlanguage\ttext\toriginal",
        f"{path}\tde\tgood morning\tguten morgen",
    ]


def test_a_prepared_folder_has_a_word_error_rate(whisper, calls, tmp_path):  # noqa: F811
    out = tmp_path / "table.parquet"
    result = transcribe("--data", calls.folder, "--model", whisper, "--out", out)
    assert result.exit_code == 3  # two recordings have no speech
    words = result.stdout.split()
    assert "40.0" in words
    assert "95 % interval needs 6 or more" in " ".join(words)
    assert len(pandas.read_parquet(out)) == 8
    result = transcribe("--data", calls.folder, "--model", whisper, "--json")
    *_, last = result.stdout.splitlines()
    assert json.loads(last)["word_error_rates"]["calls"]["rate"] == 0.4


def test_a_plan_counts_and_transcribes_nothing(whisper, calls, sounds, tmp_path):  # noqa: F811
    data = shutil.copytree(calls.folder, tmp_path / "prepared")
    shutil.rmtree(data / "transcripts", ignore_errors=True)
    out = tmp_path / "table.csv"
    words = ("--data", data, "--model", whisper, "--dry-run")
    plan = "8 of 8 recordings would be transcribed with small-whisper; 0 transcripts are cached\n"
    assert transcribe(*words, "--out", out).stdout == plan
    assert not out.exists()
    assert not (data / "transcripts").exists()
    transcribe("--data", data, "--model", whisper, "--out", out)
    assert json.loads(transcribe(*words, "--json").stdout) == {"model": "small-whisper", "recordings": 8, "cached": 8}
    result = transcribe(sounds("low", "hush"), "--model", whisper, "--dry-run")
    assert result.stdout == "2 of 2 recordings would be transcribed with small-whisper; 0 transcripts are cached\n"
    result = transcribe(tmp_path / "nothing.wav", "--model", whisper, "--dry-run")
    assert result.exit_code != 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["a.wav"],
            "No model was named; name a folder of Whisper or the URL of an OpenAI-compatible API with --model.",
        ),
        (["--model", "m"], "Name recordings, or a prepared folder with --data: exactly one of them."),
        (
            ["a.wav", "--model", "m", "--data", "d"],
            "Name recordings, or a prepared folder with --data: exactly one of them.",
        ),
        (
            ["a.wav", "--model", "m", "--out", "t.txt"],
            "--out t.txt has none of the endings .parquet .csv .tsv, which name the table's format; add one.",
        ),
        (["a.wav", "--model", "m", "--device", "tpu"], "--device tpu is unknown; choose one of auto, cuda, mps, cpu."),
    ],
)
def test_a_command_that_cannot_be_meant_is_a_sentence(words, sentence):
    result = runner.invoke(app, ["transcribe", *words])
    assert (result.exit_code, result.stderr) == (2, f"error: {sentence}\n")


def test_bad_models_and_apis_are_sentences(whisper, tmp_path, sounds, api):  # noqa: F811
    path = sounds("low") / "low.wav"
    encoder = write_encoder("wav2vec2", tmp_path / "encoder")
    api.answers = [(200, "hello")]
    (tmp_path / "empty").mkdir()
    for model, code, start in (
        (encoder, 2, f"{encoder} is a model of the type wav2vec2, and Whisper is the one that transcribes here;"),
        (tmp_path / "empty", 3, f"{tmp_path / 'empty'} has no config.json, so it holds no model;"),
        (
            tmp_path / "a" / "b" / "c",
            3,
            f"{tmp_path / 'a/b/c'} is no folder and no valid name of a model on the hub; correct --model.",
        ),
        (api.url, 2, f"{api.url}/audio/transcriptions answered 'hello' where JSON with a text was expected;"),
        ("http://127.0.0.1:9/v1", 4, "http://127.0.0.1:9/v1/audio/transcriptions cannot be reached (no connection);"),
    ):
        result = transcribe(path, "--model", model)
        assert result.exit_code == code, result.output
        (line,) = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
        assert line.startswith(f"error: {start}")
    result = transcribe(path, "--model", whisper, "--language", "fr")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        2,
        "error: small-whisper knows the 2 languages de, en and not the language fr; name one of them, or another model.",
    )


@pytest.fixture
def table(tmp_path):
    """Recordings of a user's own, without texts."""
    lines = ["path,label,speaker"]
    for speaker in "abcdef":
        for name, label in (("low", "joy"), ("high", "anger")):
            write_sound(tmp_path / speaker / f"{name}.wav", name, 1.4 + "abcdef".index(speaker) / 50)
            lines.append(f"{speaker}/{name}.wav,{label},{speaker}")
    (tmp_path / "calls.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "calls.csv"


def prepare(table, *words):
    return runner.invoke(app, ["prepare", f"calls={table}", "--workers", "1", *map(str, words)])


def test_a_text_run_learns_transcripts_and_predicts_recordings(whisper, table, sounds, tmp_path):  # noqa: F811
    out, run = tmp_path / "prepared", tmp_path / "run"
    planned = prepare(table, "--out", out, "--transcribe", whisper, "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert "calls: 12 recordings without a text would be transcribed" in planned.stderr.splitlines()
    assert not out.exists()
    made = prepare(table, "--out", out, "--transcribe", whisper)
    assert made.exit_code == 0, made.output
    assert "transcribing: 12 of 12" in made.stderr.splitlines()
    assert "calls: the texts of 12 of its 12 utterances are transcripts by small-whisper" in made.stderr.splitlines()
    again = prepare(table, "--out", out, "--transcribe", whisper)
    assert f"nothing has changed since {out} was prepared" in again.stderr.splitlines()
    settings = ["--set", "model.kind=tfidf", "--data", out, "--run", run]
    trained = runner.invoke(app, ["train", "text", *map(str, settings)])
    assert trained.exit_code == 0, trained.output
    path = sounds("high") / "high.wav"
    result = runner.invoke(app, ["predict", str(run), str(path), "--transcribe", str(whisper), "--device", "cpu"])
    assert result.exit_code == 0, result.output
    header, line = (line.split("\t") for line in result.stdout.splitlines())
    assert (header[0], header[-1]) == ("file", "text")
    assert (line[0], line[1], line[-1]) == (str(path), "anger", "a red door")


@pytest.mark.parametrize("flag", ["--language", "--translate"])
def test_options_of_transcripts_need_a_recogniser(table, tmp_path, flag):
    clause = "whose recordings are in it" if flag == "--language" else "whose transcripts it translates"
    for command in (["prepare", f"calls={table}"], ["predict", str(tmp_path)]):
        result = runner.invoke(app, [*command, flag, "de"])
        assert (result.exit_code, result.stderr) == (
            2,
            f"error: {flag} de was given without --transcribe, {clause}; give both.\n",
        )


def test_a_corpus_in_a_language_that_the_model_does_not_know_is_refused_first(english_whisper, table, tmp_path):  # noqa: F811
    lines = table.read_text().splitlines()
    table.write_text("\n".join([f"{lines[0]},language", *(f"{line},de" for line in lines[1:])]) + "\n")
    result = prepare(table, "--out", tmp_path / "prepared", "--transcribe", english_whisper)
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (
        2,
        "error: small-whisper.en knows English only and not the language de; name a multilingual model.",
    )
    assert not (tmp_path / "prepared").exists()
