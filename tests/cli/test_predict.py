"""`emokit predict`, as a user types it: the same command for runs of every modality."""

import itertools
import json
from pathlib import Path

import numpy
import pytest
import soundfile
from typer.testing import CliRunner

from emokit import predictions
from emokit.cli.app import app
from emokit.labels import DEFAULT_LABELS
from emokit.safe_text import escape_controls
from tests.vision.conftest import brightness, write_clip

runner = CliRunner()
pytestmark = pytest.mark.end_to_end
LABELS = list(DEFAULT_LABELS)
SENTENCES = ["I love this recipe", "مرحبا 😂 \u202eabc", 'a\ttab and "quotes"', "gross"]


@pytest.fixture
def runs(modality_runs):
    return modality_runs


@pytest.fixture
def recordings(small_prepared):
    return [str(path) for path in sorted((small_prepared.parent / "emodb").rglob("*.wav"))[:2]]


def predict(run, *words, **how):
    return runner.invoke(app, ["predict", str(run), "--device", "cpu", *map(str, words)], **how)


def cells(result):
    assert result.exit_code == 0, result.output
    header, *lines = [line.split("\t") for line in result.stdout.splitlines()]
    return header, lines


def values(result):
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def check_probabilities(label, numbers):
    numbers = [float(number) for number in numbers]
    assert len(numbers) == 7
    assert sum(numbers) == pytest.approx(1, abs=0.005)
    assert numbers[LABELS.index(label)] == max(numbers)


def test_audio_is_one_line_per_file_with_a_probability_per_label(runs, recordings):
    header, lines = cells(predict(runs / "audio", *recordings))
    assert header == ["file", "label", *LABELS]
    assert [line[0] for line in lines] == recordings
    for _, label, *numbers in lines:
        check_probabilities(label, numbers)


def test_text_is_one_line_per_sentence_with_a_probability_per_label(runs):
    header, lines = cells(predict(runs / "text", *SENTENCES))
    assert header == ["number", "label", *LABELS, "text"]
    assert [line[0] for line in lines] == ["1", "2", "3", "4"]
    assert [line[-1] for line in lines] == [escape_controls(" ".join(sentence.split())) for sentence in SENTENCES]
    for _, label, *numbers, _ in lines:
        check_probabilities(label, numbers)


def test_a_fused_run_is_one_line_per_utterance(runs, recordings):
    header, ((name, label, *numbers),) = cells(predict(runs / "late-fusion", recordings[0], "--text", "No!"))
    assert header == ["utterance", "label", *LABELS]
    assert name == recordings[0]
    check_probabilities(label, numbers)


def test_json_is_one_object_per_line(runs, recordings):
    first, second = values(predict(runs / "audio", *recordings, "--json"))
    assert list(first) == ["file", "label", "probabilities", "windows"]
    assert [first["file"], second["file"]] == recordings
    assert list(first["probabilities"]) == LABELS
    sentence, _ = values(predict(runs / "text", "wow", "No!", "--json"))
    assert list(sentence) == ["number", "text", "label", "probabilities", "cut"]
    (fused,) = values(predict(runs / "late-fusion", recordings[0], "--json"))
    assert list(fused) == ["file", "text", "label", "probabilities", "modalities"]
    assert (fused["file"], fused["text"], fused["modalities"]) == (recordings[0], None, ["audio"])


@pytest.mark.parametrize("name", ["audio", "text", "late-fusion"])
def test_a_split_becomes_the_table_of_the_run(runs, small_prepared, tmp_path, name):
    out = tmp_path / "dev.parquet"
    result = predict(runs / name, "--data", small_prepared, "--split", "dev", "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == str(out)
    size = len(predictions.read(out).table)
    assert result.stderr.splitlines()[-1].startswith(f"{size} utterances of dev")
    before = predictions.read(runs / name / "predictions" / "dev.parquet")
    if name == "late-fusion":  # read from float32 tables then, from the models now
        assert predictions.read(out).probabilities == pytest.approx(before.probabilities, abs=1e-6)
    else:
        assert out.read_bytes() == (runs / name / "predictions" / "dev.parquet").read_bytes()
    again = predict(runs / name, "--data", small_prepared, "--split", "dev", "--out", tmp_path / "b.parquet", "--json")
    (shown,) = values(again)
    assert (shown["predictions"], shown["split"], shown["utterances"]) == (str(tmp_path / "b.parquet"), "dev", size)


def test_a_long_recording_is_shown_by_window(runs, tmp_path):
    path = tmp_path / "long.flac"
    soundfile.write(path, numpy.random.default_rng(0).uniform(-0.5, 0.5, 16_000 * 4), 16_000)
    header, lines = cells(predict(runs / "audio", path, "--timestamps"))
    assert header == ["file", "start", "end", "label", *LABELS]
    assert [line[0] for line in lines] == [str(path)] * len(lines)
    spans = [(float(line[1]), float(line[2])) for line in lines]
    assert (spans[0][0], spans[-1][1]) == (0.0, 4.0)
    assert all(end - start == pytest.approx(1.52, abs=0.03) for start, end in spans)  # 76 frames of 0.02 s
    assert all(after[0] <= before[1] for before, after in itertools.pairwise(spans))
    (prediction,) = values(predict(runs / "audio", path, "--json"))
    assert [(window["start_seconds"], window["end_seconds"]) for window in prediction["windows"]] == spans
    for label in LABELS:
        mean = sum(window["probabilities"][label] for window in prediction["windows"]) / len(lines)
        assert prediction["probabilities"][label] == pytest.approx(mean, abs=1e-5)


def test_standard_input_is_predicted_as_a_file(runs, recordings):
    (named,) = values(predict(runs / "audio", recordings[0], "--json"))
    (piped,) = values(predict(runs / "audio", "-", "--json", input=Path(recordings[0]).read_bytes()))
    assert piped == named | {"file": "-"}
    damaged = predict(runs / "audio", "-", input=b"no audio")
    assert damaged.exit_code == 3
    assert damaged.stderr.splitlines()[0].startswith("error: Standard input is undecodable (")


def test_a_file_of_sentences_and_standard_input_give_what_arguments_give(runs, tmp_path):
    (tmp_path / "lines.txt").write_bytes("\ufeff".encode() + "\r\n".join(SENTENCES).encode())
    named = values(predict(runs / "text", *SENTENCES, "--json"))
    assert [value["text"] for value in named] == SENTENCES
    assert values(predict(runs / "text", "--file", tmp_path / "lines.txt", "--json")) == named
    assert values(predict(runs / "text", "-", "--json", input="\n".join(SENTENCES) + "\n")) == named


def test_truncated_texts_are_counted_at_the_end(runs):
    result = predict(runs / "text", "short", "word " * 2_000)
    assert result.exit_code == 0
    assert result.stderr.splitlines()[-1] == "truncated 1 of 2 texts to 24 tokens"


def test_an_input_that_fails_does_not_stop_the_others(runs, recordings, tmp_path):
    soundfile.write(tmp_path / "silent.wav", [0.0] * 16000, 16000)
    result = predict(runs / "audio", tmp_path, recordings[0])
    assert result.exit_code == 3
    assert [line.split("\t")[0] for line in result.stdout.splitlines()] == ["file", recordings[0]]
    error, summary = result.stderr.splitlines()
    assert error.startswith(f"error: {tmp_path / 'silent.wav'} is silent")
    assert summary == "1 of 2 inputs could not be predicted"


def test_the_word_vision_stands_for_deepface(monkeypatch, tmp_path):
    monkeypatch.setattr("emokit.vision.deepface.deepface", lambda: brightness)
    bright, dark = write_clip(tmp_path / "a.mkv", [204]), write_clip(tmp_path / "b.mkv", [0])
    result = predict("vision", dark, bright)
    assert result.exit_code == 3
    assert result.stdout.splitlines()[1].split("\t")[:2] == [str(bright), "happy"]
    assert result.stderr.splitlines() == [
        f"error: {dark} shows no face; name another clip.",
        "1 of 2 inputs could not be predicted",
    ]


ONE_OF = "Inputs and --data were given; name inputs to predict, or a prepared folder with --data."


@pytest.mark.parametrize("name", ["audio", "text", "late-fusion"])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["x", "--data", "prepared", "--out", "new.csv"], ONE_OF),
        (["--data", "prepared"], "--data was given without --out; name the table to write."),
        (["--data", "prepared", "--out", "{old}"], "{old} exists; name another --out, or delete it."),
        (["x", "--out", "{old}"], "{old} exists; name another --out, or delete it."),
        (
            ["x", "--out", "new.txt"],
            "--out new.txt has none of the endings .parquet .csv .tsv, which name the table's format; add one.",
        ),
        (["x", "--split", "dev"], "--split dev was given without --data, whose split it names; give both."),
        (["x", "--out", ""], "--out was given an empty value; give it another, or leave it out."),
        (["--data=", "--out", "new.csv"], "--data was given an empty value; give it another, or leave it out."),
    ],
)
def test_the_refusals_are_the_same_for_every_modality(runs, tmp_path, name, words, sentence):
    old = tmp_path / "old.parquet"
    old.touch()
    result = predict(runs / name, *[word.format(old=old) for word in words])
    assert (result.exit_code, result.stderr.strip()) == (2, f"error: {sentence.format(old=old)}")
    assert old.read_bytes() == b""


@pytest.mark.parametrize(
    ("name", "words", "code", "sentence"),
    [
        ("audio", [], 2, "Name audio files or a prepared folder with --data, one of the two."),
        (
            "text",
            ["a", "--file", "b"],
            2,
            "Name sentences, a file of sentences with --file, or a prepared folder with --data: exactly one of them.",
        ),
        ("text", ["--file", "b", "--data", "x", "--out", "y.csv"], 2, ONE_OF),
        (
            "late-fusion",
            [],
            2,
            "Nothing to predict was named; name clips, sentences with --text, or a prepared folder with --data.",
        ),
        ("late-fusion", ["--text", "a", "--data", "x", "--out", "y.csv"], 2, ONE_OF),
        (
            "audio",
            ["--data", "x", "--out", "y.csv", "--timestamps"],
            2,
            "--timestamps was given with --data, which prints no table; leave it out.",
        ),
        (
            "audio",
            ["x", "--out", "y.csv", "--timestamps"],
            2,
            "--timestamps was given with --out, whose table has one row per input; leave it out.",
        ),
        (
            "audio",
            ["x", "--json", "--timestamps"],
            2,
            "--timestamps was given with --json, which prints no table; leave it out.",
        ),
        (
            "text",
            ["a", "--column", "text"],
            2,
            "--column text was given without --file, whose column it names; give both.",
        ),
        ("audio", [""], 2, "An empty name was given; name audio files, or leave it out."),
        ("late-fusion", ["a.wav", " "], 2, "An empty name was given; name clips, or leave it out."),
        (
            "audio",
            ["-", "-"],
            2,
            "- was given more than once, and standard input can be read only once; give - once.",
        ),
        (
            "late-fusion",
            ["--text", "."],
            2,
            ". is a folder where a sentence was expected; give the sentence itself to --text.",
        ),
        (
            "text",
            ["."],
            2,
            ". is a folder where a sentence was expected; name a file of sentences with --file, transcribe a recording with "
            "--transcribe MODEL, or pipe the sentence itself to -.",
        ),
        (
            "text",
            ["a", "--timestamps"],
            2,
            "--timestamps was given for text, and it is an option of audio; leave it out.",
        ),
        ("audio", ["--file", "x"], 2, "--file was given for audio, and it is an option of text; leave it out."),
        ("audio", ["--text", "x"], 2, "--text was given for audio, and it is an option of late-fusion; leave it out."),
    ],
)
def test_a_wrong_combination_costs_one_sentence(runs, name, words, code, sentence):
    result = predict(runs / name, *words)
    assert result.exit_code == code
    assert f"error: {sentence}" in result.stderr.splitlines()[-2:]  # the number of wrong inputs may follow


def test_a_folder_that_is_no_run_is_named(tmp_path):
    result = predict(tmp_path, "x.wav")
    assert result.exit_code == 3
    assert result.stderr.strip() == (
        f"error: {tmp_path} has no settings.yaml, so it is no run folder; name one that `emokit train` made."
    )


def test_a_repair_and_a_refusal_are_said_and_json_stays_valid(runs, tmp_path):
    samples = numpy.random.default_rng(0).uniform(-0.5, 0.5, 16_000).astype(numpy.float32)
    repaired, huge = tmp_path / "repaired.wav", tmp_path / "huge.wav"
    soundfile.write(repaired, samples * 32_768, 16_000, subtype="FLOAT")
    soundfile.write(huge, samples * 1e20, 16_000, subtype="FLOAT")
    result = predict(runs / "audio", repaired, huge, "--json")
    assert result.exit_code == 3
    (line,) = result.stdout.splitlines()
    (flag,) = json.loads(line)["flags"]
    assert f"{repaired}: {flag}" in result.stderr
    assert flag.startswith("floats of 16-bit scale, repaired by dividing them by 32768 (peak 163")
    assert f"error: {huge} is far above full scale (peak 5e+19 of full scale); scale its samples" in result.stderr
    assert "NaN" not in result.stdout
