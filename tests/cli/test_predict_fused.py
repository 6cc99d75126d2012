"""`emokit predict` with a fused run of two runs of sound."""

import json

import pytest
from typer.testing import CliRunner

from emokit import predictions
from emokit.audio.settings import AudioSettings
from emokit.audio.train import train
from emokit.cli.app import app
from emokit.data.prepared import open_prepared
from emokit.fusion.late.run import fuse
from emokit.fusion.late.settings import FusionSettings
from emokit.labels import LABELS

runner = CliRunner()
pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def run(small_prepared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    settings = {
        "data": {"window_seconds": 1.5},
        "features": {"sample_rate": 16000, "n_fft": 512, "hop_length": 320, "n_mels": 32},
        "model": {"channels": [4, 8], "lstm_hidden_size": 8, "num_attention_heads": 2, "classifier_hidden_size": 8},
    }
    for seed in (1, 2):
        recipe = {"max_epochs": 1, "batch_size": 16, "seed": seed}
        made = AudioSettings.make({**settings, "training": recipe})
        train(made, open_prepared(small_prepared), folder / f"{seed}", device="cpu")
    quick = FusionSettings.make({"fusion": {"step": 0.5, "resamples": 100, "folds": 2}})
    fuse(quick, {"one": [folder / "1"], "two": [folder / "2"]}, folder / "fused")
    return folder / "fused"


@pytest.fixture
def sounds(small_prepared):
    return [str(path) for path in sorted((small_prepared.parent / "emodb").rglob("*.wav"))[:2]]


def test_one_line_a_clip_with_seven_probabilities(run, sounds):
    result = runner.invoke(app, ["predict", str(run), *sounds])
    assert result.exit_code == 0, result.output
    header, *lines = result.stdout.splitlines()
    assert header.split("\t") == ["utterance", "label", *LABELS]
    assert [line.split("\t")[0] for line in lines] == sounds
    for line in lines:
        values = [float(number) for number in line.split("\t")[2:]]
        assert sum(values) == pytest.approx(1, abs=0.005)
        assert line.split("\t")[1] == LABELS[values.index(max(values))]


def test_json_says_which_modalities_were_asked(run, sounds):
    result = runner.invoke(app, ["predict", str(run), sounds[0], "--json"])
    found = json.loads(result.stdout)
    assert (found["file"], found["text"], found["modalities"]) == (sounds[0], None, ["one", "two"])


def test_a_split_becomes_a_table(run, small_prepared, tmp_path):
    out = tmp_path / "dev.parquet"
    arguments = ["predict", str(run), "--data", str(small_prepared), "--split", "dev", "--out", str(out)]
    result = runner.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == str(out)
    found = predictions.read(out)
    assert f"dev: {len(found.table)} of {len(found.table)} utterances used" in result.stderr
    before = predictions.read(run / "predictions" / "dev.parquet")
    assert found.probabilities == pytest.approx(before.probabilities, abs=1e-6)


def test_a_sentence_for_a_run_that_is_not_fused_is_refused(run):
    result = runner.invoke(app, ["predict", str(run.parent / "1"), "--text", "No!"])
    assert result.exit_code == 2
    assert result.stderr.strip() == f"error: --text was given and {run.parent / '1'} is no fused run; leave it out."
