"""`emokit predict`, as a user types it."""

import itertools
import json
from pathlib import Path

import numpy
import pytest
import soundfile
from typer.testing import CliRunner

from emokit.audio.settings import AudioSettings
from emokit.audio.train import train
from emokit.cli.app import app
from emokit.data.prepared import open_prepared
from emokit.labels import LABELS

runner = CliRunner()
pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def run(small_prepared, tmp_path_factory):
    settings = {
        "name": "small",
        "data": {"window_seconds": 1.5},
        "features": {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32},
        "model": {"channels": [4, 8], "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8},
        "training": {"max_epochs": 1, "batch_size": 16},
    }
    folder = tmp_path_factory.mktemp("predict") / "run"
    train(AudioSettings.make(settings), open_prepared(small_prepared), folder, device="cpu")
    return folder


@pytest.fixture
def sounds(small_prepared):
    return [str(path) for path in sorted((small_prepared.parent / "emodb").rglob("*.wav"))[:2]]


def test_one_line_a_file_with_seven_probabilities(run, sounds):
    result = runner.invoke(app, ["predict", str(run), *sounds])
    assert result.exit_code == 0, result.output
    header, *lines = result.stdout.splitlines()
    assert header.split("\t") == ["file", "label", *LABELS]
    assert [line.split("\t")[0] for line in lines] == sounds
    for line in lines:
        _, label, *numbers = line.split("\t")
        values = [float(number) for number in numbers]
        assert len(values) == 7
        assert sum(values) == pytest.approx(1, abs=0.005)
        assert label == LABELS[values.index(max(values))]


def test_json_is_one_object_a_line(run, sounds):
    result = runner.invoke(app, ["predict", str(run), *sounds, "--json"])
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["file"] for one in found] == sounds
    assert all(list(one["probabilities"]) == list(LABELS) for one in found)


def test_a_split_becomes_a_table(run, small_prepared, tmp_path):
    out = tmp_path / "dev.parquet"
    result = runner.invoke(
        app, ["predict", str(run), "--data", str(small_prepared), "--split", "dev", "--out", str(out)]
    )
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == str(out)
    assert out.read_bytes() == (run / "predictions" / "dev.parquet").read_bytes()


def test_files_or_a_prepared_folder_one_of_the_two(run):
    result = runner.invoke(app, ["predict", str(run)])
    assert result.exit_code == 2
    assert result.stderr.strip() == "error: Name sound files or a prepared folder with --data, one of the two."


def test_a_split_without_out_is_refused(run, small_prepared):
    result = runner.invoke(app, ["predict", str(run), "--data", str(small_prepared)])
    assert result.exit_code == 2
    assert result.stderr.strip() == "error: --data was given without --out; name the parquet table to write."


def test_a_folder_that_is_no_run_is_named(tmp_path):
    result = runner.invoke(app, ["predict", str(tmp_path), "x.wav"])
    assert result.exit_code == 3
    assert result.stderr.strip() == (
        f"error: {tmp_path} has no settings.yaml, so it is no run folder; name one that `emokit train` made."
    )


def test_a_silent_file_is_named_and_the_others_are_heard(run, sounds, tmp_path):
    soundfile.write(tmp_path / "silent.wav", [0.0] * 16000, 16000)
    result = runner.invoke(app, ["predict", str(run), str(tmp_path), sounds[0]])
    assert result.exit_code == 3
    assert len(result.stdout.splitlines()) == 2
    error, summary = result.stderr.splitlines()
    assert error.startswith(f"error: {tmp_path / 'silent.wav'} is silent")
    assert summary == "1 of 2 files could not be used"


def test_a_table_that_exists_is_not_written_over(run, small_prepared, tmp_path):
    (tmp_path / "dev.parquet").touch()
    words = [
        "predict",
        str(run),
        "--data",
        str(small_prepared),
        "--split",
        "dev",
        "--out",
        str(tmp_path / "dev.parquet"),
    ]
    result = runner.invoke(app, words)
    assert result.exit_code == 2
    assert result.stderr.strip() == f"error: {tmp_path / 'dev.parquet'} exists; name another --out, or delete it."


def test_a_long_recording_is_told_window_by_window(run, tmp_path):
    random = numpy.random.default_rng(0)
    soundfile.write(tmp_path / "long.flac", random.uniform(-0.5, 0.5, 16_000 * 4), 16_000)
    result = runner.invoke(app, ["predict", str(run), str(tmp_path / "long.flac"), "--timestamps"])
    assert result.exit_code == 0, result.output
    header, *lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert header == ["file", "start", "end", "label", *LABELS]
    assert [line[0] for line in lines] == [str(tmp_path / "long.flac")] * len(lines)
    spans = [(float(line[1]), float(line[2])) for line in lines]
    assert (spans[0][0], spans[-1][1]) == (0.0, 4.0)
    assert all(end - start == pytest.approx(1.52, abs=0.03) for start, end in spans)  # 76 frames of 0.02 s
    assert all(after[0] <= before[1] for before, after in itertools.pairwise(spans))
    found = json.loads(runner.invoke(app, ["predict", str(run), str(tmp_path / "long.flac"), "--json"]).stdout)
    assert [(one["start_seconds"], one["end_seconds"]) for one in found["windows"]] == spans
    for label in LABELS:
        mean = sum(one["probabilities"][label] for one in found["windows"]) / len(lines)
        assert found["probabilities"][label] == pytest.approx(mean, abs=1e-5)


def test_sound_comes_from_standard_input_as_well(run, sounds):
    whole = runner.invoke(app, ["predict", str(run), sounds[0], "--json"])
    piped = runner.invoke(app, ["predict", str(run), "-", "--json"], input=Path(sounds[0]).read_bytes())
    assert json.loads(piped.stdout) == json.loads(whole.stdout) | {"file": "-"}
    broken = runner.invoke(app, ["predict", str(run), "-"], input=b"no sound")
    assert broken.exit_code == 3
    assert broken.stderr.splitlines()[0].startswith("error: Standard input is undecodable (")


def test_timestamps_are_for_sound_files(run, small_prepared, tmp_path):
    result = runner.invoke(app, ["predict", str(run), "--data", str(small_prepared), "--timestamps"])
    assert result.exit_code == 2
    assert result.stderr.strip() == "error: --timestamps is for sound files and a run of sound; leave it out."
